#include "sync/endpoint/imap_endpoint.h"
#include "sync/endpoint/maildir_endpoint.h"
#include "sync/endpoint/mbox_endpoint.h"
#include "sync/endpoint/pop3_endpoint.h"

#include <utility>

namespace mailbraid::sync::endpoint {

std::unique_ptr<Endpoint> makeEndpoint(const EndpointSettings& settings, Environment environment) {
  switch (settings.type) {
    case EndpointType::Imap:
      return std::make_unique<ImapEndpoint>(settings, std::move(environment));
    case EndpointType::Pop3:
      return std::make_unique<Pop3Endpoint>(settings, std::move(environment));
    case EndpointType::Maildir:
      return std::make_unique<MaildirEndpoint>(settings, std::move(environment));
    case EndpointType::Mbox:
      return std::make_unique<MboxEndpoint>(settings, std::move(environment));
  }
  return nullptr;
}

}  // namespace mailbraid::sync::endpoint
