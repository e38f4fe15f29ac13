// A SCRAM server (RFC 5802) in a few lines of OpenSSL: an implementation independent of the client's library.
#pragma once

#include "sync/sasl/exchange.h"

#include <openssl/evp.h>
#include <openssl/hmac.h>

#include <string>
#include <string_view>

namespace mailbraid::tests {

class ScramServer {
 public:
  struct Settings {
    const EVP_MD* hash = EVP_sha256();
    std::string password = "pencil";
    std::string salt = "salt of sixteen!";
    unsigned iterations = 4096;
    std::string nonce = "3rfcNHYJY1ZVvWVs7j";  ///< the server's part
    std::string bindingData;                   ///< what the server sees; empty: it has none
  };

  explicit ScramServer(Settings settings) : settings_(std::move(settings)) {}

  std::string first(std::string_view clientFirst) {
    // gs2-header is everything up to the second comma.
    const std::size_t comma = clientFirst.find(',', clientFirst.find(',') + 1);
    gs2Header_ = clientFirst.substr(0, comma + 1);
    clientFirstBare_ = clientFirst.substr(comma + 1);
    nonce_ = clientFirstBare_.substr(clientFirstBare_.find(",r=") + 3) + settings_.nonce;
    serverFirst_ =
        "r=" + nonce_ + ",s=" + sync::sasl::encodeBase64(settings_.salt) + ",i=" + std::to_string(settings_.iterations);
    return serverFirst_;
  }

  /// `v=...`, or `e=...` when the client is not who it says.
  std::string last(std::string_view clientLast) {
    const std::size_t proofAt = clientLast.rfind(",p=");
    const std::string withoutProof(clientLast.substr(0, proofAt));
    if (withoutProof != "c=" + sync::sasl::encodeBase64(gs2Header_ + settings_.bindingData) + ",r=" + nonce_) {
      return "e=channel-bindings-dont-match";
    }
    const std::string message = clientFirstBare_ + "," + serverFirst_ + "," + withoutProof;
    const std::string salted = saltedPassword();
    const std::string clientKey = hmac(salted, "Client Key");
    std::string proof = hmac(hash(clientKey), message);
    for (std::size_t i = 0; i < proof.size(); ++i) proof[i] = static_cast<char>(proof[i] ^ clientKey[i]);
    if (clientLast.substr(proofAt + 3) != sync::sasl::encodeBase64(proof)) return "e=invalid-proof";
    return "v=" + sync::sasl::encodeBase64(hmac(hmac(salted, "Server Key"), message));
  }

  [[nodiscard]] const std::string& gs2Header() const { return gs2Header_; }

 private:
  [[nodiscard]] std::string saltedPassword() const {
    std::string out(static_cast<std::size_t>(EVP_MD_get_size(settings_.hash)), '\0');
    PKCS5_PBKDF2_HMAC(settings_.password.data(), static_cast<int>(settings_.password.size()),
                      reinterpret_cast<const unsigned char*>(settings_.salt.data()),
                      static_cast<int>(settings_.salt.size()), static_cast<int>(settings_.iterations), settings_.hash,
                      static_cast<int>(out.size()), reinterpret_cast<unsigned char*>(out.data()));
    return out;
  }
  [[nodiscard]] std::string hmac(const std::string& key, const std::string& text) const {
    std::string out(static_cast<std::size_t>(EVP_MD_get_size(settings_.hash)), '\0');
    HMAC(settings_.hash, key.data(), static_cast<int>(key.size()), reinterpret_cast<const unsigned char*>(text.data()),
         text.size(), reinterpret_cast<unsigned char*>(out.data()), nullptr);
    return out;
  }
  [[nodiscard]] std::string hash(const std::string& text) const {
    std::string out(static_cast<std::size_t>(EVP_MD_get_size(settings_.hash)), '\0');
    EVP_Digest(text.data(), text.size(), reinterpret_cast<unsigned char*>(out.data()), nullptr, settings_.hash,
               nullptr);
    return out;
  }

  Settings settings_;
  std::string gs2Header_;
  std::string clientFirstBare_;
  std::string serverFirst_;
  std::string nonce_;
};

}  // namespace mailbraid::tests
