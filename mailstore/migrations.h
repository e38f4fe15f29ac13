// The store's schema as a list of numbered migrations (mailstore's own).
#pragma once

#include <cstdint>
#include <span>

namespace mailbraid::mailstore {

/// Brings a store from the version before it to its own. Its statements run in one transaction.
struct Migration {
  std::uint32_t version;  ///< PRAGMA user_version afterwards; 1, 2, 3 ...
  std::span<const char* const> statements;
};

/// All of them, ascending. The last one's version is the schema that this program knows.
std::span<const Migration> migrations();

/// PRAGMA application_id of a store: "mbrd".
constexpr std::uint32_t kApplicationId = 0x6D627264;

}  // namespace mailbraid::mailstore
