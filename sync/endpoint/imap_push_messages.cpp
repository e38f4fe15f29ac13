// ImapEndpoint: flags, moves, copies and removals.
#include "sync/endpoint/imap_endpoint.h"
#include "sync/endpoint/imap_push.h"

#include <algorithm>

namespace mailbraid::sync::endpoint {

using mailstore::Error;
using mailstore::Flags;
using mailstore::SystemFlag;
using mailstore::Uid;
using mailstore::UidSet;

namespace {

/// Of `wanted`, what the selected mailbox can keep (PERMANENTFLAGS, RFC 9051 section 7.1).
Flags keepable(const Flags& wanted, const imap::SelectedMailbox* mailbox) {
  if (mailbox == nullptr || !mailbox->permanentFlags) return wanted;
  const bool anyKeyword = mailbox->newKeywords == imap::NewKeywords::Allowed;
  const Flags refused = wanted.without(*mailbox->permanentFlags);
  if (!anyKeyword) return wanted.without(refused);
  return wanted.without(Flags::fromColumns(refused.bits(), {}));
}

/// One group of messages whose flags change alike.
class FlagStoring {
 public:
  FlagStoring(ImapPush& push, const FlagChange& change, const FlagRequest& request, std::size_t index, PushSink& sink)
      : push_(push), change_(change), request_(request), index_(index), sink_(sink) {}

  std::optional<Error> run() {
    const imap::SelectedMailbox* mailbox = push_.session().client().selected();
    Flags add = keepable(change_.add, mailbox);
    const Flags remove = keepable(change_.remove, mailbox);
    const bool guarded = change_.unchangedSince.value() != 0 && push_.has("CONDSTORE");
    const UidSet& all = uidsOf(change_.keys);
    const auto since = guarded ? std::optional(change_.unchangedSince) : std::nullopt;
    store(all, imap::StoreMode::Add, add, since);
    // The first command changes each message that it is let; the second one is for exactly those, and no condition
    // that the first one has broken itself.
    const bool first = guarded && !add.empty() && !remove.empty();
    if (first || !add.keywords().empty()) push_.run();
    const std::optional<Error> refused = refusesKeywords_ && !add.keywords().empty() ? failure_ : std::nullopt;
    if (refused) {
      // A keyword that the server does not want must not keep back the rest.
      failure_.reset();
      add = Flags::fromColumns(add.bits(), {});
      store(all, imap::StoreMode::Add, add, since);
      push_.run();
    }
    UidSet rest = all;
    rest.remove(changed_);
    if (!failure_) store(rest, imap::StoreMode::Remove, remove, first ? std::nullopt : since);
    push_.run();
    if (failure_) return failure_;
    UidSet silent;
    forEachUid(uidsOf(change_.keys), [&](Uid uid) {
      const bool asked = !add.empty() || !remove.empty();
      if (asked && !changed_.contains(uid) && !push_.flags().contains(uid)) silent.add(uid);
    });
    if (!silent.empty()) ask(silent);
    if (failure_) return failure_;
    // What could not be asked for is as it was: not added, and not taken away.
    const Flags assumed = add.unitedWith(change_.remove.without(remove));
    forEachUid(uidsOf(change_.keys), [&](Uid uid) { tell(uid, silent, assumed); });
    if (!refused) return std::nullopt;
    const Error kept(refused->kind(), refused->scope(), mailstore::Retry::Never, refused->what());
    forEachUid(uidsOf(change_.keys), [&](Uid uid) {
      if (!changed_.contains(uid)) sink_.onRefused(index_, uid, kept);
    });
    return std::nullopt;
  }

 private:
  void store(const UidSet& uids, imap::StoreMode mode, const Flags& flags,
             const std::optional<mailstore::ModSeq>& unchangedSince) {
    if (flags.empty()) return;
    for (const UidSet& part : uids.chunksOfText(kLongestSet)) {
      push_.send(imap::UidStore{part, mode, flags, imap::StoreAnswer::Flags, unchangedSince},
                 [this](const ImapPush::End& end) {
                   changed_.add(end.modified);
                   if (end.isOk() || !end.modified.empty()) return;
                   failure_ = refusal(*request_.mailbox, "store flags", end);
                   // The server may be busy, or have enough of keywords.
                   refusesKeywords_ = end.code == imap::ResponseCodeKind::Limit ||
                                      imap::adviceOf(end.code) != imap::FailureAdvice::TryLater;
                 });
    }
  }

  /// Some servers do not tell of a message whose flags were so already, none tells of one that is gone.
  void ask(const UidSet& uids) {
    for (const UidSet& part : uids.chunksOfText(kLongestSet)) {
      push_.send(imap::UidFetch{part, {imap::FetchItem::Flags}, {}, imap::VanishedMode::None},
                 [this](const ImapPush::End& end) {
                   if (!end.isOk()) failure_ = refusal(*request_.mailbox, "tell flags", end);
                 });
    }
    push_.run();
  }

  void tell(Uid uid, const UidSet& asked, const Flags& assumed) {
    const auto told = push_.flags().find(uid);
    if (changed_.contains(uid)) {
      sink_.onChangedMeanwhile(index_, uid);
    } else if (told != push_.flags().end()) {
      sink_.onFlags(index_, uid, told->second);
    } else if (asked.contains(uid)) {
      sink_.onVanished(index_, uid);
    } else {
      sink_.onFlags(index_, uid, assumed);
    }
  }

