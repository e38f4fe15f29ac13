// What an endpoint's configuration means to the planner.
#pragma once

#include "sync/endpoint/remote.h"
#include "sync/endpoint/settings.h"
#include "sync/plan/mailbox_map.h"
#include "sync/plan/window.h"

#include <vector>

namespace mailbraid::sync::engine {

/// Where several endpoints share a braid, mailboxes with a role are called alike.
inline plan::MappingRules mappingRulesOf(const endpoint::EndpointSettings& settings) {
  plan::MappingRules rules{settings.mailboxes, settings.map, plan::MappingRules::RoleNames::Own};
  if (settings.braid != settings.name) rules.roleNames = plan::MappingRules::RoleNames::Canonical;
  return rules;
}

inline plan::Window windowOf(const endpoint::EndpointSettings& settings) {
  plan::Window out{settings.maxSize, {}, settings.maxMessages};
  if (settings.maxAge) out.maxAge = settings.maxAge->count();
  return out;
}

inline std::vector<plan::ListedMailbox> listedNames(const std::vector<endpoint::RemoteMailbox>& listed) {
  std::vector<plan::ListedMailbox> names;
  names.reserve(listed.size());
  for (const endpoint::RemoteMailbox& mailbox : listed) {
    names.push_back({mailbox.name, mailbox.role, mailbox.selectable, mailbox.refusal});
  }
  return names;
}

}  // namespace mailbraid::sync::engine
