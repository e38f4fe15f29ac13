// What a migration makes of the endpoints' policies.
#include "sync/engine/migration.h"
#include "mailstore/types/error.h"
#include "tests/support/catch.h"

#include <string>
#include <vector>

using mailbraid::mailstore::Error;
using mailbraid::sync::endpoint::EndpointSettings;
using mailbraid::sync::endpoint::EndpointType;
using mailbraid::sync::engine::MigrationPlan;
using mailbraid::sync::engine::planMigration;

namespace {

EndpointSettings account(EndpointType type, const std::string& name, const std::string& braid = "") {
  EndpointSettings out;
  out.type = type;
  out.name = name;
  out.braid = braid.empty() ? name : braid;
  out.server.host = "mail." + name + ".example";
  out.server.port = 993;
  out.user = "me";
  return out;
}

std::string refusal(const std::vector<EndpointSettings>& sources, const EndpointSettings& destination) {
  try {
    planMigration(sources, destination);
  } catch (const Error& error) {
    return error.what();
  }
  return {};
}

}  // namespace

TEST_CASE("a migration reads its sources and only adds to its destination", "[engine][migration]") {
  EndpointSettings source = account(EndpointType::Imap, "old", "home");
  source.expungeDeleted = true;
  EndpointSettings destination = account(EndpointType::Imap, "new");
  destination.removeMailboxes = true;
  const MigrationPlan plan = planMigration({source}, destination);
  REQUIRE(plan.endpoints.size() == 2);
  const EndpointSettings& from = plan.endpoints[0];
  CHECK_FALSE((from.push.fresh || from.push.flags || from.push.removals || from.expungeDeleted));
  const EndpointSettings& to = plan.endpoints[1];
  CHECK((to.push.fresh && to.push.flags));
  CHECK_FALSE((to.push.removals || to.pull.removals || to.removeMailboxes));
  CHECK(plan.braid == "new");
  CHECK((from.braid == "new" && to.braid == "new"));
}

TEST_CASE("all go through the destination's braid", "[engine][migration]") {
  const MigrationPlan plan = planMigration({account(EndpointType::Pop3, "a"), account(EndpointType::Imap, "b")},
                                           account(EndpointType::Imap, "new", "mine"));
  for (const EndpointSettings& one : plan.endpoints) CHECK(one.braid == "mine");
}

TEST_CASE("P1: a POP3 source may lose what its policy does not keep, when that is confirmed", "[engine][migration]") {
  EndpointSettings source = account(EndpointType::Pop3, "old");
  CHECK(planMigration({source}, account(EndpointType::Imap, "new")).endpoints[0].push.removals);
  source.push.removals = false;
  CHECK_FALSE(planMigration({source}, account(EndpointType::Imap, "new")).endpoints[0].push.removals);
}

TEST_CASE("P1: nothing is deleted by POP3 where the destination may be the same account", "[engine][migration]") {
  EndpointSettings source = account(EndpointType::Pop3, "old");
  source.server.host = "POP.example.org";
  EndpointSettings destination = account(EndpointType::Imap, "new");
  destination.server.host = "imap.example.org";
  destination.user = "Me";
  CHECK_FALSE(planMigration({source}, destination).endpoints[0].push.removals);
  destination.user = "you";
  CHECK(planMigration({source}, destination).endpoints[0].push.removals);
}

TEST_CASE("P1: nothing is deleted by POP3 where the destination spells the same user in another way",
          "[engine][migration]") {
  EndpointSettings source = account(EndpointType::Pop3, "old");
  source.server.host = "pop.gmail.com";
  source.user = "recent:me@gmail.com";
  EndpointSettings destination = account(EndpointType::Imap, "new");
  destination.server.host = "imap.gmail.com";
  destination.user = "me";
  CHECK_FALSE(planMigration({source}, destination).endpoints[0].push.removals);
}

TEST_CASE("a destination that is the source under another name of its host is refused", "[engine][migration]") {
  EndpointSettings source = account(EndpointType::Imap, "old");
  source.server.host = "127.0.0.1";
  EndpointSettings destination = account(EndpointType::Imap, "new");
  destination.server.host = "localhost.";
  CHECK(refusal({source}, destination).find("the same account") != std::string::npos);
  destination.server.port = 143;
  destination.user = "me@example.org";
  CHECK(refusal({source}, destination).find("with its domain") != std::string::npos);
  destination.server.port = 10143;  // another server of this host
  CHECK(refusal({source}, destination).empty());
}

TEST_CASE("a refused migration advises a user's domain only where one is not said", "[engine][migration]") {
  EndpointSettings source = account(EndpointType::Imap, "old");
  source.server.host = "imap.gmail.com";
  source.user = "m.e@gmail.com";
  EndpointSettings destination = account(EndpointType::Imap, "new");
  destination.server.host = "imap.gmail.com";
  destination.user = "me@gmail.com";
  CHECK(refusal({source}, destination).ends_with("a migration needs two different ones"));
  source.user = "m.e";
  CHECK(refusal({source}, destination).find("with its domain") != std::string::npos);
  source.user = "j.doe@company.example";
  destination.user = "jdoe@company.example";
  CHECK(refusal({source}, destination).empty());
}

TEST_CASE("a migration that makes no sense is refused", "[engine][migration]") {
  const EndpointSettings old = account(EndpointType::Imap, "old");
  EndpointSettings twin = account(EndpointType::Imap, "new");
  twin.server = old.server;
  CHECK(refusal({old}, twin).find("the same account") != std::string::npos);
  CHECK(refusal({old}, old).find("the same account") != std::string::npos);
  CHECK(refusal({old, old}, account(EndpointType::Imap, "new")).find("the same account") != std::string::npos);
  CHECK(refusal({old}, account(EndpointType::Pop3, "new")).find("POP3") != std::string::npos);
  EndpointSettings closed = account(EndpointType::Imap, "new");
  closed.push = {false, true, true};
  CHECK(refusal({old}, closed).find("push") != std::string::npos);
  twin.type = EndpointType::Imap;
  CHECK(refusal({account(EndpointType::Pop3, "old")}, twin).empty());  // POP3 and IMAP of one account are two
}
