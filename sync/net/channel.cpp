#include "sync/net/channel.h"

#include "sync/net/failure.h"

#include <sys/socket.h>

#include <cerrno>

namespace mailbraid::sync::net {

Step PlainChannel::receive(std::span<char> into) {
  for (;;) {
    const ssize_t got = ::recv(descriptor_, into.data(), into.size(), 0);
    if (got > 0) return {Step::Kind::Moved, static_cast<std::size_t>(got)};
    if (got == 0) return {Step::Kind::End, 0};
    if (errno == EAGAIN || errno == EWOULDBLOCK) return {Step::Kind::WantsRead, 0};
    if (errno != EINTR) failLost("lost the connection to " + where_ + ": " + errnoText(errno));
  }
}

Step PlainChannel::send(std::string_view octets) {
  for (;;) {
    const ssize_t sent = ::send(descriptor_, octets.data(), octets.size(), MSG_NOSIGNAL);
    if (sent >= 0) return {Step::Kind::Moved, static_cast<std::size_t>(sent)};
    if (errno == EAGAIN || errno == EWOULDBLOCK) return {Step::Kind::WantsWrite, 0};
    if (errno != EINTR) failLost("lost the connection to " + where_ + ": " + errnoText(errno));
  }
}

}  // namespace mailbraid::sync::net
