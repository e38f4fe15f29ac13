#include "sync/imap/deflate.h"

#include <zlib.h>

#include <algorithm>
#include <limits>
#include <new>

namespace mailbraid::sync::imap {

namespace {

// zlib's API takes pointers to mutable octets that it does not change.
Bytef* input(std::string_view octets) {
  return const_cast<Bytef*>(reinterpret_cast<const Bytef*>(octets.data()));
}
Bytef* output(char* octets) {
  return reinterpret_cast<Bytef*>(octets);
}

/// Raw deflate, no zlib header (RFC 4978 section 3).
constexpr int kRawWindow = -15;

std::uint32_t bounded(std::size_t size) {
  return static_cast<std::uint32_t>(std::min<std::size_t>(size, std::numeric_limits<std::uint32_t>::max()));
}

}  // namespace

struct Inflater::Stream {
  explicit Stream(InflateLimits given) : limits(given), piece(std::max<std::size_t>(given.piece, 1), '\0') {
    if (inflateInit2(&zlib, kRawWindow) != Z_OK) throw std::bad_alloc();
  }
  ~Stream() { inflateEnd(&zlib); }
  Stream(const Stream&) = delete;
  Stream& operator=(const Stream&) = delete;

  InflateLimits limits;
  std::string piece;
  z_stream zlib{};
  std::string_view unread;
  std::uint64_t totalIn = 0;
  std::uint64_t totalOut = 0;
  bool mayHaveMore = false;  // the last piece was full: there may be output without more input
  std::string_view problem;
};

Inflater::Inflater(InflateLimits limits) : stream_(std::make_unique<Stream>(limits)) {}
Inflater::~Inflater() = default;

void Inflater::receive(std::string_view compressed) {
  stream_->unread = compressed;
}

std::string_view Inflater::next() {
  Stream& stream = *stream_;
  if (!stream.problem.empty() || (stream.unread.empty() && !stream.mayHaveMore)) return {};
  z_stream& zlib = stream.zlib;
  const std::uint32_t given = bounded(stream.unread.size());
  const std::uint32_t room = bounded(stream.piece.size());
  zlib.next_in = input(stream.unread);
  zlib.avail_in = given;
  zlib.next_out = output(stream.piece.data());
  zlib.avail_out = room;
  const int result = inflate(&zlib, Z_SYNC_FLUSH);
  const std::uint32_t taken = given - zlib.avail_in;
  const std::uint32_t made = room - zlib.avail_out;
  stream.unread.remove_prefix(taken);
  stream.totalIn += taken;
  stream.totalOut += made;
  stream.mayHaveMore = zlib.avail_out == 0;
  // Z_BUF_ERROR: there was nothing left to do, which is no error.
  if (result != Z_OK && result != Z_BUF_ERROR) {
    stream.problem = result == Z_STREAM_END ? "the compressed stream has ended" : "the compressed stream is damaged";
  }
  if (stream.totalOut > stream.limits.freely && stream.totalOut / stream.limits.ratio > stream.totalIn) {
    stream.problem = "the compressed stream expands beyond the limit";
    return {};
  }
  return std::string_view(stream.piece).substr(0, made);
}

std::string_view Inflater::problem() const {
  return stream_->problem;
}

struct Deflater::Stream {
  Stream() {
    if (deflateInit2(&zlib, Z_DEFAULT_COMPRESSION, Z_DEFLATED, kRawWindow, 8, Z_DEFAULT_STRATEGY) != Z_OK) {
      throw std::bad_alloc();
    }
  }
  ~Stream() { deflateEnd(&zlib); }
  Stream(const Stream&) = delete;
  Stream& operator=(const Stream&) = delete;
  z_stream zlib{};
};

Deflater::Deflater() : stream_(std::make_unique<Stream>()) {}
Deflater::~Deflater() = default;

void Deflater::compress(std::string_view plain, std::string& out) {
  z_stream& zlib = stream_->zlib;
  static constexpr std::size_t kStep = 16U << 10U;
  while (!plain.empty()) {
    const std::uint32_t given = bounded(plain.size());
    zlib.next_in = input(plain);
    zlib.avail_in = given;
    do {
      const std::size_t before = out.size();
      out.resize(before + kStep);
      zlib.next_out = output(out.data() + before);
      zlib.avail_out = static_cast<uInt>(kStep);
      deflate(&zlib, Z_SYNC_FLUSH);
      out.resize(before + kStep - zlib.avail_out);
    } while (zlib.avail_out == 0);
    plain.remove_prefix(given - zlib.avail_in);
  }
}

}  // namespace mailbraid::sync::imap
