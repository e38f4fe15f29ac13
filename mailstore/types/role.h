// Special use of a mailbox (RFC 6154) and names that stand for it where a server does not say.
#pragma once

#include <array>
#include <cstdint>
#include <optional>
#include <string_view>

namespace mailbraid::mailstore {

enum class Role : std::uint8_t { None, Inbox, Sent, Drafts, Trash, Junk, Archive, All, Flagged };

/// "inbox", "sent" ...; "" for None. The word of the store, the command line and JSON.
std::string_view roleName(Role role);
std::optional<Role> roleFromName(std::string_view name);
/// `\Sent`, `\Drafts` ... as LIST says it, in any case; None for other attributes (RFC 6154 section 2).
Role roleFromSpecialUse(std::string_view attribute);
/// What a mailbox of this name (its last level, UTF-8, without a prefix) is, where the server offers no SPECIAL-USE:
/// "Sent Items", "Gesendet", "Papierkorb", "送信済み" ... One table, in role.cpp. None when the name says nothing.
/// Meant for mailboxes of the first level: "Old/Sent" is somebody's filing.
Role roleFromMailboxName(std::string_view leaf);

}  // namespace mailbraid::mailstore
