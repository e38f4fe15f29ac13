#include "sync/net/certificate.h"

#include "sync/net/failure.h"
#include "sync/net/openssl_ptr.h"

#include <arpa/inet.h>
#include <openssl/evp.h>
#include <openssl/x509v3.h>

#include <algorithm>
#include <ctime>
#include <vector>

namespace mailbraid::sync::net {
namespace {

int hexDigit(char c) {
  if (c >= '0' && c <= '9') return c - '0';
  if (c >= 'a' && c <= 'f') return c - 'a' + 10;
  if (c >= 'A' && c <= 'F') return c - 'A' + 10;
  return -1;
}

std::optional<Pin> parseHexPin(std::string_view text) {
  std::string digits(text);
  if (text.size() == 95) digits.erase(std::remove(digits.begin(), digits.end(), ':'), digits.end());
  Pin pin{};
  if (digits.size() != pin.size() * 2) return std::nullopt;
  for (std::size_t i = 0; i < pin.size(); ++i) {
    const int high = hexDigit(digits[2 * i]);
    const int low = hexDigit(digits[2 * i + 1]);
    if (high < 0 || low < 0) return std::nullopt;
    pin[i] = static_cast<std::uint8_t>(high * 16 + low);
  }
  return pin;
}

std::optional<Pin> parseBase64Pin(std::string_view text) {
  Pin pin{};
  if (text.size() != 44 || text.back() != '=' || text[42] == '=') return std::nullopt;
  std::array<unsigned char, 33> octets{};
  const int got = EVP_DecodeBlock(octets.data(), reinterpret_cast<const unsigned char*>(text.data()), 44);
  if (got != 33) return std::nullopt;
  std::copy_n(octets.begin(), pin.size(), pin.begin());
  return pin;
}

std::string_view view(const ASN1_STRING* text) {
  return {reinterpret_cast<const char*>(ASN1_STRING_get0_data(text)),
          static_cast<std::size_t>(ASN1_STRING_length(text))};
}

std::string addressText(const ASN1_STRING* address) {
  const int length = ASN1_STRING_length(address);
  if (length != 4 && length != 16) return {};
  char out[INET6_ADDRSTRLEN] = {};
  ::inet_ntop(length == 4 ? AF_INET : AF_INET6, ASN1_STRING_get0_data(address), out, sizeof out);
  return out;
}

std::string commonName(const X509_NAME* name) {
  const int at = X509_NAME_get_index_by_NID(name, NID_commonName, -1);
  if (at < 0) return {};
  return printable(view(X509_NAME_ENTRY_get_data(X509_NAME_get_entry(name, at))));
}

std::vector<std::string> alternativeNames(X509* certificate) {
  const std::unique_ptr<GENERAL_NAMES, OpensslFree<&GENERAL_NAMES_free>> names(
      static_cast<GENERAL_NAMES*>(X509_get_ext_d2i(certificate, NID_subject_alt_name, nullptr, nullptr)));
  std::vector<std::string> out;
  for (int i = 0; names && i < sk_GENERAL_NAME_num(names.get()); ++i) {
    const GENERAL_NAME* name = sk_GENERAL_NAME_value(names.get(), i);
    if (name->type == GEN_DNS) out.push_back(printable(view(name->d.dNSName)));
    if (name->type == GEN_IPADD) out.push_back(addressText(name->d.iPAddress));
  }
  return out;
}

}  // namespace

std::optional<Pin> parsePin(std::string_view text) {
  for (const std::string_view prefix : {"sha256/", "sha256:"}) {
    if (text.substr(0, prefix.size()) == prefix) {
      text.remove_prefix(prefix.size());
      break;
    }
  }
  if (std::optional<Pin> pin = parseHexPin(text)) return pin;
  return parseBase64Pin(text);
}

std::string pinText(const Pin& pin) {
  std::array<unsigned char, 45> out{};
  EVP_EncodeBlock(out.data(), pin.data(), static_cast<int>(pin.size()));
  return "sha256/" + std::string(reinterpret_cast<const char*>(out.data()));
}

Pin pinOf(X509* certificate) {
  unsigned char* der = nullptr;
  const int length = i2d_X509_PUBKEY(X509_get_X509_PUBKEY(certificate), &der);
  Pin pin{};
  if (length > 0) {
    EVP_Digest(der, static_cast<std::size_t>(length), pin.data(), nullptr, EVP_sha256(), nullptr);
    OPENSSL_free(der);
  }
  return pin;
}

std::string namesOf(X509* certificate) {
  constexpr std::size_t kMostNames = 5;
  const std::vector<std::string> names = alternativeNames(certificate);
  if (names.empty()) {
    const std::string common = commonName(X509_get_subject_name(certificate));
    return common.empty() ? "no host at all" : common;
  }
  std::string out;
  for (std::size_t i = 0; i < std::min(names.size(), kMostNames); ++i) out += (i == 0 ? "" : ", ") + names[i];
  if (names.size() > kMostNames) out += " and " + std::to_string(names.size() - kMostNames) + " more";
  return out;
}

std::string issuerOf(X509* certificate) {
  const X509_NAME* issuer = X509_get_issuer_name(certificate);
  std::string common = commonName(issuer);
  if (!common.empty()) return common;
  const std::unique_ptr<char, OpensslFree<[](char* text) { OPENSSL_free(text); }>> line(
      X509_NAME_oneline(issuer, nullptr, 0));
  return line ? printable(line.get()) : "an issuer without a name";
}

std::string dateOf(const ASN1_TIME* time) {
  std::tm utc{};
  if (ASN1_TIME_to_tm(time, &utc) != 1) return "an unreadable date";
  char out[32];
  return std::strftime(out, sizeof out, "%Y-%m-%d", &utc) == 0 ? "an unreadable date" : out;
}

}  // namespace mailbraid::sync::net
