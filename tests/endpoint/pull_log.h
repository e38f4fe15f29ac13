// Writes down what an endpoint tells.
#pragma once

#include "sync/endpoint/endpoint.h"

#include <string>
#include <utility>
#include <vector>

namespace mailbraid::tests {

class PullLog final : public sync::endpoint::PullSink {
 public:
  struct Message {
    std::string key;
    std::string digest;
    std::uint64_t size = 0;
    std::int64_t date = 0;  ///< seconds since 1970; 0: none was told
  };

  void onOpened(std::size_t, const sync::endpoint::RemoteStatus& status) override { opened.push_back(status); }
  void onMessage(std::size_t, sync::endpoint::RemoteMessage&& message, mailstore::PreparedMessage&& prepared) override {
    messages.push_back(
        {keyOf(message), prepared.digest.hex(), prepared.size, message.date ? message.date->seconds : 0});
  }
  void onFlags(std::size_t, std::vector<sync::endpoint::FlagState>&&) override {}
  void onRefused(std::size_t, const sync::endpoint::RemoteMessage& message, const std::string& reason) override {
    refused.emplace_back(keyOf(message), reason);
  }
  void onOctets(std::uint64_t count) override { octets += count; }

  static std::string keyOf(const sync::endpoint::RemoteMessage& message) {
    return std::get<mailstore::Uidl>(message.key).value();
  }

  std::vector<sync::endpoint::RemoteStatus> opened;
  std::vector<Message> messages;
  std::vector<std::pair<std::string, std::string>> refused;
  std::uint64_t octets = 0;
};

}  // namespace mailbraid::tests
