// A migration: everything of some endpoints onto another one, through the store.
#pragma once

#include "sync/endpoint/settings.h"

#include <string>
#include <vector>

namespace mailbraid::sync::engine {

struct MigrationPlan {
  /// The sources in the order given, then the destination, with the policies of a migration: the sources are only read,
  /// the destination only gains.
  std::vector<endpoint::EndpointSettings> endpoints;
  std::string braid;  ///< all of them belong to it
};

/// The sources join the destination's braid, which a sync of the destination goes on with. Throws Error
/// (Configuration or Usage) where that makes no sense: the same account twice, a destination that cannot be written.
MigrationPlan planMigration(std::vector<endpoint::EndpointSettings> sources, endpoint::EndpointSettings destination);

}  // namespace mailbraid::sync::engine
