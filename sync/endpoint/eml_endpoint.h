// Messages as files, one each (.eml), to be imported: read only.
#pragma once

#include "sync/endpoint/endpoint.h"

#include <filesystem>
#include <map>
#include <string>
#include <vector>

namespace mailbraid::sync::endpoint {

/// A directory with .eml files is a mailbox, called by its path below `settings.path`; what lies in `settings.path`
/// itself is called as that is. `settings.path` may be one file. Keys are file names. No flags
/// and no dates: the message's own count. Lines that end in LF come as CRLF.
class EmlEndpoint final : public Endpoint {
 public:
  EmlEndpoint(const EndpointSettings& settings, Environment environment);

  void open() override;
  void reconnect() override {}
  const std::vector<RemoteMailbox>& list() override { return mailboxes_; }
  void refresh() override {}
  std::vector<Delta> changes(std::span<const DeltaRequest> requests, PullSink& sink) override;
  Outcomes identify(std::span<const KeyRequest> requests, const IdentitySink& sink) override;
  Outcomes fetch(std::span<const KeyRequest> requests, PullSink& sink) override;
  bool isGone(const std::string&) override { return false; }
  void close() noexcept override {}
  [[nodiscard]] WireTotals wireTotals() const override { return {}; }
  [[nodiscard]] EndpointFacts facts() const override { return {}; }
  [[nodiscard]] std::optional<MessagePlace> inProgress() const override { return std::nullopt; }

  /// What the mailbox is called that lies in `path` itself.
  static std::string topName(const std::filesystem::path& path) { return path.filename().string(); }

 private:
  void addFile(const std::filesystem::path& file);
  void fetchOne(const std::string& mailbox, const std::string& name, std::size_t index, PullSink& sink,
                mailstore::MessageBuilder& builder);
  void checkStop() const;

  const EndpointSettings settings_;
  const Environment environment_;
  std::vector<RemoteMailbox> mailboxes_;
  std::map<std::string, std::map<std::string, std::filesystem::path>> files_;  ///< by mailbox and file name
};

}  // namespace mailbraid::sync::endpoint
