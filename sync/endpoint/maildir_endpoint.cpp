// MaildirEndpoint: the tree and its mark.
#include "sync/endpoint/maildir_endpoint.h"

#include "mailstore/formats/exporter.h"
#include "sync/endpoint/held_name.h"
#include "sync/imap/mailbox_name.h"

#include <algorithm>
#include <system_error>
#include <utility>

#include <sys/stat.h>
#include <unistd.h>

namespace mailbraid::sync::endpoint {

namespace fs = std::filesystem;
using mailstore::Error;
using mailstore::ErrorKind;
using mailstore::Retry;
using mailstore::Scope;

namespace {

constexpr int kDeepest = 32;
constexpr std::size_t kMostMailboxes = 100'000;

int hexValue(char c) {
  if (c >= '0' && c <= '9') return c - '0';
  if (c >= 'A' && c <= 'F') return c - 'A' + 10;
  return -1;
}

/// exportPath() the other way, for one level; the level itself where it was not made by that.
std::string levelName(const std::string& level) {
  std::string out;
  for (std::size_t i = 0; i < level.size(); ++i) {
    const bool encoded =
        level[i] == '%' && i + 2 < level.size() && hexValue(level[i + 1]) >= 0 && hexValue(level[i + 2]) >= 0;
    out.push_back(encoded ? static_cast<char>(hexValue(level[i + 1]) * 16 + hexValue(level[i + 2])) : level[i]);
    if (encoded) i += 2;
  }
  if (out.find('/') != std::string::npos || out.empty()) return level;
  try {
    return mailstore::exportPath(out) == level ? out : level;
  } catch (const Error&) {
    return level;
  }
}

}  // namespace

MaildirEndpoint::MaildirEndpoint(const EndpointSettings& settings, Environment environment)
    : settings_(settings), environment_(std::move(environment)), seal_(settings.path / ".mailbraid") {}

void MaildirEndpoint::checkStop() const {
  if (!environment_.stop.stop_requested()) return;
  throw Error(ErrorKind::Cancelled, Scope::Endpoint, Retry::Later, settings_.path.string() + " was left on request");
}

void MaildirEndpoint::open() {
  std::error_code error;
  const fs::file_status status = fs::status(settings_.path, error);
  if (!fs::exists(status)) {
    throw Error(
        ErrorKind::Unreachable, Scope::Endpoint, Retry::Later,
        settings_.path.string() + " does not exist: is its disk there? Make the directory if it shall be a new tree");
  }
  if (!fs::is_directory(status) || ::access(settings_.path.c_str(), R_OK | X_OK) != 0) {
    throw Error(ErrorKind::Unreachable, Scope::Endpoint, Retry::Never,
                settings_.path.string() + " is no directory that this user can read");
  }
  const TreeSeal::Reading reading = seal_.read(environment_.seal);
  uidValidity_ = reading.uidValidity;
  lostState_ = reading.lostState;
  if (reading.isElsewhere) throw notHere(settings_.path);
}

bool MaildirEndpoint::seal(std::int64_t run) {
  return seal_.write(environment_.seal, uidValidity_, run);
}

void MaildirEndpoint::addMailbox(const std::string& name, const fs::path& directory, std::string refusal) {
  if (mailboxes_.size() >= kMostMailboxes) {
    throw Error(ErrorKind::TemporaryFailure, Scope::Endpoint, Retry::Never,
                settings_.path.string() + " has more than " + std::to_string(kMostMailboxes) + " mailboxes");
  }
  RemoteMailbox mailbox;
  mailbox.wireName = directory.string();
  mailbox.name = name;
  mailbox.refusal = std::move(refusal);
  if (name == "INBOX") mailbox.role = mailstore::Role::Inbox;
  if (mailbox.refusal.empty() && !directories_.emplace(name, directory).second) {
    mailbox.refusal = "another mailbox of this tree has the same name: rename one of the two";
  }
  if (mailbox.refusal.empty()) mailbox.status = statusOf(MaildirFolder(directory));
  mailboxes_.push_back(std::move(mailbox));
}

RemoteStatus MaildirEndpoint::statusOf(const MaildirFolder& folder) const {
  return {uidValidity_, mailstore::Uid{1}, mailstore::ModSeq{folder.changeNumber()}, 0};
}

void MaildirEndpoint::walk(const fs::path& directory, const std::string& name, int depth) {
  checkStop();
  struct stat status {};
  if (depth > kDeepest || ::stat(directory.c_str(), &status) != 0) return;
  const std::pair<std::uint64_t, std::uint64_t> identity{status.st_dev, status.st_ino};
  if (std::find(seen_.begin(), seen_.end(), identity) != seen_.end()) return;  // a link that leads back
  seen_.push_back(identity);
  const bool isMailbox = MaildirFolder(directory).exists();
  if (isMailbox) addMailbox(name.empty() ? "INBOX" : name, directory);
  std::error_code error;
  std::vector<fs::path> below;
  for (const fs::directory_entry& entry : fs::directory_iterator(directory, error)) {
    std::error_code unreadable;
    if (entry.is_directory(unreadable)) below.push_back(entry.path());
  }
  if (error) {
    addMailbox(name.empty() ? "INBOX" : name, directory, "its directory cannot be read: " + error.message());
    return;
  }
  std::sort(below.begin(), below.end());
  for (const fs::path& path : below) {
    const std::string level = path.filename();
    if (level.front() == '.' || (isMailbox && (level == "cur" || level == "new" || level == "tmp"))) continue;
    walk(path, name.empty() ? levelName(level) : name + "/" + levelName(level), depth + 1);
  }
}

void MaildirEndpoint::listFlat() {
  if (MaildirFolder(settings_.path).exists()) addMailbox("INBOX", settings_.path);
  std::error_code error;
  std::vector<fs::path> below;
  for (const fs::directory_entry& entry : fs::directory_iterator(settings_.path, error)) {
    const std::string name = entry.path().filename();
    if (name.size() > 1 && name.front() == '.' && MaildirFolder(entry.path()).exists()) below.push_back(entry.path());
  }
  if (error) {
    throw Error(ErrorKind::Unreachable, Scope::Endpoint, Retry::Later,
                settings_.path.string() + " cannot be read: " + error.message());
  }
  std::sort(below.begin(), below.end());
  for (const fs::path& path : below) {
    const std::string wire = path.filename().string().substr(1);
    const imap::DecodedName decoded = imap::decodeMailboxName(wire, '.', imap::NameEncoding::ModifiedUtf7);
    addMailbox(decoded.problem.empty() ? nameHeldAs(decoded.name, ".") : wire, path, std::string(decoded.problem));
  }
}

const std::vector<RemoteMailbox>& MaildirEndpoint::list() {
  if (isListed_) return mailboxes_;
  seen_.clear();
  if (settings_.subfolders == SubfolderStyle::MaildirPlusPlus) {
    listFlat();
  } else {
    walk(settings_.path, {}, 0);
  }
  isListed_ = true;
  return mailboxes_;
}

void MaildirEndpoint::refresh() {
  lostState_ = false;  // what is there from now on is what this run makes of it
  mailboxes_.clear();
  directories_.clear();
  folders_.clear();
  made_.clear();
  isListed_ = false;
}

MaildirFolder& MaildirEndpoint::folder(const RemoteMailbox& mailbox) {
  std::unique_ptr<MaildirFolder>& found = folders_[mailbox.wireName];
  if (!found)
    found =
        std::make_unique<MaildirFolder>(mailbox.wireName, LockPatience{settings_.server.timeout, environment_.stop});
  return *found;
}

fs::path MaildirEndpoint::directoryFor(const std::string& name) const {
  if (settings_.subfolders == SubfolderStyle::Nested) return settings_.path / mailstore::exportPath(name);
  if (name == "INBOX") return settings_.path;
  const auto wire = imap::encodeMailboxName(heldName(name, "."), '.', imap::NameEncoding::ModifiedUtf7);
  if (!wire || wire->size() > 240) {
    throw Error(ErrorKind::TemporaryFailure, Scope::Mailbox, Retry::Never,
                name + ": a Maildir++ tree cannot have a mailbox of this name; give it another one with \"map\"");
  }
  return settings_.path / ("." + *wire);
}

bool MaildirEndpoint::isGone(const std::string& mailboxName) {
  if (directories_.contains(mailboxName)) return false;
  return isRemoved(directoryFor(mailboxName), settings_.path, "cur");
}

std::string MaildirEndpoint::whyNotGone(const std::string& mailboxName) {
  return whyNotRemoved(directoryFor(mailboxName), settings_.path, "cur");
}

EndpointFacts MaildirEndpoint::facts() const {
  EndpointFacts facts;
  facts.connection = "Maildir tree " + settings_.path.string();
  if (environment_.seal.lastRun != 0) facts.server = "last synced by run " + std::to_string(environment_.seal.lastRun);
  return facts;
}

}  // namespace mailbraid::sync::endpoint
