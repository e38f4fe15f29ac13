// What tests of the encoder share.
#pragma once

#include "sync/imap/encoder.h"
#include "tests/support/catch.h"

#include <string>
#include <string_view>
#include <vector>

namespace mailbraid::tests {

using Pieces = std::vector<std::string>;

inline std::string encoded(const sync::imap::Command& command, const sync::imap::EncodeContext& context = {}) {
  const sync::imap::EncodedCommand out = sync::imap::encode("T", command, context);
  CHECK(out.problem.empty());
  CHECK(out.pieces.size() == 1);
  return out.pieces.empty() ? "" : out.pieces.front();
}

inline std::string problemOf(const sync::imap::Command& command) {
  const sync::imap::EncodedCommand out = sync::imap::encode("T", command, {});
  CHECK(out.pieces.empty());
  return std::string(out.problem);
}

inline mailstore::UidSet uids(std::string_view text) {
  return *mailstore::UidSet::parse(text);
}

}  // namespace mailbraid::tests
