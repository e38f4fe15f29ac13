// What a certificate says, for people and for pins. Internal to sync/net.
#pragma once

#include <openssl/x509.h>

#include <array>
#include <cstdint>
#include <optional>
#include <string>
#include <string_view>

namespace mailbraid::sync::net {

/// SHA-256 of a SubjectPublicKeyInfo (RFC 7469 section 2.4).
using Pin = std::array<std::uint8_t, 32>;

/// 44 characters of base64 or 64 hexadecimal digits (colons between octets allowed), both with or without "sha256/" or
/// "sha256:" before them; nothing else.
std::optional<Pin> parsePin(std::string_view text);
/// "sha256/BASE64".
std::string pinText(const Pin& pin);
Pin pinOf(X509* certificate);

/// "a.example, *.b.example, 192.0.2.1": its subjectAltNames, or the common name where there are none. Safe to print.
std::string namesOf(X509* certificate);
/// "CN of the issuer", safe to print.
std::string issuerOf(X509* certificate);
/// "2027-01-02"
std::string dateOf(const ASN1_TIME* time);

}  // namespace mailbraid::sync::net
