// Mail that lies in files, taken into the store once.
#pragma once

#include "mailstore/formats/detect.h"
#include "sync/engine/engine.h"

#include <filesystem>
#include <optional>
#include <string>

namespace mailbraid::sync::engine {

struct ImportRequest {
  std::filesystem::path path;
  mailstore::MailFormat format = mailstore::MailFormat::Maildir;
  std::string braid;
  /// Mailbox of the store (without the braid) that what lies in `path` itself becomes, and below which the tree's
  /// mailboxes come; empty: they keep their names, INBOX and roles as in a sync.
  std::string into;
  bool dryRun = false;
  std::function<int(mailstore::Store&, const RunReport&)> exitCode;  ///< as in SyncRequest
};

/// A pull of an endpoint that is met once and then forgotten: what the store's mailbox holds already, by content, is
/// not doubled (P5), so an import that was stopped is simply run again. Nothing is written to `path`. Errors as of
/// sync().
RunReport importMail(mailstore::Store& store, const ImportRequest& request, Observer& observer,
                     const std::stop_token& stop);

/// Why this name (without the braid) cannot be a mailbox of the store; empty when it can.
std::string whyMailboxNameIsRefused(const std::string& name);

}  // namespace mailbraid::sync::engine
