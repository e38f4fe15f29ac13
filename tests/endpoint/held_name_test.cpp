#include "sync/endpoint/held_name.h"

#include "tests/support/catch.h"

using namespace mailbraid::sync::endpoint;

TEST_CASE("a name that an endpoint cannot hold is written so that it is read back", "[endpoint][names]") {
  CHECK(heldName("a.b/c", ".") == "a%2Eb/c");
  CHECK(heldName("a/b", "/") == "a%2Fb");
  CHECK(heldName("plain/name", ".") == "plain/name");
  CHECK(heldName("100% wool", ".") == "100% wool");
  CHECK(heldName("a%2Eb", ".") == "a%252Eb");
  CHECK(heldApart("Lists/work") == "Lists/%77ork");
  CHECK(heldApart("work") == "%77ork");
  CHECK(heldApart("1").empty());
  for (const char* hostile : {"%2E%2E", "a/%2E%2E/b", "%2E", "%2E%2E/x"}) CHECK(nameHeldAs(hostile, ".") == hostile);
  for (const char* hostile : {"..%2Fx", "%2Fx", "x%2F%2Fy", "x%2F"}) CHECK(nameHeldAs(hostile, "/") == hostile);
  for (const char* forbidden : {"", ".", "/", ".\\"}) {
    for (const char* name :
         {"a.b", "a.b/c.d", "%", "%2", "%2E", "%252E", "a%2fb", "100% wool", "%77ork", "x/%77ork", "x%2E/y",
          "Gr\xC3\xBC\xC3\x9F"
          "e/.x",
          "%%2E", "%25"}) {
      CAPTURE(forbidden, name);
      CHECK(nameHeldAs(heldName(name, forbidden), forbidden) == name);
      if (!heldApart(name).empty() && heldName(name, forbidden) == name)
        CHECK(nameHeldAs(heldApart(name), forbidden) == name);
    }
  }
}
