#include "cli/verification_report.h"

#include "cli/text/json.h"
#include "cli/text/units.h"
#include "cli/text/utf8.h"

#include <algorithm>

namespace mailbraid::cli {
namespace {

using sync::engine::VerifiedMessage;
using sync::engine::VerifyReport;
using sync::plan::Finding;
using sync::plan::Tally;

std::string sentenceOf(const Tally& totals, bool complete) {
  if (!complete) return "The comparison is not complete";
  const std::string were = totals.refused == 1 ? " was refused" : " were refused";
  const std::string refused = totals.refused == 0 ? "" : counted(totals.refused, "message");
  if (totals.differences() == 0) {
    return refused.empty() ? "Nothing is missing" : "Nothing is missing but " + refused + " that" + were;
  }
  const std::string differ =
      counted(totals.differences(), "message") + (totals.differences() == 1 ? " differs" : " differ");
  return refused.empty() ? differ : differ + "; " + refused + were;
}

JsonObject json(const Tally& tally) {
  JsonObject object;
  for (const TallyColumn& column : kTallyColumns) object.add(column.json, tally.*column.count);
  return object.add("octets_expected", tally.octetsExpected).add("octets_ok", tally.octetsOk);
}

JsonObject json(const VerifiedMessage& message) {
  JsonObject object;
  object.add("kind", kindName(message.kind))
      .add("difference", sync::plan::isDifference(message.kind))
      .add("mailbox", message.mailbox);
  if (!message.foundIn.empty()) object.add("found_in", message.foundIn);
  if (message.entry) object.add("entry", message.entry->value());
  if (!message.key.empty()) object.add("key", message.key);
  object.add("size", message.size).add("date", rfc3339(message.date));
  if (message.dateThere) object.add("date_there", rfc3339(*message.dateThere));
  return object.add("from", message.header.from)
      .add("to", message.header.to)
      .add("subject", message.header.subject)
      .add("message_id", message.header.messageId)
      .add("reason", reasonOf(message));
}

JsonObject json(const VerifyReport& report) {
  JsonObject object;
  object.add("endpoint", report.name)
      .add("type", report.type)
      .add("braid", report.braid)
      .add("place", report.place)
      .add("full", report.full)
      .add("started", rfc3339(report.started))
      .add("finished", rfc3339(report.finished))
      .add("complete", report.complete())
      .add("verdict", verdictOf(report))
      .add("exit_code", number(exitCodeOf(report)))
      .add("totals", json(report.totals));
  std::vector<JsonObject> mailboxes;
  for (const auto& mailbox : report.mailboxes) {
    mailboxes.push_back(JsonObject()
                            .add("mailbox", mailbox.name)
                            .add("store_mailbox", mailbox.storeName)
                            .add("totals", json(mailbox.tally)));
  }
  std::vector<JsonObject> years;
  for (const auto& [year, tally] : report.years)
    years.push_back(JsonObject().add("year", year).add("totals", json(tally)));
  std::vector<JsonObject> findings;
  for (const VerifiedMessage& message : report.findings) findings.push_back(json(message));
  std::vector<JsonObject> problems;
  for (const auto& problem : report.problems) {
    problems.push_back(JsonObject()
                           .add("mailbox", problem.mailbox)
                           .add("kind", kExitCodes[gravity(exitCodeOf(problem.kind))].name)
                           .add("sentence", problem.sentence));
  }
  return object.add("mailboxes", mailboxes)
      .add("years", years)
      .add("findings", findings)
      .add("problems", problems)
      .add("remarks", report.remarks)
      .add("digest_expected", report.digestOfExpected)
      .add("digest_ok", report.digestOfOk);
}

}  // namespace

ExitCode exitCodeOf(const VerifyReport& report) {
  ExitCode code = ExitCode::Complete;
  if (report.totals.refused > 0) code = graver(code, ExitCode::Quarantined);
  if (report.totals.differences() > 0) code = graver(code, ExitCode::Different);
  for (const auto& problem : report.problems) code = graver(code, exitCodeOf(problem.kind));
  return code;
}

ExitCode exitCodeOf(const VerificationReport& report) {
  ExitCode code = ExitCode::Complete;
  if (!report.shortfall.empty()) code = ExitCode::Different;
  for (const VerifyReport& endpoint : report.endpoints) code = graver(code, exitCodeOf(endpoint));
  return code;
}

std::string verdictOf(const VerifyReport& report) {
  return sentenceOf(report.totals, report.complete());
}

std::string verdictOf(const VerificationReport& report) {
  const bool complete = std::all_of(report.endpoints.begin(), report.endpoints.end(),
                                    [](const VerifyReport& endpoint) { return endpoint.complete(); });
  const Tally totals = totalsOf(report);
  const bool isWell = complete && totals.differences() == 0;
  return isWell && !report.shortfall.empty() ? report.shortfall : sentenceOf(totals, complete);
}

Tally totalsOf(const VerificationReport& report) {
  Tally totals;
  for (const VerifyReport& endpoint : report.endpoints) {
    for (const TallyColumn& column : kTallyColumns) totals.*column.count += endpoint.totals.*column.count;
    totals.octetsExpected += endpoint.totals.octetsExpected;
    totals.octetsOk += endpoint.totals.octetsOk;
  }
  return totals;
}

std::string countsText(const Tally& totals) {
  std::string out = grouped(totals.ok) + " of " + counted(totals.expected, "message") + " (" +
                    sizeText(totals.octetsOk) + " of " + sizeText(totals.octetsExpected) + ") are as they should be";
  std::string rest;
  for (const TallyColumn& column : kTallyColumns) {
    const bool told = column.count == &Tally::expected || column.count == &Tally::ok || totals.*column.count == 0;
    if (!told) rest += (rest.empty() ? "; " : ", ") + grouped(totals.*column.count) + " " + std::string(column.label);
  }
  return out + rest;
}

std::string_view methodOf(const VerifyReport& report) {
  if (report.full) return "Every octet of every message was read and compared by its SHA-256.";
  return "Size and header of every message were compared (the header by its SHA-256). Bodies were not compared, but "
         "for "
         "messages whose size or header differs; --full reads all of them.";
}

std::string_view kindName(Finding::Kind kind) {
  constexpr std::string_view kNames[] = {"missing",       "altered",  "misplaced",    "extra",       "refused",
                                         "another route", "repaired", "flags differ", "date differs"};
  return kNames[static_cast<std::size_t>(kind)];
}

std::string reasonOf(const VerifiedMessage& message) {
  std::string out;
  const auto addClause = [&](const std::string& clause) { out += (out.empty() ? "" : "; ") + clause; };
  if (!message.foundIn.empty()) addClause("it is in " + message.foundIn);
  if (!message.reason.empty()) addClause(message.reason);
  if (out.empty() && message.kind == Finding::Kind::Missing) addClause("it is not there");
  if (out.empty() && message.kind == Finding::Kind::Extra) addClause("it is not in the store");
  if (message.dateThere) addClause("there it is " + rfc3339(*message.dateThere));
  return out;
}

std::string renderJson(const VerificationReport& report) {
  JsonObject facts;
  for (const auto& fact : report.facts) facts.add(fact.key, fact.value);
  std::vector<JsonObject> endpoints;
  for (const VerifyReport& endpoint : report.endpoints) endpoints.push_back(json(endpoint));
  return JsonObject()
      .add("title", report.title)
      .add("when", report.when)
      .add("version", report.version)
      .add("verdict", verdictOf(report))
      .add("exit_code", number(exitCodeOf(report)))
      .add("facts", facts)
      .add("endpoints", endpoints)
      .text();
}

}  // namespace mailbraid::cli
