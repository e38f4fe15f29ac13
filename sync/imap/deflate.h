// COMPRESS=DEFLATE (RFC 4978): raw deflate both ways, no I/O.
#pragma once

#include <cstddef>
#include <cstdint>
#include <memory>
#include <string>
#include <string_view>

namespace mailbraid::sync::imap {

struct InflateLimits {
  std::size_t piece = 256U << 10U;  ///< octets that come out at once: the size of the one buffer
  /// The stream is broken when more than `freely` octets came out and they are more than `ratio` times those that went
  /// in.
  std::uint64_t freely = 256U << 20U;
  std::uint64_t ratio = 500;
};

/// What the server compressed, made plain in bounded pieces. Not thread-safe.
class Inflater {
 public:
  explicit Inflater(InflateLimits limits = {});
  ~Inflater();
  Inflater(const Inflater&) = delete;
  Inflater& operator=(const Inflater&) = delete;

  /// Gives it a block, which must stay in place until next() returned empty. Only then may the next block be given.
  void receive(std::string_view compressed);
  /// The next piece, valid until the next call; empty when all that was given is used up, or when the stream is broken.
  std::string_view next();
  /// Why the stream is broken (static text); empty when it is not. It stays broken.
  [[nodiscard]] std::string_view problem() const;

 private:
  struct Stream;
  std::unique_ptr<Stream> stream_;
};

/// What the client sends, compressed, each time flushed so that the server sees all of it (Z_SYNC_FLUSH). Not
/// thread-safe.
class Deflater {
 public:
  Deflater();
  ~Deflater();
  Deflater(const Deflater&) = delete;
  Deflater& operator=(const Deflater&) = delete;

  /// Appends the compressed form of `plain` to `out`.
  void compress(std::string_view plain, std::string& out);

 private:
  struct Stream;
  std::unique_ptr<Stream> stream_;
};

}  // namespace mailbraid::sync::imap
