// Which of the formats a file or directory is that somebody wants to import.
#pragma once

#include <cstdint>
#include <filesystem>
#include <optional>

namespace mailbraid::mailstore {

enum class MailFormat : std::uint8_t {
  Maildir,          ///< directories with cur and new
  MaildirPlusPlus,  ///< the same, its mailboxes called .A.B
  Mbox,             ///< a file, or a directory tree of them
  Thunderbird,      ///< a tree of mbox files with NAME.sbd directories
  Eml,              ///< files called *.eml, or one file that is a message
};

/// Looks at names, and at the first octets of files, a few levels deep; none when it finds no mail it knows. Throws
/// Error (Usage) when there is nothing at `path` that can be read.
std::optional<MailFormat> detectMailFormat(const std::filesystem::path& path);

/// Ends in .eml, in any case.
bool isEmlName(const std::filesystem::path& file);

}  // namespace mailbraid::mailstore
