#include "sync/imap/pipelining.h"

#include "sync/imap/cursor.h"

#include <algorithm>
#include <array>

namespace mailbraid::sync::imap {

namespace {

/// What a command demands of those sent around it.
enum class Trait : std::uint8_t {
  Alone,         ///< is sent only when all others are answered, and nothing until it is answered itself
  Last,          ///< nothing is sent until it is answered: what follows may be in another layer, or not at all
  Login,         ///< not together with another login
  ChangesNames,  ///< mailbox names are written otherwise from its answer on
  NamesMailbox,  ///< carries a mailbox name
};

struct Row {
  CommandKind kind;
  EnumSet<Trait> traits;
};

constexpr std::array kRows = {
    Row{CommandKind::Capability, {}},
    Row{CommandKind::Noop, {}},
    Row{CommandKind::Logout, {Trait::Last}},
    Row{CommandKind::StartTls, {Trait::Alone}},
    Row{CommandKind::Login, {Trait::Login}},
    Row{CommandKind::Authenticate, {Trait::Alone, Trait::Login}},
    Row{CommandKind::Compress, {Trait::Last}},
    Row{CommandKind::Id, {}},
    Row{CommandKind::Enable, {}},
    Row{CommandKind::EnableUtf8, {Trait::ChangesNames}},
    Row{CommandKind::Namespace, {}},
    Row{CommandKind::List, {Trait::NamesMailbox}},
    Row{CommandKind::Lsub, {Trait::NamesMailbox}},
    Row{CommandKind::Status, {Trait::NamesMailbox}},
    Row{CommandKind::Select, {Trait::NamesMailbox}},
    Row{CommandKind::Unselect, {}},
    Row{CommandKind::Close, {}},
    Row{CommandKind::UidFetch, {}},
    Row{CommandKind::UidSearch, {}},
    Row{CommandKind::UidStore, {}},
    Row{CommandKind::UidCopy, {Trait::NamesMailbox}},
    Row{CommandKind::UidMove, {Trait::NamesMailbox}},
    Row{CommandKind::UidExpunge, {}},
    Row{CommandKind::Append, {Trait::NamesMailbox}},
    Row{CommandKind::Create, {Trait::NamesMailbox}},
    Row{CommandKind::Rename, {Trait::NamesMailbox}},
    Row{CommandKind::Delete, {Trait::NamesMailbox}},
    Row{CommandKind::Subscribe, {Trait::NamesMailbox}},
    Row{CommandKind::Unsubscribe, {Trait::NamesMailbox}},
};

constexpr bool rowsStandInOrder() {
  for (std::size_t i = 0; i < kRows.size(); ++i) {
    if (static_cast<std::size_t>(kRows[i].kind) != i) return false;
  }
  return true;
}
static_assert(rowsStandInOrder());

constexpr EnumSet<Trait> traitsOf(CommandKind kind) {
  return kRows[static_cast<std::size_t>(kind)].traits;
}

bool mayFollow(EnumSet<Trait> sent, EnumSet<Trait> next) {
  if (next.has(Trait::Alone) || sent.has(Trait::Alone) || sent.has(Trait::Last)) return false;
  if (sent.has(Trait::Login) && next.has(Trait::Login)) return false;
  return !(sent.has(Trait::ChangesNames) && next.has(Trait::NamesMailbox));
}

bool changesNames(const Enable& enable) {
  return std::any_of(enable.capabilities.begin(), enable.capabilities.end(), [](const std::string& name) {
    return equalsIgnoringCase(name, "UTF8=ACCEPT") || equalsIgnoringCase(name, "IMAP4rev2");
  });
}

struct KindOf {
  CommandKind operator()(const Capability&) const { return CommandKind::Capability; }
  CommandKind operator()(const Noop&) const { return CommandKind::Noop; }
  CommandKind operator()(const Logout&) const { return CommandKind::Logout; }
  CommandKind operator()(const StartTls&) const { return CommandKind::StartTls; }
  CommandKind operator()(const Login&) const { return CommandKind::Login; }
  CommandKind operator()(const Authenticate&) const { return CommandKind::Authenticate; }
  CommandKind operator()(const Compress&) const { return CommandKind::Compress; }
  CommandKind operator()(const Id&) const { return CommandKind::Id; }
  CommandKind operator()(const Enable& enable) const {
    return changesNames(enable) ? CommandKind::EnableUtf8 : CommandKind::Enable;
  }
  CommandKind operator()(const Namespace&) const { return CommandKind::Namespace; }
  CommandKind operator()(const List&) const { return CommandKind::List; }
  CommandKind operator()(const Lsub&) const { return CommandKind::Lsub; }
  CommandKind operator()(const Status&) const { return CommandKind::Status; }
  CommandKind operator()(const Select&) const { return CommandKind::Select; }
  CommandKind operator()(const Unselect&) const { return CommandKind::Unselect; }
  CommandKind operator()(const Close&) const { return CommandKind::Close; }
  CommandKind operator()(const UidFetch&) const { return CommandKind::UidFetch; }
  CommandKind operator()(const UidSearch&) const { return CommandKind::UidSearch; }
  CommandKind operator()(const UidStore&) const { return CommandKind::UidStore; }
  CommandKind operator()(const UidCopy&) const { return CommandKind::UidCopy; }
  CommandKind operator()(const UidMove&) const { return CommandKind::UidMove; }
  CommandKind operator()(const UidExpunge&) const { return CommandKind::UidExpunge; }
  CommandKind operator()(const Append&) const { return CommandKind::Append; }
  CommandKind operator()(const Create&) const { return CommandKind::Create; }
  CommandKind operator()(const Rename&) const { return CommandKind::Rename; }
  CommandKind operator()(const Delete&) const { return CommandKind::Delete; }
  CommandKind operator()(const Subscribe&) const { return CommandKind::Subscribe; }
  CommandKind operator()(const Unsubscribe&) const { return CommandKind::Unsubscribe; }
};

}  // namespace

CommandKind kindOf(const Command& command) {
  return std::visit(KindOf{}, command);
}

bool mayPipeline(std::span<const CommandKind> inFlight, CommandKind next) {
  return std::all_of(inFlight.begin(), inFlight.end(),
                     [next](CommandKind sent) { return mayFollow(traitsOf(sent), traitsOf(next)); });
}

}  // namespace mailbraid::sync::imap
