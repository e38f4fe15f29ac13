#include "sync/pop3/body.h"

#include <cstring>

namespace mailbraid::sync::pop3 {

BodyDecoder::Dot BodyDecoder::judgeDot(std::string_view input, std::size_t& length) const {
  if (input.size() == 1) return Dot::NeedsMore;
  if (ending_ == LineEnding::Lf && input[1] == '\n') {
    length = 2;
    return Dot::End;
  }
  if (input[1] != '\r') return Dot::Stuffed;
  if (input.size() == 2) return Dot::NeedsMore;
  length = 3;
  return input[2] == '\n' ? Dot::End : Dot::Stuffed;
}

BodyDecoder::Step BodyDecoder::decode(std::string_view input) {
  std::size_t start = 0;
  if (atLineStart_ && input.front() == '.') {
    std::size_t length = 0;
    switch (judgeDot(input, length)) {
      case Dot::NeedsMore:
        return {};
      case Dot::End:
        return {{}, length, true};
      case Dot::Stuffed:
        start = 1;
        lastWasCr_ = false;
        break;
    }
  }
  atLineStart_ = false;
  std::size_t at = start;
  while (at < input.size()) {
    const void* found = std::memchr(input.data() + at, '\n', input.size() - at);
    if (found == nullptr) break;
    const auto lf = static_cast<std::size_t>(static_cast<const char*>(found) - input.data());
    const bool afterCr = lf > start ? input[lf - 1] == '\r' : lastWasCr_;
    at = lf + 1;
    if (!afterCr && ending_ == LineEnding::CrLf) continue;
    if (at == input.size() || input[at] == '.') {
      atLineStart_ = true;
      lastWasCr_ = false;
      return {input.substr(start, at - start), at, false};
    }
  }
  lastWasCr_ = input.back() == '\r';
  return {input.substr(start), input.size(), false};
}

}  // namespace mailbraid::sync::pop3
