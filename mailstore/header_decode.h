// Header text as UTF-8, by GMime (mailstore's own).
#pragma once

#include <cstddef>
#include <string>

namespace mailbraid::mailstore {

/// Sets GMime up, once, from any thread: it does not guard its own beginning.
void ensureGMime();

/// Decodes encoded words (RFC 2047) and unlabelled 8-bit text. The result is valid UTF-8 without control characters,
/// cut at a character's end to at most `maxOctets`. Any thread. GMime is set up at the first text that is not plain
/// ASCII.
std::string decodedHeaderText(const std::string& unfolded, std::size_t maxOctets);

}  // namespace mailbraid::mailstore
