// What the store knows of a header: the index for people, the internal date to fall back on, the content key.
// mailstore's own.
#pragma once

#include "mailstore/message_builder.h"
#include "mailstore/sha256.h"

#include <cstdint>
#include <string_view>

namespace mailbraid::mailstore {

struct HeaderSummary {
  HeaderIndex index;
  InternalDate fallbackDate;
};

/// Reads `header` and feeds `key` with its part of the content key; the body's digest has to follow.
/// With a Message-ID that part is Message-ID, Date and From; without, all fields but those that transport adds.
/// `latestDate`: see SpoolOptions.
HeaderSummary summarizeHeader(std::string_view header, std::int64_t latestDate, Sha256& key);

/// Whether the header has a Message-ID that is not empty.
bool hasMessageId(std::string_view header);

/// Whether a field is added or changed on a message's way: Received, X-*, DKIM-* ... One table, in header_index.cpp.
bool isTransportField(std::string_view name);

}  // namespace mailbraid::mailstore
