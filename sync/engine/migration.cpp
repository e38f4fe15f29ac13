#include "sync/engine/migration.h"

#include "mailstore/types/error.h"
#include "sync/endpoint/same_account.h"

#include <algorithm>
#include <utility>

namespace mailbraid::sync::engine {

using endpoint::EndpointSettings;
using endpoint::EndpointType;
using mailstore::Error;
using mailstore::ErrorKind;

namespace {

[[noreturn]] void refuse(ErrorKind kind, const std::string& sentence) {
  throw Error(kind, mailstore::Scope::Run, mailstore::Retry::Never, sentence);
}

/// POP3 and IMAP of one account are two endpoints: mail that only POP3 shows is what such a migration is for.
bool isSameEndpoint(const EndpointSettings& left, const EndpointSettings& right) {
  return left.name == right.name || endpoint::maybeSameEndpoint(left, right);
}

/// For who has two accounts "me" and "me@example.org" at one server. Where both say a domain there is no more to say.
std::string howToTellApart(const EndpointSettings& left, const EndpointSettings& right) {
  const auto saysDomain = [](const EndpointSettings& one) { return one.user.find('@') != std::string::npos; };
  if (left.name == right.name || left.user == right.user || (saysDomain(left) && saysDomain(right))) return {};
  return "; if they are two, write the \"user\" of both with its domain";
}

void requireWritable(const EndpointSettings& destination) {
  if (destination.type == EndpointType::Pop3) {
    refuse(ErrorKind::Usage, destination.name +
                                 " is a POP3 account, which can only be read: migrate onto an endpoint of type imap, "
                                 "maildir or mbox");
  }
  if (!destination.push.fresh) {
    refuse(ErrorKind::Configuration, destination.name +
                                         " takes no new mail (its \"push\" has no \"new\"): change that in the "
                                         "configuration to migrate onto it");
  }
}

}  // namespace

MigrationPlan planMigration(std::vector<EndpointSettings> sources, EndpointSettings destination) {
  if (sources.empty()) refuse(ErrorKind::Usage, "migrate needs an endpoint to read and one to write");
  for (auto source = sources.begin(); source != sources.end(); ++source) {
    if (isSameEndpoint(*source, destination)) {
      refuse(ErrorKind::Usage, source->name + " and " + destination.name +
                                   " are the same account: a migration needs two different ones" +
                                   howToTellApart(*source, destination));
    }
    const auto twin = std::find_if(sources.begin(), source,
                                   [&](const EndpointSettings& other) { return isSameEndpoint(other, *source); });
    if (twin != source)
      refuse(ErrorKind::Usage, twin->name + " and " + source->name + " are the same account: name it once" +
                                   howToTellApart(*twin, *source));
  }
  requireWritable(destination);
  MigrationPlan plan;
  plan.braid = destination.braid;
  for (EndpointSettings& source : sources) {
    source.braid = plan.braid;
    source.pull = {true, source.pull.flags, false};
    // What a POP3 server need not keep is deleted there, when it is at the destination, unless that is where it is.
    const bool mayLose = source.type == EndpointType::Pop3 && !endpoint::maybeSameAccount(source, destination);
    source.push = {false, false, mayLose && source.push.removals};
    source.expungeDeleted = false;
    plan.endpoints.push_back(std::move(source));
  }
  destination.braid = plan.braid;
  destination.pull = {true, destination.pull.flags, false};
  destination.push = {true, destination.push.flags, false};
  destination.expungeDeleted = false;
  destination.removeMailboxes = false;
  plan.endpoints.push_back(std::move(destination));
  return plan;
}

}  // namespace mailbraid::sync::engine
