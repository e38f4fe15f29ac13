#include "sync/endpoint/imap_endpoint.h"
#include "sync/endpoint/maildir_endpoint.h"
#include "sync/endpoint/pop3_endpoint.h"

#include <utility>

namespace mailbraid::sync::endpoint {

std::unique_ptr<Endpoint> makeEndpoint(const EndpointSettings& settings, Environment environment) {
  using mailstore::Error;
  switch (settings.type) {
    case EndpointType::Imap:
      return std::make_unique<ImapEndpoint>(settings, std::move(environment));
    case EndpointType::Pop3:
      return std::make_unique<Pop3Endpoint>(settings, std::move(environment));
    case EndpointType::Maildir:
      return std::make_unique<MaildirEndpoint>(settings, std::move(environment));
    case EndpointType::Mbox:
      break;
  }
  throw Error(mailstore::ErrorKind::Configuration, mailstore::Scope::Endpoint, mailstore::Retry::Never,
              "endpoint " + settings.name + ": this version syncs endpoints of type imap, pop3 and maildir only");
}

}  // namespace mailbraid::sync::endpoint
