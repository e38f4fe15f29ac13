// One mailbox of an mbox tree: a file (sync/endpoint's own).
#pragma once

#include "mailstore/formats/mbox_reader.h"
#include "mailstore/message_builder.h"
#include "sync/endpoint/mbox_lock.h"

#include <cstdint>
#include <filesystem>
#include <functional>
#include <map>
#include <optional>
#include <string>
#include <vector>

namespace mailbraid::sync::endpoint {

/// Messages are named by the SHA-256 of their octets without the fields of flags, equal copies by a number besides, so
/// that a name stays whatever mail programs do to the rest of the file. Other programs change it at any time: it is
/// read under their locks, and what is read must be what was found before. One thread. Throws mailstore::Error of scope
/// mailbox.
class MboxFolder {
 public:
  /// Where to keep what is known of a file of at least so many octets (MboxIndex). No file: nowhere.
  struct Memory {
    std::filesystem::path file;
    std::uint64_t leastSize = 16UL * 1024 * 1024;
  };
  MboxFolder(std::filesystem::path file, mailstore::MboxQuoting quoting, LockPatience patience, Memory memory)
      : file_(std::move(file)), quoting_(quoting), patience_(std::move(patience)), memory_(std::move(memory)) {}

  /// A number that another one follows whenever the file changes; 0 while that is too short ago to be sure (clocks of
  /// file systems are coarse), or when there is no file.
  [[nodiscard]] std::uint64_t changeNumber() const;

  struct Message {
    std::string key;  ///< empty: hidden
    mailstore::MboxMessage found;
    mailstore::Digest digest;
    mailstore::HeaderDigest header;
    bool hasMessageId = false;
  };
  /// Finds the messages. Of those that are known only the headers are read, up to the first that is not where it was;
  /// what comes behind is read whole. Fails when the file changes meanwhile.
  void scan();
  /// What scan() found turned out wrong: the next one reads the whole file.
  void forget();
  /// As scan() found them, in the file's order.
  [[nodiscard]] const std::vector<Message>& messages() const { return messages_; }
  [[nodiscard]] const Message* find(const std::string& key) const;
  [[nodiscard]] const Message* findAt(std::uint64_t begin) const;
  /// Modification time, seconds since 1970, as of scan().
  [[nodiscard]] std::int64_t modified() const { return mark_.modifiedNanoseconds / 1'000'000'000; }

  /// The file, open and locked for reading, as scan() found it.
  class Session {
   public:
    explicit Session(const MboxFolder& folder);
    /// False when the octets are not there any more.
    bool read(const Message& message, const std::function<void(std::string_view)>& sink) const;
    /// What its header says; none when it is not there any more.
    [[nodiscard]] std::optional<mailstore::HeaderIndex> describe(const Message& message) const;

   private:
    const MboxFolder& folder_;
    Descriptor descriptor_;
  };

  [[nodiscard]] const std::filesystem::path& file() const { return file_; }
  [[nodiscard]] mailstore::MboxQuoting quoting() const { return quoting_; }
  [[nodiscard]] const LockPatience& patience() const { return patience_; }

 private:
  /// What tells whether a file is the one that was read.
  struct Mark {
    std::uint64_t device = 0;
    std::uint64_t inode = 0;
    std::uint64_t size = 0;
    std::int64_t modifiedNanoseconds = 0;
    std::int64_t changedNanoseconds = 0;
    friend bool operator==(const Mark&, const Mark&) = default;
  };
  static Mark markOf(int descriptor);
  [[nodiscard]] Descriptor openLocked() const;
  void keepWhatIsThere(int descriptor, const mailstore::MboxReader& reader);
  void nameAll();
  void recall();
  void keep() const;

  const std::filesystem::path file_;
  const mailstore::MboxQuoting quoting_;
  const LockPatience patience_;
  const Memory memory_;
  bool remembered_ = false;  ///< what was kept was looked for
  Mark mark_;
  std::string tail_;  ///< the last octets of the file, as of scan()
  std::vector<Message> messages_;
  std::map<std::string, std::size_t> byKey_;
};

/// Error for a file that changed under the reader's hands.
mailstore::Error changedMeanwhile(const std::filesystem::path& file);

}  // namespace mailbraid::sync::endpoint
