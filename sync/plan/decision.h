// What to do with one message that at least one side knows: the table of presence rows while pulling.
#pragma once

#include "mailstore/types/flags.h"

#include <cstdint>
#include <string_view>

namespace mailbraid::sync::plan {

/// The pair of an earlier run.
enum class Base : std::uint8_t { Absent, Paired };
/// What the endpoint is proven to hold. Not knowing is no row: nothing is decided then.
enum class Remote : std::uint8_t { Absent, Present };
/// The entry that the pair names, or that has the message's content.
enum class Local : std::uint8_t { Absent, Live, Tombstone };

enum class Action : std::uint8_t {
  Nothing,
  TakeNew,     ///< a new entry
  Adopt,       ///< pair it with the entry of the same content; flags unite
  MergeFlags,  ///< three-way, flag by flag
  Revive,      ///< the endpoint cares for a message that was removed elsewhere: it lives again
  Wait,        ///< removed in the store, and the endpoint has not been told yet
  Remove,      ///< tombstone, forget the pair
  Keep,        ///< removed at the endpoint, but cared for here since: forget the pair only, say so
  Forget,      ///< gone on both sides: forget the pair
};

struct FlagSides {
  mailstore::Flags base;  ///< of the pair
  mailstore::Flags remote;
  mailstore::Flags local;  ///< of the entry
};

/// Pure; every row stands in tests/plan/decision_test.cpp.
Action decide(Base base, Remote remote, Local local, const FlagSides& flags);

/// The entry's flags after both sides' changes since the base are united; where only one side changed a flag, it wins.
mailstore::Flags merged(const FlagSides& flags);

/// True when `now`, compared with `base`, has a new \Flagged, \Answered or keyword, or lost \Deleted: someone cares for
/// this message, which outweighs a removal made elsewhere.
bool caredForSince(const mailstore::Flags& base, const mailstore::Flags& now);

std::string_view actionName(Action action);

}  // namespace mailbraid::sync::plan
