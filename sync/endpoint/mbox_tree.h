// Where the mailboxes of an mbox tree are (sync/endpoint's own).
#pragma once

#include "sync/endpoint/settings.h"

#include <filesystem>
#include <string>
#include <vector>

namespace mailbraid::sync::endpoint {

/// Nested: a file is a mailbox, directories are levels; an ending `.mbox` is not part of the name. Thunderbird: file
/// `A`, and what is below it in the directory `A.sbd`. A tree that is one file has one mailbox, INBOX. Files that mail
/// programs keep beside their mail (.msf, .dat, locks, hidden ones ...) are passed over.
class MboxTree {
 public:
  MboxTree(std::filesystem::path path, SubfolderStyle style) : path_(std::move(path)), style_(style) {}

  struct Place {
    std::string name;  ///< UTF-8, `/` between the levels; INBOX in capitals
    std::filesystem::path file;
    std::string refusal;  ///< not empty: it cannot be a mailbox, and why
  };
  /// Mailboxes in order of their paths, then what cannot be one. Throws Error of scope endpoint when the tree itself
  /// cannot be read.
  [[nodiscard]] std::vector<Place> list() const;
  /// The file for a new mailbox; nothing is made. Throws Error of scope mailbox when no file can have its name.
  [[nodiscard]] std::filesystem::path fileFor(const std::string& name) const;
  [[nodiscard]] bool isOneFile() const;

 private:
  struct Walk;
  void walk(const std::filesystem::path& directory, const std::string& name, int depth, Walk& walk) const;
  void take(const std::filesystem::path& file, const std::string& name, Walk& walk) const;

  const std::filesystem::path path_;
  const SubfolderStyle style_;
};

}  // namespace mailbraid::sync::endpoint
