// An open file that is closed with the object (sync/endpoint's own).
#pragma once

#include <utility>

#include <unistd.h>

namespace mailbraid::sync::endpoint {

class Descriptor {
 public:
  /// -1: none.
  explicit Descriptor(int value) : value_(value) {}
  ~Descriptor() {
    if (value_ >= 0) ::close(value_);
  }
  Descriptor(Descriptor&& other) noexcept : value_(std::exchange(other.value_, -1)) {}
  Descriptor& operator=(Descriptor&& other) noexcept {
    std::swap(value_, other.value_);
    return *this;
  }
  [[nodiscard]] int value() const { return value_; }

 private:
  int value_;
};

}  // namespace mailbraid::sync::endpoint
