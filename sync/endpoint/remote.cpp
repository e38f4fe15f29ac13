#include "sync/endpoint/remote.h"

namespace mailbraid::sync::endpoint {
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

bool isServersName(const mailstore::Uidl& key) {
  return key.value().find(' ') == std::string::npos;  // see pop3::fallbackUidl()
}

}  // namespace mailbraid::sync::endpoint
