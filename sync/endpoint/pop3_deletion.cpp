// Pop3Endpoint: deleting from the maildrop what the store holds.
#include "sync/endpoint/pop3_endpoint.h"
#include "sync/endpoint/words.h"

#include <deque>
#include <map>
#include <utility>

namespace mailbraid::sync::endpoint {

using mailstore::ErrorKind;
using mailstore::Retry;
using mailstore::Scope;
using mailstore::Uidl;
using pop3::ListedMessage;

namespace {

std::string serverSays(std::string_view text) {
  return "the server says \"" + quoted(text) + "\"";
}

}  // namespace

DeletionOutcome Pop3Endpoint::deleteStored(std::span<const StoredMessage> messages) {
  if (!connection_ || !connection_->isOpen()) startSession();
  ensureListing();
  if (!listing_->complete) {
    connection_->fail(ErrorKind::TemporaryFailure, Scope::Endpoint, Retry::Later,
                      "the server does not list all that it has, so nothing was deleted; it is tried again");
  }
  DeletionOutcome outcome;
  const std::vector<const ListedMessage*> same = confirm(messages, outcome);
  if (!same.empty()) mark(same, outcome);
  return outcome;
}

std::vector<const ListedMessage*> Pop3Endpoint::confirm(std::span<const StoredMessage> messages,
                                                        DeletionOutcome& outcome) {
  std::vector<const ListedMessage*> same;
  std::vector<Candidate> doubtful;
  for (const StoredMessage& message : messages) {
    const auto found = byUidl_.find(message.key.value());
    if (found == byUidl_.end()) {
      outcome.vanished.push_back(message.key);
      continue;
    }
    const Candidate candidate{&listing_->messages[found->second], &message};
    // Servers exist that give a unique-id a second time: what was not fetched just now may be another message.
    if (fetched_.contains(candidate.listed->number)) {
      same.push_back(candidate.listed);
    } else {
      doubtful.push_back(candidate);
    }
  }
  if (!doubtful.empty()) compareHeaders(doubtful, same, outcome);
  return same;
}

void Pop3Endpoint::compareHeaders(const std::vector<Candidate>& doubtful, std::vector<const ListedMessage*>& same,
                                  DeletionOutcome& outcome) {
  std::map<const ListedMessage*, Candidate> byListed;
  std::vector<const ListedMessage*> listed;
  for (const Candidate& candidate : doubtful) {
    byListed.emplace(candidate.listed, candidate);
    listed.push_back(candidate.listed);
  }
  std::vector<Candidate> differ;
  readHeaders(listed, [&](const ListedMessage& message, const std::optional<HeaderFacts>& header) {
    const Candidate& candidate = byListed.at(&message);
    if (!header) {
      outcome.refused.emplace_back(message.uidl, "the server will not show it, so it was not compared with the store");
    } else if (header->hasMessageId && header->digest == candidate.stored->header) {
      same.push_back(&message);
    } else {
      differ.push_back(candidate);
    }
  });
  if (!differ.empty()) compareContents(differ, same, outcome);
}

void Pop3Endpoint::compareContents(const std::vector<Candidate>& doubtful, std::vector<const ListedMessage*>& same,
                                   DeletionOutcome& outcome) {
  // Some servers write fields of their own into what they show, which change with time.
  mailstore::MessageBuilder builder(environment_.spool);
  std::deque<Candidate> asked(doubtful.begin(), doubtful.end());
  for (const Candidate& candidate : doubtful) {
    connection_->session().requestMessage(candidate.listed->number, candidate.listed->size);
  }
  connection_->finish([&](pop3::SessionEvent& event) {
    if (const auto* octets = std::get_if<pop3::MessageOctets>(&event)) {
      builder.append(octets->octets);
    } else if (std::holds_alternative<pop3::MessageEnd>(event)) {
      const Candidate candidate = asked.front();
      asked.pop_front();
      if (builder.finish().contentKey == candidate.stored->content) {
        same.push_back(candidate.listed);
      } else {
        outcome.replaced.push_back(candidate.stored->key);
      }
    } else if (const auto* refused = std::get_if<pop3::MessageRefused>(&event)) {
      outcome.refused.emplace_back(asked.front().stored->key, serverSays(refused->text));
      asked.pop_front();
    }
  });
}

void Pop3Endpoint::mark(const std::vector<const ListedMessage*>& messages, DeletionOutcome& outcome) {
  std::map<pop3::MessageNumber, const ListedMessage*> byNumber;
  std::vector<Uidl> marked;
  try {
    for (const ListedMessage* message : messages) {
      byNumber.emplace(message->number, message);
      connection_->session().requestDeletion(message->number);
    }
    connection_->finish([&](pop3::SessionEvent& event) {
      if (const auto* done = std::get_if<pop3::MessageMarked>(&event)) {
        marked.push_back(byNumber.at(done->number)->uidl);
      } else if (const auto* refused = std::get_if<pop3::MessageRefused>(&event)) {
        outcome.refused.emplace_back(byNumber.at(refused->number)->uidl, serverSays(refused->text));
        byNumber.erase(refused->number);
      }
    });
    const pop3::QuitDone quit = connection_->quit();
    if (quit.ok) {
      outcome.deleted = std::move(marked);
    } else {
      outcome.unconfirmed = std::move(marked);
      outcome.unconfirmedReason = serverSays(quit.text);
    }
  } catch (const mailstore::Error& error) {
    connection_->abandon();
    for (const auto& [number, message] : byNumber) outcome.unconfirmed.push_back(message->uidl);
    outcome.unconfirmedReason = error.what();
  }
}

}  // namespace mailbraid::sync::endpoint
