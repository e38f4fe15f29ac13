// The three formats (mailstore/formats' own). See exporter.h for what each writes.
#pragma once

#include "mailstore/formats/exporter.h"
#include "mailstore/formats/maildir_flags.h"
#include "mailstore/formats/maildir_message.h"
#include "mailstore/formats/mbox_writer.h"
#include "mailstore/formats/output_file.h"

#include <map>
#include <optional>
#include <set>
#include <vector>

namespace mailbraid::mailstore {

class EmlSink : public ExportSink {
 public:
  explicit EmlSink(std::filesystem::path directory) : directory_(std::move(directory)) {}
  void begin(const EntryRow& row, std::string_view mailbox) override;
  void octets(std::string_view octets) override;
  void end() override;
  void finish() override;

 private:
  std::filesystem::path directory_;
  std::optional<OutputFile> file_;
  InternalDate date_;
};

class MboxSink : public ExportSink {
 public:
  explicit MboxSink(std::filesystem::path directory) : directory_(std::move(directory)) {}
  void begin(const EntryRow& row, std::string_view mailbox) override;
  void octets(std::string_view octets) override;
  void end() override;
  void finish() override;

 private:
  std::filesystem::path directory_;
  std::set<std::filesystem::path> made_;
  std::optional<OutputFile> file_;
  MboxWriter writer_{MboxQuoting::Mboxrd, [this](std::string_view octets) { file_->write(octets); }};
};

class MaildirSink : public ExportSink {
 public:
  explicit MaildirSink(std::filesystem::path directory) : directory_(std::move(directory)) {}
  ~MaildirSink() override;  ///< what was not delivered is removed from tmp
  void begin(const EntryRow& row, std::string_view mailbox) override;
  void octets(std::string_view octets) override;
  void end() override;
  void finish() override;

 private:
  struct Written {
    std::filesystem::path temporary;
    std::filesystem::path place;
  };
  void deliver();

  std::filesystem::path directory_;
  std::filesystem::path maildir_;
  std::filesystem::path place_;  ///< of the message that is being written
  std::optional<MaildirMessage> file_;
  InternalDate date_;
  std::vector<Written> pending_;
  std::map<std::filesystem::path, MaildirKeywords> keywords_;
};

}  // namespace mailbraid::mailstore
