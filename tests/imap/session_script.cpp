#include "tests/imap/session_script.h"

#include "tests/support/catch.h"

#include <sstream>

namespace mailbraid::tests {

using namespace sync::imap;

namespace {

std::string quotedText(std::string_view text) {
  return "'" + std::string(text) + "'";
}

template <class Named>
std::string optionalText(std::string_view label, const std::optional<Named>& value) {
  if (!value) return {};
  if constexpr (requires { value->value(); }) {
    return " " + std::string(label) + "=" + std::to_string(value->value());
  } else {
    return " " + std::string(label) + "=" + std::to_string(*value);
  }
}

std::string flagText(const mailstore::Flags& flags) {
  std::string out;
  for (const std::string& name : flags.names()) out += (out.empty() ? "" : " ") + name;
  return "(" + out + ")";
}

std::string codeText(const ResponseCode& code) {
  if (code.kind == ResponseCodeKind::None) return {};
  std::string out = " [" + std::string(code.kind == ResponseCodeKind::Unknown ? "?" : "") + std::string(code.name);
  if (!code.arguments.empty()) out += " " + std::string(code.arguments);
  return out + "]";
}

std::string sectionText(BodySection section) {
  return section == BodySection::Whole ? "whole" : section == BodySection::Header ? "header" : "other";
}

std::string delimiterText(std::optional<char> delimiter) {
  return delimiter ? std::string(1, *delimiter) : "NIL";
}

std::string namespaceText(const std::vector<NamespaceEntry>& entries) {
  std::string out = "[";
  for (const NamespaceEntry& entry : entries) out += entry.prefix + "|" + delimiterText(entry.delimiter) + ";";
  return out + "]";
}

std::string attributeText(EnumSet<ListAttribute> attributes) {
  static constexpr std::array<std::string_view, 9> kNames = {"NoSelect",    "NonExistent",   "NoInferiors",
                                                             "HasChildren", "HasNoChildren", "Marked",
                                                             "Unmarked",    "Subscribed",    "Remote"};
  std::string out;
  for (std::size_t i = 0; i < kNames.size(); ++i) {
    if (attributes.has(static_cast<ListAttribute>(i))) out += (out.empty() ? "" : " ") + std::string(kNames[i]);
  }
  return "(" + out + ")";
}

struct Describe {
  std::string operator()(const Greeting& event) const {
    static constexpr std::array<std::string_view, 3> kKinds = {"OK", "PREAUTH", "BYE"};
    return "Greeting " + std::string(kKinds[static_cast<std::size_t>(event.kind)]) + codeText(event.code) + " " +
           quotedText(event.text);
  }
  std::string operator()(const CommandDone& event) const {
    static constexpr std::array<std::string_view, 4> kResults = {"OK", "NO", "BAD", "NotSent"};
    return "Done A" + std::to_string(static_cast<std::uint32_t>(event.id)) + " " +
           std::string(kResults[static_cast<std::size_t>(event.result)]) + codeText(event.code) + " " +
           quotedText(event.text);
  }
  std::string operator()(const UntaggedStatus& event) const {
    static constexpr std::array<std::string_view, 3> kKinds = {"OK", "NO", "BAD"};
    return "Status " + std::string(kKinds[static_cast<std::size_t>(event.status)]) + codeText(event.code) + " " +
           quotedText(event.text);
  }
  std::string operator()(const Alert& event) const { return "Alert " + quotedText(event.text); }
  std::string operator()(const Bye& event) const { return "Bye" + codeText(event.code) + " " + quotedText(event.text); }
  std::string operator()(const CapabilitiesChanged&) const { return "CapabilitiesChanged"; }
  std::string operator()(const Continuation& event) const { return "Continuation " + quotedText(event.text); }
  std::string operator()(const Enabled& event) const {
    std::string out = "Enabled";
    for (const std::string& name : event.capabilities) out += " " + name;
    return out;
  }
  std::string operator()(const ServerId& event) const {
    std::string out = "Id";
    for (const auto& [name, value] : event.fields) out += " " + name + "=" + quotedText(value);
    return out;
  }
  std::string operator()(const Namespaces& event) const {
    return "Namespaces " + namespaceText(event.personal) + namespaceText(event.otherUsers) +
           namespaceText(event.shared);
  }
  std::string operator()(const ListEntry& event) const {
    std::string out = event.origin == ListOrigin::List ? "List " : "Lsub ";
    out += quotedText(event.name) + " wire=" + quotedText(event.wireName) + " " + delimiterText(event.delimiter) + " " +
           attributeText(event.attributes);
    if (event.role != mailstore::Role::None) out += " role=" + std::string(mailstore::roleName(event.role));
    if (event.childInfo.has(ListSelection::Subscribed)) out += " child=SUBSCRIBED";
    if (!event.oldName.empty()) out += " old=" + quotedText(event.oldName);
    if (!event.nameProblem.empty()) out += " problem=" + quotedText(event.nameProblem);
    return out;
  }
  std::string operator()(const StatusData& event) const {
    std::string out = "StatusData " + quotedText(event.mailbox) + optionalText("messages", event.messages) +
                      optionalText("uidnext", event.uidNext) + optionalText("uidvalidity", event.uidValidity) +
                      optionalText("unseen", event.unseen) + optionalText("deleted", event.deleted) +
                      optionalText("size", event.size) + optionalText("modseq", event.highestModSeq) +
                      optionalText("appendlimit", event.appendLimit);
    if (!event.mailboxId.empty()) out += " id=" + event.mailboxId;
    return out;
  }
  std::string operator()(const Exists& event) const { return "Exists " + std::to_string(event.count); }
  std::string operator()(const Recent& event) const { return "Recent " + std::to_string(event.count); }
  std::string operator()(const Expunged& event) const { return "Expunged " + std::to_string(event.sequence.value()); }
  std::string operator()(const Vanished& event) const {
    return std::string(event.when == VanishedWhen::Earlier ? "VanishedEarlier " : "Vanished ") + event.uids.text();
  }
  std::string operator()(const MailboxFlags& event) const { return "MailboxFlags " + flagText(event.flags); }
  std::string operator()(const PermanentFlags& event) const {
    return "PermanentFlags " + flagText(event.flags) + (event.newKeywords == NewKeywords::Allowed ? " new" : "");
  }
  std::string operator()(const FetchBegin& event) const {
    return "FetchBegin " + std::to_string(event.sequence.value());
  }
  std::string operator()(const BodyBegin& event) const {
    return "BodyBegin " + sectionText(event.section) + " " + std::string(event.name) + " " +
           std::to_string(event.size) + optionalText("uid", event.uid);
  }
  std::string operator()(const BodyChunk& event) const { return "BodyChunk " + std::string(event.octets); }
  std::string operator()(const BodyEnd&) const { return "BodyEnd"; }
  std::string operator()(const BodyMissing& event) const {
    return "BodyMissing " + sectionText(event.section) + " " + std::string(event.name);
  }
  std::string operator()(const FetchEnd& event) const {
    const FetchAttributes& a = event.attributes;
    std::string out = "FetchEnd " + std::to_string(a.sequence.value()) + optionalText("uid", a.uid);
    if (a.flags) out += " flags=" + flagText(*a.flags);
    if (a.internalDate) {
      out += " date=" + std::to_string(a.internalDate->seconds) + "/" + std::to_string(a.internalDate->zoneMinutes);
    }
    out += optionalText("size", a.size) + optionalText("modseq", a.modSeq) + optionalText("gmsgid", a.gmailMessageId);
    if (!a.emailId.empty()) out += " emailid=" + a.emailId;
    if (!a.threadId.empty()) out += " threadid=" + a.threadId;
    for (const std::string& label : a.gmailLabels) out += " label=" + quotedText(label);
    return out;
  }
  std::string operator()(const SearchResult& event) const {
    std::string out = "Search";
    if (event.id) out += " A" + std::to_string(static_cast<std::uint32_t>(*event.id));
    out += " " + quotedText(event.uids.text());
    return out + optionalText("min", event.min) + optionalText("max", event.max) + optionalText("count", event.count) +
           optionalText("modseq", event.highestModSeq);
  }
  std::string operator()(const Malformed& event) const {
    return "Malformed " + std::to_string(event.offset) + (event.severity == Severity::Fatal ? " fatal " : " ") +
           quotedText(event.reason);
  }
};

}  // namespace

std::string describe(const Event& event) {
  return std::visit(Describe{}, event);
}

std::vector<std::string> drain(Client& client) {
  std::vector<std::string> out;
  while (const auto event = client.nextEvent()) {
    const auto* chunk = std::get_if<BodyChunk>(&*event);
    if (chunk != nullptr && !out.empty() && out.back().starts_with("BodyChunk ")) {
      out.back() += chunk->octets;
    } else {
      out.push_back(describe(*event));
    }
  }
  return out;
}

std::string takeOutput(Client& client) {
  std::string out;
  while (!client.pendingOutput().empty()) {
    out += client.pendingOutput();
    client.consumeOutput(client.pendingOutput().size());
  }
  return out;
}

Script::Script(LoggedIn loggedIn, const Limits& limits) : client_(limits) {
  serverSays("* PREAUTH [CAPABILITY " + std::string(loggedIn.capabilities) + "] hello\r\n");
}

void Script::clientSends(std::string_view expected) {
  CHECK(takeOutput(client_) == std::string(expected) + "\r\n");
}

std::vector<std::string> Script::serverSays(std::string_view octets) {
  client_.receive(octets);
  return drain(client_);
}

namespace {

/// Joins what a cut has put apart: drain() sees only one half at a time.
void append(std::vector<std::string>& out, std::vector<std::string> more) {
  for (std::string& line : more) {
    if (line.starts_with("BodyChunk ") && !out.empty() && out.back().starts_with("BodyChunk ")) {
      out.back() += line.substr(10);
    } else {
      out.push_back(std::move(line));
    }
  }
}

std::vector<std::string> eventsOfParts(const std::vector<std::string>& parts, Prepare prepare, const Limits& limits) {
  Client client(limits);
  prepare(client);
  std::vector<std::string> out;
  for (const std::string& part : parts) {
    client.receive(part);
    append(out, drain(client));
  }
  return out;
}

}  // namespace

std::vector<std::string> eventsOf(std::string_view wire, Prepare prepare, const Limits& limits) {
  return eventsOfParts({std::string(wire)}, prepare, limits);
}

void checkAtEverySplit(std::string_view wire, const std::vector<std::string>& expected, Prepare prepare,
                       const Limits& limits) {
  // Once is enough for what is wrong at every split.
  REQUIRE(eventsOf(wire, prepare, limits) == expected);
  std::vector<std::string> octets;
  for (const char octet : wire) octets.emplace_back(1, octet);
  CHECK(eventsOfParts(octets, prepare, limits) == expected);
  for (std::size_t cut = 1; cut < wire.size(); ++cut) {
    CAPTURE(cut);
    CHECK(eventsOfParts({std::string(wire.substr(0, cut)), std::string(wire.substr(cut))}, prepare, limits) ==
          expected);
  }
}

void greeted(Client& client) {
  client.receive("* OK hello\r\n");
  drain(client);
}

void authenticated(Client& client) {
  client.receive("* PREAUTH hello\r\n");
  drain(client);
}

}  // namespace mailbraid::tests
