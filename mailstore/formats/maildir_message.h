// A message as a file of a Maildir: lines end in LF where all of its lines end in CRLF.
#pragma once

#include "mailstore/formats/output_file.h"

#include <cstdint>
#include <filesystem>
#include <functional>
#include <optional>
#include <string_view>

namespace mailbraid::mailstore {

/// Writes one. Where every CR stands before LF and every LF behind CR it is written with LF, which readMaildirMessage()
/// undoes; else its octets stay as they are. (A message that has LF but no CR at all cannot be told from one that was
/// written so, and comes back with CRLF.) Throws Error (NotWritable).
class MaildirMessage {
 public:
  /// `path` must not exist.
  explicit MaildirMessage(std::filesystem::path path);
  void append(std::string_view octets);
  /// The file's modification time is the internal date.
  void close(InternalDate date);
  /// Where it is written: differs from the one asked for when its octets stay as they are.
  [[nodiscard]] const std::filesystem::path& path() const { return path_; }

 private:
  void keepAsItIs();

  std::filesystem::path path_;
  std::optional<OutputFile> file_;
  bool asItIs_ = false;          ///< a line was met that does not end in CRLF
  bool carriageReturn_ = false;  ///< the last octet was CR
};

/// How a file's octets become the message's: LF becomes CRLF where there is no CR in the whole file.
enum class MaildirLines : std::uint8_t { LineFeed, AsTheyAre };
struct MaildirSize {
  MaildirLines lines = MaildirLines::LineFeed;
  std::uint64_t octets = 0;  ///< of the message
};
/// Reads the open file from its beginning to its end; none when it cannot be read (errno says why).
std::optional<MaildirSize> measureMaildirMessage(int descriptor);
/// Gives the message's octets in pieces; false when the file cannot be read to its end. `sink` returns false to stop.
bool readMaildirMessage(int descriptor, MaildirLines lines, const std::function<bool(std::string_view)>& sink);

}  // namespace mailbraid::mailstore
