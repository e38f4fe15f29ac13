#include "sync/sasl/exchange.h"

#include "mailstore/types/error.h"
#include "sync/sasl/oauth.h"

#include <gsasl.h>
#include <openssl/crypto.h>

#include <charconv>
#include <cstring>

namespace mailbraid::sync::sasl {

namespace {

using mailstore::Error;
using mailstore::ErrorKind;
using mailstore::Retry;
using mailstore::Scope;

/// At which step of libgsasl's client the password is read; asking for it earlier could prompt somebody in vain.
struct SecretNeed {
  Mechanism mechanism;
  int step;
};
constexpr SecretNeed kSecretNeeds[] = {
    {Mechanism::ScramSha256Plus, 1}, {Mechanism::ScramSha1Plus, 1}, {Mechanism::ScramSha256, 1},
    {Mechanism::ScramSha1, 1},       {Mechanism::CramMd5, 0},       {Mechanism::Plain, 0},
    {Mechanism::Login, 1},
};

bool secretNeededAt(Mechanism mechanism, int step) {
  for (const SecretNeed& need : kSecretNeeds) {
    if (need.mechanism == mechanism) return need.step == step;
  }
  return false;
}

bool isScram(Mechanism mechanism) {
  return factsOf(mechanism).provesServer;
}

Error internal(const char* what, int code) {
  return Error(ErrorKind::Internal, Scope::Endpoint, Retry::Later,
               std::string("cannot prepare the login: ") + what + ": " + gsasl_strerror(code));
}

struct ContextCloser {
  void operator()(Gsasl* context) const { gsasl_done(context); }
};

/// libgsasl frees its copies of secrets as they are. They are its own heap memory, so that they may be written to.
struct SessionCloser {
  void operator()(Gsasl_session* session) const {
    for (const Gsasl_property property : {GSASL_PASSWORD, GSASL_SCRAM_SALTED_PASSWORD}) {
      const char* value = gsasl_property_fast(session, property);
      if (value != nullptr) OPENSSL_cleanse(const_cast<char*>(value), std::strlen(value));
    }
    gsasl_finish(session);
  }
};

/// The count of a server-first message `r=...,s=...,i=4096` (RFC 5802 section 7). Empty when there is none: the library
/// then says what is wrong with the message.
std::optional<std::uint64_t> iterationCount(std::string_view serverFirst) {
  while (!serverFirst.empty()) {
    const std::size_t comma = serverFirst.find(',');
    const std::string_view attribute = serverFirst.substr(0, comma);
    serverFirst = comma == std::string_view::npos ? std::string_view() : serverFirst.substr(comma + 1);
    if (attribute.substr(0, 2) != "i=") continue;
    std::uint64_t count = 0;
    const char* end = attribute.data() + attribute.size();
    const auto [at, status] = std::from_chars(attribute.data() + 2, end, count);
    if (status == std::errc::result_out_of_range) return UINT64_MAX;
    if (status != std::errc() || at != end) return std::nullopt;
    return count;
  }
  return std::nullopt;
}

}  // namespace

/// One session of libgsasl, or one of ours for the OAuth mechanisms, which libgsasl does not have.
class Exchange::Impl {
 public:
  Impl(Mechanism mechanism, Credentials credentials, Target target, std::optional<ChannelBinding> binding)
      : mechanism_(mechanism), credentials_(std::move(credentials)), target_(std::move(target)) {
    if (factsOf(mechanism).needsToken) return;
    Gsasl* context = nullptr;
    if (const int code = gsasl_init(&context); code != GSASL_OK) throw internal("libgsasl", code);
    context_.reset(context);
    const std::string name(factsOf(mechanism).name);
    Gsasl_session* session = nullptr;
    if (const int code = gsasl_client_start(context, name.c_str(), &session); code != GSASL_OK) {
      throw internal(name.c_str(), code);
    }
    session_.reset(session);
    set(mechanism == Mechanism::External ? GSASL_AUTHZID : GSASL_AUTHID, credentials_.user);
    // With a binding set, libgsasl 2.2 refuses to start a SCRAM that does not use it.
    if (binding && factsOf(mechanism).needsBinding) {
      set(binding->type == "tls-exporter" ? GSASL_CB_TLS_EXPORTER : GSASL_CB_TLS_UNIQUE, encodeBase64(binding->data));
    }
  }

  [[nodiscard]] Mechanism mechanism() const { return mechanism_; }

  Step step(std::string_view challenge) {
    if (aborted_) return *aborted_;
    if (challenge.size() > kMaxChallenge) return abort("the server's challenge is too long");
    if (factsOf(mechanism_).needsToken) return stepOAuth(challenge);
    return stepLibrary(challenge);
  }

