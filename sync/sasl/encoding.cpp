// base64 and the digest of APOP: what goes around an exchange on the wire.
#include "sync/sasl/exchange.h"

#include <openssl/crypto.h>
#include <openssl/evp.h>

#include <array>
#include <cstddef>
#include <new>

namespace mailbraid::sync::sasl {

namespace {

constexpr std::string_view kAlphabet = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";

constexpr std::array<std::int8_t, 256> makeReverse() {
  std::array<std::int8_t, 256> out{};
  for (auto& value : out) value = -1;
  for (std::size_t i = 0; i < kAlphabet.size(); ++i) {
    out[static_cast<unsigned char>(kAlphabet[i])] = static_cast<std::int8_t>(i);
  }
  return out;
}
constexpr std::array<std::int8_t, 256> kReverse = makeReverse();

/// Up to four characters without padding into the low bits; none when one is not of the alphabet.
std::optional<std::uint32_t> bitsOf(std::string_view group) {
  std::uint32_t bits = 0;
  for (const char c : group) {
    const std::int8_t value = kReverse[static_cast<unsigned char>(c)];
    if (value < 0) return std::nullopt;
    bits = bits << 6U | static_cast<std::uint32_t>(value);
  }
  return bits;
}

}  // namespace

std::string encodeBase64(std::string_view octets) {
  std::string out;
  // Reserved once: a buffer that grows would leave copies of a secret behind.
  out.reserve((octets.size() + 2) / 3 * 4);
  for (std::size_t at = 0; at < octets.size(); at += 3) {
    const std::string_view group = octets.substr(at, 3);
    std::uint32_t bits = 0;
    for (std::size_t i = 0; i < 3; ++i)
      bits = bits << 8U | (i < group.size() ? static_cast<unsigned char>(group[i]) : 0U);
    for (std::size_t i = 0; i < 4; ++i) {
      out += i <= group.size() ? kAlphabet[bits >> (18U - 6U * static_cast<unsigned>(i)) & 0x3FU] : '=';
    }
  }
  return out;
}

Secret encodeBase64(const Secret& octets) {
  return Secret(encodeBase64(octets.reveal()));
}

std::optional<std::string> decodeBase64(std::string_view text) {
  if (text.size() % 4 != 0) return std::nullopt;
  std::size_t padding = 0;
  while (padding < 2 && padding < text.size() && text[text.size() - 1 - padding] == '=') ++padding;
  text.remove_suffix(padding);
  std::string out;
  out.reserve(text.size() / 4 * 3 + 2);
  for (std::size_t at = 0; at < text.size(); at += 4) {
    const std::string_view group = text.substr(at, 4);
    const std::optional<std::uint32_t> known = bitsOf(group);
    if (!known) return std::nullopt;
    const auto missing = static_cast<unsigned>(4 - group.size());
    const std::uint32_t bits = *known << 6U * missing;
    const std::size_t octets = 3 - missing;
    for (std::size_t i = 0; i < octets; ++i)
      out += static_cast<char>(bits >> (16U - 8U * static_cast<unsigned>(i)) & 0xFF);
    // Bits that the padding cuts off must be zero: there is one encoding of every value (RFC 4648 section 3.5).
    if (missing != 0 && (bits & ((1 << 8U * missing) - 1)) != 0) return std::nullopt;
  }
  return out;
}

std::string apopDigest(std::string_view timestamp, const Secret& secret) {
  std::array<unsigned char, EVP_MAX_MD_SIZE> digest{};
  unsigned length = 0;
  EVP_MD_CTX* context = EVP_MD_CTX_new();
  if (context == nullptr) throw std::bad_alloc();
  const bool done = EVP_DigestInit_ex(context, EVP_md5(), nullptr) == 1 &&
                    EVP_DigestUpdate(context, timestamp.data(), timestamp.size()) == 1 &&
                    EVP_DigestUpdate(context, secret.reveal().data(), secret.reveal().size()) == 1 &&
                    EVP_DigestFinal_ex(context, digest.data(), &length) == 1;
  EVP_MD_CTX_free(context);
  if (!done) return {};
  static constexpr std::string_view kHex = "0123456789abcdef";
  std::string out;
  for (unsigned i = 0; i < length; ++i) {
    out += kHex[digest[i] >> 4U];
    out += kHex[digest[i] & 0x0FU];
  }
  return out;
}

}  // namespace mailbraid::sync::sasl
