#include "sync/imap/flag_list.h"

#include <array>

namespace mailbraid::sync::imap {

namespace {

using mailstore::SystemFlag;

struct Row {
  std::string_view name;
  SystemFlag flag;
};
constexpr std::array kSystemFlags = {
    Row{"\\Seen", SystemFlag::Seen},       Row{"\\Answered", SystemFlag::Answered},
    Row{"\\Flagged", SystemFlag::Flagged}, Row{"\\Deleted", SystemFlag::Deleted},
    Row{"\\Draft", SystemFlag::Draft},
};

/// Nearly all flags of nearly all messages are one of five: they are found without a look at the keywords.
void addFlag(std::string_view name, FlagList& out) {
  if (!name.starts_with('\\')) {
    out.flags.add(name);
    return;
  }
  for (const Row& row : kSystemFlags) {
    if (!equalsIgnoringCase(row.name, name)) continue;
    out.flags.add(row.flag);
    return;
  }
  if (name == "\\*") out.newKeywords = NewKeywords::Allowed;
}

}  // namespace

std::optional<FlagList> takeFlagList(Cursor& cursor, std::size_t maximum) {
  FlagList out;
  if (!cursor.expect('(', "a flag list does not begin with (")) return std::nullopt;
  std::size_t count = 0;
  for (cursor.spaces(); !cursor.take(')'); cursor.spaces()) {
    const std::string_view name = cursor.word();
    if (name.empty()) {
      cursor.fail(cursor.atEnd() ? "a flag list does not end" : "a flag is no atom");
      return std::nullopt;
    }
    if (++count > maximum) {
      cursor.fail("a flag list is too long");
      return std::nullopt;
    }
    addFlag(name, out);  // quirk OddFlags: what is no flag is left out
  }
  return out;
}

}  // namespace mailbraid::sync::imap
