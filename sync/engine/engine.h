// Runs a sync pass over endpoints and the store.
#pragma once

#include "mailstore/records.h"
#include "mailstore/store.h"
#include "mailstore/types/error.h"
#include "sync/endpoint/endpoint.h"
#include "sync/endpoint/settings.h"
#include "sync/engine/left_out.h"

#include <chrono>
#include <cstdint>
#include <functional>
#include <memory>
#include <optional>
#include <span>
#include <stop_token>
#include <string>
#include <vector>

namespace mailbraid::sync::engine {

/// What was done, in messages; bytes and round trips are of the wire (after compression, below TLS counted as plain
/// octets).
struct Counts {
  std::uint64_t fresh = 0;    ///< messages whose body came over the wire
  std::uint64_t adopted = 0;  ///< messages recognised by content: nothing was fetched
  std::uint64_t flags = 0;
  std::uint64_t moved = 0;
  std::uint64_t removed = 0;
  std::uint64_t uploaded = 0;        ///< to the endpoint, or copied there by its server
  std::uint64_t uploadedOctets = 0;  ///< of the messages that were uploaded
  std::uint64_t flagsStored = 0;     ///< at the endpoint; likewise the two below
  std::uint64_t movedThere = 0;
  std::uint64_t removedThere = 0;
  std::uint64_t held = 0;         ///< removals held back by the brake
  std::uint64_t quarantined = 0;  ///< messages that could not be taken in, or that the endpoint would not take
  std::uint64_t bytesIn = 0;
  std::uint64_t bytesOut = 0;
  std::uint64_t roundTrips = 0;
};

/// Why something was not done.
struct Problem {
  mailstore::ErrorKind kind = mailstore::ErrorKind::Internal;
  mailstore::Retry retry = mailstore::Retry::Later;
  std::string mailbox;   ///< empty: the whole endpoint
  std::string sentence;  ///< for people: what, where, what to do
};

struct EndpointReport {
  std::string name;
  Counts counts;
  std::uint64_t mailboxes = 0;      ///< seen
  std::uint64_t mailboxesRead = 0;  ///< of these, opened because something had changed
  double seconds = 0;
  std::vector<Problem> problems;
  std::vector<std::string> notes;                   ///< decisions worth telling: "INBOX was renamed ..."
  std::vector<std::string> heldMailboxes;           ///< whose removals the brake holds back
  std::vector<LeftOutMailbox> leftOut;              ///< as they were listed last
  std::vector<std::string> gone;                    ///< mailboxes that it had and does not list any more
  std::vector<mailstore::EndpointMailboxId> known;  ///< mailboxes that were read in the run, or have not changed
  [[nodiscard]] bool complete() const { return problems.empty(); }
};

struct RunReport {
  std::optional<mailstore::RunId> run;  ///< none for a dry run
  std::vector<EndpointReport> endpoints;
  Counts totals;
  double seconds = 0;
  bool cancelled = false;
  std::vector<std::string> plan;  ///< dry run: the operations as text, a line each, "ENDPOINT MAILBOX: ..."
};

/// `--allow-removals ENDPOINT[:MAILBOX]`.
struct AllowedRemovals {
  std::string endpoint;
  std::string mailbox;  ///< empty: all of the endpoint
};

/// Each task on a thread of its own.
void onThreads(std::span<const std::function<void()>> tasks);
std::int64_t secondsNow();

struct SyncRequest {
  std::string command = "sync";  ///< for the history
  std::vector<endpoint::EndpointSettings> endpoints;
  bool dryRun = false;
  std::vector<AllowedRemovals> allowRemovals;
  /// What a POP3 endpoint need not keep is deleted there only when the endpoint of this name is known to hold it, too;
  /// empty: when it is durable in the store.
  std::string deletionsConfirmedBy;
  /// Endpoints of the configuration that have no part in the run.
  std::vector<endpoint::EndpointSettings> notInRun;
  /// How long what was removed stays in the store: what is older is forgotten at the end of the day's first run. None:
  /// nothing is.
  std::optional<std::chrono::seconds> retention;
  /// Makes the endpoints of the run.
  std::function<std::unique_ptr<endpoint::Endpoint>(const endpoint::EndpointSettings&, endpoint::Environment)>
      makeEndpoint = endpoint::makeEndpoint;
  /// Messages that the others of the braid brought, upon which an endpoint uploads them while they are still pulled;
  /// 0: not before all were.
  std::uint64_t uploadsAhead = 256;
  /// The endpoint that the others wait for before they are read; empty: none.
  std::string pulledFirst;
  /// Carries out the work of all endpoints in one phase, all at the same time, and returns when all of it is done. The
  /// tasks do not throw.
  std::function<void(std::span<const std::function<void()>> tasks)> carryOut = onThreads;
  /// Called again and again while a task waits for others; empty: its thread sleeps.
  std::function<void()> pass;
  /// Seconds since 1970.
  std::function<std::int64_t()> clock = secondsNow;
  /// Where an earlier run did not see the end of its uploads, a server is read when nothing has changed there for so
  /// long: it may still be at work on what the killed run had sent.
  std::chrono::milliseconds rest{1500};
  /// What was done becomes durable after so long at the latest; 0: each step at once.
  std::chrono::milliseconds commitAge{500};
  /// The exit code that the history shall tell; called once, at the end, with the store as the run leaves it, in one of
  /// the writer's jobs. Empty: 0 or 75.
  std::function<int(mailstore::Store&, const struct RunReport&)> exitCode;
};

/// Where a run stands, for a progress line. All totals are of the run so far; expected ones are 0 while unknown.
struct Progress {
  std::uint64_t mailboxesDone = 0;
  std::uint64_t mailboxesTotal = 0;
  std::uint64_t messagesDone = 0;
  std::uint64_t messagesTotal = 0;
  std::uint64_t bytesDone = 0;
  std::string current;  ///< "work INBOX"
};

/// Told while a run goes on. Called from the endpoints' threads, one call at a time.
class Observer {
 public:
  virtual ~Observer() = default;
  virtual void onProgress(const Progress& progress) = 0;
  /// A fact for the log (keys and values); `level` 0 warning, 1 info, 2 debug, 3 protocol trace
  /// (redacted).
  virtual void onLog(int level, const std::string& line) = 0;
  /// Lines above this level are not even made.
  [[nodiscard]] virtual int logLevel() const { return 1; }
};

/// One pass over all endpoints: all are pulled at once, then what the store holds of them is carried to all at once.
/// Errors of an endpoint land in its report; only what ends the run (the store) is thrown. When `stop` is requested it
/// ends within two seconds, what was committed stays.
RunReport sync(mailstore::Store& store, const SyncRequest& request, Observer& observer, const std::stop_token& stop);
/// Opens the store that is claimed while it connects to the endpoints already.
RunReport sync(mailstore::Store::Claim&& claim, const SyncRequest& request, Observer& observer,
               const std::stop_token& stop);

/// What `check` tells of one endpoint; changes nothing.
struct CheckReport {
  std::string name;
  std::string
      connection;         ///< "TLSv1.3, TLS_AES_256_GCM_SHA384, certificate of imap.example.org valid until 2027-01-02"
  std::string server;     ///< ID or greeting
  std::string mechanism;  ///< how the login was done
  std::vector<std::string> capabilities;
  struct MailboxLine {
    std::string name;
    mailstore::Role role = mailstore::Role::None;
    std::uint64_t messages = 0;
    bool synced = true;  ///< false: left out by the configuration or as a view
    std::string target;  ///< the store mailbox
  };
  std::vector<MailboxLine> mailboxes;
  std::vector<std::string> remarks;  ///< "no CONDSTORE: every run reads all flags"
  std::optional<Problem> problem;
};
CheckReport check(const endpoint::EndpointSettings& settings, Observer& observer, std::stop_token stop);

}  // namespace mailbraid::sync::engine
