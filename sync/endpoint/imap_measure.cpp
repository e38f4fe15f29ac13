// ImapEndpoint::measure(): RFC822.SIZE of named messages and what the server calls them, and nothing else.
#include "sync/endpoint/imap_endpoint.h"

#include <utility>

namespace mailbraid::sync::endpoint {

using imap::CommandResult;
using mailstore::Error;
using mailstore::UidSet;

class ImapEndpoint::Measuring final : public ImapStepSink {
 public:
  Measuring(ImapEndpoint& endpoint, std::span<const KeyRequest> requests, const IdentitySink& sizes)
      : endpoint_(endpoint), requests_(requests), sizes_(sizes), outcomes_(requests.size()) {}

  std::vector<std::optional<Error>> run() {
    ImapSteps steps(*endpoint_.session_, endpoint_.environment_, Compression::No, *this);
    for (std::size_t i = 0; i < requests_.size(); ++i) plan(i, steps);
    steps.run();
    return std::move(outcomes_);
  }

  void onAttributes(const ImapStep& step, const imap::FetchAttributes& attributes) override {
    const UidSet& wanted = uidsOf(requests_[step.request].keys);
    if (outcomes_[step.request] || !attributes.size || !wanted.contains(*attributes.uid)) return;
    sizes_(step.request, messageOf(attributes));
  }
  void onEnd(const ImapStep& step, const ImapStepEnd& end) override {
    const KeyRequest& request = requests_[step.request];
    if (end.result != CommandResult::Ok) {
      fail(step.request, "the server would not give the sizes of its messages: \"" + end.text + "\"");
    } else if (step.kind == ImapStep::Kind::Open && request.uidValidity.value() != 0) {
      const imap::SelectedMailbox* selected = endpoint_.session_->client().selected();
      if (selected == nullptr || selected->uidValidity != request.uidValidity) {
        fail(step.request, "it was replaced by another mailbox while it was read; run again");
      }
    }
  }
  void onVanished(const ImapStep&, const imap::Vanished&) override {}
  void onSearch(const ImapStep&, const imap::SearchResult&) override {}
  void onBody(const ImapStep&, RemoteMessage&&, mailstore::PreparedMessage&&) override {}
  void onHeader(const ImapStep&, RemoteMessage&&) override {}
  void onRefused(const ImapStep&, const RemoteMessage&, const std::string&) override {}
  void onOctets(std::uint64_t) override {}

 private:
  void plan(std::size_t index, ImapSteps& steps) {
    const UidSet& uids = uidsOf(requests_[index].keys);
    if (uids.empty()) return;
    const std::string& wire = requests_[index].mailbox->wireName;
    steps.add({ImapStep::Kind::Open, index, imap::Select{wire, imap::SelectMode::ReadOnly, {}, {}}, {}});
    imap::FetchItems items{imap::FetchItem::Size};
    endpoint_.addObjectIds(items);
    for (const UidSet& part : uids.chunksOfText(kLongestSet))
      steps.add({ImapStep::Kind::Flags, index, imap::UidFetch{part, items, {}, imap::VanishedMode::None}, {}});
  }

  void fail(std::size_t index, const std::string& why) {
    if (outcomes_[index]) return;
    outcomes_[index] = Error(mailstore::ErrorKind::TemporaryFailure, mailstore::Scope::Mailbox, mailstore::Retry::Later,
                             requests_[index].mailbox->name + ": " + why);
  }

  ImapEndpoint& endpoint_;
  std::span<const KeyRequest> requests_;
  const IdentitySink& sizes_;
  std::vector<std::optional<Error>> outcomes_;
};

std::vector<std::optional<Error>> ImapEndpoint::measure(std::span<const KeyRequest> requests,
                                                        const IdentitySink& sink) {
  return Measuring(*this, requests, sink).run();
}

}  // namespace mailbraid::sync::endpoint
