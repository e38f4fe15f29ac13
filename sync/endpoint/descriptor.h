// An open file that is closed with the object (sync/endpoint's own).
#pragma once

#include <unistd.h>

namespace mailbraid::sync::endpoint {

class Descriptor {
 public:
  /// -1: none.
  explicit Descriptor(int value) : value_(value) {}
  ~Descriptor() {
    if (value_ >= 0) ::close(value_);
  }
  Descriptor(const Descriptor&) = delete;
  Descriptor& operator=(const Descriptor&) = delete;
  [[nodiscard]] int value() const { return value_; }

 private:
  int value_;
};

}  // namespace mailbraid::sync::endpoint
