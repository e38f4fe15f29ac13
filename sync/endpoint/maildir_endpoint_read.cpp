// MaildirEndpoint: what is in the mailboxes.
#include "mailstore/formats/maildir_message.h"
#include "sync/endpoint/descriptor.h"
#include "sync/endpoint/maildir_endpoint.h"

#include <algorithm>
#include <set>
#include <utility>

#include <sys/stat.h>

namespace mailbraid::sync::endpoint {

using mailstore::Error;
using mailstore::ErrorKind;
using mailstore::Retry;
using mailstore::Scope;
using mailstore::Uidl;

namespace {

/// The same file under another name or in another mailbox is the same message: nobody writes into a file of a Maildir.
std::string identityOf(const struct stat& status, const std::string& base) {
  return std::to_string(status.st_dev) + "-" + std::to_string(status.st_ino) + "-" + std::to_string(status.st_size) +
         "-" + std::to_string(status.st_mtim.tv_sec) + "." + std::to_string(status.st_mtim.tv_nsec) + "-" + base;
}

/// Everything but size and header: what the file system knows.
RemoteMessage described(int descriptor, const std::string& base) {
  RemoteMessage message;
  message.key = Uidl{base};
  struct stat status {};
  if (::fstat(descriptor, &status) == 0) {
    message.date = mailstore::InternalDate{status.st_mtim.tv_sec, 0};
    message.objectId = identityOf(status, base);
  }
  return message;
}

Error notReadable(const RemoteMailbox& mailbox, const Error& error) {
  return {ErrorKind::TemporaryFailure, Scope::Mailbox, Retry::Later, mailbox.name + ": " + error.what()};
}

}  // namespace

Delta MaildirEndpoint::read(const DeltaRequest& request, PullSink& sink, std::size_t index) {
  Delta delta;
  MaildirFolder& folder = this->folder(*request.mailbox);
  delta.status = statusOf(folder);
  sink.onOpened(index, delta.status);
  std::set<std::string_view> skip;
  for (const Uidl& name : namesOf(request.skip)) skip.insert(name.value());
  const bool complete = folder.scan(skip);
  std::vector<Uidl> present;
  std::vector<Uidl> fresh;
  present.reserve(folder.files().size());
  for (const auto& [base, file] : folder.files()) {
    present.emplace_back(base);
    if (skip.contains(base)) {
      delta.flags.push_back({Uidl{base}, folder.flagsOf(file)});
    } else {
      fresh.emplace_back(base);
    }
  }
  delta.fresh = std::move(fresh);
  if (complete) {
    delta.present = std::move(present);
  } else {
    delta.incomplete = "its files changed again and again while they were listed; nothing is removed because of that";
  }
  return delta;
}

std::vector<Delta> MaildirEndpoint::changes(std::span<const DeltaRequest> requests, PullSink& sink) {
  std::vector<Delta> out;
  for (std::size_t i = 0; i < requests.size(); ++i) {
    checkStop();
    try {
      out.push_back(read(requests[i], sink, i));
    } catch (const Error& error) {
      if (error.scope() != Scope::Mailbox) throw;
      out.emplace_back().failure = notReadable(*requests[i].mailbox, error);
    }
  }
  return out;
}

void MaildirEndpoint::identifyOne(MaildirFolder& folder, const std::string& base, std::size_t index,
                                  const IdentitySink& sink) {
  const MaildirFolder::Opened opened = folder.open(base);
  if (opened.descriptor < 0 && opened.problem.empty()) return;  // gone meanwhile
  RemoteMessage message;
  message.key = Uidl{base};
  if (opened.descriptor >= 0) {
    const Descriptor file(opened.descriptor);
    message = described(file.value(), base);
    const auto size = mailstore::measureMaildirMessage(file.value());
    mailstore::HeaderDigester header;
    constexpr std::size_t kLongestHeader = 256UL * 1024;
    std::size_t read = 0;
    const bool whole = size && mailstore::readMaildirMessage(file.value(), size->lines, [&](std::string_view octets) {
                         header.append(octets);
                         read += octets.size();
                         return read < kLongestHeader;
                       });
    if (whole) {
      message.size = size->octets;
      message.header = header.finish();
      message.hasMessageId = header.hadMessageId();
      if (environment_.describes) message.index = header.index();
    }
  }
  const auto place = folder.files().find(base);
  if (place != folder.files().end()) message.flags = folder.flagsOf(place->second);
  sink(index, std::move(message));
}

Outcomes MaildirEndpoint::identify(std::span<const KeyRequest> requests, const IdentitySink& sink) {
  Outcomes out(requests.size());
  for (std::size_t i = 0; i < requests.size(); ++i) {
    try {
      for (const Uidl& name : namesOf(requests[i].keys)) {
        checkStop();
        identifyOne(folder(*requests[i].mailbox), name.value(), i, sink);
      }
    } catch (const Error& error) {
      if (error.scope() != Scope::Mailbox) throw;
      out[i] = notReadable(*requests[i].mailbox, error);
    }
  }
  return out;
}

void MaildirEndpoint::fetchOne(MaildirFolder& folder, const std::string& base, std::size_t index, PullSink& sink,
                               mailstore::MessageBuilder& builder) {
  const MaildirFolder::Opened opened = folder.open(base);
  if (opened.descriptor < 0 && opened.problem.empty()) return;  // gone meanwhile
  RemoteMessage message;
  message.key = Uidl{base};
  if (opened.descriptor < 0) {
    sink.onRefused(index, message, opened.problem);
    return;
  }
  const Descriptor file(opened.descriptor);
  message = described(file.value(), base);
  const auto size = mailstore::measureMaildirMessage(file.value());
  if (size && size->octets > environment_.maxMessageSize) {
    message.size = size->octets;
    sink.onRefused(index, message, "it has " + std::to_string(size->octets) + " octets, more than can be stored");
    return;
  }
  const bool whole = size && mailstore::readMaildirMessage(file.value(), size->lines, [&](std::string_view octets) {
                       builder.append(octets);
                       sink.onOctets(octets.size());
                       return true;
                     });
  if (!whole) {
    builder.discard();
    sink.onRefused(index, message, "its file cannot be read to its end");
    return;
  }
  message.size = size->octets;
  const auto place = folder.files().find(base);
  if (place != folder.files().end()) message.flags = folder.flagsOf(place->second);
  sink.onMessage(index, std::move(message), builder.finish());
}

Outcomes MaildirEndpoint::fetch(std::span<const KeyRequest> requests, PullSink& sink) {
  Outcomes out(requests.size());
  mailstore::MessageBuilder builder(environment_.spool);
  for (std::size_t i = 0; i < requests.size(); ++i) {
    try {
      for (const Uidl& name : namesOf(requests[i].keys)) {
        checkStop();
        fetchOne(folder(*requests[i].mailbox), name.value(), i, sink, builder);
      }
    } catch (const Error& error) {
      if (error.scope() != Scope::Mailbox) throw;
      out[i] = notReadable(*requests[i].mailbox, error);
    }
  }
  return out;
}

}  // namespace mailbraid::sync::endpoint
