// ImapPush: removing messages, and making sure that they are gone.
#include "sync/endpoint/imap_push.h"

namespace mailbraid::sync::endpoint {

using mailstore::Error;
using mailstore::ErrorKind;
using mailstore::Flags;
using mailstore::Retry;
using mailstore::Scope;
using mailstore::SystemFlag;
using mailstore::Uid;
using mailstore::UidSet;

bool keepsDeleted(ImapPush& push) {
  const imap::SelectedMailbox* mailbox = push.session().client().selected();
  return mailbox == nullptr || !mailbox->permanentFlags || mailbox->permanentFlags->has(SystemFlag::Deleted);
}

Error keepsNoMark(const RemoteMailbox& mailbox) {
  return {ErrorKind::TemporaryFailure, Scope::Mailbox, Retry::Later,
          mailbox.name +
              ": the server lets this user remove nothing there (it keeps no \\Deleted); nothing was removed; "
              "with removals = \"never\" mailbraid does not try"};
}

UidSet Removal::run(const UidSet& uids) {
  push_.clear();
  const auto answer = marks() ? imap::StoreAnswer::Flags : imap::StoreAnswer::Silent;
  for (const UidSet& part : uids.chunksOfText(kLongestSet)) {
    push_.send(imap::UidStore{part, imap::StoreMode::Add, Flags::of(SystemFlag::Deleted), answer, {}},
               [this](const ImapPush::End& end) { ended(end, "mark messages as deleted"); });
    if (marks()) continue;
    push_.send(imap::UidExpunge{part}, [this](const ImapPush::End& end) { ended(end, "expunge messages"); });
  }
  push_.run();
  UidSet left = marks() ? unmarked(uids) : stillThere(uids);
  if (!left.empty() && !failure_) {
    failure_ = Error(ErrorKind::TemporaryFailure, Scope::Mailbox, Retry::Later,
                     mailbox_.name + ": the server agreed to remove " + std::to_string(left.count()) +
                         (left.count() == 1 ? " message, and still has it" : " messages, and still has them"));
  }
  return left;
}

void Removal::ended(const ImapPush::End& end, const std::string& what) {
  if (end.isOk() || failure_) return;
  // It costs little to ask each time.
  failure_ = Error(ErrorKind::TemporaryFailure, Scope::Mailbox, Retry::Later, refusal(mailbox_, what, end).what());
}

void Removal::ask(const UidSet& uids) {
  for (const UidSet& part : uids.chunksOfText(kLongestSet)) {
    push_.send(imap::UidFetch{part, {imap::FetchItem::Flags}, {}, imap::VanishedMode::None},
               [this](const ImapPush::End& end) {
                 knowsRest_ = knowsRest_ && end.isOk();
                 ended(end, "tell what is there");
               });
  }
  push_.run();
}

UidSet Removal::unmarked(const UidSet& uids) {
  UidSet silent;
  forEachUid(uids, [&](Uid uid) {
    if (!push_.flags().contains(uid)) silent.add(uid);
  });
  // Not every server tells of a message that was marked before, and none of one that is gone.
  if (!silent.empty()) ask(silent);
  UidSet left = knowsRest_ ? UidSet{} : silent;
  for (const auto& [uid, flags] : push_.flags()) {
    if (uids.contains(uid) && !flags.has(SystemFlag::Deleted)) left.add(uid);
  }
  return left;
}

UidSet Removal::stillThere(const UidSet& uids) {
  UidSet rest = uids;
  rest.remove(push_.vanished());
  if (rest.empty()) return {};
  // EXPUNGE gives no UIDs, and others expunge, too.
  push_.clear();
  ask(rest);
  if (!knowsRest_) return rest;
  UidSet left;
  for (const auto& [uid, flags] : push_.flags()) {
    if (rest.contains(uid)) left.add(uid);
  }
  return left;
}

std::optional<Error> removeMessages(ImapPush& push, const RemoveRequest& request, std::size_t index, PushSink& sink) {
  if (!keepsDeleted(push)) return keepsNoMark(*request.mailbox);
  Removal removal(push, *request.mailbox, request.kind);
  UidSet done = uidsOf(request.keys);
  done.remove(removal.run(done));
  forEachUid(done, [&](Uid uid) { removal.marks() ? sink.onMarked(index, uid) : sink.onRemoved(index, uid); });
  return removal.failure();
}

}  // namespace mailbraid::sync::endpoint
