// What servers do that the RFCs do not allow, and this client takes all the same. Each has a name, a transcript in
// tests/imap/quirks_test.cpp, and its place in the code says its name.
#pragma once

#include <array>
#include <cstdint>
#include <string_view>

namespace mailbraid::sync::imap {

enum class Quirk : std::uint8_t {
  BareLineFeed,
  ExtraSpaces,
  EmptyLine,
  EmptySearch,
  UnorderedSearch,
  ShortInternalDate,
  UidNextZero,
  HighestModSeqZero,
  DelimiterNilUnquoted,
  LowerCaseSpecialUse,
  OddFlags,
  StatusWithoutText,
  BodyNil,
  BodyQuoted,
  UnknownFetchItem,
  UnknownResponse,
  ContinuationWithoutSpace,
  BracketInFlag,
  ModSeqWithoutParentheses,
  InboxInAnyCase,
  StatusNameUnquoted,
};

struct QuirkRow {
  Quirk quirk;
  std::string_view what;
};

inline constexpr std::array kQuirks = {
    QuirkRow{Quirk::BareLineFeed, "a line ends in LF without CR"},
    QuirkRow{Quirk::ExtraSpaces, "more than one space, or one at the end of a line or list"},
    QuirkRow{Quirk::EmptyLine, "an empty line between two responses"},
    QuirkRow{Quirk::EmptySearch, "* SEARCH without a number, with a space behind it"},
    QuirkRow{Quirk::UnorderedSearch, "* SEARCH with numbers in any order, some twice"},
    QuirkRow{Quirk::ShortInternalDate,
             "INTERNALDATE whose day has one digit, or a space before it is missing or doubled"},
    QuirkRow{Quirk::UidNextZero, "[UIDNEXT 0]: not known"},
    QuirkRow{Quirk::HighestModSeqZero, "[HIGHESTMODSEQ 0] and MODSEQ (0): not known"},
    QuirkRow{Quirk::DelimiterNilUnquoted, "LIST with a delimiter \"\" where NIL is meant, or nil in lower case"},
    QuirkRow{Quirk::LowerCaseSpecialUse, "\\sent for \\Sent"},
    QuirkRow{Quirk::OddFlags, "flags that are no atoms (\\*, 8-bit): left out; () is no flag"},
    QuirkRow{Quirk::StatusWithoutText, "a status response that ends after OK, NO, BAD or its code"},
    QuirkRow{Quirk::BodyNil, "BODY[] NIL: the message is not there"},
    QuirkRow{Quirk::BodyQuoted, "BODY[] as a quoted string"},
    QuirkRow{Quirk::UnknownFetchItem, "FETCH items that were not asked for, of any shape: skipped"},
    QuirkRow{Quirk::UnknownResponse, "untagged responses of extensions: skipped"},
    QuirkRow{Quirk::ContinuationWithoutSpace, "a line of + alone"},
    QuirkRow{Quirk::BracketInFlag, "[PERMANENTFLAGS (...)] with a ] in a keyword"},
    QuirkRow{Quirk::ModSeqWithoutParentheses, "FETCH (MODSEQ 5)"},
    QuirkRow{Quirk::InboxInAnyCase, "inbox for INBOX (RFC 9051 allows it)"},
    QuirkRow{Quirk::StatusNameUnquoted, "STATUS of a mailbox whose unquoted name has spaces"},
};

}  // namespace mailbraid::sync::imap
