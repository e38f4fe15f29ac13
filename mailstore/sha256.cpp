#include "mailstore/sha256.h"

#include "mailstore/types/error.h"

#include <openssl/evp.h>

#include <utility>

namespace mailbraid::mailstore {
namespace {

constexpr std::size_t kMaxPending = 4096;

/// Fetched once: looking an algorithm up costs more than hashing a small header.
const EVP_MD* algorithm() {
  static const EVP_MD* const kFetched = EVP_MD_fetch(nullptr, "SHA256", nullptr);
  return kFetched;
}

void require(int result) {
  if (result != 1) throw Error(ErrorKind::Internal, Scope::Run, Retry::Never, "OpenSSL has no SHA-256 here.");
}

}  // namespace

void Sha256::Free::operator()(evp_md_ctx_st* context) const {
  EVP_MD_CTX_free(context);
}

Sha256::Sha256() : context_(EVP_MD_CTX_new()) {
  reset();
}
Sha256::~Sha256() = default;
Sha256::Sha256(Sha256&&) noexcept = default;
Sha256& Sha256::operator=(Sha256&&) noexcept = default;

void Sha256::start() {
  if (started_) return;
  require(EVP_DigestInit_ex2(context_.get(), algorithm(), nullptr));
  started_ = true;
}

void Sha256::append(std::string_view octets) {
  if (octets.empty()) return;
  start();
  require(EVP_DigestUpdate(context_.get(), octets.data(), octets.size()));
}

Sha256::Value Sha256::finish() {
  start();
  Value out{};
  unsigned int size = 0;
  require(EVP_DigestFinal_ex(context_.get(), out.data(), &size));
  started_ = false;
  return out;
}

void Sha256::reset() {
  started_ = false;
}

void TrimmedSha256::append(std::string_view octets) {
  const std::size_t last = octets.find_last_not_of("\r\n");
  if (last != std::string_view::npos) {
    hash_.append(pending_);
    pending_.clear();
    parted_ = false;
    hash_.append(octets.substr(0, last + 1));
    octets.remove_prefix(last + 1);
  }
  if (pending_.size() + octets.size() > kMaxPending) {
    if (!parted_) {
      hash_.start();
      require(EVP_MD_CTX_copy_ex(trimmed_.context_.get(), hash_.context_.get()));
      trimmed_.started_ = true;
      parted_ = true;
    }
    hash_.append(pending_);
    pending_.clear();
    hash_.append(octets);
  } else {
    pending_ += octets;
  }
}

Sha256::Value TrimmedSha256::finish() {
  const Sha256::Value out = parted_ ? trimmed_.finish() : hash_.finish();
  reset();
  return out;
}

void TrimmedSha256::reset() {
  hash_.reset();
  pending_.clear();
  parted_ = false;
}

}  // namespace mailbraid::mailstore
