#include "sync/endpoint/endpoint.h"

namespace mailbraid::sync::endpoint {
namespace {

mailstore::Error cannot() {
  return {mailstore::ErrorKind::Configuration, mailstore::Scope::Mailbox, mailstore::Retry::Never,
          "this kind of endpoint cannot be changed that way"};
}

}  // namespace

WireTotals operator+(const WireTotals& one, const WireTotals& other) {
  return {one.bytesIn + other.bytesIn, one.bytesOut + other.bytesOut, one.roundTrips + other.roundTrips,
          one.contentIn + other.contentIn, one.contentOut + other.contentOut};
}

std::vector<MailboxOutcome> Endpoint::changeMailboxes(std::span<const MailboxChange> changes) {
  return {changes.size(), MailboxOutcome{nullptr, cannot()}};
}

Outcomes Endpoint::storeFlags(std::span<const FlagRequest> requests, PushSink&) {
  return {requests.size(), cannot()};
}

Outcomes Endpoint::transfer(std::span<const TransferRequest> requests, PushSink&) {
  return {requests.size(), cannot()};
}

Outcomes Endpoint::append(std::span<const AppendRequest> requests, const OctetSource&, PushSink&) {
  return {requests.size(), cannot()};
}

Outcomes Endpoint::remove(std::span<const RemoveRequest> requests, PushSink&) {
  return {requests.size(), cannot()};
}

DeletionOutcome Endpoint::deleteStored(std::span<const StoredMessage>) {
  throw cannot();
}

}  // namespace mailbraid::sync::endpoint
