// Does an endpoint mailbox go on where the anchor left it?
#pragma once

#include "mailstore/records.h"

#include <cstdint>
#include <optional>

namespace mailbraid::sync::plan {

/// What STATUS or SELECT told, as plain values; 0 where it did not tell (RFC 9051 section 6.3.11, RFC 7162
/// section 3.1.2).
struct SeenStatus {
  mailstore::UidValidity uidValidity;
  mailstore::Uid uidNext;
  mailstore::ModSeq highestModSeq;
  std::uint32_t messages = 0;
};

enum class Continuity : std::uint8_t {
  Unchanged,        ///< all four agree: nothing has to be read
  Changed,          ///< goes on from the anchor
  FirstContact,     ///< no anchor yet
  Unfinished,       ///< the first contact was cut short: goes on, and still pairs by content
  ValidityChanged,  ///< another UIDVALIDITY: pair by content again (RFC 9051 section 2.3.1.1)
  WentBack,         ///< UIDNEXT or HIGHESTMODSEQ below what is known: a restored server; pair by content again
};

/// Without HIGHESTMODSEQ on both sides a mailbox is never Unchanged: flags may have changed unseen.
/// `lastPaired`: the highest UID of a pair, 0 when there is none; where a run was cut short after an upload, it is
/// ahead of the anchor.
Continuity continuityOf(const mailstore::Anchor& anchor, const std::optional<SeenStatus>& seen,
                        mailstore::Uid lastPaired = {});

/// True where messages that are not paired yet are recognised by content.
bool pairsByContent(Continuity continuity);

}  // namespace mailbraid::sync::plan
