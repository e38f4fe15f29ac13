#include "cli/text/utf8.h"

#include <array>
#include <cstdint>

namespace mailbraid::cli {
namespace {

constexpr std::string_view kReplacement = "\xEF\xBF\xBD";
constexpr std::string_view kDot = "\xC2\xB7";
constexpr std::string_view kEllipsis = "\xE2\x80\xA6";

struct Range {
  char32_t first;
  char32_t last;
};

// What a terminal, or a reader's eye, could be led astray with: bidirectional controls, separators, tags, the BOM.
constexpr std::array<Range, 10> kMisleading{{{0x0000, 0x001F},
                                             {0x007F, 0x009F},
                                             {0x00AD, 0x00AD},
                                             {0x061C, 0x061C},
                                             {0x200B, 0x200B},
                                             {0x200E, 0x200F},
                                             {0x2028, 0x202E},
                                             {0x2066, 0x2069},
                                             {0xFEFF, 0xFEFF},
                                             {0xE0000, 0xE007F}}};

constexpr std::array<Range, 12> kZeroWidth{{{0x0300, 0x036F},
                                            {0x0483, 0x0489},
                                            {0x0591, 0x05BD},
                                            {0x0610, 0x061A},
                                            {0x064B, 0x065F},
                                            {0x0E34, 0x0E3A},
                                            {0x1AB0, 0x1AFF},
                                            {0x1DC0, 0x1DFF},
                                            {0x200B, 0x200F},
                                            {0x20D0, 0x20FF},
                                            {0xFE00, 0xFE0F},
                                            {0xE0100, 0xE01EF}}};

constexpr std::array<Range, 10> kWide{{{0x1100, 0x115F},
                                       {0x2E80, 0x303E},
                                       {0x3041, 0xA4CF},
                                       {0xA960, 0xA97F},
                                       {0xAC00, 0xD7A3},
                                       {0xF900, 0xFAFF},
                                       {0xFE30, 0xFE6F},
                                       {0xFF00, 0xFF60},
                                       {0x1F300, 0x1FAFF},
                                       {0x20000, 0x3FFFD}}};

template <std::size_t N>
bool within(const std::array<Range, N>& ranges, char32_t value) {
  for (const Range& range : ranges) {
    if (value >= range.first && value <= range.last) return true;
  }
  return false;
}

std::size_t widthOf(char32_t value) {
  if (within(kZeroWidth, value)) return 0;
  return within(kWide, value) ? 2 : 1;
}

enum class Lines { One, Many };

std::string harmless(std::string_view text, Lines lines) {
  std::string out;
  out.reserve(text.size());
  while (!text.empty()) {
    const CodePoint point = firstCodePoint(text);
    const std::string_view octets = text.substr(0, point.octets);
    text.remove_prefix(point.octets);
    if (!point.valid) {
      out += kReplacement;
    } else if (point.value == '\r' && !text.empty() && text.front() == '\n') {
      continue;
    } else if (point.value == '\n' || point.value == '\t') {
      out += lines == Lines::Many ? octets : " ";
    } else if (within(kMisleading, point.value)) {
      out += kDot;
    } else {
      out += octets;
    }
  }
  return out;
}

}  // namespace

CodePoint firstCodePoint(std::string_view text) {
  const auto octet = [&](std::size_t at) -> std::uint32_t {
    return at < text.size() ? static_cast<std::uint8_t>(text[at]) : 0U;
  };
  const std::uint32_t lead = octet(0);
  if (lead < 0x80) return {lead, 1, true};
  const std::size_t octets = lead >= 0xF0 && lead < 0xF5   ? 4
                             : lead >= 0xE0 && lead < 0xF0 ? 3
                             : lead >= 0xC2 && lead < 0xE0 ? 2
                                                           : 0;
  if (octets == 0) return {lead, 1, false};
  std::uint32_t value = lead & (0x7FU >> octets);
  for (std::size_t at = 1; at < octets; ++at) {
    if ((octet(at) & 0xC0U) != 0x80U) return {lead, 1, false};
    value = (value << 6U) | (octet(at) & 0x3FU);
  }
  const bool overlong = (octets == 3 && value < 0x800) || (octets == 4 && value < 0x10000);
  const bool surrogate = value >= 0xD800 && value <= 0xDFFF;
  if (overlong || surrogate || value > 0x10FFFF) return {lead, 1, false};
  return {value, octets, true};
}

std::string validUtf8(std::string_view text) {
  std::string out;
  out.reserve(text.size());
  while (!text.empty()) {
    const CodePoint point = firstCodePoint(text);
    out += point.valid ? text.substr(0, point.octets) : kReplacement;
    text.remove_prefix(point.octets);
  }
  return out;
}

std::string harmlessLine(std::string_view text) {
  return harmless(text, Lines::One);
}
std::string harmlessText(std::string_view text) {
  return harmless(text, Lines::Many);
}

std::size_t displayWidth(std::string_view text) {
  std::size_t width = 0;
  while (!text.empty()) {
    const CodePoint point = firstCodePoint(text);
    width += point.valid ? widthOf(point.value) : 1;
    text.remove_prefix(point.octets);
  }
  return width;
}

std::string cutToWidth(std::string_view text, std::size_t columns) {
  if (displayWidth(text) <= columns) return std::string(text);
  if (columns == 0) return {};
  std::string out;
  std::size_t width = 0;
  while (!text.empty()) {
    const CodePoint point = firstCodePoint(text);
    const std::size_t next = point.valid ? widthOf(point.value) : 1;
    if (width + next + 1 > columns) break;
    width += next;
    out += text.substr(0, point.octets);
    text.remove_prefix(point.octets);
  }
  return out += kEllipsis;
}

std::string paddedToWidth(std::string_view text, std::size_t columns) {
  std::string out = cutToWidth(text, columns);
  out.append(columns - displayWidth(out), ' ');
  return out;
}

}  // namespace mailbraid::cli
