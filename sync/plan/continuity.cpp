#include "sync/plan/continuity.h"

namespace mailbraid::sync::plan {

Continuity continuityOf(const mailstore::Anchor& anchor, const std::optional<SeenStatus>& seen,
                        mailstore::Uid lastPaired) {
  const bool known = anchor.uidValidity.value() != 0;
  if (!known) return Continuity::FirstContact;
  const Continuity going = anchor.complete ? Continuity::Changed : Continuity::Unfinished;
  if (!seen) return going;
  if (seen->uidValidity.value() != 0 && seen->uidValidity != anchor.uidValidity) return Continuity::ValidityChanged;
  const mailstore::Uid next = seen->uidNext;
  if (next.value() != 0 && (next < anchor.uidNext || next <= lastPaired)) return Continuity::WentBack;
  const bool modSeqs = seen->highestModSeq.value() != 0 && anchor.highestModSeq.value() != 0;
  if (modSeqs && seen->highestModSeq < anchor.highestModSeq) return Continuity::WentBack;
  const bool same = modSeqs && seen->highestModSeq == anchor.highestModSeq && seen->uidNext == anchor.uidNext &&
                    seen->messages == anchor.messages;
  return same && anchor.complete ? Continuity::Unchanged : going;
}

bool pairsByContent(Continuity continuity) {
  switch (continuity) {
    case Continuity::FirstContact:
    case Continuity::Unfinished:
    case Continuity::ValidityChanged:
    case Continuity::WentBack:
      return true;
    case Continuity::Unchanged:
    case Continuity::Changed:
      return false;
  }
  return true;
}

}  // namespace mailbraid::sync::plan
