// The pipelining rules as a table (RFC 9051 section 5.5).
#include "sync/imap/pipelining.h"
#include "tests/support/catch.h"

#include <vector>

using namespace mailbraid::sync::imap;
using Kind = CommandKind;

namespace {

constexpr int kKinds = static_cast<int>(Kind::UidSearch) + 1;

struct Row {
  std::vector<Kind> inFlight;
  Kind next;
  bool allowed;
};

const std::vector<Row> kRows = {
    {{}, Kind::StartTls, true},
    {{Kind::Capability}, Kind::StartTls, false},
    {{Kind::StartTls}, Kind::Capability, false},
    {{Kind::StartTls}, Kind::Login, false},
    {{Kind::Authenticate}, Kind::Capability, false},
    {{Kind::Id}, Kind::Authenticate, false},
    {{Kind::Compress}, Kind::Noop, false},
    {{Kind::Login}, Kind::Compress, true},
    {{Kind::Logout}, Kind::Noop, false},
    {{Kind::UidFetch}, Kind::Logout, true},
    {{Kind::Login}, Kind::Login, false},
    {{Kind::Login}, Kind::Authenticate, false},
    {{Kind::Login}, Kind::Enable, true},
    {{Kind::Login, Kind::Enable}, Kind::List, true},
    {{Kind::Enable}, Kind::Select, true},
    {{Kind::EnableUtf8}, Kind::Select, false},
    {{Kind::EnableUtf8}, Kind::List, false},
    {{Kind::EnableUtf8}, Kind::Status, false},
    {{Kind::EnableUtf8}, Kind::Id, true},
    {{Kind::Select}, Kind::UidFetch, true},
    {{Kind::Select, Kind::UidFetch}, Kind::UidFetch, true},
    {{Kind::Select, Kind::UidFetch}, Kind::Select, true},
    {{Kind::Select, Kind::UidSearch, Kind::UidFetch}, Kind::Unselect, true},
    {{Kind::UidFetch, Kind::StartTls}, Kind::UidFetch, false},
};

}  // namespace

TEST_CASE("the pipelining rules hold row by row", "[imap][pipelining]") {
  for (std::size_t i = 0; i < kRows.size(); ++i) {
    CAPTURE(i);
    CHECK(mayPipeline(kRows[i].inFlight, kRows[i].next) == kRows[i].allowed);
  }
}

TEST_CASE("nothing at all is sent behind what may change the layer or end the session", "[imap][pipelining]") {
  for (int next = 0; next < kKinds; ++next) {
    for (const Kind sent : {Kind::StartTls, Kind::Authenticate, Kind::Compress, Kind::Logout}) {
      CAPTURE(next);
      CHECK_FALSE(mayPipeline(std::vector{sent}, static_cast<Kind>(next)));
    }
    CHECK(mayPipeline({}, static_cast<Kind>(next)));
  }
}

TEST_CASE("ENABLE changes how names are written only for UTF8=ACCEPT and IMAP4rev2", "[imap][pipelining]") {
  CHECK(kindOf(Enable{{"CONDSTORE", "QRESYNC"}}) == Kind::Enable);
  CHECK(kindOf(Enable{{"QRESYNC", "utf8=accept"}}) == Kind::EnableUtf8);
  CHECK(kindOf(Enable{{"imap4REV2"}}) == Kind::EnableUtf8);
}
