#include "sync/engine/verify.h"

#include "mailstore/sha256.h"
#include "sync/engine/verify_reader.h"
#include "sync/engine/verify_store.h"

#include <algorithm>
#include <tuple>
#include <utility>

namespace mailbraid::sync::engine {

using endpoint::EndpointType;
using endpoint::KeyRequest;
using endpoint::KeySet;
using endpoint::RemoteMessage;
using mailstore::Error;
using mailstore::ErrorKind;
using mailstore::Retry;
using mailstore::Scope;
using mailstore::Uid;
using mailstore::Uidl;
using plan::Finding;
using plan::FoundMessage;

namespace {

// Of so many messages at most, but for a mailbox that has more, there are records in memory at once.
constexpr std::uint64_t kGroup = 20'000;

std::string hashed(std::vector<mailstore::Digest> digests) {
  std::sort(digests.begin(), digests.end());
  mailstore::Sha256 hash;
  for (const mailstore::Digest& digest : digests) hash.append(digest.hex() + "\n");
  return mailstore::Digest{hash.finish()}.hex();
}

std::string keyText(const mailstore::RemoteKey& key) {
  if (const Uid* uid = std::get_if<Uid>(&key)) return "UID " + std::to_string(uid->value());
  return std::get<Uidl>(key).value();
}

std::string placeOf(const endpoint::EndpointSettings& settings) {
  const bool onDisk = settings.type == EndpointType::Maildir || settings.type == EndpointType::Mbox;
  return onDisk ? settings.path.string() : settings.user + " at " + settings.server.host;
}

/// Of one message by two routes: what people would see.
std::string routeText(const mailstore::HeaderIndex& here, const mailstore::HeaderIndex& there) {
  if (here.subject != there.subject) return "its subject there is \"" + there.subject + "\"";
  if (here.to != there.to) return "its recipients there are " + there.to;
  return "fields that transport adds differ";
}

/// One endpoint, once.
class Verifier {
 public:
  Verifier(mailstore::Store& store, const endpoint::EndpointSettings& settings, const VerifyRequest& request,
           Observer& observer, std::stop_token stop)
      : store_(store),
        settings_(settings),
        request_(request),
        observer_(observer),
        hub_(observer),
        stop_(std::move(stop)),
        now_(request.clock()),
        known_(store, settings, now_, stop_) {}

  VerifyReport run() {
    report_.name = settings_.name;
    report_.type = endpoint::endpointTypeName(settings_.type);
    report_.braid = settings_.braid;
    report_.place = placeOf(settings_);
    report_.full = request_.full;
    report_.started = now_;
    const mailstore::ChangeNumber before = store_.entries().lastChange();
    try {
      compareAll();
    } catch (const Error& error) {
      if (error.scope() == Scope::Run && error.kind() != ErrorKind::Cancelled) throw;
      problem(error, {});
    } catch (const std::exception& error) {
      problem(Error(ErrorKind::Internal, Scope::Endpoint, Retry::Later, std::string("internal error: ") + error.what()),
              {});
    }
    if (endpoint_) endpoint_->close();
    if (store_.entries().lastChange() != before) {
      report_.remarks.emplace_back(
          "the store was changed while it was compared: what differs may be only that; run verify again");
    }
    fill();
    report_.finished = request_.clock();
    return std::move(report_);
  }

 private:
  struct Work {
    VerifyPlace place;
    endpoint::RemoteStatus status;
    KeySet keys;
    std::vector<plan::ExpectedMessage> expected;
    std::vector<mailstore::HeaderDigest> headers;  ///< of these, sorted
    std::vector<FoundMessage> found;
    bool readable = true;
  };

  void problem(const Error& error, const std::string& mailbox) {
    report_.problems.push_back({error.kind(), error.retry(), mailbox, error.what()});
    hub_.log(1, "endpoint=" + settings_.name + (mailbox.empty() ? "" : " mailbox=\"" + mailbox + "\"") +
                    " result=failed reason=\"" + error.what() + "\"");
  }
  void unreadable(Work& work, const Error& error) {
    work.readable = false;
    problem(error, work.place.name);
  }

