// A password or token: readable only by asking for it by name.
#pragma once

#include <string>
#include <string_view>
#include <utility>

namespace mailbraid::sync::sasl {

/// Holds a secret and wipes it on destruction. Deliberately neither streamable nor comparable nor convertible: it
/// cannot slip into a log line. Movable and copyable (each copy wipes itself).
class Secret {
 public:
  Secret() = default;
  explicit Secret(std::string text) : text_(std::move(text)) {}
  Secret(const Secret&) = default;
  Secret(Secret&& other) noexcept : text_(std::move(other.text_)) { other.wipe(); }
  Secret& operator=(const Secret& other) {
    if (this != &other) {
      wipe();
      text_ = other.text_;
    }
    return *this;
  }
  Secret& operator=(Secret&& other) noexcept {
    if (this != &other) {
      wipe();
      text_ = std::move(other.text_);
      other.wipe();
    }
    return *this;
  }
  ~Secret() { wipe(); }

  [[nodiscard]] bool empty() const { return text_.empty(); }
  /// The one way to the octets. Call it where they are encoded for the wire and nowhere else.
  [[nodiscard]] std::string_view reveal() const { return text_; }

 private:
  void wipe() noexcept {
    // A volatile write is not optimised away, unlike memset on memory that dies.
    for (volatile char* at = text_.data(); at != text_.data() + text_.size(); ++at) *at = 0;
    text_.clear();
  }
  std::string text_;
};

}  // namespace mailbraid::sync::sasl
