// A message by its octets, and the forms that repairs may give it: what is at an endpoint that took a message with a
// repair only is still that message. Pure.
#pragma once

#include "mailstore/message_repair.h"
#include "mailstore/types/ids.h"

#include <cstdint>
#include <string_view>
#include <vector>

namespace mailbraid::mailstore {

struct MessageForm {
  Digest digest;
  HeaderDigest headerDigest;
  std::uint64_t size = 0;  ///< octets
  Repairs repairs;         ///< that made it of another one
};

MessageForm formOf(std::string_view octets, const Repairs& repairs);

/// One a set of repairs that changes the message; empty for one without such faults. Repair::Date changes no octets.
std::vector<MessageForm> repairedForms(std::string_view octets, const Repairs& repairs);

}  // namespace mailbraid::mailstore
