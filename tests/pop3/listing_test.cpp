#include "sync/pop3/listing.h"

#include "tests/support/catch.h"

#include <string>
#include <utility>
#include <vector>

using namespace mailbraid::sync::pop3;
using mailbraid::mailstore::HeaderDigest;

namespace {

mailbraid::mailstore::Uidl id(std::string text) {
  return mailbraid::mailstore::Uidl(std::move(text));
}

ListingReplies replies(std::vector<std::pair<MessageNumber, std::string>> uidls,
                       std::optional<std::uint64_t> statCount = {}) {
  ListingReplies out;
  out.statCount = statCount.value_or(uidls.size());
  for (auto& [number, uidl] : uidls) {
    out.sizes.push_back({number, number * 100});
    out.uidls.push_back({number, id(uidl)});
  }
  return out;
}

Listing listing(std::vector<std::pair<MessageNumber, std::string>> uidls) {
  return analyse(replies(std::move(uidls)));
}

}  // namespace

TEST_CASE("a listing by the book is complete and identified", "[pop3][listing]") {
  const Listing result = listing({{2, "b"}, {1, "a"}});
  CHECK(result.complete);
  CHECK(result.identified);
  CHECK(result.defects.empty());
  REQUIRE(result.messages.size() == 2);
  CHECK(result.messages[0].number == 1);
  CHECK(result.messages[0].uidl == id("a"));
  CHECK(result.messages[1].size == 200);
}

TEST_CASE("an empty mailbox is a complete listing", "[pop3][listing]") {
  CHECK(listing({}).complete);
  CHECK(listing({}).identified);
}

TEST_CASE("a listing shorter than STAT's count proves nothing", "[pop3][listing]") {
  const Listing result = analyse(replies({{1, "a"}}, 2));
  CHECK_FALSE(result.complete);
  CHECK(result.has(ListingDefect::ShorterThanStat));
  ListingReplies noStat = replies({{1, "a"}});
  noStat.statCount.reset();
  CHECK_FALSE(analyse(noStat).complete);
}

TEST_CASE("mail that arrives between STAT and UIDL does not spoil a listing", "[pop3][listing]") {
  CHECK(analyse(replies({{1, "a"}, {2, "b"}}, 1)).complete);
}

TEST_CASE("LIST and UIDL that name different messages prove nothing", "[pop3][listing]") {
  ListingReplies input = replies({{1, "a"}, {2, "b"}, {3, "c"}});
  input.uidls.erase(input.uidls.begin() + 1);
  const Listing result = analyse(input);
  CHECK_FALSE(result.complete);
  CHECK(result.has(ListingDefect::CountsDiffer));
  REQUIRE(result.messages.size() == 3);
  CHECK(result.messages[1].uidl == id(""));
  CHECK(result.messages[1].size == 200);
}

TEST_CASE("unreadable lines and repeated numbers prove nothing", "[pop3][listing]") {
  ListingReplies unreadable = replies({{1, "a"}});
  unreadable.unreadable = 1;
  CHECK_FALSE(analyse(unreadable).complete);
  ListingReplies repeated = replies({{1, "a"}, {1, "b"}});
  CHECK_FALSE(analyse(repeated).complete);
  CHECK(analyse(repeated).messages.size() == 1);
}

TEST_CASE("messages that share a unique-id are not identified by it, others are", "[pop3][listing]") {
  const Listing result = listing({{1, "same"}, {2, "own"}, {3, "same"}, {4, "same"}});
  CHECK(result.complete);
  CHECK_FALSE(result.identified);
  CHECK(result.has(ListingDefect::DuplicateUidl));
  CHECK(result.messages[0].uidl == id(""));
  CHECK(result.messages[1].uidl == id("own"));
  CHECK(result.messages[2].uidl == id(""));
  CHECK(result.messages[3].uidl == id(""));
}

TEST_CASE("a server without UIDL lists completely and identifies nothing", "[pop3][listing]") {
  ListingReplies input = replies({{1, "a"}, {2, "b"}});
  input.uidls.clear();
  input.uidlRefused = true;
  const Listing result = analyse(input);
  CHECK(result.complete);
  CHECK_FALSE(result.identified);
  CHECK(result.has(ListingDefect::NoUidl));
  CHECK(result.messages.size() == 2);
  input.listRefused = true;
  input.sizes.clear();
  CHECK_FALSE(analyse(input).complete);
}

TEST_CASE("an id that is none leaves its message unidentified", "[pop3][listing]") {
  const Listing result = listing({{1, ""}, {2, "b"}});
  CHECK(result.complete);
  CHECK_FALSE(result.identified);
  CHECK(result.has(ListingDefect::InvalidUidl));
}

TEST_CASE("a fallback key tells equal copies apart and equals no server's id", "[pop3][listing]") {
  const HeaderDigest header{};
  CHECK(fallbackUidl(header, 5, 0) != fallbackUidl(header, 5, 1));
  CHECK(fallbackUidl(header, 5, 0) != fallbackUidl(header, 6, 0));
  CHECK(isFallback(fallbackUidl(header, 5, 0)));
  CHECK_FALSE(isFallback(id("header")));
  CHECK(fallbackUidl(header, 5, 0).value().find(' ') != std::string::npos);
}

TEST_CASE("every defect has its sentence", "[pop3][listing]") {
  for (const ListingDefect defect :
       {ListingDefect::NoUidl, ListingDefect::DuplicateUidl, ListingDefect::InvalidUidl, ListingDefect::ShorterThanStat,
        ListingDefect::CountsDiffer, ListingDefect::UnreadableLine, ListingDefect::RepeatedNumber}) {
    CHECK_FALSE(describe(defect).empty());
  }
}
