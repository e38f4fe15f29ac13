#include "mailstore/formats/sinks.h"

namespace mailbraid::mailstore {

void MboxSink::begin(const EntryRow& row, std::string_view mailbox) {
  std::filesystem::path below = exportPath(mailbox);
  below += ".mbox";
  const std::filesystem::path path = directory_ / below;
  if (!file_ || file_->path() != path) {
    if (file_) file_->close({});
    file_.reset();
    makeExportDirectory(directory_, below.parent_path());
    const bool first = made_.insert(path).second;
    file_.emplace(path, first ? OutputFile::Kind::New : OutputFile::Kind::Continued);
  }
  MboxWriter::Form form;
  form.from = row.message.header.from;
  form.date = row.entry.internalDate;
  writer_.begin(form);
}

void MboxSink::octets(std::string_view octets) {
  writer_.octets(octets);
}

void MboxSink::end() {
  writer_.end();
}

void MboxSink::finish() {
  if (file_) file_->close({});
  file_.reset();
  syncExport(directory_);
}

}  // namespace mailbraid::mailstore
