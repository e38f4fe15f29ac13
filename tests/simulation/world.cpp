#include "tests/simulation/world.h"

#include "tests/simulation/sim_endpoint.h"

#include <algorithm>
#include <array>
#include <filesystem>

namespace mailbraid::simulation {

namespace fs = std::filesystem;
using mailstore::Store;
using sync::endpoint::EndpointSettings;
using sync::endpoint::EndpointType;
using sync::endpoint::RemovalStyle;

namespace {

class SilentObserver final : public sync::engine::Observer {
 public:
  void onProgress(const sync::engine::Progress&) override {}
  void onLog(int, const std::string&) override {}
  [[nodiscard]] int logLevel() const override { return 0; }
};

constexpr const char* kStoreFiles[] = {"store.db", "store.db-wal"};

std::string textOf(const sync::endpoint::Directions& directions) {
  return std::string(directions.fresh ? "new " : "") + (directions.flags ? "flags " : "") +
         (directions.removals ? "removals" : "");
}

}  // namespace

bool Member::isFull() const {
  const Abilities& can = server.abilities();
  return !can.isPop3() && (!can.isImap() || can.uidplus) && tellsAll() && settings.push.fresh && settings.push.flags &&
         settings.push.removals && settings.removals == RemovalStyle::Expunge && settings.createMailboxes;
}

World::World(std::uint64_t seed) : random_(seed * 0x9E3779B97F4A7C15ULL + 1) {
  const std::size_t count = 3 + below(3);
  const bool two = chance(20);
  for (std::size_t i = 0; i < count; ++i) {
    const std::string name(1, static_cast<char>('a' + i));
    const bool apart = two && i + 1 == count;
    addMember(name, apart ? name : "home");
  }
  openStore();
  stage_.onDeath = [this] { keepFiles(); };
}

void World::addMember(const std::string& name, const std::string& braid) {
  Abilities can;
  const std::uint64_t kind = below(10);
  can.type = kind < 6 ? EndpointType::Imap : kind < 9 ? EndpointType::Maildir : EndpointType::Pop3;
  can.tracking = static_cast<Abilities::Tracking>(below(3));
  can.uidplus = !chance(15);
  can.move = !chance(30);
  can.objectIds = chance(25);
  can.keywords = !can.isImap() || !chance(20);
  can.saysWhatItKeeps = chance(50);
  can.answersInSession = !can.isMaildir() || chance(70);
  EndpointSettings settings;
  settings.name = name;
  settings.type = can.type;
  settings.braid = braid;
  if (chance(35)) {
    const auto some = [&] { return sync::endpoint::Directions{chance(80), chance(70), chance(70)}; };
    if (chance(40)) settings.pull = some();
    if (chance(60)) settings.push = chance(40) ? sync::endpoint::Directions{false, false, false} : some();
    if (chance(30)) settings.removals = static_cast<RemovalStyle>(below(4));
    settings.createMailboxes = !chance(20);
  }
  settings.removeMailboxes = chance(20);
  if (can.isPop3()) {
    using Kind = sync::endpoint::LeaveOnServer::Kind;
    constexpr std::array kKinds{Kind::Forever, Kind::UntilRemoved, Kind::No};
    settings.leaveOnServer.kind = kKinds[below(kKinds.size())];
    if (chance(30)) settings.newest = 1 + below(4);
  }
  members_.push_back({SimServer(name, can), settings, std::nullopt, false});
  SimServer& server = members_.back().server;
  if (settings.removals == RemovalStyle::Trash && !can.isPop3()) server.make("Trash");
  if (chance(50) && !can.isPop3()) server.make("Work");
}

std::string World::describe() const {
  static constexpr const char* kTracking[] = {"plain", "CONDSTORE", "QRESYNC"};
  static constexpr const char* kKept[] = {"all", "for a time", "until removed", "none"};
  static constexpr const char* kStyles[] = {"expunge", "trash", "mark", "never"};
  std::string out;
  for (const Member& member : members_) {
    const Abilities& can = member.server.abilities();
    out += "  " + member.server.name() + " of " + member.settings.braid + ": " +
           std::string(sync::endpoint::endpointTypeName(can.type));
    if (can.isImap()) {
      out += std::string(" ") + kTracking[static_cast<int>(can.tracking)] + (can.uidplus ? " UIDPLUS" : "") +
             (can.move ? " MOVE" : "") + (can.objectIds ? " OBJECTID" : "") +
             (can.keywords          ? ""
              : can.saysWhatItKeeps ? " no keywords"
                                    : " drops keywords");
    }
    out += "; pull " + textOf(member.settings.pull) + "; push " + textOf(member.settings.push) + "; removals " +
           kStyles[static_cast<int>(member.settings.removals)] +
           (member.settings.createMailboxes ? "" : "; makes none") +
           (can.isPop3() ? std::string("; leaves ") + kKept[static_cast<int>(member.settings.leaveOnServer.kind)] +
                               (member.settings.newest ? ", the newest " + std::to_string(*member.settings.newest) : "")
                         : std::string()) +
           (member.settings.removeMailboxes ? "; removes mailboxes" : "") + "\n";
  }
  return out;
}

void World::openStore() {
  store_ = Store::open(scratch_.path() / "store", mailstore::Access::ReadWrite);
  // The engine makes them from its threads, whoever comes first.
  Store::Transaction transaction(*store_);
  for (const Member& member : members_) {
    store_->endpoints().ensure(member.settings.name, sync::endpoint::endpointTypeName(member.settings.type),
                               store_->mailboxes().ensureBraid(member.settings.braid));
  }
  transaction.commit();
}

void World::loseStore() {
  note("  the store is lost");
  // Flags that were never carried somewhere unite with those that were, when all meet again.
  for (const Member& member : members_) {
    for (const auto& [name, mailbox] : member.server.mailboxes) {
      for (const SimMessage& message : mailbox.messages) {
        Content& content = ledger_.at(message.content);
        content.exact = content.exact && content.expected.contains({storeName(member, name), textOf(message.flags)});
      }
    }
  }
  store_.reset();
  fs::remove_all(scratch_.path() / "store");
  openStore();
  for (std::size_t i = 0; i < ledger_.size(); ++i) {
    ledger_.at(i).stored = false;
    // What only the store had, because a POP3 server need not keep it, is nowhere any more.
    const auto has = [&](const Member& member) {
      return std::any_of(member.server.mailboxes.begin(), member.server.mailboxes.end(), [&](const auto& mailbox) {
        return std::any_of(mailbox.second.messages.begin(), mailbox.second.messages.end(),
                           [&](const SimMessage& message) { return message.content == i; });
      });
    };
    if (std::none_of(members_.begin(), members_.end(), has)) ledger_.at(i).removed = true;
  }
  for (const Member& member : members_) ledger_.blur(member.settings.braid);
  for (std::size_t i = 0; i < ledger_.size(); ++i) {
    bool onlyPop3 = true;
    bool somewhere = false;
    bool comesAgain = false;
    bool keepsKeywords = false;
    for (const Member& member : members_) {
      if (member.settings.braid != ledger_.at(i).braid) continue;
      onlyPop3 = onlyPop3 && member.server.abilities().isPop3();
      somewhere = somewhere || member.server.holds(i);
      comesAgain = comesAgain || (member.server.holds(i) && member.settings.pull.fresh);
      const Abilities& can = member.server.abilities();
      keepsKeywords = keepsKeywords || (member.server.holds(i) && !can.isPop3() && can.keywords);
    }
    ledger_.at(i).reachable = ledger_.at(i).reachable && comesAgain;
    // What only the store knew of mail that POP3 accounts alone hold is gone with it, and what only it had.
    if (onlyPop3 || !somewhere) ledger_.at(i).exact = false;
    const Placement& expected = ledger_.at(i).expected;
    const bool hasKeywords = std::any_of(expected.begin(), expected.end(), [](const auto& copy) {
      return !flagsOf(copy.second).keywordColumn().empty();
    });
    if (hasKeywords && !keepsKeywords) ledger_.at(i).exact = false;
    if (!somewhere) ledger_.at(i).removed = true;
  }
}

void World::keepFiles() {
  fs::create_directories(scratch_.path() / "kept");
  for (const char* file : kStoreFiles) {
    const fs::path from = scratch_.path() / "store" / file;
    if (fs::exists(from)) fs::copy_file(from, scratch_.path() / "kept" / file);
  }
}

void World::takeFilesBack() {
  store_.reset();
  const fs::path directory = scratch_.path() / "store";
  fs::remove_all(directory);
  fs::rename(scratch_.path() / "kept", directory);
  fs::permissions(directory, fs::perms::owner_all);
  openStore();
}

std::string World::storeName(const Member& member, const std::string& mailbox) {
  if (runs_) {  // the store is the engine's then
    const auto& names = stage_.storeNames.at(&member.server);
    const auto name = names.find(mailbox);
    return name == names.end() ? mailbox : name->second;
  }
  const mailstore::EndpointRecord record =
      store_->endpoints().ensure(member.settings.name, sync::endpoint::endpointTypeName(member.settings.type),
                                 store_->mailboxes().ensureBraid(member.settings.braid));
  for (const mailstore::EndpointMailbox& one : store_->endpoints().mailboxes(record.id)) {
    if (one.name != mailbox) continue;
    if (const auto found = store_->mailboxes().find(one.mailbox)) return found->name;
  }
  return mailbox;
}

bool World::trashesBlindly(const std::string& braid) const {
  return std::any_of(members_.begin(), members_.end(),
                     [&](const Member& member) { return member.settings.braid == braid && member.trashesBlindly(); });
}

bool World::hidesKeys() const {
  return std::any_of(members_.begin(), members_.end(), [](const Member& member) {
    return member.server.abilities().isImap() && !member.server.abilities().uidplus;
  });
}

bool World::hidesKeysOfTrash() const {
  return std::any_of(members_.begin(), members_.end(), [](const Member& member) {
    const Abilities& can = member.server.abilities();
    return can.isImap() && !can.uidplus && member.settings.removals == RemovalStyle::Trash;
  });
}

bool World::hasLostState() const {
  return std::any_of(members_.begin(), members_.end(),
                     [&](const Member& member) { return ledger_.isBlurred(member.settings.braid); });
}

std::vector<std::size_t> World::everybody() const {
  std::vector<std::size_t> all(members_.size());
  for (std::size_t i = 0; i < all.size(); ++i) all[i] = i;
  return all;
}

World::Outcome World::run(const Trouble& trouble, const std::vector<std::size_t>& present, bool allowRemovals) {
  now_ += 60;
  std::string presentNames;
  sync::engine::SyncRequest request;
  std::map<std::string, SimServer*> servers;
  for (const Member& member : members_) {
    std::map<std::string, std::string> names;
    for (const auto& [name, mailbox] : member.server.mailboxes) names[name] = storeName(member, name);
    stage_.storeNames[&member.server] = std::move(names);
  }
  for (const std::size_t i : present) {
    request.endpoints.push_back(members_[i].settings);
    presentNames += " " + members_[i].settings.name;
    servers[members_[i].settings.name] = &members_[i].server;
    if (allowRemovals) request.allowRemovals.push_back({members_[i].settings.name, {}});
  }
  const bool eager = chance(50);
  note("  run:" + presentNames + (eager ? ", each step is committed" : ""));
  request.commitAge = eager ? std::chrono::milliseconds(0) : std::chrono::hours(1);
  request.clock = [this] { return now_; };
  request.carryOut = [this](std::span<const std::function<void()>> tasks) { stage_.turnstile().carryOut(tasks); };
  request.rest = std::chrono::milliseconds(0);
  request.pass = [this] { stage_.turnstile().pass(); };
  request.uploadsAhead = chance(70) ? 1 : 0;
  request.makeEndpoint = [&](const EndpointSettings& settings, sync::endpoint::Environment environment) {
    return std::make_unique<SimEndpoint>(*servers.at(settings.name), stage_, std::move(environment));
  };
  stage_.begin(trouble);
  const mailstore::ChangeNumber before = store_->entries().lastChange();
  SilentObserver observer;
  runs_ = true;
  const sync::engine::RunReport report = sync::engine::sync(*store_, request, observer, {});
  runs_ = false;
  Outcome outcome;
  outcome.writes = stage_.writes;
  outcome.steps = stage_.steps;
  outcome.crashed = stage_.isDead();
  outcome.complete = !outcome.crashed;
  outcome.changedEntries = store_->entries().lastChange() != before;
  for (const sync::engine::EndpointReport& one : report.endpoints) {
    outcome.held = outcome.held || one.counts.held > 0;
    for (const sync::engine::Problem& problem : one.problems) {
      note("    problem at " + one.name + ": " + problem.sentence);
      if (problem.kind == mailstore::ErrorKind::Internal) stage_.broke("internal error: " + problem.sentence);
      outcome.complete = false;
    }
    for (const std::string& text : one.notes) note("    note of " + one.name + ": " + text);
  }
  wasWhole_ = outcome.complete && present.size() == members_.size();
  if (stage_.isHampered()) ledger_.hamper();
  for (const std::size_t content : stage_.changed()) {
    Content& one = ledger_.at(content);
    one.unsure = one.unsure || stage_.isUnsure();
    // Somebody moved it away from where this run had found it, and what it had found is not known any more.
    if (!stage_.isUnsure() || !stage_.isMeddled() || one.actions == 0) continue;
    one.exact = false;
    ++one.created;
  }
  if (outcome.crashed) takeFilesBack();
  if (!stage_.broken.empty()) throw Broken(stage_.broken);
  return outcome;
}

}  // namespace mailbraid::simulation
