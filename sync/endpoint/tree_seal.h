// The mark in a tree of mailboxes on disk that says whose it is, and which run was the last there.
#pragma once

#include "mailstore/types/ids.h"
#include "sync/endpoint/endpoint.h"

#include <cstdint>
#include <filesystem>

namespace mailbraid::sync::endpoint {

/// A file of one line. Where it is missing, names another endpoint or is older than the store's last run, the tree was
/// wiped, restored or replaced: it gets another UIDVALIDITY, so that nothing of it is taken for a removal. Where a
/// directory may not be written there never was a mark, unless the store knows of one: then this is not that directory
/// (the empty place of a disk that is not mounted). One thread.
class TreeSeal {
 public:
  explicit TreeSeal(std::filesystem::path file) : file_(std::move(file)) {}

  struct Reading {
    mailstore::UidValidity uidValidity;  ///< of all mailboxes of the tree
    bool lostState = false;
    bool isElsewhere = false;  ///< the store knows of a mark, there is none, and none could have been taken away here
  };
  [[nodiscard]] Reading read(const Seal& seal) const;
  /// False where no mark can be left. Throws Error of scope endpoint when it cannot be written.
  bool write(const Seal& seal, mailstore::UidValidity uidValidity, std::int64_t run) const;

 private:
  [[nodiscard]] bool isImpossible() const;
  std::filesystem::path file_;
};

/// Why such a tree is not synced.
mailstore::Error notHere(const std::filesystem::path& tree);

}  // namespace mailbraid::sync::endpoint