  void open() {
    endpoint::Environment environment = environmentToCompare(hub_, observer_, stop_);
    environment.seal = known_.seal();
    endpoint_ = request_.makeEndpoint(settings_, std::move(environment));
    endpoint_->open();
    if (endpoint_->hasLostState()) {
      report_.remarks.emplace_back("it is not what the last run left: wiped, restored or replaced by another");
    }
    if (!known_.knowsEndpoint())
      report_.remarks.emplace_back("it was never synced: all of its braid is expected there");
  }

  void compareAll() {
    open();
    const bool onDisk = settings_.type == EndpointType::Maildir || settings_.type == EndpointType::Mbox;
    std::vector<VerifyPlace> places =
        known_.places(endpoint_->list(), [&](const std::string& name, const std::string& why) {
          problem(Error(onDisk ? ErrorKind::TemporaryFailure : ErrorKind::Protocol, Scope::Mailbox, Retry::Never,
                        "mailbox \"" + name + "\" is not compared: " + why),
                  name);
        });
    for (VerifyPlace& place : places) works_.emplace_back().place = std::move(place);
    VerifyReader reader(*endpoint_, settings_.name, hub_, stop_);
    listAll(reader);
    std::vector<std::size_t> group;
    std::uint64_t messages = 0;
    for (std::size_t i = 0; i < works_.size(); ++i) {
      if (!works_[i].readable) continue;
      const std::uint64_t count = endpoint::countOf(works_[i].keys);
      if (!group.empty() && messages + count > kGroup) compareGroup(reader, std::exchange(group, {}));
      messages = group.empty() ? count : messages + count;
      group.push_back(i);
    }
    compareGroup(reader, group);
    describeLeft(reader);
    readWanted(reader);
    comparison_.settle();
    settled_ = true;
  }

  void listAll(VerifyReader& reader) {
    std::vector<std::size_t> listed;
    std::vector<const endpoint::RemoteMailbox*> mailboxes;
    for (std::size_t i = 0; i < works_.size(); ++i) {
      Work& work = works_[i];
      if (work.place.remote == nullptr) {
        if (work.place.record && !endpoint_->isGone(work.place.name)) {
          unreadable(work, Error(ErrorKind::TemporaryFailure, Scope::Mailbox, Retry::Later,
                                 work.place.name + ": " + endpoint_->whyNotGone(work.place.name)));
        }
        continue;
      }
      const auto& status = work.place.remote->status;
      const bool isEmpty = settings_.type == EndpointType::Imap && status && status->messages == 0;
      if (isEmpty) continue;
      listed.push_back(i);
      mailboxes.push_back(work.place.remote);
    }
    std::vector<VerifyReader::Listing> listings = reader.list(mailboxes);
    std::uint64_t messages = 0;
    for (std::size_t l = 0; l < listings.size(); ++l) {
      Work& work = works_[listed[l]];
      if (listings[l].failure) {
        unreadable(work, *listings[l].failure);
      } else if (!listings[l].incomplete.empty()) {
        unreadable(work, Error(ErrorKind::TemporaryFailure, Scope::Mailbox, Retry::Later,
                               work.place.name + ": " + listings[l].incomplete));
      }
      work.status = listings[l].status;
      work.keys = std::move(listings[l].present);
      messages += endpoint::countOf(work.keys);
    }
    hub_.expect(works_.size(), messages);
  }

