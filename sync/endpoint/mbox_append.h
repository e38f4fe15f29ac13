// Adding messages to an mbox so that a crash leaves either all of them or none (sync/endpoint's own).
#pragma once

#include "sync/endpoint/disk_errors.h"
#include "sync/endpoint/mbox_folder.h"

#include <cstdint>
#include <filesystem>
#include <string_view>

namespace mailbraid::sync::endpoint {

/// The messages are first written to a file of their own; then a note says where they are about to go; then they are
/// copied there under the locks, and the note is removed. A note that is found later is one of a crash: what stands in
/// the mbox of the copy is taken away again when it is only its beginning. One thread. Throws Error of scope mailbox.
class MboxAppender {
 public:
  /// `base` is the path that the file and the note get endings to.
  explicit MboxAppender(const std::filesystem::path& base);
  ~MboxAppender();
  MboxAppender(const MboxAppender&) = delete;
  MboxAppender& operator=(const MboxAppender&) = delete;

  /// Repairs what a crash left behind. Throws when the mbox is locked.
  void recover(const LockPatience& patience);

  void write(std::string_view octets);
  /// Octets written since the last appendTo().
  [[nodiscard]] std::uint64_t size() const { return size_; }
  /// Forgets what was written from there on.
  void cutTo(std::uint64_t size);
  /// The offset in the mbox at which the first octet now stands. The mbox is made when it is missing.
  std::uint64_t appendTo(const MboxFolder& folder);

 private:
  void openSpool();
  /// The file that has the mbox's name once it is locked.
  static Descriptor openLocked(const MboxFolder& folder);
  void note(const std::filesystem::path& file, std::uint64_t before, std::string_view border);
  void forgetNote();
  void copy(int to, std::uint64_t at) const;

  const std::filesystem::path spoolPath_;
  const std::filesystem::path notePath_;
  Descriptor spool_{-1};
  std::uint64_t size_ = 0;
};

}  // namespace mailbraid::sync::endpoint
