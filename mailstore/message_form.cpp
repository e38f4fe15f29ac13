#include "mailstore/message_form.h"

#include "mailstore/message_builder.h"
#include "mailstore/sha256.h"

namespace mailbraid::mailstore {

MessageForm formOf(std::string_view octets, const Repairs& repairs) {
  MessageForm out;
  Sha256 whole;
  whole.append(octets);
  out.digest.bytes = whole.finish();
  HeaderDigester header;
  header.append(octets);
  out.headerDigest = header.finish();
  out.size = octets.size();
  out.repairs = repairs;
  return out;
}

std::vector<MessageForm> repairedForms(std::string_view octets, const Repairs& repairs) {
  std::vector<Repair> needed;
  for (std::size_t i = 0; i < kRepairNames.size(); ++i) {
    const auto repair = static_cast<Repair>(i);
    if (repairs.has(repair) && repaired(octets, repair)) needed.push_back(repair);
  }
  std::vector<MessageForm> out;
  for (unsigned chosen = 1; chosen < 1U << needed.size(); ++chosen) {
    Repairs some;
    for (std::size_t i = 0; i < needed.size(); ++i) {
      if ((chosen & 1U << i) != 0) some.add(needed[i]);
    }
    out.push_back(formOf(repaired(octets, some), some));
  }
  return out;
}

}  // namespace mailbraid::mailstore
