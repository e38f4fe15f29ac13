// Writing messages out of the store: Maildir, mbox and .eml trees.
#pragma once

#include "mailstore/records.h"

#include <cstdint>
#include <filesystem>
#include <memory>
#include <optional>
#include <string>
#include <string_view>

namespace mailbraid::mailstore {

/// Takes one message after another: begin(), octets() any number of times, end(). One thread. Nothing is written
/// outside the directory it was made for, and no file that is there already is overwritten. Throws Error (NotWritable)
/// when the disk is full or a file cannot be made, Error (Usage) for a mailbox name that no directory may have.
class ExportSink {
 public:
  virtual ~ExportSink() = default;
  /// `mailbox` is UTF-8 with `/` between the levels, as `BRAID/MAILBOX` or `MAILBOX`.
  virtual void begin(const EntryRow& row, std::string_view mailbox) = 0;
  virtual void octets(std::string_view octets) = 0;
  /// The message is durable when end() returns (Maildir, eml) or, for mbox, when finish() does.
  virtual void end() = 0;
  /// Ends the export. Without it, what the last end() finished is there all the same.
  virtual void finish() = 0;
};

enum class ExportFormat : std::uint8_t {
  /// `DIR/A/B/{cur,new,tmp}`: flags in the file name, keywords as letters a to z listed in `dovecot-keywords`,
  /// modification
  /// time = internal date. Lines end in LF when every line of the message ends in CRLF, else the octets stay as they
  /// are.
  Maildir,
  /// `DIR/A/B.mbox`, mboxrd (RFC 4155 with reversible `>From ` quoting), the internal date in the `From ` line. CRLF is
  /// written as LF. No header is ever added, so flags are not written.
  Mbox,
  /// `DIR/A/B/ENTRY.eml`: the octets exactly as they are; modification time = internal date.
  Eml,
};

/// "maildir", "mbox", "eml".
std::optional<ExportFormat> exportFormatFromName(std::string_view name);

/// `directory` is made when missing (0700).
std::unique_ptr<ExportSink> makeExportSink(ExportFormat format, const std::filesystem::path& directory);

/// The directory of a mailbox below the target: one name a level, UTF-8 as it is. What a level cannot be (`.`, `..`, a
/// leading dot, control characters, `%`, `\`, more than 255 octets) is written as %XX of the octets in question, so
/// that names stay distinct and never leave the target. Throws Error (Usage) for an empty name or an empty level.
std::filesystem::path exportPath(std::string_view mailbox);

}  // namespace mailbraid::mailstore
