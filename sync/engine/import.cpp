#include "sync/engine/import.h"

#include "sync/endpoint/eml_endpoint.h"
#include "sync/endpoint/maildir_endpoint.h"
#include "sync/endpoint/mbox_endpoint.h"
#include "sync/plan/mailbox_map.h"

#include <utility>

namespace mailbraid::sync::engine {

using endpoint::EndpointSettings;
using mailstore::MailFormat;
using mailstore::Store;

namespace {

/// No endpoint of a configuration is called so: names there have no colon.
constexpr std::string_view kPrefix = "import:";

/// Nothing is left behind at what is imported: it is read, and takes nothing.
template <class Base>
class ReadOnly final : public Base {
 public:
  using Base::Base;
  [[nodiscard]] endpoint::PushAbility pushAbility() const override { return {}; }
  [[nodiscard]] bool hasLostState() const override { return false; }
  bool seal(std::int64_t) override { return false; }
};

std::unique_ptr<endpoint::Endpoint> makeSource(MailFormat format, const EndpointSettings& settings,
                                               endpoint::Environment environment) {
  environment.seal = {};  // no file of an endpoint's own beside the store, and no mark in what is read
  if (format == MailFormat::Eml) return std::make_unique<endpoint::EmlEndpoint>(settings, std::move(environment));
  if (settings.type == endpoint::EndpointType::Mbox)
    return std::make_unique<ReadOnly<endpoint::MboxEndpoint>>(settings, std::move(environment));
  return std::make_unique<ReadOnly<endpoint::MaildirEndpoint>>(settings, std::move(environment));
}

EndpointSettings settingsFor(const ImportRequest& request) {
  EndpointSettings out;
  out.name = std::string(kPrefix) + request.path.string();
  out.type = endpoint::EndpointType::Maildir;
  out.path = request.path;
  out.braid = request.braid;
  out.pull = {true, true, false};
  out.push = {false, false, false};
  if (request.format == MailFormat::Mbox || request.format == MailFormat::Thunderbird)
    out.type = endpoint::EndpointType::Mbox;
  if (request.format == MailFormat::MaildirPlusPlus) out.subfolders = endpoint::SubfolderStyle::MaildirPlusPlus;
  if (request.format == MailFormat::Thunderbird) out.subfolders = endpoint::SubfolderStyle::Thunderbird;
  return out;
}

/// Below `into`; what lies in the path itself is `into`.
std::map<std::string, std::string> mapInto(const EndpointSettings& settings, const ImportRequest& request,
                                           const endpoint::Environment& environment) {
  std::map<std::string, std::string> out;
  if (request.into.empty()) return out;
  const auto source = makeSource(request.format, settings, environment);
  source->open();
  const std::string top =
      request.format == MailFormat::Eml ? endpoint::EmlEndpoint::topName(settings.path) : std::string("INBOX");
  for (const endpoint::RemoteMailbox& mailbox : source->list()) {
    out[mailbox.name] = mailbox.name == top ? request.into : request.into + "/" + mailbox.name;
  }
  return out;
}

void forgetImports(Store& store) {
  Store::Transaction transaction(store);
  for (const mailstore::EndpointStatus& status : store.endpoints().statuses()) {
    if (status.endpoint.name.starts_with(kPrefix)) store.endpoints().forget(status.endpoint.id);
  }
  transaction.commit();
}

}  // namespace

RunReport importMail(Store& store, const ImportRequest& request, Observer& observer, const std::stop_token& stop) {
  forgetImports(store);  // of one that was killed
  endpoint::Environment environment;
  environment.spool = store.spoolOptions();
  environment.stop = stop;
  SyncRequest sync;
  sync.command = "import";
  sync.dryRun = request.dryRun;
  sync.exitCode = request.exitCode;
  sync.endpoints.push_back(settingsFor(request));
  sync.endpoints.front().map = mapInto(sync.endpoints.front(), request, environment);
  sync.makeEndpoint = [format = request.format](const EndpointSettings& settings, endpoint::Environment surroundings) {
    return makeSource(format, settings, std::move(surroundings));
  };
  RunReport report = engine::sync(store, sync, observer, stop);
  forgetImports(store);
  return report;
}

std::string whyMailboxNameIsRefused(const std::string& name) {
  return plan::whyNameIsRefused(name);
}

}  // namespace mailbraid::sync::engine
