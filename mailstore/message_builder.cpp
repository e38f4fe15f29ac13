#include "mailstore/message_builder.h"

#include "mailstore/header_fields.h"
#include "mailstore/header_index.h"
#include "mailstore/message_octets.h"
#include "mailstore/sha256.h"
#include "mailstore/types/error.h"

#include <zstd.h>

#include <algorithm>
#include <utility>
#include <vector>

namespace mailbraid::mailstore {
namespace {

// Level 1 of zstd: measured on real mail (tests/mailstore_bench), level 3 takes half as long again for 4 % less.
constexpr int kCompressionLevel = 1;

class Compressor {
 public:
  Compressor() : context_(ZSTD_createCCtx()) {
    ZSTD_CCtx_setParameter(context_, ZSTD_c_compressionLevel, kCompressionLevel);
  }
  ~Compressor() { ZSTD_freeCCtx(context_); }
  Compressor(const Compressor&) = delete;
  Compressor& operator=(const Compressor&) = delete;

  /// The frame lives until the next call.
  std::string_view compress(std::string_view octets) {
    const std::size_t bound = ZSTD_compressBound(octets.size());
    if (buffer_.size() < bound) buffer_.resize(bound);
    const std::size_t size = ZSTD_compress2(context_, buffer_.data(), buffer_.size(), octets.data(), octets.size());
    if (ZSTD_isError(size) != 0) {
      throw Error(ErrorKind::Internal, Scope::Message, Retry::Never, ZSTD_getErrorName(size));
    }
    return {buffer_.data(), size};
  }

 private:
  ZSTD_CCtx* context_;
  std::vector<char> buffer_;
};

}  // namespace

PreparedMessage::PreparedMessage() = default;
PreparedMessage::PreparedMessage(PreparedMessage&&) noexcept = default;
PreparedMessage& PreparedMessage::operator=(PreparedMessage&&) noexcept = default;
PreparedMessage::~PreparedMessage() = default;

std::size_t PreparedMessage::memoryUse() const {
  return sizeof *this + header.messageId.capacity() + header.from.capacity() + header.to.capacity() +
         header.subject.capacity() + (octets == nullptr ? 0 : octets->memoryUse());
}

struct MessageBuilder::State {
  explicit State(SpoolOptions spoolOptions) : options(std::move(spoolOptions)) {}

  void reset() {
    raw.clear();
    repairable.clear();
    size = 0;
    whole.reset();
    header.reset();
    body.reset();
    key.reset();
    headerEnd.reset();
    headerRead = false;
    summary = {};
    octets = std::make_unique<PreparedMessage::Octets>();
  }

  /// Takes what `raw` holds: all of a message, or, of a large one, the next chunk.
  void takeChunk() {
    whole.append(raw);
    const std::size_t headerSize = headerEnd.feed(raw);
    const std::string_view chunk(raw);
    if (!headerRead) {
      headerRead = true;
      summary = summarizeHeader(chunk.substr(0, std::min(headerSize, options.headerLimit)), options.latestDate, key);
    }
    header.append(chunk.substr(0, headerSize));
    body.append(chunk.substr(headerSize));
    if (!raw.empty() && options.keepsOctets) octets->add(compressor.compress(raw), options);
    if (mayBeRepaired()) repairable += raw;
    raw.clear();
  }

  [[nodiscard]] bool mayBeRepaired() const { return !options.repairs.empty() && size <= kMostRepaired; }

  SpoolOptions options;
  std::string raw;
  std::string repairable;  // the whole message, where that is asked for
  std::uint64_t size = 0;
  Sha256 whole;
  TrimmedSha256 header;
  TrimmedSha256 body;
  Sha256 key;
  HeaderEnd headerEnd;
  bool headerRead = false;
  HeaderSummary summary;
  Compressor compressor;
  std::unique_ptr<PreparedMessage::Octets> octets = std::make_unique<PreparedMessage::Octets>();
};

MessageBuilder::MessageBuilder(SpoolOptions options) : state_(std::make_unique<State>(std::move(options))) {}
MessageBuilder::~MessageBuilder() = default;

void MessageBuilder::append(std::string_view octets) {
  State& state = *state_;
  state.size += octets.size();
  while (!octets.empty()) {
    const std::size_t taken = std::min(octets.size(), kChunkSize - state.raw.size());
    state.raw += octets.substr(0, taken);
    octets.remove_prefix(taken);
    if (state.raw.size() == kChunkSize) state.takeChunk();
  }
}

std::uint64_t MessageBuilder::size() const {
  return state_->size;
}

PreparedMessage MessageBuilder::finish() {
  State& state = *state_;
  if (!state.raw.empty() || !state.headerRead) state.takeChunk();
  PreparedMessage out;
  out.digest.bytes = state.whole.finish();
  out.headerDigest.bytes = state.header.finish();
  const Sha256::Value bodyDigest = state.body.finish();
  state.key.append({reinterpret_cast<const char*>(bodyDigest.data()), bodyDigest.size()});
  out.contentKey.bytes = state.key.finish();
  out.size = state.size;
  out.header = std::move(state.summary.index);
  out.fallbackDate = state.summary.fallbackDate;
  out.octets = std::move(state.octets);
  if (state.mayBeRepaired()) out.repairedForms = repairedForms(state.repairable, state.options.repairs);
  state.reset();
  return out;
}

void MessageBuilder::discard() {
  state_->reset();
}

struct HeaderDigester::State {
  HeaderEnd end;
  TrimmedSha256 digest;
  std::string text;      // as much as MessageBuilder looks at
  std::string finished;  // of the header that ended last
};

HeaderDigester::HeaderDigester() : state_(std::make_unique<State>()) {}
HeaderDigester::~HeaderDigester() = default;
HeaderDigester::HeaderDigester(HeaderDigester&&) noexcept = default;
HeaderDigester& HeaderDigester::operator=(HeaderDigester&&) noexcept = default;

void HeaderDigester::append(std::string_view octets) {
  State& state = *state_;
  const std::string_view header = octets.substr(0, state.end.feed(octets));
  state.digest.append(header);
  state.text += header.substr(0, SpoolOptions{}.headerLimit - std::min(SpoolOptions{}.headerLimit, state.text.size()));
}

HeaderDigest HeaderDigester::finish() {
  State& state = *state_;
  HeaderDigest out;
  out.bytes = state.digest.finish();
  state.finished.swap(state.text);
  discard();
  return out;
}

void HeaderDigester::discard() {
  state_->digest.reset();
  state_->text.clear();
  state_->end.reset();
}

bool HeaderDigester::hadMessageId() const {
  return hasMessageId(state_->finished);
}

HeaderIndex HeaderDigester::index() const {
  Sha256 key;
  return summarizeHeader(state_->finished, SpoolOptions{}.latestDate, key).index;
}

}  // namespace mailbraid::mailstore
