#include "sync/plan/mailbox_map.h"

#include <algorithm>
#include <array>
#include <optional>
#include <set>

namespace mailbraid::sync::plan {

using mailstore::Role;

namespace {

constexpr std::size_t kLongestName = 1000;

char lower(char c) {
  return c >= 'A' && c <= 'Z' ? static_cast<char>(c - 'A' + 'a') : c;
}

bool equalsIgnoringCase(std::string_view left, std::string_view right) {
  return std::equal(left.begin(), left.end(), right.begin(), right.end(),
                    [](char a, char b) { return lower(a) == lower(b); });
}

/// INBOX and what is below it: only the first level compares without case (RFC 9051 section 5.1).
std::string normalizedInbox(std::string_view name) {
  const std::size_t end = name.find('/');
  const std::string_view first = name.substr(0, end);
  if (!equalsIgnoringCase(first, "INBOX")) return std::string(name);
  return "INBOX" + std::string(end == std::string_view::npos ? std::string_view{} : name.substr(end));
}

/// Length of the valid UTF-8 sequence at the beginning of `text` (RFC 3629); 0 when there is none.
std::size_t utf8Sequence(std::string_view text) {
  const auto at = [&](std::size_t i) { return static_cast<unsigned char>(text[i]); };
  const auto follows = [&](std::size_t i) { return i < text.size() && (at(i) & 0xC0U) == 0x80U; };
  const unsigned char lead = at(0);
  if (lead < 0x80U) return 1;
  if (lead >= 0xC2U && lead <= 0xDFU) return follows(1) ? 2 : 0;
  if (lead >= 0xE0U && lead <= 0xEFU) {
    if (!follows(1) || !follows(2)) return 0;
    if (lead == 0xE0U && at(1) < 0xA0U) return 0;  // overlong
    if (lead == 0xEDU && at(1) > 0x9FU) return 0;  // surrogates
    return 3;
  }
  if (lead >= 0xF0U && lead <= 0xF4U) {
    if (!follows(1) || !follows(2) || !follows(3)) return 0;
    if (lead == 0xF0U && at(1) < 0x90U) return 0;
    if (lead == 0xF4U && at(1) > 0x8FU) return 0;
    return 4;
  }
  return 0;
}

bool isValidUtf8(std::string_view text) {
  while (!text.empty()) {
    const std::size_t length = utf8Sequence(text);
    if (length == 0) return false;
    text.remove_prefix(length);
  }
  return true;
}

std::string_view leafOf(std::string_view name) {
  const std::size_t slash = name.rfind('/');
  return slash == std::string_view::npos ? name : name.substr(slash + 1);
}

struct CanonicalName {
  Role role;
  std::string_view name;
};
constexpr std::array<CanonicalName, 6> kCanonicalNames{{{Role::Inbox, "INBOX"},
                                                        {Role::Sent, "Sent"},
                                                        {Role::Drafts, "Drafts"},
                                                        {Role::Trash, "Trash"},
                                                        {Role::Junk, "Junk"},
                                                        {Role::Archive, "Archive"}}};

std::string storeNameFor(const std::string& name, Role role, const MappingRules& rules) {
  if (const auto mapped = rules.map.find(name); mapped != rules.map.end()) return normalizedInbox(mapped->second);
  if (rules.roleNames == MappingRules::RoleNames::Canonical) {
    for (const CanonicalName& canonical : kCanonicalNames) {
      if (canonical.role == role) return std::string(canonical.name);
    }
  }
  return normalizedInbox(name);
}

bool isView(Role role) {
  return role == Role::All || role == Role::Flagged;
}

/// Whether the user's patterns take the mailbox in, leave it out, or say nothing.
enum class Wish { Unsaid, In, Out };
Wish wishFor(std::string_view name, Role role, const std::vector<std::string>& patterns) {
  Wish wish = Wish::Unsaid;
  for (const std::string& pattern : patterns) {
    const bool negative = !pattern.empty() && pattern.front() == '!';
    const std::string_view text = negative ? std::string_view(pattern).substr(1) : std::string_view(pattern);
    if (!matchesPattern(text, name)) continue;
    // "*" means "everything that makes sense"; a view has to be named.
    if (!negative && text == "*" && isView(role)) continue;
    wish = negative ? Wish::Out : Wish::In;
  }
  return wish;
}

bool isPositiveList(const std::vector<std::string>& patterns) {
  return std::any_of(patterns.begin(), patterns.end(), [](const std::string& p) { return !p.empty() && p[0] != '!'; });
}

/// Whether the user has chosen mailboxes by their names: what is in none of the patterns is not wanted, a view no less.
bool isChoice(const std::vector<std::string>& patterns) {
  return isPositiveList(patterns) && std::find(patterns.begin(), patterns.end(), "*") == patterns.end();
}

/// Roles as the server says; where it names none for a role, what the mailbox's name says. One mailbox a role.
std::vector<Role> rolesOf(std::span<const ListedMailbox> listed) {
  std::vector<Role> roles(listed.size(), Role::None);
  std::set<Role> taken;
  const auto give = [&](std::size_t i, Role role) {
    if (role != Role::None && roles[i] == Role::None && taken.insert(role).second) roles[i] = role;
  };
  for (std::size_t i = 0; i < listed.size(); ++i) {
    if (equalsIgnoringCase(listed[i].name, "INBOX")) give(i, Role::Inbox);
  }
  for (std::size_t i = 0; i < listed.size(); ++i) give(i, listed[i].role);
  for (std::size_t i = 0; i < listed.size(); ++i) {
    // Guessing by name is for top-level mailboxes only: "Projects/Sent" is somebody's project.
    const std::string normalized = normalizedInbox(listed[i].name);
    const bool top = normalized.find('/') == std::string::npos || normalized.rfind("INBOX/", 0) == 0;
    if (!top || !listed[i].selectable) continue;
    const Role guess = mailstore::roleFromMailboxName(leafOf(listed[i].name));
    if (!isView(guess) && guess != Role::Inbox) give(i, guess);
  }
  return roles;
}

}  // namespace

std::string endpointNameFor(std::string_view storeName, const MappingRules& rules) {
  for (const auto& [endpointName, mapped] : rules.map) {
    if (normalizedInbox(mapped) == storeName) return endpointName;
  }
  return std::string(storeName);
}

bool takesMailbox(std::string_view endpointName, Role role, const MappingRules& rules) {
  const Wish wish = wishFor(endpointName, role, rules.patterns);
  if (wish == Wish::Unsaid) return !isPositiveList(rules.patterns) && !isView(role);
  return wish == Wish::In;
}

bool matchesPattern(std::string_view pattern, std::string_view name) {
  if (equalsIgnoringCase(pattern, "INBOX") && equalsIgnoringCase(name, "INBOX")) return true;
  std::size_t p = 0;
  std::size_t n = 0;
  std::optional<std::size_t> star;
  std::size_t resume = 0;
  while (n < name.size()) {
    if (p < pattern.size() && pattern[p] == '*') {
      star = p++;
      resume = n;
    } else if (p < pattern.size() && pattern[p] == name[n]) {
      ++p;
      ++n;
    } else if (star) {
      p = *star + 1;
      n = ++resume;
    } else {
      return false;
    }
  }
  while (p < pattern.size() && pattern[p] == '*') ++p;
  return p == pattern.size();
}

std::string whyNameIsRefused(std::string_view name) {
  if (name.empty()) return "its name is empty";
  if (name.size() > kLongestName) return "its name is longer than 1000 octets";
  if (!isValidUtf8(name)) return "its name is not valid UTF-8";
  for (const char c : name) {
    if (static_cast<unsigned char>(c) < 0x20U || c == 0x7F) return "its name has a control character";
  }
  std::string_view rest = name;
  while (true) {
    const std::size_t slash = rest.find('/');
    const std::string_view level = rest.substr(0, slash);
    if (level.empty()) return "its name has an empty level";
    if (level == "." || level == "..") return "its name has the level \"" + std::string(level) + "\"";
    if (slash == std::string_view::npos) return {};
    rest.remove_prefix(slash + 1);
  }
}

std::vector<MappedMailbox> mapMailboxes(std::span<const ListedMailbox> listed, const MappingRules& rules) {
  const std::vector<Role> roles = rolesOf(listed);
  const bool choice = isChoice(rules.patterns);
  std::vector<MappedMailbox> mapped(listed.size());
  std::map<std::string, std::string> owners;
  for (std::size_t i = 0; i < listed.size(); ++i) {
    using Fate = MappedMailbox::Fate;
    const ListedMailbox& mailbox = listed[i];
    MappedMailbox& out = mapped[i];
    out.role = roles[i];
    const Wish wish = wishFor(mailbox.name, out.role, rules.patterns);
    const auto set = [&](Fate fate, std::string reason) {
      out.fate = fate;
      out.reason = std::move(reason);
    };
    std::string why = mailbox.refusal.empty() ? whyNameIsRefused(mailbox.name) : mailbox.refusal;
    if (!mailbox.selectable) {
      set(Fate::LeftOut, "it holds no messages (\\Noselect)");
    } else if (wish == Wish::Out || (wish == Wish::Unsaid && choice)) {
      set(Fate::LeftOut, "left out by \"mailboxes\" in the configuration");
    } else if (wish != Wish::In && isView(out.role)) {
      out.asView = true;
      set(Fate::LeftOut, "it is a view of other mailboxes; name it in \"mailboxes\" to sync it");
    } else if (!why.empty()) {
      set(Fate::Refused, std::move(why));
    } else {
      out.storeName = storeNameFor(mailbox.name, out.role, rules);
      out.byMap = rules.map.contains(mailbox.name);
      why = whyNameIsRefused(out.storeName);
      const auto [owner, first] = owners.emplace(out.storeName, mailbox.name);
      if (!why.empty()) {
        set(Fate::Refused, "the store mailbox that \"map\" gives it cannot be used: " + why);
      } else if (!first) {
        set(Fate::Refused, "it would share the store mailbox " + out.storeName + " with " + owner->second +
                               "; give it a name of its own with \"map\"");
      }
    }
  }
  return mapped;
}

}  // namespace mailbraid::sync::plan