  void take(Work& work, RemoteMessage&& message, const mailstore::PreparedMessage* prepared) {
    FoundMessage& found = work.found.emplace_back();
    found.key = std::move(message.key);
    found.size = message.size;
    found.date = message.date;
    if (settings_.type != EndpointType::Pop3) found.flags = std::move(message.flags);
    found.header = message.header;
    found.hasMessageId = message.hasMessageId;
    if (prepared != nullptr) {
      found.header = prepared->headerDigest;
      found.hasMessageId = !prepared->header.messageId.empty();
      found.size = prepared->size;
      found.body = plan::BodyNames{prepared->digest, prepared->contentKey};
      message.index = prepared->header;
    }
    if (!message.index) return;
    found.likeness = plan::likenessOf(*message.index);
    // Where a message of the store has the same header it is hardly ever asked what it says; then it is read again.
    if (!std::binary_search(work.headers.begin(), work.headers.end(), *found.header))
      found.index = std::make_shared<const mailstore::HeaderIndex>(std::move(*message.index));
  }

  void compareGroup(VerifyReader& reader, const std::vector<std::size_t>& group) {
    std::vector<KeyRequest> requests;
    std::vector<std::size_t> asked;
    for (const std::size_t i : group) {
      loadExpected(works_[i]);
      if (endpoint::isEmpty(works_[i].keys)) continue;
      works_[i].found.reserve(std::min(endpoint::countOf(works_[i].keys), works_[i].expected.size() + kGroup));
      requests.push_back({works_[i].place.remote, works_[i].status.uidValidity, std::move(works_[i].keys)});
      asked.push_back(i);
    }
    const auto outcomes = reader.read(
        request_.full ? VerifyReader::What::Bodies : VerifyReader::What::Headers, requests,
        [&](std::size_t index, RemoteMessage&& message, const mailstore::PreparedMessage* prepared) {
          take(works_[asked[index]], std::move(message), prepared);
        },
        [&](std::size_t index, const RemoteMessage& message, const std::string& reason) {
          FoundMessage found;
          found.key = message.key;
          found.unreadable = reason;
          works_[asked[index]].found.push_back(std::move(found));
        });
    for (std::size_t r = 0; r < outcomes.size(); ++r) {
      if (outcomes[r]) unreadable(works_[asked[r]], *outcomes[r]);
    }
    for (const std::size_t i : group) {
      if (works_[i].readable) {
        compareOne(i);
      } else {
        works_[i] = {std::move(works_[i].place), {}, {}, {}, {}, {}, false};
      }
      hub_.mailboxDone();
    }
  }

  void loadExpected(Work& work) {
    work.expected = known_.expected(work.place);
    work.headers.reserve(work.expected.size());
    for (const plan::ExpectedMessage& message : work.expected) work.headers.push_back(message.header);
    std::sort(work.headers.begin(), work.headers.end());
  }

  void compareOne(std::size_t index) {
    Work& work = works_[index];
    work.headers = {};
    std::vector<FoundMessage> found = std::exchange(work.found, {});
    if (settings_.type == EndpointType::Imap) {  // what was asked for a second time comes last
      std::sort(found.begin(), found.end(), [](const auto& left, const auto& right) { return left.key < right.key; });
    }
    known_.excuse(work.place, found);
    comparison_.compare(index, std::exchange(work.expected, {}), std::move(found));
  }

  struct Asked {
    std::vector<KeyRequest> requests;
    std::vector<std::size_t> works;  ///< by request
  };
  Asked ask(const std::vector<plan::Verification::Place>& places) const {
    Asked out;
    for (const plan::Verification::Place& place : places) {
      if (out.works.empty() || out.works.back() != place.mailbox) {
        const bool uids = std::holds_alternative<Uid>(place.key);
        const Work& work = works_[place.mailbox];
        out.requests.push_back({work.place.remote, work.status.uidValidity,
                                uids ? KeySet(mailstore::UidSet{}) : KeySet(std::vector<Uidl>{})});
        out.works.push_back(place.mailbox);
      }
      endpoint::addTo(out.requests.back().keys, place.key);
    }
    return out;
  }

  void describeLeft(VerifyReader& reader) {
    Asked asked = ask(comparison_.undescribed());
    reader.read(
        VerifyReader::What::Headers, asked.requests,
        [&](std::size_t index, RemoteMessage&& message, const mailstore::PreparedMessage*) {
          if (message.index) comparison_.describe({asked.works[index], message.key}, std::move(*message.index));
        },
        [](std::size_t, const RemoteMessage&, const std::string&) {});
  }

