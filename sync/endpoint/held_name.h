// Names of mailboxes that an endpoint cannot hold as they are, written so that they can be read back.
#pragma once

#include <string>
#include <string_view>

namespace mailbraid::sync::endpoint {

/// `name` (`/` between levels) with each of the characters `forbidden` as %XX (RFC 3986 section 2.1), and each % that
/// could be taken for the beginning of one as %25.
std::string heldName(std::string_view name, std::string_view forbidden);

/// For an endpoint that does not tell capital letters from small ones and has the name in another spelling already: the
/// first letter of the last level as %XX. Empty where that is no letter.
std::string heldApart(std::string_view name);

/// The other way. What would become an empty level, "." or ".." stays as it is.
std::string nameHeldAs(std::string_view held, std::string_view forbidden);

}  // namespace mailbraid::sync::endpoint
