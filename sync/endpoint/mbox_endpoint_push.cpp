// MboxEndpoint: adding to the tree.
#include "mailstore/formats/mbox_writer.h"
#include "mailstore/header_fields.h"
#include "sync/endpoint/mbox_endpoint.h"

#include <algorithm>
#include <cerrno>
#include <system_error>
#include <utility>

#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>

namespace mailbraid::sync::endpoint {

namespace fs = std::filesystem;
using mailstore::Error;
using mailstore::ErrorKind;
using mailstore::MboxSurvey;
using mailstore::MboxWriter;
using mailstore::RemoteKey;
using mailstore::Retry;
using mailstore::Scope;
using mailstore::Uidl;

namespace {

constexpr std::size_t kBatchMessages = 512;
constexpr std::uint64_t kBatchOctets = 16UL * 1024 * 1024;
constexpr std::size_t kHeaderLooked = 64UL * 1024;

[[noreturn]] void fail(const fs::path& path, const std::string& doing, const std::string& why) {
  throw Error(ErrorKind::NotWritable, Scope::Mailbox, Retry::Later, path.string() + " " + doing + ": " + why);
}

std::string fromOf(std::string_view header) {
  mailstore::HeaderEnd end;
  std::string from;
  mailstore::forEachField(header.substr(0, end.feed(header)), [&](const mailstore::HeaderField& field) {
    if (from.empty() && mailstore::equalIgnoringCase(field.name, "From")) from = mailstore::unfolded(field.body);
  });
  return from;
}

}  // namespace

struct MboxEndpoint::Batch {
  struct Item {
    std::uint64_t token = 0;
    std::uint64_t offset = 0;  ///< in what is appended
    std::uint64_t size = 0;
  };
  MboxFolder& folder;
  std::vector<Item> items;
};

mailstore::MboxStyle MboxEndpoint::style() const {
  return settings_.subfolders == SubfolderStyle::Thunderbird ? mailstore::MboxStyle::Thunderbird
                                                             : mailstore::MboxStyle::Plain;
}

void MboxEndpoint::spool(const AppendItem& item, const OctetSource& octets, Batch& batch) {
  const std::uint64_t before = appender_.size();
  MboxSurvey survey;
  std::string header;
  octets(item, [&](std::string_view piece) {
    survey.append(piece);
    header += piece.substr(0, kHeaderLooked - header.size());
  });
  MboxWriter writer(settings_.quoting, [&](std::string_view piece) { appender_.write(piece); });
  try {
    writer.begin({fromOf(header), item.date, survey.isAsItIs(), survey.isOpenEnd(),
                  mailstore::mboxStatusLines(item.flags, style())});
    octets(item, [&](std::string_view piece) { writer.octets(piece); });
    writer.end();
  } catch (const Error&) {
    appender_.cutTo(before);
    throw;
  }
  batch.items.push_back({item.token, before, item.size});
}

void MboxEndpoint::deliver(Batch& batch, std::size_t index, PushSink& sink) {
  if (batch.items.empty()) return;
  std::uint64_t at = 0;
  try {
    at = appender_.appendTo(batch.folder);
  } catch (const Error&) {
    appender_.cutTo(0);
    throw;
  }
  batch.folder.scan();
  for (const Batch::Item& item : batch.items) {
    const MboxFolder::Message* there = batch.folder.findAt(at + item.offset);
    // Another program may have moved it already: then the next reading recognises it by its content.
    const bool found = there != nullptr && !there->key.empty();
    sink.onAppended(index, item.token, found ? std::optional<RemoteKey>(Uidl{there->key}) : std::nullopt,
                    found ? there->found.flags : mailstore::Flags{});
    sink.onOctets(item.size);
  }
  batch.items.clear();
}

void MboxEndpoint::upload(const AppendRequest& request, std::size_t index, const OctetSource& octets, PushSink& sink) {
  if (request.items.empty()) return;
  sink.onAppending(index, uidValidity_, {});
  Batch batch{folder(*request.mailbox), {}};
  for (const AppendItem& item : request.items) {
    checkStop();
    try {
      spool(item, octets, batch);
    } catch (const Error& error) {
      if (error.scope() != Scope::Message) throw;
      sink.onAppendRefused(index, item.token, error);
      continue;
    }
    if (batch.items.size() >= kBatchMessages || appender_.size() >= kBatchOctets) deliver(batch, index, sink);
  }
  deliver(batch, index, sink);
}

Outcomes MboxEndpoint::append(std::span<const AppendRequest> requests, const OctetSource& octets, PushSink& sink) {
  return forEachRequest(requests,
                        [&](const AppendRequest& request, std::size_t i) { upload(request, i, octets, sink); });
}

/// The file alone: mailboxes below it are renamed one by one, as those who ask for it know.
void MboxEndpoint::renameFile(const fs::path& from, const fs::path& to) const {
  const DotLock lock(from, {settings_.server.timeout, environment_.stop});
  // link() and not rename(), which would take the place of another file.
  if (::link(from.c_str(), to.c_str()) != 0 || ::unlink(from.c_str()) != 0) {
    fail(from, "cannot be renamed to " + to.string(), std::generic_category().message(errno));
  }
  // Thunderbird's summary is of a file that is not there any more; a directory without mailboxes shows as one.
  ::unlink((from.string() + ".msf").c_str());
  ::rmdir(from.parent_path().c_str());
}

MailboxOutcome MboxEndpoint::changeMailbox(const MailboxChange& change) {
  if (change.kind == MailboxChange::Kind::Remove) {
    throw Error(ErrorKind::TemporaryFailure, Scope::Mailbox, Retry::Never,
                change.mailbox->name + ": mailboxes of an mbox tree are not removed; do it in the mail program");
  }
  const bool isNamedSo = change.kind == MailboxChange::Kind::Rename && change.mailbox->name == change.name;
  if (isNamedSo) return {change.mailbox, std::nullopt};
  const auto same = [&](const RemoteMailbox& mailbox) { return mailbox.name == change.name; };
  const auto there = std::find_if(mailboxes_.begin(), mailboxes_.end(), same);
  if (there != mailboxes_.end()) {
    throw Error(ErrorKind::TemporaryFailure, Scope::Mailbox, Retry::Later,
                change.name + ": nothing is added to it, since " +
                    (there->refusal.empty() ? "it is not synced" : there->refusal));
  }
  const fs::path file = tree_.fileFor(change.name);
  std::error_code error;
  fs::create_directories(file.parent_path(), error);
  if (error) fail(file.parent_path(), "cannot be made", error.message());
  // Thunderbird shows what is below a mailbox only where the mailbox itself is there.
  fs::path parent = file.parent_path();
  for (; style() == mailstore::MboxStyle::Thunderbird && parent.extension() == ".sbd"; parent = parent.parent_path()) {
    const Descriptor made(::open((parent.parent_path() / parent.stem()).c_str(), O_WRONLY | O_CREAT | O_CLOEXEC, 0600));
  }
  if (change.kind == MailboxChange::Kind::Rename) {
    renameFile(change.mailbox->wireName, file);
  } else {
    const Descriptor made(::open(file.c_str(), O_WRONLY | O_CREAT | O_CLOEXEC, 0600));
    if (made.value() < 0) fail(file, "cannot be made", std::generic_category().message(errno));
  }
  RemoteMailbox& mailbox = *made_.emplace_back(std::make_unique<RemoteMailbox>());
  mailbox.wireName = file.string();
  mailbox.name = change.name;
  mailbox.role = change.role;
  mailbox.status = statusOf(folder(mailbox));
  return {&mailbox, std::nullopt};
}

std::vector<MailboxOutcome> MboxEndpoint::changeMailboxes(std::span<const MailboxChange> changes) {
  std::vector<MailboxOutcome> out;
  for (const MailboxChange& change : changes) {
    try {
      out.push_back(changeMailbox(change));
    } catch (const Error& error) {
      out.push_back({nullptr, Error(error.kind(), Scope::Mailbox, error.retry(), error.what())});
    }
  }
  return out;
}

}  // namespace mailbraid::sync::endpoint