  void readWanted(VerifyReader& reader) {
    Asked asked = ask(comparison_.bodiesWanted());
    const auto outcomes = reader.read(
        VerifyReader::What::Bodies, asked.requests,
        [&](std::size_t index, RemoteMessage&& message, const mailstore::PreparedMessage* prepared) {
          comparison_.tellBody(
              {asked.works[index], message.key},
              {{prepared->digest, prepared->contentKey}, prepared->headerDigest, prepared->size, prepared->header});
        },
        [&](std::size_t index, const RemoteMessage& message, const std::string& reason) {
          comparison_.tellUnreadable({asked.works[index], message.key}, reason);
        });
    for (std::size_t r = 0; r < outcomes.size(); ++r) {
      if (outcomes[r]) unreadable(works_[asked.works[r]], *outcomes[r]);
    }
    // What did not come by now is nothing to judge by.
    for (const plan::Verification::Place& place : comparison_.bodiesWanted())
      comparison_.tellUnreadable(place, "it could not be read");
  }

  void fill() {
    report_.totals = comparison_.totals();
    report_.years = comparison_.years();
    report_.digestOfExpected = hashed(comparison_.expectedDigests());
    report_.digestOfOk = hashed(comparison_.okDigests());
    for (const auto& [index, tally] : comparison_.mailboxes()) {
      const VerifyPlace& place = works_[index].place;
      report_.mailboxes.push_back({place.name, place.mailbox ? place.mailbox->name : std::string(), tally});
    }
    std::sort(report_.mailboxes.begin(), report_.mailboxes.end(), [](const auto& left, const auto& right) {
      return std::pair(left.name != "INBOX", left.name) < std::pair(right.name != "INBOX", right.name);
    });
    if (!settled_) return;
    for (const Finding& finding : comparison_.findings()) report_.findings.push_back(described(finding));
    std::stable_sort(report_.findings.begin(), report_.findings.end(), [](const auto& left, const auto& right) {
      return std::tie(left.kind, left.mailbox, left.date.seconds) <
             std::tie(right.kind, right.mailbox, right.date.seconds);
    });
  }

  VerifiedMessage described(const Finding& finding) {
    VerifiedMessage out;
    out.kind = finding.kind;
    out.mailbox = works_[finding.mailbox].place.name;
    if (finding.foundIn) out.foundIn = works_[*finding.foundIn].place.name;
    out.entry = finding.entry;
    if (finding.key && finding.kind != Finding::Kind::Missing) out.key = keyText(*finding.key);
    out.size = finding.size;
    out.date = finding.date;
    out.dateThere = finding.dateThere;
    out.reason = finding.reason;
    out.header = finding.index;
    if (!finding.entry) return out;
    const std::optional<mailstore::EntryRow> row = store_.entries().anyRow(*finding.entry);
    if (!row) return out;
    out.header = row->message.header;
    if (finding.kind == Finding::Kind::AnotherRoute) out.reason = routeText(row->message.header, finding.index);
    return out;
  }

  mailstore::Store& store_;
  const endpoint::EndpointSettings& settings_;
  const VerifyRequest& request_;
  Observer& observer_;
  ProgressHub hub_;
  const std::stop_token stop_;
  const std::int64_t now_;
  VerifyStore known_;
  std::unique_ptr<endpoint::Endpoint> endpoint_;
  std::vector<Work> works_;
  plan::Verification comparison_;
  bool settled_ = false;
  VerifyReport report_;
};

}  // namespace

VerifyReport verifyEndpoint(mailstore::Store& store, const endpoint::EndpointSettings& settings,
                            const VerifyRequest& request, Observer& observer, std::stop_token stop) {
  return Verifier(store, settings, request, observer, std::move(stop)).run();
}

}  // namespace mailbraid::sync::engine
