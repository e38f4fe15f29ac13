// Certificates made for one test, with OpenSSL's API, in a directory that goes away with it.
#pragma once

#include <openssl/ec.h>
#include <openssl/evp.h>
#include <openssl/pem.h>
#include <openssl/ssl.h>
#include <openssl/x509.h>
#include <openssl/x509v3.h>

#include <cstdio>
#include <cstdlib>
#include <filesystem>
#include <memory>
#include <stdexcept>
#include <string>

namespace mailbraid::tests {

/// A directory under the system's temporary one, removed at the end.
class TemporaryDirectory {
 public:
  TemporaryDirectory() {
    std::string name = (std::filesystem::temp_directory_path() / "mailbraid-test-XXXXXX").string();
    if (::mkdtemp(name.data()) == nullptr) throw std::runtime_error("mkdtemp failed");
    path_ = name;
  }
  ~TemporaryDirectory() {
    std::error_code ignored;
    std::filesystem::remove_all(path_, ignored);
  }
  TemporaryDirectory(const TemporaryDirectory&) = delete;
  TemporaryDirectory& operator=(const TemporaryDirectory&) = delete;
  [[nodiscard]] const std::filesystem::path& path() const { return path_; }

 private:
  std::filesystem::path path_;
};

using KeyPtr = std::shared_ptr<EVP_PKEY>;
using CertificatePtr = std::shared_ptr<X509>;

/// A certificate and its key.
struct Identity {
  CertificatePtr certificate;
  KeyPtr key;
};

/// What a certificate shall say. Times are days from now.
struct CertificateWish {
  std::string commonName = "localhost";
  std::string alternativeNames = "DNS:localhost,IP:127.0.0.1,IP:::1";  ///< empty: none
  long fromDays = -2;
  long untilDays = 365;
};

inline KeyPtr makeKey() {
  return {EVP_EC_gen("P-256"), EVP_PKEY_free};
}

inline void addExtension(X509* certificate, X509* issuer, int nid, const std::string& value) {
  X509V3_CTX context;
  X509V3_set_ctx_nodb(&context);
  X509V3_set_ctx(&context, issuer, certificate, nullptr, nullptr, 0);
  X509_EXTENSION* extension = X509V3_EXT_conf_nid(nullptr, &context, nid, value.c_str());
  if (extension == nullptr) throw std::runtime_error("bad extension: " + value);
  X509_add_ext(certificate, extension, -1);
  X509_EXTENSION_free(extension);
}

/// Signed by `issuer`, or by itself when that is null.
inline Identity makeIdentity(const CertificateWish& wish, const Identity* issuer, bool authority = false) {
  static long serial = 1;
  Identity made{{X509_new(), X509_free}, makeKey()};
  X509* certificate = made.certificate.get();
  X509_set_version(certificate, 2);
  ASN1_INTEGER_set(X509_get_serialNumber(certificate), ++serial);
  constexpr long kDay = 86'400;
  X509_gmtime_adj(X509_getm_notBefore(certificate), wish.fromDays * kDay);
  X509_gmtime_adj(X509_getm_notAfter(certificate), wish.untilDays * kDay);
  X509_set_pubkey(certificate, made.key.get());
  X509_NAME_add_entry_by_txt(X509_get_subject_name(certificate), "CN", MBSTRING_ASC,
                             reinterpret_cast<const unsigned char*>(wish.commonName.data()),
                             static_cast<int>(wish.commonName.size()), -1, 0);
  const Identity& signer = issuer != nullptr ? *issuer : made;
  X509_set_issuer_name(certificate, X509_get_subject_name(signer.certificate.get()));
  addExtension(certificate, signer.certificate.get(), NID_basic_constraints,
               authority ? "critical,CA:TRUE" : "critical,CA:FALSE");
  if (!wish.alternativeNames.empty()) {
    addExtension(certificate, signer.certificate.get(), NID_subject_alt_name, wish.alternativeNames);
  }
  X509_sign(certificate, signer.key.get(), EVP_sha256());
  return made;
}

inline Identity makeAuthority(const std::string& name) {
  return makeIdentity({name, "", -2, 365}, nullptr, true);
}

inline void writeCertificate(const std::filesystem::path& path, X509* certificate) {
  std::unique_ptr<std::FILE, int (*)(std::FILE*)> file(std::fopen(path.c_str(), "w"), std::fclose);
  PEM_write_X509(file.get(), certificate);
}

inline void writeKey(const std::filesystem::path& path, EVP_PKEY* key) {
  std::unique_ptr<std::FILE, int (*)(std::FILE*)> file(std::fopen(path.c_str(), "w"), std::fclose);
  PEM_write_PrivateKey(file.get(), key, nullptr, nullptr, 0, nullptr, nullptr);
}

}  // namespace mailbraid::tests
