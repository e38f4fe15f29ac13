// MaildirEndpoint: changes to the tree.
#include "sync/endpoint/maildir_endpoint.h"

#include "sync/endpoint/held_name.h"

#include <cerrno>
#include <system_error>
#include <utility>

#include <unistd.h>

namespace mailbraid::sync::endpoint {

namespace fs = std::filesystem;
using mailstore::Error;
using mailstore::ErrorKind;
using mailstore::Flags;
using mailstore::RemoteKey;
using mailstore::Retry;
using mailstore::Scope;
using mailstore::Uidl;

namespace {

// Messages that wait in tmp for the disk, together.
constexpr std::size_t kBatch = 512;

}  // namespace

void MaildirEndpoint::inBatches(const KeySet& keys, const std::function<std::function<void()>(const Uidl&)>& change,
                                std::initializer_list<MaildirFolder*> folders) {
  std::vector<std::function<void()>> done;
  const auto tell = [&] {
    for (MaildirFolder* one : folders) one->settle();
    for (const auto& one : done) one();
    done.clear();
  };
  try {
    for (const Uidl& name : namesOf(keys)) {
      done.push_back(change(name));
      if (done.size() >= kBatch) tell();
    }
  } catch (const Error&) {
    tell();
    throw;
  }
  tell();
}

Outcomes MaildirEndpoint::storeFlags(std::span<const FlagRequest> requests, PushSink& sink) {
  return forEachRequest(requests, [&](const FlagRequest& request, std::size_t i) {
    MaildirFolder& mailbox = folder(*request.mailbox);
    for (const FlagChange& change : request.changes) {
      const auto changeOne = [&](const Uidl& name) -> std::function<void()> {
        const auto flags = mailbox.change(name.value(), change.add, change.remove);
        if (!flags) return [&sink, i, name] { sink.onVanished(i, name); };
        return [&sink, i, name, flags] { sink.onFlags(i, name, *flags); };
      };
      inBatches(change.keys, changeOne, {&mailbox});
    }
  });
}

Outcomes MaildirEndpoint::transfer(std::span<const TransferRequest> requests, PushSink& sink) {
  return forEachRequest(requests, [&](const TransferRequest& request, std::size_t i) {
    const auto how =
        request.kind == TransferRequest::Kind::Move ? MaildirFolder::Transfer::Move : MaildirFolder::Transfer::Copy;
    MaildirFolder& from = folder(*request.from);
    MaildirFolder& to = folder(*request.to);
    const auto transferOne = [&](const Uidl& name) -> std::function<void()> {
      const auto there = from.transfer(name.value(), to, how);
      if (!there) return [&sink, i, name] { sink.onVanished(i, name); };
      return [&sink, i, name, there] { sink.onTransferred(i, name, RemoteKey{Uidl{*there}}); };
    };
    inBatches(request.keys, transferOne, {&to, &from});
  });
}

Outcomes MaildirEndpoint::remove(std::span<const RemoveRequest> requests, PushSink& sink) {
  return forEachRequest(requests, [&](const RemoveRequest& request, std::size_t i) {
    MaildirFolder& mailbox = folder(*request.mailbox);
    const auto removeOne = [&](const Uidl& name) -> std::function<void()> {
      if (request.kind == RemoveRequest::Kind::Expunge) {
        mailbox.remove(name.value());
        return [&sink, i, name] { sink.onRemoved(i, name); };
      }
      if (mailbox.change(name.value(), Flags::of(mailstore::SystemFlag::Deleted), {}))
        return [&sink, i, name] { sink.onMarked(i, name); };
      return [&sink, i, name] { sink.onVanished(i, name); };
    };
    inBatches(request.keys, removeOne, {&mailbox});
  });
}

void MaildirEndpoint::upload(const AppendRequest& request, std::size_t index, const OctetSource& octets,
                             PushSink& sink) {
  if (request.items.empty()) return;
  MaildirFolder& mailbox = folder(*request.mailbox);
  sink.onAppending(index, uidValidity_, {});
  MaildirFolder::Delivery delivery(mailbox);
  const auto deliver = [&] {
    for (const auto& one : delivery.deliver()) sink.onAppended(index, one.token, RemoteKey{Uidl{one.base}}, one.flags);
  };
  for (const AppendItem& item : request.items) {
    checkStop();
    try {
      delivery.add(item.token, item.flags, item.date, [&](const auto& write) { octets(item, write); });
    } catch (const Error& error) {
      if (error.scope() != Scope::Message) throw;
      sink.onAppendRefused(index, item.token, error);
      continue;
    }
    sink.onOctets(item.size);
    if (delivery.waiting() >= kBatch) deliver();
  }
  deliver();
}

Outcomes MaildirEndpoint::append(std::span<const AppendRequest> requests, const OctetSource& octets, PushSink& sink) {
  return forEachRequest(requests,
                        [&](const AppendRequest& request, std::size_t i) { upload(request, i, octets, sink); });
}

void MaildirEndpoint::renameDirectories(const fs::path& from, const fs::path& to) const {
  const auto renameOne = [](const fs::path& old, const fs::path& fresh) {
    std::error_code error;
    fs::create_directories(fresh.parent_path(), error);
    if (!fs::exists(fresh, error) && ::rename(old.c_str(), fresh.c_str()) == 0) return;
    throw Error(ErrorKind::TemporaryFailure, Scope::Mailbox, Retry::Later,
                old.string() + " cannot be renamed to " + fresh.string() + ": " +
                    (fs::exists(fresh, error) ? "it exists" : std::generic_category().message(errno)));
  };
  if (settings_.subfolders == SubfolderStyle::Nested) return renameOne(from, to);
  std::vector<fs::path> below;
  const std::string prefix = from.filename().string() + ".";
  for (const fs::directory_entry& entry : fs::directory_iterator(settings_.path)) {
    if (entry.path().filename().string().starts_with(prefix)) below.push_back(entry.path());
  }
  renameOne(from, to);
  for (const fs::path& path : below) {
    renameOne(path, to.string() + path.filename().string().substr(prefix.size() - 1));
  }
}

MailboxOutcome MaildirEndpoint::changeMailbox(const MailboxChange& change, RenamedNames& renames) {
  if (change.kind == MailboxChange::Kind::Remove) {
    if (folder(*change.mailbox).removeIfEmpty()) return {};
    return {nullptr, Error(ErrorKind::TemporaryFailure, Scope::Mailbox, Retry::Later,
                           change.mailbox->name + ": it has messages again, and is kept")};
  }
  const fs::path directory = directoryFor(change.name);
  if (change.kind == MailboxChange::Kind::Rename) {
    const std::string before = renames.now(change.mailbox->name);
    if (before == change.name && before == change.mailbox->name) return {change.mailbox, std::nullopt};
    if (before != change.name) {
      const bool isThere = before == change.mailbox->name;
      renameDirectories(isThere ? fs::path(change.mailbox->wireName) : directoryFor(before), directory);
      renames.add(before, change.name);
    }
  } else {
    MaildirFolder(directory).make();
  }
  auto made = std::make_unique<RemoteMailbox>();
  made->wireName = directory.string();
  made->name = change.name;
  made->role = change.role;
  if (heldName(change.name, ".") != change.name && settings_.subfolders == SubfolderStyle::MaildirPlusPlus)
    made->calledThere = heldName(change.name, ".");
  made->status = statusOf(MaildirFolder(directory));
  made_.push_back(std::move(made));
  return {made_.back().get(), std::nullopt};
}

std::vector<MailboxOutcome> MaildirEndpoint::changeMailboxes(std::span<const MailboxChange> changes) {
  std::vector<MailboxOutcome> out;
  RenamedNames renames;
  for (const MailboxChange& change : changes) {
    try {
      out.push_back(changeMailbox(change, renames));
    } catch (const Error& error) {
      out.push_back({nullptr, Error(error.kind(), Scope::Mailbox, error.retry(), error.what())});
    }
  }
  return out;
}

}  // namespace mailbraid::sync::endpoint
