// What a server may make the client hold or do.
#pragma once

#include <cstddef>
#include <cstdint>

namespace mailbraid::sync::imap {

/// Bounds for remote input, checked before memory is taken. Octets unless said otherwise. There is no bound for events
/// that wait: the client parses one response when it is asked for an event, and never before.
struct Limits {
  /// One line, without the literals in it. A SEARCH or VANISHED response of a big mailbox is one line.
  std::size_t line = 16U << 20U;
  /// One line while nobody is logged in.
  std::size_t lineBeforeLogin = 64U << 10U;
  /// A literal that is gathered: a mailbox name, a label, an ID value.
  std::size_t gatheredLiteral = 64U << 10U;
  /// All that is gathered of one response with literals, its lines included.
  std::size_t gatheredResponse = 1U << 20U;
  /// A message body or section that streams through. A longer one is skipped and reported.
  std::uint64_t bodyLiteral = std::uint64_t{4} << 30U;
  /// A header section (BODY[HEADER]). A longer one is skipped and reported.
  std::uint64_t headerLiteral = 16U << 20U;
  /// Parentheses inside parentheses.
  unsigned nesting = 64;
  /// Elements of one list: flags, attributes, labels, namespaces, ID fields.
  std::size_t listLength = 4096;
  /// Literals in one response.
  std::size_t literalsPerResponse = 4096;
  /// Capabilities that the server announces.
  std::size_t capabilities = 512;
  /// Ranges or numbers in one set or one SEARCH response.
  std::size_t uidRanges = 4'000'000;
  /// Responses that may be malformed, in all, before the connection counts as broken.
  std::size_t malformedResponses = 10'000;
  /// Commands that may await their answer at once; more are queued.
  std::size_t commandsInFlight = 512;
};

}  // namespace mailbraid::sync::imap
