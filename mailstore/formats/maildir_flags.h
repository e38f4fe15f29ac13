// Flags in the names of a Maildir's files, and Dovecot's file of keywords.
#pragma once

#include "mailstore/types/flags.h"

#include <filesystem>
#include <string>
#include <string_view>
#include <vector>

namespace mailbraid::mailstore {

/// The keywords that the letters a to z stand for in one Maildir. `$Forwarded` has a letter of its own, P.
class MaildirKeywords {
 public:
  static constexpr std::size_t kMost = 26;
  MaildirKeywords() = default;
  /// Reads `MAILDIR/dovecot-keywords` (a line a letter, "0 work" for a); what is not there, or odd, is no keyword.
  static MaildirKeywords read(const std::filesystem::path& maildir);

  /// Sorted letters of the flags; a keyword that is new takes the next letter, one beyond the 26th is left out.
  std::string letters(const Flags& flags);
  /// Flags of the letters; unknown ones mean nothing.
  [[nodiscard]] Flags flags(std::string_view letters) const;
  /// True when letters() gave out a letter since the file was read or written.
  [[nodiscard]] bool hasChanged() const { return changed_; }
  /// True when the file gives every keyword letter among these a meaning.
  [[nodiscard]] bool knows(std::string_view letters) const;
  /// Writes the file, whole or not at all, with a time of a later second than it had: Dovecot looks at seconds to see
  /// that it changed. Under the lock that Dovecot takes for it, which is the caller's business. Throws Error
  /// (NotWritable).
  void write(const std::filesystem::path& maildir);

 private:
  std::vector<std::string> names_;
  bool changed_ = false;
};

/// `base:2,letters` taken apart. A name without info is all base.
struct MaildirName {
  std::string_view base;
  std::string_view letters;
};
MaildirName parseMaildirName(std::string_view fileName);

}  // namespace mailbraid::mailstore
