// Compares an endpoint with the store, by content, and changes neither.
#pragma once

#include "mailstore/store.h"
#include "sync/endpoint/settings.h"
#include "sync/engine/engine.h"
#include "sync/plan/verification.h"

#include <cstdint>
#include <functional>
#include <map>
#include <memory>
#include <optional>
#include <stop_token>
#include <string>
#include <vector>

namespace mailbraid::sync::engine {

struct VerifyRequest {
  bool full = false;  ///< every octet of every message; else sizes and headers, and bodies only where these differ
  std::function<std::unique_ptr<endpoint::Endpoint>(const endpoint::EndpointSettings&, endpoint::Environment)>
      makeEndpoint = endpoint::makeEndpoint;
  std::function<std::int64_t()> clock = secondsNow;  ///< seconds since 1970
};

/// A message that is not as it should be, or that there is something to say of.
struct VerifiedMessage {
  plan::Finding::Kind kind = plan::Finding::Kind::Missing;
  std::string mailbox;  ///< as the endpoint calls it
  std::string foundIn;  ///< Misplaced: the endpoint's mailbox that has it
  std::optional<mailstore::EntryId> entry;
  std::string key;  ///< "UID 7", or the name that it has there; empty where the endpoint does not have it
  std::uint64_t size = 0;
  mailstore::InternalDate date;
  std::optional<mailstore::InternalDate> dateThere;  ///< where it is another one
  mailstore::HeaderIndex header;
  std::string reason;  ///< a clause; may be empty
};

struct VerifiedMailbox {
  std::string name;       ///< as the endpoint calls it
  std::string storeName;  ///< without the braid; empty when the store has none for it
  plan::Tally tally;
};

/// Digest lists are hashed as text: each digest as 64 hexadecimal digits and LF, sorted. Whoever has the digests
/// (`ls --json`) can do the same with sort and sha256sum.
struct VerifyReport {
  std::string name;
  std::string type;
  std::string braid;
  std::string place;  ///< host, or path
  bool full = false;
  std::int64_t started = 0;  ///< seconds since 1970
  std::int64_t finished = 0;
  std::vector<VerifiedMailbox> mailboxes;
  std::map<int, plan::Tally> years;  ///< by the messages' dates; 0: no date
  plan::Tally totals;
  std::vector<VerifiedMessage> findings;  ///< by kind, mailbox and date
  std::vector<Problem> problems;          ///< what could not be compared, and why: nothing is concluded of that
  std::vector<std::string> remarks;
  std::string digestOfExpected;
  std::string digestOfOk;
  [[nodiscard]] bool complete() const { return problems.empty(); }
};

/// Errors of the endpoint land in the report; those of the store are thrown. When `stop` is requested it ends within
/// two seconds, and says so as a problem.
VerifyReport verifyEndpoint(mailstore::Store& store, const endpoint::EndpointSettings& settings,
                            const VerifyRequest& request, Observer& observer, std::stop_token stop);

}  // namespace mailbraid::sync::engine
