// Trees on disks that are not always there.
#include "sync/endpoint/disk_errors.h"
#include "sync/endpoint/tree_seal.h"
#include "tests/support/catch.h"
#include "tests/support/temp_dir.h"

using namespace mailbraid;
using sync::endpoint::isRemoved;
using sync::endpoint::Seal;
using sync::endpoint::TreeSeal;
namespace fs = std::filesystem;

TEST_CASE("P6: a directory without the mark that the store knows of is not the tree, though no mark can be left there",
          "[endpoint][P6]") {
  const test::TempDir directory;
  const TreeSeal here(directory.path() / ".mailbraid");
  const TreeSeal unwritable(directory.path() / "missing" / ".mailbraid");
  const Seal known{"seal", 7};
  REQUIRE(here.write(known, mailstore::UidValidity{5}, 7));
  CHECK_FALSE(here.read(known).lostState);
  CHECK(unwritable.read(known).lostState);
  CHECK(unwritable.read(known).uidValidity != mailstore::UidValidity{5});
  // A tree that never could be marked is the same one each time.
  const Seal never{"seal", 0};
  CHECK_FALSE(unwritable.write(never, mailstore::UidValidity{5}, 7));
  CHECK_FALSE(unwritable.read(never).lostState);
  CHECK(unwritable.read(never).uidValidity == unwritable.read(never).uidValidity);
}

TEST_CASE("P6: what may be the place of a disk that is not mounted was not removed", "[endpoint][P6]") {
  const test::TempDir directory;
  const fs::path top = directory.path();
  fs::create_directories(top / "Whole" / "cur");
  fs::create_directories(top / "Mount");
  fs::create_directories(top / "Parent" / "Child" / "cur");
  fs::create_symlink("/nowhere/at/all", top / "Link");
  CHECK_FALSE(isRemoved(top / "Whole", top, "cur"));
  CHECK_FALSE(isRemoved(top / "Mount", top, "cur"));
  CHECK_FALSE(isRemoved(top / "Mount" / "Below", top, "cur"));
  CHECK_FALSE(isRemoved(top / "Link", top, "cur"));
  CHECK_FALSE(isRemoved(top / "Link", top));
  CHECK_FALSE(isRemoved(top / "Link" / "Below", top, "cur"));
  CHECK(isRemoved(top / "Gone", top, "cur"));
  CHECK(isRemoved(top / "Gone" / "Below", top, "cur"));
  CHECK(isRemoved(top / "Parent", top, "cur"));  // only a level above a mailbox by now
  CHECK(isRemoved(top / "gone.mbox", top));
}
