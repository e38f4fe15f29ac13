// libFuzzer: whatever a server says, the client holds its promises, and says the same whether it comes whole or in two
// parts.
#include "sync/imap/client.h"

#include <cstdint>
#include <cstdlib>
#include <cstring>
#include <iostream>
#include <memory>
#include <string>
#include <string_view>
#include <vector>

namespace {

using namespace mailbraid;
using namespace mailbraid::sync::imap;

[[noreturn]] void broken(const char* promise) {
  std::cerr << "broken promise: " << promise << '\n';
  std::abort();
}

void demand(bool holds, const char* promise) {
  if (!holds) broken(promise);
}

/// Small limits, so that short inputs reach them.
Limits smallLimits() {
  Limits limits;
  limits.line = 4096;
  limits.lineBeforeLogin = 2048;
  limits.gatheredLiteral = 64;
  limits.gatheredResponse = 256;
  limits.bodyLiteral = 1024;
  limits.headerLiteral = 512;
  limits.nesting = 8;
  limits.listLength = 16;
  limits.literalsPerResponse = 8;
  limits.capabilities = 16;
  limits.uidRanges = 64;
  limits.malformedResponses = 32;
  return limits;
}

/// Keeps a few commands of every kind in flight, so that tagged answers have something to be answers to.
void sendSome(Client& client, std::uint8_t plan) {
  if ((plan & 1U) != 0) client.send(StartTls{});
  if ((plan & 2U) != 0) client.send(Authenticate{"PLAIN", SecretText("AGEAYg==")});
  if ((plan & 4U) != 0) client.send(Login{"m\xC3\xA9", SecretText("pass\"word")});
  client.send(Enable{{"QRESYNC", "UTF8=ACCEPT"}});
  client.send(List{});
  client.send(Select{"INBOX", SelectMode::ReadOnly, Qresync{mailstore::UidValidity{1}, mailstore::ModSeq{1}, {}}});
  client.send(UidFetch{UidsFrom{mailstore::Uid{1}}, {FetchItem::BodyPeek}, {}, VanishedMode::None});
  client.send(Select{"other"});
  client.send(UidSearch{});
  if ((plan & 8U) != 0) client.send(Compress{});
  client.send(Unselect{});
  client.send(Logout{});
}

void writeAll(Client& client) {
  while (!client.pendingOutput().empty()) {
    (void)client.redactedOutput();
    client.consumeOutput(client.pendingOutput().size());
  }
}

/// What is compared between two ways of feeding: the events, chunks of a body joined.
class Record {
 public:
  void note(const Event& event) {
    if (const auto* chunk = std::get_if<BodyChunk>(&event)) {
      demand(inBody_, "a chunk comes inside a body");
      demand(!chunk->octets.empty(), "no chunk is empty");
      demand(chunk->octets.size() <= bodyLeft_, "a body is not longer than announced");
      bodyLeft_ -= chunk->octets.size();
      text_.append(chunk->octets);
      return;
    }
    checkOrder(event);
    text_ += "\n#" + std::to_string(event.index());
    if (const auto* malformed = std::get_if<Malformed>(&event)) {
      text_ += std::to_string(malformed->offset);
      text_ += malformed->reason;
    } else if (const auto* done = std::get_if<CommandDone>(&event)) {
      text_ += std::to_string(static_cast<std::uint32_t>(done->id));
      text_ += done->text;
    } else if (const auto* end = std::get_if<FetchEnd>(&event)) {
      demand(!end->attributes.uid || end->attributes.uid->value() != 0, "no UID is 0");
      demand(end->attributes.sequence.value() != 0, "no sequence number is 0");
      text_ += std::to_string(end->attributes.uid.value_or(mailstore::Uid{}).value());
    } else if (const auto* entry = std::get_if<ListEntry>(&event)) {
      demand(entry->name.empty() != entry->nameProblem.empty(), "a mailbox has a name or a reason why not");
      text_ += entry->name;
    } else if (const auto* search = std::get_if<SearchResult>(&event)) {
      text_ += search->uids.text();
    }
  }
  [[nodiscard]] const std::string& text() const { return text_; }

 private:
  void checkOrder(const Event& event) {
    if (std::holds_alternative<FetchBegin>(event)) {
      demand(!inFetch_, "FETCH responses do not nest");
      inFetch_ = true;
    } else if (std::holds_alternative<FetchEnd>(event)) {
      demand(inFetch_ && !inBody_, "a FETCH ends where it began, outside bodies");
      inFetch_ = false;
    } else if (const auto* begin = std::get_if<BodyBegin>(&event)) {
      demand(inFetch_ && !inBody_, "a body is inside a FETCH");
      inBody_ = true;
      bodyLeft_ = begin->size;
    } else if (std::holds_alternative<BodyEnd>(event)) {
      demand(inBody_ && bodyLeft_ == 0, "a body has the octets that were announced");
      inBody_ = false;
    } else if (!std::holds_alternative<Malformed>(event) && !std::holds_alternative<BodyMissing>(event)) {
      // CommandDone of a command that cannot be sent would be the one exception; none here is.
      demand(!inFetch_, "nothing else comes inside a FETCH");
    }
  }

  std::string text_;
  bool inFetch_ = false;
  bool inBody_ = false;
  std::uint64_t bodyLeft_ = 0;
};

void drain(Client& client, std::string_view block, Record& record) {
  while (const auto event = client.nextEvent()) {
    if (const auto* chunk = std::get_if<BodyChunk>(&*event)) {
      const bool inBlock = chunk->octets.data() >= block.data() &&
                           chunk->octets.data() + chunk->octets.size() <= block.data() + block.size();
      demand(inBlock || chunk->octets.size() <= 4096, "a literal's octets are viewed, not copied");
    }
    record.note(*event);
    if (std::holds_alternative<Continuation>(*event)) client.respond("*");
    writeAll(client);
  }
  if (client.stopped()) {
    (void)client.takeUnprocessedInput();
    writeAll(client);
  }
}

std::string feed(std::string_view input, std::size_t cut, std::uint8_t plan) {
  Client client(smallLimits());
  sendSome(client, plan);
  Record record;
  for (const std::string_view part : {input.substr(0, cut), input.substr(cut)}) {
    // A block of its own that dies: a view that outlives it is an error that the sanitizer sees.
    const auto block = std::make_unique<char[]>(part.size());
    std::memcpy(block.get(), part.data(), part.size());
    const std::string_view view(block.get(), part.size());
    client.receive(view);
    drain(client, view, record);
  }
  return record.text();
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  if (size < 2) return 0;
  const std::uint8_t plan = data[0];
  const std::string_view input(reinterpret_cast<const char*>(data) + 2, size - 2);
  const std::size_t cut = input.empty() ? 0 : data[1] % (input.size() + 1);
  const bool changesLayer = (plan & 9U) != 0;
  const std::string whole = feed(input, input.size(), plan);
  // Behind STARTTLS and COMPRESS the rest of a block is dropped here, and so depends on the cut.
  if (!changesLayer) demand(feed(input, cut, plan) == whole, "the same events come whole and in two parts");
  return 0;
}
