// Commands that change things at an IMAP server, and what came of them (sync/endpoint's own).
#pragma once

#include "sync/endpoint/imap_session.h"
#include "sync/endpoint/push.h"

#include <functional>
#include <map>
#include <optional>
#include <set>
#include <string>
#include <vector>

namespace mailbraid::sync::endpoint {

/// Runs commands over a session. Made for one call of the endpoint. Throws what the session throws.
class ImapPush {
 public:
  explicit ImapPush(ImapSession& session) : session_(session) {}

  struct End {
    imap::CommandResult result = imap::CommandResult::Ok;
    imap::ResponseCodeKind code = imap::ResponseCodeKind::None;
    std::string text;
    std::optional<imap::CopyUid> copied;
    std::optional<imap::AppendUid> appended;
    mailstore::UidSet modified;
    [[nodiscard]] bool isOk() const { return result == imap::CommandResult::Ok; }
  };
  using WhenDone = std::function<void(const End&)>;

  /// Sends as soon as the client lets it; `done` is called while run(), await() or drain() reads.
  void send(imap::Command command, WhenDone done);
  /// Until all that was sent is answered.
  void run();
  [[nodiscard]] bool isIdle() const { return flying_.empty(); }
  /// Until fewer than `most` commands are unanswered.
  void awaitFewer(std::size_t most);
  /// Reads and writes once.
  void pump();
  /// Writes what is to be written, and reads what comes meanwhile.
  void drain();
  End command(imap::Command command);

  /// Selects the mailbox for writing, unless it is already, and makes sure that it is the one that `uidValidity` names.
  /// Nothing is sent behind it before that is known: a UID of one mailbox must never reach another.
  std::optional<mailstore::Error> open(const RemoteMailbox& mailbox, mailstore::UidValidity uidValidity);

  /// Why nothing is done there, when the mailbox is selected and no longer the one that `uidValidity` names.
  [[nodiscard]] std::optional<mailstore::Error> replaced(const RemoteMailbox& mailbox,
                                                         mailstore::UidValidity uidValidity) const;

  /// What the server said of messages of the selected mailbox since clear().
  [[nodiscard]] const std::map<mailstore::Uid, mailstore::Flags>& flags() const { return flags_; }
  [[nodiscard]] const mailstore::UidSet& vanished() const { return vanished_; }
  void clear();
  [[nodiscard]] bool has(std::string_view capability) const { return session_.capabilities().has(capability); }
  [[nodiscard]] ImapSession& session() { return session_; }

 private:
  void handle(const imap::Event& event);
  void done(const imap::CommandDone& done);

  ImapSession& session_;
  struct Flying {
    imap::CommandId id{};
    WhenDone done;
    std::optional<imap::CopyUid> copied;  ///< of an untagged OK (RFC 6851 section 3.3)
  };
  std::vector<Flying> flying_;
  std::map<mailstore::Uid, mailstore::Flags> flags_;
  mailstore::UidSet vanished_;
};

/// The error of a mailbox whose server would not do `what`: in the server's own words.
mailstore::Error refusal(const RemoteMailbox& mailbox, const std::string& what, const ImapPush::End& end);

/// Calls `visit` for each UID, ascending.
template <class Visit>
void forEachUid(const mailstore::UidSet& uids, const Visit& visit) {
  for (const mailstore::UidSet::Range& range : uids.ranges()) {
    for (std::uint64_t uid = range.first.value(); uid <= range.last.value(); ++uid) {
      visit(mailstore::Uid{static_cast<std::uint32_t>(uid)});
    }
  }
}

/// False when the selected mailbox says that it keeps no \Deleted (PERMANENTFLAGS, RFC 9051 section 7.1).
bool keepsDeleted(ImapPush& push);
mailstore::Error keepsNoMark(const RemoteMailbox& mailbox);

/// Removes messages of the selected mailbox, or marks them, and believes only what the server shows.
class Removal {
 public:
  Removal(ImapPush& push, const RemoteMailbox& mailbox, RemoveRequest::Kind kind)
      : push_(push), mailbox_(mailbox), kind_(push.has("UIDPLUS") ? kind : RemoveRequest::Kind::Mark) {}
  /// Returns those of `uids` that are there still, or without the mark.
  mailstore::UidSet run(const mailstore::UidSet& uids);
  [[nodiscard]] bool marks() const { return kind_ == RemoveRequest::Kind::Mark; }
  [[nodiscard]] const std::optional<mailstore::Error>& failure() const { return failure_; }

 private:
  void ended(const ImapPush::End& end, const std::string& what);
  void ask(const mailstore::UidSet& uids);
  mailstore::UidSet unmarked(const mailstore::UidSet& uids);
  mailstore::UidSet stillThere(const mailstore::UidSet& uids);

  ImapPush& push_;
  const RemoteMailbox& mailbox_;
  const RemoveRequest::Kind kind_;
  bool knowsRest_ = true;  ///< what was asked for was answered
  std::optional<mailstore::Error> failure_;
};

std::optional<mailstore::Error> removeMessages(ImapPush& push, const RemoveRequest& request, std::size_t index,
                                               PushSink& sink);

/// Uploads the items of one mailbox.
class ImapUpload {
 public:
  ImapUpload(ImapPush& push, const AppendRequest& request, std::size_t index, const OctetSource& octets, PushSink& sink)
      : push_(push),
        request_(request),
        items_(request.items),
        index_(index),
        octets_(octets),
        sink_(sink),
        repairs_(request.repairs) {}
  std::optional<mailstore::Error> run();

 private:
  /// Items that are sent as one command.
  struct Batch {
    std::vector<std::size_t> items;
    std::uint64_t octets = 0;
    enum class Keywords : std::uint8_t { Kept, LeftOut } keywords = Keywords::Kept;
    mailstore::Repairs repaired;
  };
  [[nodiscard]] std::optional<std::string> read(const AppendItem& item);
  bool admits(const AppendItem& item);
  void announce();
  void sendBatches(std::size_t first);
  void sendFurther();
  void sendBatch(const Batch& batch);
  void sendLarge(std::size_t item);
  void ended(const Batch& batch, const ImapPush::End& end);
  void refuse(const AppendItem& item, const mailstore::Error& error);
  [[nodiscard]] mailstore::Flags flagsOf(const AppendItem& item, Batch::Keywords keywords) const;
  std::optional<imap::LiteralKind> literalFor(std::size_t item, bool hasNul);
  bool sendRepaired(const Batch& batch);

  ImapPush& push_;
  const AppendRequest& request_;
  std::vector<AppendItem> items_;  ///< the request's, and what it gave later
  const std::size_t index_;
  const OctetSource& octets_;
  PushSink& sink_;
  const mailstore::Repairs repairs_;
  std::vector<Batch> again_;  ///< to be sent once more, in smaller parts
  bool announced_ = false;
  std::uint64_t inFlight_ = 0;  ///< octets
  bool tight_ = false;  ///< the quota is nearly used up: what was sent together is tried in parts, and no more is sent
  std::string quotaText_;
  std::optional<mailstore::Error> stopped_;
};

}  // namespace mailbraid::sync::endpoint
