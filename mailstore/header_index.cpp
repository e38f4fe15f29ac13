#include "mailstore/header_index.h"

#include "mailstore/header_decode.h"
#include "mailstore/header_fields.h"
#include "mailstore/mail_date.h"

#include <algorithm>
#include <array>
#include <optional>
#include <string>
#include <utility>
#include <vector>

namespace mailbraid::mailstore {
namespace {

constexpr std::size_t kMaxIndexed = 1000;

// A name that ends in `-` stands for all that begin with it. Sources: RFC 5321 section 4.4 (trace), 5322 section 3.6.6
// (resent), 6376 and 8617 (DKIM, ARC), 8601, 7208, 3834 and mbox practice (Status ...), and what list servers, filters
// and POP3 servers are seen to add. A list's footer changes the body, so its copies differ anyway.
constexpr std::array<std::string_view, 27> kTransportFields{
    "received",
    "return-path",
    "delivered-to",
    "envelope-to",
    "x-",
    "status",
    "dkim-",
    "domainkey-",
    "arc-",
    "received-spf",
    "resent-",
    "authentication-results",
    "delivery-date",
    "old-return-path",
    "list-",
    "precedence",
    "errors-to",
    "sender",
    "content-length",
    "lines",
    "apparently-to",
    "feedback-id",
    "mailing-list",
    "original-recipient",
    "message-id",
    "spamdiagnostic",
    "final-recipient",
};

struct Fields {
  std::vector<HeaderField> all;
  const HeaderField* messageId = nullptr;
  const HeaderField* date = nullptr;
  const HeaderField* from = nullptr;
  const HeaderField* to = nullptr;
  const HeaderField* subject = nullptr;
  std::optional<InternalDate> received;  // of the topmost Received whose date can be believed
};

std::optional<InternalDate> believed(const std::optional<InternalDate>& date, std::int64_t latest) {
  return date && isBelievable(*date, latest) ? date : std::nullopt;
}

Fields fieldsOf(std::string_view header, std::int64_t latestDate) {
  Fields out;
  out.all.reserve(64);
  forEachField(header, [&](const HeaderField& field) {
    out.all.push_back(field);
    if (!out.received && equalIgnoringCase(field.name, "Received")) {
      out.received = believed(parseReceivedDate(field.body), latestDate);
    }
  });
  constexpr std::array<std::pair<std::string_view, const HeaderField * Fields::*>, 5> kWanted{{
      {"Message-ID", &Fields::messageId},
      {"Date", &Fields::date},
      {"From", &Fields::from},
      {"To", &Fields::to},
      {"Subject", &Fields::subject},
  }};
  for (const HeaderField& field : out.all) {
    for (const auto& [name, place] : kWanted) {
      if (out.*place == nullptr && equalIgnoringCase(field.name, name)) out.*place = &field;
    }
  }
  return out;
}

std::string unfoldedOrEmpty(const HeaderField* field) {
  return field == nullptr ? std::string{} : unfolded(field->body);
}

std::string decodedOrEmpty(const HeaderField* field) {
  return field == nullptr ? std::string{} : decodedHeaderText(unfolded(field->body), kMaxIndexed);
}

std::string withoutBrackets(std::string_view id) {
  const std::size_t open = id.find('<');
  if (open == std::string_view::npos) return decodedHeaderText(std::string(id), kMaxIndexed);
  id.remove_prefix(open + 1);
  return decodedHeaderText(std::string(id.substr(0, id.find('>'))), kMaxIndexed);
}

void appendPart(Sha256& key, std::string_view part) {
  key.append(part);
  key.append(std::string_view("\0", 1));
}

void feedKey(const Fields& fields, const std::string& messageId, Sha256& key) {
  if (!messageId.empty()) {
    appendPart(key, "message-id");
    appendPart(key, messageId);
    appendPart(key, unfoldedOrEmpty(fields.date));
    appendPart(key, unfoldedOrEmpty(fields.from));
    return;
  }
  appendPart(key, "fields");
  for (const HeaderField& field : fields.all) {
    if (isTransportField(field.name)) continue;
    std::string name(field.name);
    std::transform(name.begin(), name.end(), name.begin(),
                   [](char c) { return c >= 'A' && c <= 'Z' ? static_cast<char>(c - 'A' + 'a') : c; });
    appendPart(key, name);
    appendPart(key, unfolded(field.body));
  }
}

}  // namespace

bool isTransportField(std::string_view name) {
  return std::any_of(kTransportFields.begin(), kTransportFields.end(), [&](std::string_view known) {
    return known.back() == '-' ? equalIgnoringCase(name.substr(0, known.size()), known)
                               : equalIgnoringCase(name, known);
  });
}

bool hasMessageId(std::string_view header) {
  bool out = false;
  forEachField(header, [&](const HeaderField& field) {
    out = out || (equalIgnoringCase(field.name, "Message-ID") && !unfolded(field.body).empty());
  });
  return out;
}

HeaderSummary summarizeHeader(std::string_view header, std::int64_t latestDate, Sha256& key) {
  const Fields fields = fieldsOf(header, latestDate);
  const std::string messageId = unfoldedOrEmpty(fields.messageId);
  const auto date = fields.date == nullptr ? std::nullopt : parseMailDate(fields.date->body);
  feedKey(fields, messageId, key);
  HeaderSummary out;
  out.index.messageId = withoutBrackets(messageId);
  out.index.from = decodedOrEmpty(fields.from);
  out.index.to = decodedOrEmpty(fields.to);
  out.index.subject = decodedOrEmpty(fields.subject);
  out.index.date = date ? date->seconds : 0;
  out.fallbackDate = fields.received ? *fields.received : believed(date, latestDate).value_or(InternalDate{});
  return out;
}

}  // namespace mailbraid::mailstore
