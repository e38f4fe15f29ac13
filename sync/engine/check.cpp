#include "sync/endpoint/endpoint.h"
#include "sync/engine/engine.h"
#include "sync/engine/progress_hub.h"
#include "sync/engine/rules.h"

#include <filesystem>

namespace mailbraid::sync::engine {

namespace {

void listMailboxes(endpoint::Endpoint& endpoint, const endpoint::EndpointSettings& settings, CheckReport& report) {
  const std::vector<endpoint::RemoteMailbox>& listed = endpoint.list();
  const std::vector<plan::MappedMailbox> mapped = plan::mapMailboxes(listedNames(listed), mappingRulesOf(settings));
  for (std::size_t i = 0; i < listed.size(); ++i) {
    CheckReport::MailboxLine line;
    line.name = listed[i].name;
    line.role = mapped[i].role;
    line.messages = listed[i].status ? listed[i].status->messages : 0;
    line.synced = mapped[i].fate == plan::MappedMailbox::Fate::Sync;
    if (line.synced) line.target = settings.braid + "/" + mapped[i].storeName;
    if (mapped[i].fate == plan::MappedMailbox::Fate::Refused) {
      report.remarks.push_back("mailbox \"" + listed[i].name + "\" would not be synced: " + mapped[i].reason);
    }
    report.mailboxes.push_back(std::move(line));
  }
}

}  // namespace

CheckReport check(const endpoint::EndpointSettings& settings, Observer& observer, std::stop_token stop) {
  CheckReport report;
  report.name = settings.name;
  ProgressHub hub(observer);
  endpoint::Environment environment;
  environment.spool.directory = std::filesystem::temp_directory_path();
  environment.logLevel = observer.logLevel();
  environment.log = [&hub](int level, const std::string& line) { hub.log(level, line); };
  environment.stop = std::move(stop);
  std::unique_ptr<endpoint::Endpoint> endpoint;
  const auto takeFacts = [&] {
    endpoint::EndpointFacts facts = endpoint->facts();
    report.connection = std::move(facts.connection);
    report.server = std::move(facts.server);
    report.mechanism = std::move(facts.mechanism);
    report.capabilities = std::move(facts.capabilities);
    report.remarks.insert(report.remarks.end(), facts.remarks.begin(), facts.remarks.end());
  };
  try {
    endpoint = endpoint::makeEndpoint(settings, environment);
    endpoint->open();
    listMailboxes(*endpoint, settings, report);
    takeFacts();
    endpoint->close();
  } catch (const mailstore::Error& error) {
    report.problem = Problem{error.kind(), error.retry(), {}, error.what()};
    if (endpoint) takeFacts();
  } catch (const std::exception& error) {
    report.problem = Problem{mailstore::ErrorKind::Internal, mailstore::Retry::Later, {}, error.what()};
  }
  return report;
}

}  // namespace mailbraid::sync::engine
