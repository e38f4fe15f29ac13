// Mailboxes that an endpoint lists and that have no part in the sync, though they hold mail.
#pragma once

#include "mailstore/types/role.h"
#include "sync/endpoint/remote.h"
#include "sync/plan/mailbox_map.h"

#include <cstdint>
#include <optional>
#include <span>
#include <string>
#include <vector>

namespace mailbraid::sync::engine {

struct LeftOutMailbox {
  enum class Why : std::uint8_t {
    View,           ///< what it shows is, or should be, in other mailboxes
    Configuration,  ///< the user leaves it out
    Refused,        ///< its name cannot be used
  };
  std::string name;
  mailstore::Role role = mailstore::Role::None;
  std::optional<std::uint64_t> messages;  ///< none: the endpoint does not tell; never 0
  Why why = Why::View;
  std::string reason;                    ///< one sentence
  mailstore::UidValidity uidValidity{};  ///< as it was listed, like the next; 0: not told
  mailstore::Uid uidNext{};
};

/// `mapped` is what mapMailboxes() made of `listed`.
std::vector<LeftOutMailbox> leftOutOf(std::span<const endpoint::RemoteMailbox> listed,
                                      std::span<const plan::MappedMailbox> mapped);

}  // namespace mailbraid::sync::engine
