#include "mailstore/formats/exporter.h"

#include "mailstore/formats/sinks.h"

#include <array>
#include <utility>

namespace mailbraid::mailstore {

std::optional<ExportFormat> exportFormatFromName(std::string_view name) {
  constexpr std::array<std::pair<std::string_view, ExportFormat>, 3> kFormats{{
      {"maildir", ExportFormat::Maildir},
      {"mbox", ExportFormat::Mbox},
      {"eml", ExportFormat::Eml},
  }};
  for (const auto& [text, format] : kFormats) {
    if (text == name) return format;
  }
  return std::nullopt;
}

std::unique_ptr<ExportSink> makeExportSink(ExportFormat format, const std::filesystem::path& directory) {
  makeExportDirectory(directory, {});
  switch (format) {
    case ExportFormat::Maildir:
      return std::make_unique<MaildirSink>(directory);
    case ExportFormat::Mbox:
      return std::make_unique<MboxSink>(directory);
    case ExportFormat::Eml:
      return std::make_unique<EmlSink>(directory);
  }
  return nullptr;
}

}  // namespace mailbraid::mailstore
