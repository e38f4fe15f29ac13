#include "sync/sasl/exchange.h"

#include "tests/support/catch.h"

#include <string>

using namespace mailbraid::sync::sasl;

TEST_CASE("base64 gives the vectors of RFC 4648 section 10, both ways", "[sasl][base64]") {
  const std::pair<std::string, std::string> rows[] = {{"", ""},
                                                      {"f", "Zg=="},
                                                      {"fo", "Zm8="},
                                                      {"foo", "Zm9v"},
                                                      {"foob", "Zm9vYg=="},
                                                      {"fooba", "Zm9vYmE="},
                                                      {"foobar", "Zm9vYmFy"},
                                                      {std::string("\0\xFF\xFE", 3), "AP/+"}};
  for (const auto& [octets, encoded] : rows) {
    CAPTURE(encoded);
    CHECK(encodeBase64(octets) == encoded);
    CHECK(decodeBase64(encoded) == octets);
  }
}

TEST_CASE("what is not canonical base64 is not decoded", "[sasl][base64]") {
  for (const std::string bad :
       {"Z", "Zg", "Zg=", "Zh==", "Zm9=", "Zm 9", "Zm9v\n", "====", "Z===", "=Zg=", "Zg==Zg==", "Zm-_"}) {
    CAPTURE(bad);
    CHECK_FALSE(decodeBase64(bad).has_value());
  }
}

TEST_CASE("APOP gives the digest of RFC 1939 section 7", "[sasl][apop]") {
  CHECK(apopDigest("<1896.697170952@dbc.mtview.ca.us>", Secret("tanstaaf")) == "c4c9334bac560ecc979e58001b3e22fb");
}
