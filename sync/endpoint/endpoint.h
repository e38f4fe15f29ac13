// One interface to every kind of endpoint: questions about sets of messages, and changes to them (push.h).
#pragma once

#include "mailstore/message_builder.h"
#include "mailstore/records.h"
#include "mailstore/types/error.h"
#include "sync/endpoint/push.h"
#include "sync/endpoint/remote.h"
#include "sync/endpoint/settings.h"

#include <cstdint>
#include <functional>
#include <memory>
#include <optional>
#include <span>
#include <stop_token>
#include <string>
#include <vector>

namespace mailbraid::sync::endpoint {

/// A message as its endpoint describes it before its body is fetched.
struct RemoteMessage {
  mailstore::RemoteKey key;
  mailstore::Flags flags;
  std::optional<mailstore::InternalDate> date;    ///< none: the endpoint knows none (POP3)
  std::uint64_t size = 0;                         ///< octets; 0 when unknown
  std::optional<mailstore::HeaderDigest> header;  ///< after identify()
  bool hasMessageId = false;                      ///< of that header
  std::optional<mailstore::HeaderIndex> index;    ///< of that header, where Environment::describes asks for it
  std::string objectId;                           ///< EMAILID, X-GM-MSGID; empty when unknown
};

struct FlagState {
  mailstore::RemoteKey key;
  mailstore::Flags flags;
};

/// What to ask of one mailbox. `mailbox` must come from list() of the same endpoint.
struct DeltaRequest {
  const RemoteMailbox* mailbox = nullptr;
  mailstore::Anchor anchor;  ///< uidValidity 0: everything is new
  KeySet skip;               ///< messages not to fetch: paired already, or in quarantine and not due
  KeySet due;                ///< messages below the anchor to fetch all the same: their quarantine time is over
  bool fetchFresh = false;   ///< bodies of new messages go to the sink in the same flight; otherwise they are only told
};

/// What a mailbox told since its anchor.
struct Delta {
  RemoteStatus status;            ///< as of opening it
  std::vector<FlagState> flags;   ///< flags of messages below the anchor that changed, or of all
  mailstore::UidSet vanished;     ///< told to be gone by the server itself (VANISHED)
  std::optional<KeySet> present;  ///< every message that is there; only when the listing is proven complete
  KeySet fresh;  ///< new messages that were not fetched: at or above the anchor, without `skip`, with `due`
  std::optional<mailstore::Error> failure;  ///< this mailbox could not be read; the others are not concerned
  /// Not empty: the listing fell short, proves no removal, and the mailbox must be read again; one sentence.
  std::string incomplete;
};

/// Takes messages while they arrive. Called from the endpoint's thread. `index` is the request's place in its span.
class PullSink {
 public:
  virtual ~PullSink() = default;
  /// The mailbox is open and is what the anchor says; told before its first message.
  virtual void onOpened(std::size_t index, const RemoteStatus& status) = 0;
  virtual void onMessage(std::size_t index, RemoteMessage&& message, mailstore::PreparedMessage&& prepared) = 0;
  /// What Delta::flags would hold, as it comes, so that it can be merged while bodies are still under way. A message
  /// may be told of again.
  virtual void onFlags(std::size_t index, std::vector<FlagState>&& flags) = 0;
  /// One message could not be taken (refused by the server, over the size limit): it goes to quarantine.
  virtual void onRefused(std::size_t index, const RemoteMessage& message, const std::string& reason) = 0;
  /// Octets of message bodies that arrived since the last call.
  virtual void onOctets(std::uint64_t octets) = 0;
};

/// A set of messages of one mailbox.
struct KeyRequest {
  const RemoteMailbox* mailbox = nullptr;
  mailstore::UidValidity uidValidity;  ///< the mailbox must still have it; 0: does not matter
  KeySet keys;
};

using IdentitySink = std::function<void(std::size_t index, RemoteMessage&& message)>;

/// Wire octets and turns of the line so far, over all connections of this endpoint object.
struct WireTotals {
  std::uint64_t bytesIn = 0;
  std::uint64_t bytesOut = 0;
  std::uint64_t roundTrips = 0;
  std::uint64_t contentIn = 0;  ///< octets of the protocol: as bytesIn, but before compression
  std::uint64_t contentOut = 0;
};
WireTotals operator+(const WireTotals& one, const WireTotals& other);

/// What check() shows.
struct EndpointFacts {
  std::string connection;
  std::string server;
  std::string mechanism;
  std::vector<std::string> capabilities;
  std::vector<std::string> remarks;
};

using LogSink = std::function<void(int level, const std::string& line)>;

/// A message of a mailbox.
struct MessagePlace {
  const RemoteMailbox* mailbox = nullptr;
  mailstore::RemoteKey key;
  friend bool operator==(const MessagePlace&, const MessagePlace&) = default;
};

/// Who the store believes this endpoint is: kept at the endpoint too, where it can be (a marker file in a Maildir or
/// mbox tree), so that a wiped or restored tree is seen.
struct Seal {
  std::string endpoint;      ///< names this endpoint of this store, unlike any other's
  std::int64_t lastRun = 0;  ///< the number of the last run that ended well there; 0: none
};

/// What an endpoint needs from its surroundings.
struct Environment {
  Seal seal;
  mailstore::SpoolOptions spool;
  std::uint64_t maxMessageSize = std::uint64_t{4} << 30U;  ///< octets; a larger message is refused, not stored
  LogSink log;
  bool dryRun = false;     ///< nothing is written at the endpoint: what a crash left there stays as it is
  bool describes = false;  ///< identify() also tells what a header says
  int logLevel = 1;        ///< lines above it are not made: 0 warnings, 1 facts, 2 details, 3 the protocol (redacted)
  std::stop_token stop;
};

/// One endpoint. One thread uses it. All calls throw mailstore::Error with scope connection or endpoint when the line
/// or the login fails; after scope connection, reconnect() may be tried. What was handed to a sink before stays valid.
class Endpoint {
 public:
  virtual ~Endpoint() = default;
  /// Connects, secures, logs in. list() after it costs no further wait where the server allows pipelining.
  virtual void open() = 0;
  /// Closes what is left of the line and opens a new one; mailboxes of list() stay valid.
  virtual void reconnect() = 0;
  /// All mailboxes with their status, in the server's order. The reference stays valid and unchanged: mailboxes that
  /// changeMailboxes() makes are not in it.
  virtual const std::vector<RemoteMailbox>& list() = 0;
  /// list() asks anew: after a push, or for the next part. What it told before, and mailboxes that were made, are no
  /// longer valid.
  virtual void refresh() = 0;
  /// One delta a request, in order, pipelined over all requests.
  virtual std::vector<Delta> changes(std::span<const DeltaRequest> requests, PullSink& sink) = 0;
  /// Sizes, dates, flags and header digests of messages; a message that is gone meanwhile is not told, one whose header
  /// the server does not give is told without. One outcome a
  /// request: an error (scope mailbox) when its messages could not be told; the others are not concerned.
  virtual std::vector<std::optional<mailstore::Error>> identify(std::span<const KeyRequest> requests,
                                                                const IdentitySink& sink) = 0;
  /// Sizes, and the names of messages where the server has such (objectId), by the cheapest way that there is;
  /// otherwise as identify().
  virtual std::vector<std::optional<mailstore::Error>> measure(std::span<const KeyRequest> requests,
                                                               const IdentitySink& sink) {
    return identify(requests, sink);
  }
  /// Bodies. A message that is gone meanwhile is neither told nor refused. Outcomes as of identify().
  virtual std::vector<std::optional<mailstore::Error>> fetch(std::span<const KeyRequest> requests, PullSink& sink) = 0;
  /// True after open() when the endpoint is not what the last run left: wiped, restored or replaced by another. What is
  /// not there then is no removal, whatever it is.
  [[nodiscard]] virtual bool hasLostState() const { return false; }
  /// True when the server itself says that no mailbox of this name exists (a second look before removals).
  virtual bool isGone(const std::string& mailboxName) = 0;
  /// Of a mailbox that is neither listed nor gone: why that is not concluded, as a clause.
  virtual std::string whyNotGone(const std::string& mailboxName) {
    static_cast<void>(mailboxName);
    return "the server does not list it, and does not say either that it is gone: nothing is concluded from that";
  }

