// SHA-256 with a context that is used again and again (mailstore's own).
#pragma once

#include <array>
#include <cstdint>
#include <memory>
#include <string>
#include <string_view>

struct evp_md_ctx_st;

namespace mailbraid::mailstore {

class Sha256 {
 public:
  using Value = std::array<std::uint8_t, 32>;
  Sha256();
  ~Sha256();
  Sha256(Sha256&&) noexcept;
  Sha256& operator=(Sha256&&) noexcept;

  void append(std::string_view octets);
  Value finish();  ///< and begins anew
  void reset();

 private:
  friend class TrimmedSha256;
  void start();
  struct Free {
    void operator()(evp_md_ctx_st* context) const;
  };
  std::unique_ptr<evp_md_ctx_st, Free> context_;
  bool started_ = false;  // OpenSSL's own beginning costs as much as hashing a few lines: not before there are octets
};

/// The digest of octets without the CR and LF at their end, however many there are and however they are cut.
class TrimmedSha256 {
 public:
  void append(std::string_view octets);
  Sha256::Value finish();  ///< and begins anew
  void reset();

 private:
  Sha256 hash_;
  // CR and LF that count only if something follows. When there are too many to keep, they go into hash_, and trimmed_
  // is what hash_ was before them.
  std::string pending_;
  Sha256 trimmed_;
  bool parted_ = false;
};

}  // namespace mailbraid::mailstore
