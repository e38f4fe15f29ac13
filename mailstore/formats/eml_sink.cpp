#include "mailstore/formats/sinks.h"

namespace mailbraid::mailstore {

void EmlSink::begin(const EntryRow& row, std::string_view mailbox) {
  const std::filesystem::path below = exportPath(mailbox);
  makeExportDirectory(directory_, below);
  date_ = row.entry.internalDate;
  file_.emplace(directory_ / below / (std::to_string(row.entry.id.value()) + ".eml"));
}

void EmlSink::octets(std::string_view octets) {
  file_->write(octets);
}

void EmlSink::end() {
  file_->close(date_);
  file_.reset();
}

void EmlSink::finish() {
  syncExport(directory_);
}

}  // namespace mailbraid::mailstore