  // Pushing. All of these do nothing but say so where pushAbility() says that this kind cannot.
  [[nodiscard]] virtual PushAbility pushAbility() const { return {}; }
  /// In the order given; one outcome a change.
  virtual std::vector<MailboxOutcome> changeMailboxes(std::span<const MailboxChange> changes);
  virtual Outcomes storeFlags(std::span<const FlagRequest> requests, PushSink& sink);
  virtual Outcomes transfer(std::span<const TransferRequest> requests, PushSink& sink);
  virtual Outcomes append(std::span<const AppendRequest> requests, const OctetSource& octets, PushSink& sink);
  virtual Outcomes remove(std::span<const RemoveRequest> requests, PushSink& sink);
  /// Deletes them from a maildrop and leaves it; in the session of the last reading when that is still open, else in a
  /// new one. Unless it was fetched in this session a message is looked at first: under its key there must be the one
  /// that the store has. Errors are of what came before the first deletion; later ones are told as `unconfirmed`. POP3
  /// only.
  virtual DeletionOutcome deleteStored(std::span<const StoredMessage> messages);
  /// A session lists only a part of what the server holds, and the next one goes on where it ended.
  [[nodiscard]] virtual bool listsInParts() const { return false; }
  /// Writes the mark by which the next run knows that nothing but this run's successors touched the state: `run` went
  /// through to its end. Nothing where there is no such mark (IMAP and POP3 have their own). False: none can be left.
  virtual bool seal(std::int64_t run) {
    static_cast<void>(run);
    return true;
  }

  /// Says good-bye without waiting for an answer.
  virtual void close() noexcept = 0;
  [[nodiscard]] virtual WireTotals wireTotals() const = 0;
  [[nodiscard]] virtual EndpointFacts facts() const = 0;
  /// The message whose body was arriving when the line broke, if any: a second break at the same one sends it to
  /// quarantine.
  [[nodiscard]] virtual std::optional<MessagePlace> inProgress() const = 0;
};

/// Makes the endpoint that the settings describe.
std::unique_ptr<Endpoint> makeEndpoint(const EndpointSettings& settings, Environment environment);

}  // namespace mailbraid::sync::endpoint