  ImapPush& push_;
  const FlagChange& change_;
  const FlagRequest& request_;
  const std::size_t index_;
  PushSink& sink_;
  UidSet changed_;  ///< by somebody else, meanwhile
  std::optional<Error> failure_;
  bool refusesKeywords_ = false;  ///< not what the server would not do for now
};

/// Moves or copies the messages of one request.
class Transferring {
 public:
  Transferring(ImapPush& push, const TransferRequest& request, std::size_t index, PushSink& sink)
      : push_(push), request_(request), index_(index), sink_(sink) {}

  std::optional<Error> run() {
    const bool moves = request_.kind == TransferRequest::Kind::Move;
    // What cannot be taken away from where it was would be there twice.
    if (moves && !push_.has("MOVE") && !keepsDeleted(push_)) return keepsNoMark(*request_.from);
    for (const UidSet& part : uidsOf(request_.keys).chunksOfText(kLongestSet)) {
      if (failure_) break;
      if (moves && push_.has("MOVE")) {
        push_.send(imap::UidMove{part, request_.to->wireName}, [this, part](const ImapPush::End& end) {
          if (ended(end, "move messages to " + request_.to->name)) tell(part, trusted(end.copied));
        });
      } else {
        copy(part, moves);
      }
    }
    push_.run();
    return failure_;
  }

 private:
  bool ended(const ImapPush::End& end, const std::string& what) {
    if (!end.isOk() && !failure_) failure_ = refusal(*request_.from, what, end);
    return end.isOk();
  }

  /// UIDs of another mailbox, which has taken the target's name meanwhile, are none of ours.
  [[nodiscard]] const imap::CopyUid* trusted(const std::optional<imap::CopyUid>& copied) const {
    const auto& known = request_.to->status;
    const bool other = copied && known && known->uidValidity.value() != 0 && known->uidValidity != copied->uidValidity;
    return copied && !other ? &*copied : nullptr;
  }

  /// The copy comes first, and only what was copied is removed, exactly that.
  void copy(const UidSet& part, bool moves) {
    const ImapPush::End end = push_.command(imap::UidCopy{part, request_.to->wireName});
    if (!ended(end, "copy messages to " + request_.to->name)) return;
    const imap::CopyUid* told = trusted(end.copied);
    if (!moves) {
      tell(part, told);
      return;
    }
    UidSet copied = part;
    if (told != nullptr) {
      copied = {};
      for (const auto& [from, to] : told->uids) {
        if (part.contains(from)) copied.add(from);
      }
    }
    // It is told when nothing is left to do: until then the old copy keeps its pair, by which it is found again.
    Removal removal(push_, *request_.from,
                    push_.has("UIDPLUS") ? RemoveRequest::Kind::Expunge : RemoveRequest::Kind::Mark);
    const UidSet left = removal.run(copied);
    if (removal.failure() && !failure_) failure_ = removal.failure();
    UidSet done = part;
    done.remove(left);
    tell(done, told);
    if (removal.marks())
      forEachUid(done, [&](Uid uid) {
        if (copied.contains(uid)) sink_.onMarked(index_, uid);
      });
  }

  void tell(const UidSet& part, const imap::CopyUid* told) {
    if (told == nullptr) {
      forEachUid(part, [&](Uid uid) { sink_.onTransferred(index_, uid, std::nullopt); });
      return;
    }
    UidSet left = part;
    for (const auto& [from, to] : told->uids) {
      if (!part.contains(from)) continue;
      left.remove(UidSet::of(from, from));
      sink_.onTransferred(index_, from, mailstore::RemoteKey{to});
    }
    forEachUid(left, [&](Uid uid) { sink_.onVanished(index_, uid); });
  }

  ImapPush& push_;
  const TransferRequest& request_;
  const std::size_t index_;
  PushSink& sink_;
  std::optional<Error> failure_;
};

}  // namespace

PushAbility ImapEndpoint::pushAbility() const {
  return {true, true, true, true, true};
}

Outcomes ImapEndpoint::storeFlags(std::span<const FlagRequest> requests, PushSink& sink) {
  Outcomes out(requests.size());
  ImapPush push(*session_);
  for (std::size_t i = 0; i < requests.size(); ++i) {
    out[i] = push.open(*requests[i].mailbox, requests[i].uidValidity);
    if (out[i]) continue;
    for (const FlagChange& change : requests[i].changes) {
      const std::optional<Error> failure = FlagStoring(push, change, requests[i], i, sink).run();
      if (failure && !out[i]) out[i] = failure;
    }
  }
  return out;
}

Outcomes ImapEndpoint::transfer(std::span<const TransferRequest> requests, PushSink& sink) {
  Outcomes out(requests.size());
  ImapPush push(*session_);
  for (std::size_t i = 0; i < requests.size(); ++i) {
    out[i] = push.open(*requests[i].from, requests[i].uidValidity);
    if (!out[i]) out[i] = Transferring(push, requests[i], i, sink).run();
  }
  return out;
}

Outcomes ImapEndpoint::remove(std::span<const RemoveRequest> requests, PushSink& sink) {
  Outcomes out(requests.size());
  ImapPush push(*session_);
  for (std::size_t i = 0; i < requests.size(); ++i) {
    out[i] = push.open(*requests[i].mailbox, requests[i].uidValidity);
    if (!out[i]) out[i] = removeMessages(push, requests[i], i, sink);
  }
  return out;
}

}  // namespace mailbraid::sync::endpoint
