#include "sync/engine/left_out.h"

#include <utility>

namespace mailbraid::sync::engine {

std::vector<LeftOutMailbox> leftOutOf(std::span<const endpoint::RemoteMailbox> listed,
                                      std::span<const plan::MappedMailbox> mapped) {
  using Why = LeftOutMailbox::Why;
  std::vector<LeftOutMailbox> out;
  for (std::size_t i = 0; i < listed.size() && i < mapped.size(); ++i) {
    const plan::MappedMailbox& fate = mapped[i];
    const bool isEmpty = listed[i].status && listed[i].status->messages == 0;
    if (fate.fate == plan::MappedMailbox::Fate::Sync || !listed[i].selectable || isEmpty) continue;
    LeftOutMailbox one;
    one.name = listed[i].name;
    one.role = fate.role;
    one.why = fate.asView ? Why::View : Why::Configuration;
    one.reason = fate.reason;
    if (fate.fate == plan::MappedMailbox::Fate::Refused) one.why = Why::Refused;
    if (listed[i].status) {
      one.messages = listed[i].status->messages;
      one.uidValidity = listed[i].status->uidValidity;
      one.uidNext = listed[i].status->uidNext;
    }
    out.push_back(std::move(one));
  }
  return out;
}

}  // namespace mailbraid::sync::engine
