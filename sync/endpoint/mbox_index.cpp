#include "sync/endpoint/mbox_index.h"

#include <cstdio>
#include <fstream>

#include <unistd.h>

namespace mailbraid::sync::endpoint {
namespace {

constexpr std::string_view kVersion = "mailbraid-mbox-1";
constexpr std::size_t kMostTail = 4096;

int hexValue(char c) {
  if (c >= '0' && c <= '9') return c - '0';
  if (c >= 'a' && c <= 'f') return c - 'a' + 10;
  return -1;
}

template <class Value>
bool fromHex(const std::string& text, Value& out) {
  if (text.size() != out.bytes.size() * 2) return false;
  for (std::size_t i = 0; i < out.bytes.size(); ++i) {
    const int high = hexValue(text[2 * i]);
    const int low = hexValue(text[2 * i + 1]);
    if (high < 0 || low < 0) return false;
    out.bytes[i] = static_cast<std::uint8_t>(high * 16 + low);
  }
  return true;
}

bool readMessage(std::istream& in, MboxFolder::Message& out, std::uint64_t earliest) {
  mailstore::MboxPlace& place = out.found.place;
  std::string digest;
  std::string header;
  if (!(in >> place.begin >> place.headerEnd >> place.end >> place.asItIs >> out.found.size >> out.hasMessageId >>
        digest >> header)) {
    return false;
  }
  const bool ordered = earliest <= place.begin && place.begin <= place.headerEnd && place.headerEnd <= place.end;
  return ordered && fromHex(digest, out.digest) && fromHex(header, out.header);
}

}  // namespace

MboxIndex MboxIndex::load(const std::filesystem::path& file) {
  MboxIndex out;
  std::ifstream in(file, std::ios::binary);
  std::string version;
  std::size_t count = 0;
  std::size_t tail = 0;
  if (!(in >> version >> count >> tail) || version != kVersion || tail > kMostTail) return {};
  in.get();
  out.tail.resize(tail);
  if (!in.read(out.tail.data(), static_cast<std::streamsize>(tail))) return {};
  for (std::uint64_t earliest = 0; out.messages.size() < count; earliest = out.messages.back().found.place.end) {
    if (!readMessage(in, out.messages.emplace_back(), earliest)) return {};
  }
  return out;
}

void MboxIndex::save(const std::filesystem::path& file) const {
  const std::filesystem::path fresh = file.string() + ".new";
  std::ofstream out(fresh, std::ios::binary | std::ios::trunc);
  out << kVersion << ' ' << messages.size() << ' ' << tail.size() << '\n' << tail;
  for (const MboxFolder::Message& one : messages) {
    const mailstore::MboxPlace& place = one.found.place;
    out << place.begin << ' ' << place.headerEnd << ' ' << place.end << ' ' << place.asItIs << ' ' << one.found.size
        << ' ' << one.hasMessageId << ' ' << one.digest.hex() << ' ' << one.header.hex() << '\n';
  }
  out.close();
  if (!out || std::rename(fresh.c_str(), file.c_str()) != 0) ::unlink(fresh.c_str());
}

}  // namespace mailbraid::sync::endpoint
