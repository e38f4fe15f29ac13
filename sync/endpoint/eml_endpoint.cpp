#include "sync/endpoint/eml_endpoint.h"

#include "mailstore/formats/detect.h"
#include "mailstore/formats/maildir_message.h"
#include "sync/endpoint/descriptor.h"

#include <algorithm>
#include <cerrno>
#include <set>
#include <system_error>
#include <utility>

#include <fcntl.h>

namespace mailbraid::sync::endpoint {

namespace fs = std::filesystem;
using mailstore::Error;
using mailstore::ErrorKind;
using mailstore::Retry;
using mailstore::Scope;
using mailstore::Uidl;

EmlEndpoint::EmlEndpoint(const EndpointSettings& settings, Environment environment)
    : settings_(settings), environment_(std::move(environment)) {}

void EmlEndpoint::checkStop() const {
  if (!environment_.stop.stop_requested()) return;
  throw Error(ErrorKind::Cancelled, Scope::Endpoint, Retry::Later, settings_.path.string() + " was left on request");
}

void EmlEndpoint::addFile(const fs::path& file) {
  const fs::path directory = file.parent_path().lexically_relative(settings_.path);
  const bool atTop = file == settings_.path || directory == ".";
  files_[atTop ? topName(settings_.path) : directory.generic_string()].emplace(file.filename().string(), file);
}

void EmlEndpoint::open() {
  std::error_code error;
  if (fs::is_regular_file(settings_.path, error)) {
    addFile(settings_.path);
  } else {
    // Links to directories are not followed: no loops.
    fs::recursive_directory_iterator walk(settings_.path, error);
    for (; !error && walk != fs::recursive_directory_iterator(); walk.increment(error)) {
      checkStop();
      std::error_code ignored;
      if (walk->is_regular_file(ignored) && mailstore::isEmlName(walk->path())) addFile(walk->path());
    }
  }
  if (error) {
    throw Error(ErrorKind::Unreachable, Scope::Endpoint, Retry::Later,
                settings_.path.string() + " cannot be read: " + error.message());
  }
  for (const auto& [name, files] : files_) {
    RemoteMailbox& mailbox = mailboxes_.emplace_back();
    mailbox.name = mailbox.wireName = name;
    mailbox.status = RemoteStatus{mailstore::UidValidity{1}, {}, {}, static_cast<std::uint32_t>(files.size())};
  }
}

std::vector<Delta> EmlEndpoint::changes(std::span<const DeltaRequest> requests, PullSink& sink) {
  std::vector<Delta> out;
  for (std::size_t i = 0; i < requests.size(); ++i) {
    Delta& delta = out.emplace_back();
    delta.status = *requests[i].mailbox->status;
    sink.onOpened(i, delta.status);
    std::set<std::string_view> skip;
    for (const Uidl& name : namesOf(requests[i].skip)) skip.insert(name.value());
    std::vector<Uidl> present;
    std::vector<Uidl> fresh;
    for (const auto& [name, file] : files_.at(requests[i].mailbox->name)) {
      present.emplace_back(name);
      if (!skip.contains(name)) fresh.emplace_back(name);
    }
    delta.present = std::move(present);
    delta.fresh = std::move(fresh);
  }
  return out;
}

Outcomes EmlEndpoint::identify(std::span<const KeyRequest> requests, const IdentitySink& sink) {
  for (std::size_t i = 0; i < requests.size(); ++i) {
    // The whole file is read as quickly as its header.
    for (const Uidl& name : namesOf(requests[i].keys)) {
      RemoteMessage message;
      message.key = name;
      sink(i, std::move(message));
    }
  }
  return Outcomes(requests.size());
}

void EmlEndpoint::fetchOne(const std::string& mailbox, const std::string& name, std::size_t index, PullSink& sink,
                           mailstore::MessageBuilder& builder) {
  RemoteMessage message;
  message.key = Uidl{name};
  const Descriptor file(::open(files_.at(mailbox).at(name).c_str(), O_RDONLY | O_CLOEXEC | O_NOFOLLOW));
  if (file.value() < 0) {
    if (errno != ENOENT) sink.onRefused(index, message, std::generic_category().message(errno));
    return;
  }
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
  sink.onMessage(index, std::move(message), builder.finish());
}

Outcomes EmlEndpoint::fetch(std::span<const KeyRequest> requests, PullSink& sink) {
  mailstore::MessageBuilder builder(environment_.spool);
  for (std::size_t i = 0; i < requests.size(); ++i) {
    for (const Uidl& name : namesOf(requests[i].keys)) {
      checkStop();
      fetchOne(requests[i].mailbox->name, name.value(), i, sink, builder);
    }
  }
  return Outcomes(requests.size());
}

}  // namespace mailbraid::sync::endpoint
