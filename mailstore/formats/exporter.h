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

/// Takes one message after another: begin(), octets() any number of times, end(); finish() last. One thread. Nothing is
/// written outside the directory it was made for, and no file that is there already is overwritten. Throws Error:
/// NotWritable when the disk is full or a file cannot be made or exists, Usage for a mailbox name that no directory may
/// have.
class ExportSink {
 public:
  virtual ~ExportSink() = default;
  /// `mailbox` is UTF-8 with `/` between the levels, as `BRAID/MAILBOX` or `MAILBOX`.
  virtual void begin(const EntryRow& row, std::string_view mailbox) = 0;
  virtual void octets(std::string_view octets) = 0;
  virtual void end() = 0;
  /// Ends the export: everything is in its place and durable when it returns. Without it, a part is missing.
  virtual void finish() = 0;
};

enum class ExportFormat : std::uint8_t {
  /// `DIR/A/B/{cur,new,tmp}`: system flags and `$Forwarded` (P) in the file name, other keywords as letters a to z that
  /// `dovecot-keywords` explains (those beyond 26 a mailbox are left out), modification time = internal date. Where
  /// every line
  /// of a message ends in CRLF it is written with LF, as Maildir readers expect; else its octets stay as they are.
  Maildir,
  /// `DIR/A/B.mbox`: RFC 4155 with reversible quoting of `From ` lines (mboxrd), the internal date in UTC in the `From
  /// ` line.
  /// CRLF is written as LF, and a message without a line end at its end gets one. No header is ever added, so flags are
  /// not
  /// written.
  Mbox,
  /// `DIR/A/B/ENTRY.eml`: the octets exactly as they are; modification time = internal date.
  Eml,
};

/// "maildir", "mbox", "eml".
std::optional<ExportFormat> exportFormatFromName(std::string_view name);

/// `directory` is made when missing (0700).
std::unique_ptr<ExportSink> makeExportSink(ExportFormat format, const std::filesystem::path& directory);

/// The path of a mailbox below the target: one name a level, UTF-8 as it is. What a level cannot be (a leading dot,
/// control characters, `%`, `\\`, the names cur, new and tmp, the endings .mbox and .eml) is written as %XX of an
/// octet, so that names stay distinct and never leave the target. Throws Error (Usage) for an empty level and for one
/// that gets longer than 240 octets.
std::filesystem::path exportPath(std::string_view mailbox);

}  // namespace mailbraid::mailstore
