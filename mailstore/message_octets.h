// The compressed octets of a prepared message (mailstore's own).
#pragma once

#include "mailstore/message_builder.h"

#include <cstdint>
#include <filesystem>
#include <functional>
#include <string>
#include <string_view>
#include <vector>

namespace mailbraid::mailstore {

/// Octets of a message in one zstd frame, and so in one row of the body table.
constexpr std::size_t kChunkSize = 1024UL * 1024UL;

/// The zstd frames of one message, each of at most kChunkSize octets of it; in memory, or beyond a limit in an unlinked
/// file.
class PreparedMessage::Octets {
 public:
  Octets() = default;
  ~Octets();
  Octets(const Octets&) = delete;
  Octets& operator=(const Octets&) = delete;

  void add(std::string_view frame, const SpoolOptions& options);
  void forEach(const std::function<void(std::string_view)>& visit) const;
  [[nodiscard]] std::size_t memoryUse() const { return memory_.capacity() + lengths_.capacity() * sizeof(std::size_t); }

 private:
  void spool(const std::filesystem::path& directory);

  std::string memory_;
  std::vector<std::size_t> lengths_;
  int descriptor_ = -1;
};

}  // namespace mailbraid::mailstore
