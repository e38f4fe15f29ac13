#include "sync/endpoint/remote.h"

#include <set>

namespace mailbraid::sync::endpoint {

using mailstore::RemoteKey;
using mailstore::Uid;
using mailstore::Uidl;
using mailstore::UidSet;

namespace {

template <class Keys>
const Keys& keysOf(const KeySet& keys) {
  static const Keys kNone;
  const Keys* found = std::get_if<Keys>(&keys);
  return found != nullptr ? *found : kNone;
}

}  // namespace

bool isEmpty(const KeySet& keys) {
  return countOf(keys) == 0;
}

std::uint64_t countOf(const KeySet& keys) {
  return uidsOf(keys).count() + namesOf(keys).size();
}

const mailstore::UidSet& uidsOf(const KeySet& keys) {
  return keysOf<mailstore::UidSet>(keys);
}

const std::vector<mailstore::Uidl>& namesOf(const KeySet& keys) {
  return keysOf<std::vector<mailstore::Uidl>>(keys);
}

KeySet emptyLike(const KeySet& keys) {
  if (std::holds_alternative<UidSet>(keys)) return UidSet{};
  return std::vector<Uidl>{};
}

void addTo(KeySet& keys, const RemoteKey& key) {
  if (const Uid* uid = std::get_if<Uid>(&key)) {
    std::get<UidSet>(keys).add(*uid);
  } else {
    std::get<std::vector<Uidl>>(keys).push_back(std::get<Uidl>(key));
  }
}

KeySet without(const KeySet& keys, const std::vector<RemoteKey>& some) {
  if (const auto* uids = std::get_if<UidSet>(&keys)) {
    UidSet gone;
    for (const RemoteKey& key : some) gone.add(std::get<Uid>(key));
    UidSet left = *uids;
    left.remove(gone);
    return left;
  }
  const std::set<RemoteKey> gone(some.begin(), some.end());
  std::vector<Uidl> left;
  for (const Uidl& name : namesOf(keys)) {
    if (!gone.contains(name)) left.push_back(name);
  }
  return left;
}

bool isServersName(const mailstore::Uidl& key) {
  return key.value().find(' ') == std::string::npos;  // see pop3::fallbackUidl()
}

}  // namespace mailbraid::sync::endpoint
