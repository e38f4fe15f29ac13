#include "sync/imap/mutf7.h"

#include <array>
#include <cstdint>

namespace mailbraid::sync::imap {

namespace {

constexpr std::string_view kAlphabet = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+,";

constexpr std::array<std::int8_t, 256> reverseAlphabet() {
  std::array<std::int8_t, 256> values{};
  values.fill(-1);
  for (std::size_t i = 0; i < kAlphabet.size(); ++i) {
    values[static_cast<unsigned char>(kAlphabet[i])] = static_cast<std::int8_t>(i);
  }
  return values;
}
constexpr auto kValues = reverseAlphabet();

constexpr bool isDirect(char32_t point) {
  return point >= 0x20 && point <= 0x7E;
}
constexpr bool isHighSurrogate(std::uint32_t unit) {
  return unit >= 0xD800 && unit <= 0xDBFF;
}
constexpr bool isLowSurrogate(std::uint32_t unit) {
  return unit >= 0xDC00 && unit <= 0xDFFF;
}

void appendUtf8(std::string& out, char32_t point) {
  const auto octet = [&out](char32_t value) { out.push_back(static_cast<char>(static_cast<unsigned char>(value))); };
  if (point < 0x80) {
    octet(point);
  } else if (point < 0x800) {
    octet(0xC0U | (point >> 6U));
    octet(0x80U | (point & 0x3FU));
  } else if (point < 0x10000) {
    octet(0xE0U | (point >> 12U));
    octet(0x80U | ((point >> 6U) & 0x3FU));
    octet(0x80U | (point & 0x3FU));
  } else {
    octet(0xF0U | (point >> 18U));
    octet(0x80U | ((point >> 12U) & 0x3FU));
    octet(0x80U | ((point >> 6U) & 0x3FU));
    octet(0x80U | (point & 0x3FU));
  }
}

/// Reads one code point at `at` and moves on; empty when the octets are not well-formed UTF-8.
std::optional<char32_t> takeUtf8(std::string_view text, std::size_t& at) {
  const auto lead = static_cast<unsigned char>(text[at]);
  const std::size_t length = lead < 0x80   ? 1
                             : lead < 0xC2 ? 0
                             : lead < 0xE0 ? 2
                             : lead < 0xF0 ? 3
                             : lead < 0xF5 ? 4
                                           : 0;
  if (length == 0 || text.size() - at < length) return std::nullopt;
  static constexpr std::array<unsigned, 5> kLeadMask = {0, 0x7F, 0x1F, 0x0F, 0x07};
  char32_t point = lead & kLeadMask[length];
  for (std::size_t i = 1; i < length; ++i) {
    const auto next = static_cast<unsigned char>(text[at + i]);
    if ((next & 0xC0U) != 0x80U) return std::nullopt;
    point = (point << 6U) | (next & 0x3FU);
  }
  static constexpr std::array<char32_t, 5> kLeast = {0, 0, 0x80, 0x800, 0x10000};
  if (point < kLeast[length] || point > 0x10FFFF || (point >= 0xD800 && point <= 0xDFFF)) return std::nullopt;
  at += length;
  return point;
}

/// The UTF-16 of one shifted run, without '&' and '-'.
bool decodeRun(std::string_view run, std::string& out) {
  std::uint32_t bits = 0;
  unsigned count = 0;
  std::uint32_t high = 0;
  for (const char octet : run) {
    const std::int8_t value = kValues[static_cast<unsigned char>(octet)];
    if (value < 0) return false;
    bits = (bits << 6U) | static_cast<std::uint32_t>(value);
    count += 6;
    if (count < 16) continue;
    count -= 16;
    const std::uint32_t unit = (bits >> count) & 0xFFFFU;
    bits &= (1U << count) - 1U;
    if (high != 0) {
      if (!isLowSurrogate(unit)) return false;
      appendUtf8(out, 0x10000 + ((high - 0xD800) << 10U) + (unit - 0xDC00));
      high = 0;
    } else if (isHighSurrogate(unit)) {
      high = unit;
    } else if (isLowSurrogate(unit)) {
      return false;
    } else {
      appendUtf8(out, unit);
    }
  }
  return high == 0 && count < 6 && bits == 0;
}

void encodeRun(const std::u16string& run, std::string& out) {
  if (run.empty()) return;
  out.push_back('&');
  std::uint32_t bits = 0;
  unsigned count = 0;
  for (const char16_t unit : run) {
    bits = (bits << 16U) | unit;
    count += 16;
    while (count >= 6) {
      count -= 6;
      out.push_back(kAlphabet[(bits >> count) & 0x3FU]);
    }
    bits &= (1U << count) - 1U;
  }
  if (count != 0) out.push_back(kAlphabet[(bits << (6 - count)) & 0x3FU]);
  out.push_back('-');
}

}  // namespace

bool isUtf8(std::string_view text) {
  for (std::size_t at = 0; at < text.size();) {
    if (!takeUtf8(text, at)) return false;
  }
  return true;
}

std::optional<std::string> encodeMutf7(std::string_view utf8) {
  std::string out;
  std::u16string run;
  for (std::size_t at = 0; at < utf8.size();) {
    const auto point = takeUtf8(utf8, at);
    if (!point) return std::nullopt;
    if (isDirect(*point)) {
      encodeRun(run, out);
      run.clear();
      out.push_back(static_cast<char>(*point));
      if (*point == U'&') out.push_back('-');
    } else if (*point < 0x10000) {
      run.push_back(static_cast<char16_t>(*point));
    } else {
      run.push_back(static_cast<char16_t>(0xD800 + ((*point - 0x10000) >> 10U)));
      run.push_back(static_cast<char16_t>(0xDC00 + ((*point - 0x10000) & 0x3FFU)));
    }
  }
  encodeRun(run, out);
  return out;
}

std::optional<std::string> decodeMutf7(std::string_view text) {
  std::string out;
  for (std::size_t at = 0; at < text.size();) {
    const auto octet = static_cast<unsigned char>(text[at]);
    if (!isDirect(octet)) return std::nullopt;
    if (octet != '&') {
      out.push_back(text[at++]);
      continue;
    }
    const std::size_t end = text.find('-', at);
    if (end == std::string_view::npos) return std::nullopt;
    const std::string_view run = text.substr(at + 1, end - at - 1);
    if (run.empty()) {
      out.push_back('&');
    } else if (!decodeRun(run, out)) {
      return std::nullopt;
    }
    at = end + 1;
  }
  // One spelling for one name: what the encoder would not write (shifted ASCII, two runs in a row) is another mailbox's
  // disguise.
  return encodeMutf7(out) == text ? std::optional<std::string>(std::move(out)) : std::nullopt;
}

}  // namespace mailbraid::sync::imap
