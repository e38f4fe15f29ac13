// A secret argument of a command.
#pragma once

#include <string>
#include <string_view>
#include <utility>

namespace mailbraid::sync::imap {

/// Overwrites the octets of `text`, which the optimiser cannot leave out, and empties it.
inline void wipe(std::string& text) noexcept {
  for (volatile char* at = text.data(); at != text.data() + text.size(); ++at) *at = 0;
  text.clear();
}

/// Holds a secret until it is encoded; wipes itself. Moves, does not copy, does not compare, does not print.
class SecretText {
 public:
  SecretText() = default;
  explicit SecretText(std::string_view text) : text_(text) {}
  SecretText(const SecretText&) = delete;
  SecretText& operator=(const SecretText&) = delete;
  SecretText(SecretText&& other) noexcept : text_(std::move(other.text_)) { wipe(other.text_); }
  SecretText& operator=(SecretText&& other) noexcept {
    if (this != &other) {
      wipe(text_);
      text_ = std::move(other.text_);
      wipe(other.text_);
    }
    return *this;
  }
  ~SecretText() { wipe(text_); }

  [[nodiscard]] std::string_view reveal() const { return text_; }

 private:
  std::string text_;
};

}  // namespace mailbraid::sync::imap