  [[nodiscard]] std::optional<std::string> accepted() const {
    if (aborted_) return aborted_->reason;
    if (complete_ && failure_.empty()) return std::nullopt;
    if (isScram(mechanism_)) {
      return "the server says that the login succeeded, but has not proved that it knows the password";
    }
    return "the server says that the login succeeded before it was finished";
  }
  [[nodiscard]] std::string failureReason() const { return aborted_ ? aborted_->reason : failure_; }

 private:
  Step abort(std::string reason) {
    aborted_ = Abort{std::string(factsOf(mechanism_).name) + " login given up: " + std::move(reason)};
    return *aborted_;
  }

  Step stepOAuth(std::string_view challenge) {
    if (step_++ > 0) {
      // The only thing a server can say inside these mechanisms is why it refuses; it then waits for an answer
      // before it says so in the protocol (RFC 7628 section 3.2.3).
      failure_ = oauthRefusal(challenge);
      return Respond{Secret(mechanism_ == Mechanism::OAuthBearer ? "\x01" : "")};
    }
    const Secret token = askSecret();
    if (std::string why = oauthObjection(credentials_.user, token); !why.empty()) return abort(std::move(why));
    complete_ = true;
    return Respond{mechanism_ == Mechanism::OAuthBearer ? oauthBearerMessage(credentials_.user, target_, token)
                                                        : xoauth2Message(credentials_.user, token)};
  }

  Step stepLibrary(std::string_view challenge) {
    if (complete_) return abort("the server goes on after the end of the exchange");
    if (isScram(mechanism_)) {
      if (std::string why = scramObjection(challenge); !why.empty()) return abort(std::move(why));
    }
    if (secretNeededAt(mechanism_, step_)) {
      const Secret password = askSecret();
      if (password.reveal().find('\0') != std::string_view::npos) return abort("the password holds a NUL octet");
      setRaw(GSASL_PASSWORD, password.reveal());
    }
    ++step_;
    char* output = nullptr;
    std::size_t length = 0;
    const int code = gsasl_step(session_.get(), challenge.data(), challenge.size(), &output, &length);
    if (code != GSASL_OK && code != GSASL_NEEDS_MORE) return abort(explained(code));
    complete_ = code == GSASL_OK;
    Respond answer{Secret(output == nullptr ? std::string() : std::string(output, length))};
    if (output != nullptr) OPENSSL_cleanse(output, length);
    gsasl_free(output);
    return answer;
  }

  /// What speaks against a SCRAM challenge before the library computes with it; empty: nothing.
  [[nodiscard]] std::string scramObjection(std::string_view challenge) const {
    if (step_ == 1) {
      const std::optional<std::uint64_t> count = iterationCount(challenge);
      if (count && (*count < kMinIterations || *count > kMaxIterations)) {
        return "the server asks for " + std::to_string(*count) + " iterations, not between " +
               std::to_string(kMinIterations) + " and " + std::to_string(kMaxIterations);
      }
    }
    if (step_ == 2 && challenge.substr(0, 2) == "e=") {
      return "the server says: " + printable(challenge.substr(2));
    }
    return {};
  }

  [[nodiscard]] std::string explained(int code) const {
    if (isScram(mechanism_) && step_ == 3) return "the server does not prove that it knows the password";
    if (code == GSASL_SASLPREP_ERROR) return "the user name or password holds characters that SASL does not allow";
    if (code == GSASL_MECHANISM_PARSE_ERROR) return "the server's challenge is malformed";
    return gsasl_strerror(code);
  }

  Secret askSecret() {
    if (!credentials_.secret) return Secret();
    return credentials_.secret();
  }

  void set(Gsasl_property property, std::string_view value) { setRaw(property, value); }
  void setRaw(Gsasl_property property, std::string_view value) {
    if (const int code = gsasl_property_set_raw(session_.get(), property, value.data(), value.size());
        code != GSASL_OK) {
      throw internal("libgsasl", code);
    }
  }

  Mechanism mechanism_;
  Credentials credentials_;
  Target target_;
  std::unique_ptr<Gsasl, ContextCloser> context_;
  std::unique_ptr<Gsasl_session, SessionCloser> session_;
  int step_ = 0;
  bool complete_ = false;
  std::optional<Abort> aborted_;
  std::string failure_;
};

Exchange::Exchange(Mechanism mechanism, Credentials credentials, Target target, std::optional<ChannelBinding> binding)
    : impl_(std::make_unique<Impl>(mechanism, std::move(credentials), std::move(target), std::move(binding))) {}
Exchange::~Exchange() = default;
Exchange::Exchange(Exchange&&) noexcept = default;
Exchange& Exchange::operator=(Exchange&&) noexcept = default;

Mechanism Exchange::mechanism() const {
  return impl_->mechanism();
}
Step Exchange::initialResponse() {
  return impl_->step({});
}
Step Exchange::respond(std::string_view challenge) {
  return impl_->step(challenge);
}
std::optional<std::string> Exchange::accepted() const {
  return impl_->accepted();
}
std::string Exchange::failureReason() const {
  return impl_->failureReason();
}

}  // namespace mailbraid::sync::sasl
