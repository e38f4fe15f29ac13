#include "cli/migration_left_out.h"

#include "cli/text/units.h"
#include "cli/text/utf8.h"

#include <algorithm>

namespace mailbraid::cli {
namespace {

using sync::engine::LeftOutMailbox;
using Source = Migration::Source;

/// As a string of the configuration (TOML).
std::string quoted(const std::string& text) {
  std::string out = "\"";
  for (const char c : harmlessLine(text)) {
    if (c == '"' || c == '\\') out += '\\';
    out += c;
  }
  return out + "\"";
}

/// The patterns of the source with one more.
std::string patternsWith(const Source& source, const std::string& pattern) {
  std::string out = "mailboxes = [";
  if (source.mailboxes.empty()) out += "\"*\", ";
  for (const std::string& one : source.mailboxes) out += quoted(one) + ", ";
  return out + quoted(pattern) + "]";
}

/// The source's map with one more.
std::string mapWith(const Source& source, const std::string& mailbox, const std::string& target) {
  std::string out = "map = { ";
  for (const auto& [from, to] : source.map) {
    if (from != mailbox) out += quoted(from) + " = " + quoted(to) + ", ";
  }
  return out + quoted(mailbox) + " = " + quoted(target) + " }";
}

/// All of it comes along, for which of its messages are nowhere else only their octets would tell.
std::string howToTake(const Source& source, const LeftOutMailbox& view) {
  const std::string section = "[endpoint." + harmlessLine(source.name) + "]";
  const std::string target = source.hasArchive ? "Archive/All" : "Archive";
  return "; to take it as " + target + ", write " + patternsWith(source, view.name) + " and " +
         mapWith(source, view.name, target) + " below " + section +
         " (what is in other mailboxes, too, is there a second time then); if it is not wanted, write " +
         patternsWith(source, "!" + view.name);
}

const sync::engine::ViewReading* readingOf(const Source& source, const LeftOutMailbox& view) {
  const auto isIt = [&](const sync::engine::ViewReading& reading) { return reading.mailbox == view.name; };
  const auto found = std::find_if(source.views.begin(), source.views.end(), isIt);
  return found == source.views.end() ? nullptr : &*found;
}

std::string viewText(const Source& source, const LeftOutMailbox& view) {
  const sync::engine::ViewReading* reading = readingOf(source, view);
  const std::string out = "it is a view of all mail, and ";
  if (reading == nullptr)
    return out + "may have mail that is in no mailbox, which a complete run with --final looks for" +
           howToTake(source, view);
  if (!reading->notThere)
    return out + "may have mail that is in no mailbox: it could not be read" + howToTake(source, view);
  if (*reading->notThere == 0) return out + "has nothing that is not at the destination, or counted above";
  const std::string are = *reading->notThere == 1 ? " that is" : " that are";
  return out + "has " + counted(*reading->notThere, "message") + are +
         " not at the destination (archived, say, or left out)" + howToTake(source, view);
}

std::string lineOf(const Source& source, const LeftOutMailbox& mailbox) {
  const std::string count =
      mailbox.messages ? counted(*mailbox.messages, "message") : "messages that it does not count";
  std::string out = harmlessLine(source.name) + ": " + quoted(mailbox.name) + ", with " + count + ", is not taken: ";
  return out + (isViewOfAll(mailbox) ? viewText(source, mailbox) : harmlessLine(mailbox.reason));
}

std::string_view whyName(LeftOutMailbox::Why why) {
  switch (why) {
    case LeftOutMailbox::Why::View:
      return "view";
    case LeftOutMailbox::Why::Configuration:
      return "configuration";
    case LeftOutMailbox::Why::Refused:
      return "refused";
  }
  return {};
}

}  // namespace

bool isViewOfAll(const LeftOutMailbox& mailbox) {
  return mailbox.why == LeftOutMailbox::Why::View && mailbox.role == mailstore::Role::All;
}

std::optional<std::uint64_t> Source::onlyInView() const {
  std::uint64_t sum = 0;
  for (const LeftOutMailbox& mailbox : leftOut) {
    if (!isViewOfAll(mailbox)) continue;
    const sync::engine::ViewReading* reading = readingOf(*this, mailbox);
    if (reading == nullptr || !reading->notThere) return std::nullopt;
    sum += *reading->notThere;
  }
  return sum;
}

std::vector<std::string> leftOutLines(const Source& source) {
  std::vector<std::string> lines;
  for (const LeftOutMailbox& mailbox : source.leftOut) lines.push_back(lineOf(source, mailbox));
  return lines;
}

std::vector<JsonObject> leftOutJson(const Source& source) {
  std::vector<JsonObject> out;
  for (const LeftOutMailbox& mailbox : source.leftOut) {
    JsonObject& one = out.emplace_back();
    one.add("mailbox", mailbox.name);
    if (mailbox.messages) {
      one.add("messages", *mailbox.messages);
    } else {
      one.addNull("messages");
    }
    one.add("why", whyName(mailbox.why)).add("reason", mailbox.reason);
  }
  return out;
}

}  // namespace mailbraid::cli
