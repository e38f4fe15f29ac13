// What a transport reads from and writes to: the socket itself, or TLS over it. Internal to sync/net.
#pragma once

#include <cstddef>
#include <cstdint>
#include <span>
#include <string>
#include <string_view>

namespace mailbraid::sync::net {

/// What came of one attempt that never waits.
struct Step {
  enum class Kind : std::uint8_t { Moved, WantsRead, WantsWrite, End };
  Kind kind = Kind::Moved;
  std::size_t octets = 0;  ///< with Moved, at least 1
};

/// Non-blocking octets both ways. Failures are thrown as Error.
class Channel {
 public:
  virtual ~Channel() = default;
  virtual Step receive(std::span<char> into) = 0;
  virtual Step send(std::string_view octets) = 0;
  /// True when receive() would give something (or the end) that the socket no longer shows.
  virtual bool holdsInput() = 0;
  /// Asked when the socket became readable: true when that is something for the reader, and not of TLS itself.
  virtual bool confirmsInput() = 0;
  virtual void goodbye() noexcept = 0;
};

/// The socket as it is. recv() and send() are called on the descriptor that POCO owns: StreamSocket::receiveBytes()
/// polls before each read while a timeout is set, and throws for each EAGAIN.
class PlainChannel final : public Channel {
 public:
  PlainChannel(int descriptor, std::string where) : descriptor_(descriptor), where_(std::move(where)) {}
  Step receive(std::span<char> into) override;
  Step send(std::string_view octets) override;
  bool holdsInput() override { return false; }
  bool confirmsInput() override { return true; }
  void goodbye() noexcept override {}

 private:
  int descriptor_;
  std::string where_;
};

}  // namespace mailbraid::sync::net
