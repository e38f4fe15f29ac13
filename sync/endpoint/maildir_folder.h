// One mailbox of a Maildir tree: a directory with cur, new and tmp (sync/endpoint's own).
#pragma once

#include "mailstore/formats/maildir_flags.h"
#include "sync/endpoint/disk_errors.h"
#include "sync/endpoint/mbox_lock.h"
#include "sync/endpoint/push.h"
#include "sync/endpoint/remote.h"

#include <cstdint>
#include <filesystem>
#include <functional>
#include <map>
#include <optional>
#include <set>
#include <string>
#include <string_view>
#include <vector>

namespace mailbraid::sync::endpoint {

/// Other programs (mutt, notmuch, mu, Dovecot) read and change the same directory at the same time: a message is found
/// by its base name, and looked for again when it is not where it was. One thread. Throws mailstore::Error of scope
/// mailbox.
class MaildirFolder {
 public:
  explicit MaildirFolder(std::filesystem::path directory, LockPatience patience = {})
      : directory_(std::move(directory)), patience_(std::move(patience)) {}

  /// A number that another one follows whenever a name in the mailbox changes; 0 while that is too short ago to be sure
  /// (clocks of file systems are coarse).
  [[nodiscard]] std::uint64_t changeNumber() const;
  /// Reads the names. False when the directory changed again and again meanwhile: then nothing is proven, unless all of
  /// `expected` were seen, of which none is missing then.
  bool scan(const std::set<std::string_view>& expected = {});
  /// Base names and flags, as scan() found them.
  [[nodiscard]] const std::map<std::string, std::filesystem::path>& files() const { return files_; }
  [[nodiscard]] mailstore::Flags flagsOf(const std::filesystem::path& file) const;

  /// The open file of a message: -1 when there is none of this name any more, or with `problem` when it cannot be read.
  struct Opened {
    int descriptor = -1;
    std::string problem;
  };
  Opened open(const std::string& base);

  /// Changes the flags in the name of the message; its flags then, none when it is not there any more.
  std::optional<mailstore::Flags> change(const std::string& base, const mailstore::Flags& add,
                                         const mailstore::Flags& remove);
  /// Moves the message, or makes a copy, into `target`; its name there, none when it is not here any more.
  enum class Transfer : std::uint8_t { Move, Copy };
  std::optional<std::string> transfer(const std::string& base, MaildirFolder& target, Transfer how);
  /// False when it was not there any more.
  bool remove(const std::string& base);
  /// What change(), transfer() and remove() did is on the disk when it returns.
  void settle();

  /// Takes messages in: each shows up only when its octets are on the disk, and deliver() returns when their names are,
  /// too. What was not delivered is removed from tmp with the object.
  class Delivery {
   public:
    explicit Delivery(MaildirFolder& folder) : folder_(folder) { folder.make(); }
    ~Delivery();
    Delivery(const Delivery&) = delete;
    Delivery& operator=(const Delivery&) = delete;
    using Read = std::function<void(const std::function<void(std::string_view)>&)>;
    /// Writes a message; `token` comes back from deliver().
    void add(std::uint64_t token, const mailstore::Flags& flags, mailstore::InternalDate date, const Read& read);
    [[nodiscard]] std::size_t waiting() const { return waiting_.size(); }
    struct Delivered {
      std::uint64_t token = 0;
      std::string base;
      mailstore::Flags flags;
    };
    std::vector<Delivered> deliver();

   private:
    struct Waiting {
      std::uint64_t token = 0;
      std::filesystem::path temporary;
      std::string base;
      mailstore::Flags flags;
    };
    MaildirFolder& folder_;
    std::vector<Waiting> waiting_;
  };

  [[nodiscard]] const std::filesystem::path& directory() const { return directory_; }
  /// Makes what is missing of cur, new and tmp.
  void make() const;
  [[nodiscard]] bool exists() const;
  /// Removes it when it holds no message, and nothing but what mail programs keep beside messages.
  bool removeIfEmpty();

 private:
  std::optional<std::filesystem::path> find(const std::string& base);
  bool scanOnce();
  mailstore::MaildirKeywords& keywords();
  /// The letters of these flags; a keyword that is new gets one, under Dovecot's lock.
  std::string lettersFor(const mailstore::Flags& flags);
  /// What the letters of a name mean; another program may just have given out one of them.
  mailstore::Flags meaningOf(std::string_view letters);
  void sync() const;

  std::filesystem::path directory_;
  LockPatience patience_;  ///< for the lock of dovecot-keywords
  std::map<std::string, std::filesystem::path> files_;
  bool scanned_ = false;
  bool unsettled_ = false;  ///< changed since settle()
  std::optional<mailstore::MaildirKeywords> keywords_;
};

}  // namespace mailbraid::sync::endpoint
