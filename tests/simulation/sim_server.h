// What one in-memory endpoint holds: it outlives connections and the process that syncs it.
#pragma once

#include "mailstore/records.h"
#include "sync/endpoint/remote.h"
#include "sync/endpoint/settings.h"

#include <cstdint>
#include <map>
#include <optional>
#include <string>
#include <utility>
#include <vector>

namespace mailbraid::simulation {

/// What kind of endpoint a server is, and what it can do.
struct Abilities {
  enum class Tracking : std::uint8_t { None, Condstore, Qresync };
  sync::endpoint::EndpointType type = sync::endpoint::EndpointType::Imap;
  Tracking tracking = Tracking::Qresync;
  bool uidplus = true;
  bool move = true;
  bool objectIds = false;        ///< EMAILID and MAILBOXID
  bool keywords = true;          ///< it keeps keywords
  bool saysWhatItKeeps = true;   ///< PERMANENTFLAGS; otherwise keywords are dropped without a word
  bool answersInSession = true;  ///< Maildir: the change number is coarse, and not told of what changed just now
  [[nodiscard]] bool isImap() const { return type == sync::endpoint::EndpointType::Imap; }
  [[nodiscard]] bool isPop3() const { return type == sync::endpoint::EndpointType::Pop3; }
  [[nodiscard]] bool isMaildir() const { return type == sync::endpoint::EndpointType::Maildir; }
};

struct SimMessage {
  std::uint32_t uid = 0;
  std::string name;         ///< of its file, or its UIDL
  std::size_t content = 0;  ///< see Ledger
  mailstore::Flags flags;
  mailstore::InternalDate date;
  std::uint64_t modSeq = 0;
};

struct SimMailbox {
  std::uint32_t uidValidity = 1;
  std::uint32_t uidNext = 1;
  std::uint64_t modSeq = 1;
  std::string objectId;
  std::vector<SimMessage> messages;                               ///< ascending by UID
  std::vector<std::pair<std::uint64_t, std::uint32_t>> vanished;  ///< MODSEQ, UID

  SimMessage* find(const mailstore::RemoteKey& key);
};

/// The mark that a Maildir tree keeps.
struct Mark {
  std::string endpoint;
  std::uint32_t validity = 0;
  std::int64_t run = 0;
};

class SimServer {
 public:
  SimServer(std::string name, Abilities abilities);

  [[nodiscard]] const std::string& name() const { return name_; }
  [[nodiscard]] const Abilities& abilities() const { return abilities_; }
  [[nodiscard]] sync::endpoint::RemoteStatus statusOf(const SimMailbox& mailbox, std::uint32_t treeValidity) const;
  [[nodiscard]] mailstore::RemoteKey keyOf(const SimMessage& message) const;
  [[nodiscard]] std::string objectIdOf(const SimMessage& message) const;
  /// Of these flags, what it keeps.
  [[nodiscard]] mailstore::Flags kept(const mailstore::Flags& flags) const;

  SimMailbox& make(const std::string& mailbox);
  void removeMailbox(const std::string& mailbox) { mailboxes.erase(mailbox); }
  void rename(const std::string& from, const std::string& to);
  SimMessage& add(SimMailbox& mailbox, std::size_t content, const mailstore::Flags& flags,
                  mailstore::InternalDate date);
  void setFlags(SimMailbox& mailbox, SimMessage& message, const mailstore::Flags& flags);
  void expunge(SimMailbox& mailbox, const mailstore::RemoteKey& key);
  /// The copy keeps its file's name when it is a move within a Maildir tree.
  SimMessage& copy(const SimMessage& message, SimMailbox& to);
  void move(SimMailbox& from, const mailstore::RemoteKey& key, SimMailbox& to);

  [[nodiscard]] bool holds(std::size_t content) const;
  void changeValidity(SimMailbox& mailbox);
  /// Everything is gone; the mailboxes are there again where the kind of endpoint makes them.
  void wipe();

  struct Snapshot {
    std::map<std::string, SimMailbox> mailboxes;
    Mark mark;
  };
  [[nodiscard]] Snapshot snapshot() const { return {mailboxes, mark}; }
  void restore(const Snapshot& old);

  std::map<std::string, SimMailbox> mailboxes;
  Mark mark;
  std::uint64_t serial = 1;  ///< for names and validities: never goes back

 private:
  std::string name_;
  Abilities abilities_;
};

}  // namespace mailbraid::simulation
