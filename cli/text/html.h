// HTML mail as text: enough to read it on a terminal.
#pragma once

#include <string>
#include <string_view>

namespace mailbraid::cli {

/// Without tags, comments, styles and scripts; the usual entities decoded, blocks on lines of their own.
std::string textOfHtml(std::string_view html);

}  // namespace mailbraid::cli
