// What the store costs: mails of a directory (LF files, taken as CRLF) through MessageBuilder, Messages, Entries and
// Pairs, committed by octets as the engine does. usage: mailstore_bench MAIL_DIRECTORY STORE_DIRECTORY [TIMES] With
// TIMES, every mail goes in so often, made different by a header; the figures then are those of a bulk load.
#include "mailstore/message_builder.h"
#include "mailstore/store.h"

#include <algorithm>
#include <chrono>
#include <cstdio>
#include <cstdlib>
#include <filesystem>
#include <fstream>
#include <iterator>
#include <string>
#include <vector>

#include <sys/resource.h>

namespace {

using namespace mailbraid::mailstore;

double cpuSeconds() {
  rusage usage{};
  getrusage(RUSAGE_SELF, &usage);
  const auto seconds = [](const timeval& time) {
    return static_cast<double>(time.tv_sec) + static_cast<double>(time.tv_usec) / 1e6;
  };
  return seconds(usage.ru_utime) + seconds(usage.ru_stime);
}

long peakKib() {
  rusage usage{};
  getrusage(RUSAGE_SELF, &usage);
  return usage.ru_maxrss;
}

/// Wall and CPU time since it was made.
class Watch {
 public:
  void print(const char* what) const {
    const std::chrono::duration<double> wall = std::chrono::steady_clock::now() - wall_;
    std::printf("%-28s %7.3f s wall %7.3f s cpu   peak %ld KiB\n", what, wall.count(), cpuSeconds() - cpu_, peakKib());
  }

 private:
  std::chrono::steady_clock::time_point wall_ = std::chrono::steady_clock::now();
  double cpu_ = cpuSeconds();
};

std::string readAsCrlf(const std::filesystem::path& file) {
  std::ifstream in(file, std::ios::binary);
  const std::string raw((std::istreambuf_iterator<char>(in)), std::istreambuf_iterator<char>());
  std::string out;
  out.reserve(raw.size() + raw.size() / 30);
  for (const char c : raw) {
    if (c == '\n') out.push_back('\r');
    out.push_back(c);
  }
  return out;
}

std::vector<std::filesystem::path> filesOf(const std::filesystem::path& directory) {
  std::vector<std::filesystem::path> out;
  for (const auto& item : std::filesystem::directory_iterator(directory)) out.push_back(item.path());
  std::sort(out.begin(), out.end());
  return out;
}

constexpr std::uint64_t kBatch = 4UL * 1024UL * 1024UL;

void load(Store& store, const std::vector<std::string>& mails, int times) {
  const auto braid = store.mailboxes().ensureBraid("bench");
  const auto inbox = store.mailboxes().ensure(braid, "INBOX", Role::Inbox);
  const auto endpoint = store.endpoints().ensure("bench", "imap", braid);
  const auto remote = store.endpoints().addMailbox(endpoint.id, "INBOX", inbox, "");
  MessageBuilder builder(store.spoolOptions());
  Flags seen;
  seen.add(SystemFlag::Seen);
  std::uint32_t uid = 0;
  std::uint64_t batch = 0;
  auto transaction = std::make_unique<Store::Transaction>(store);
  for (int time = 0; time < times; ++time) {
    for (const std::string& mail : mails) {
      ++uid;
      if (times > 1) builder.append("X-Bench: " + std::to_string(time) + "\r\n");
      builder.append(mail);
      PreparedMessage prepared = builder.finish();
      batch += prepared.size;
      const InternalDate date = prepared.fallbackDate;
      const auto entry = store.entries().add(inbox, store.messages().add(std::move(prepared)), seen, date);
      store.pairs().add(remote.id, Uid{uid}, entry, seen, "");
      if (batch < kBatch) continue;
      transaction->commit();
      transaction.reset();
      transaction = std::make_unique<Store::Transaction>(store);
      batch = 0;
    }
  }
  transaction->commit();
}

void prepareOnly(const std::vector<std::string>& mails) {
  MessageBuilder builder(SpoolOptions{});
  for (const std::string& mail : mails) {
    builder.append(mail);
    builder.finish();
  }
}

void readAll(Store& store) {
  std::uint64_t octets = 0;
  store.messages().forEach(
      [&](MessageId id) { store.messages().read(id, [&](std::string_view piece) { octets += piece.size(); }); });
  std::printf("read %llu octets\n", static_cast<unsigned long long>(octets));
}

}  // namespace

int main(int argc, char** argv) {
  if (argc < 3) return 64;
  const int times = argc > 3 ? std::atoi(argv[3]) : 1;
  std::vector<std::string> mails;
  std::uint64_t octets = 0;
  for (const auto& file : filesOf(argv[1])) {
    mails.push_back(readAsCrlf(file));
    octets += mails.back().size();
  }
  std::printf("%zu mails, %llu octets, %d times\n", mails.size(), static_cast<unsigned long long>(octets), times);
  const Watch prepare;
  prepareOnly(mails);
  prepare.print("prepare");
  const std::filesystem::path directory(argv[2]);
  std::filesystem::remove_all(directory);
  {
    const Watch all;
    const auto store = Store::open(directory, Access::ReadWrite);
    all.print("make");
    load(*store, mails, times);
    all.print("make, prepare, store");
  }
  std::printf("%llu octets on disk\n",
              static_cast<unsigned long long>(std::filesystem::file_size(directory / "store.db")));
  const Watch reopen;
  const auto store = Store::open(directory, Access::ReadWrite);
  reopen.print("open");
  const Watch list;
  for (const auto& summary : store->mailboxes().list()) {
    std::printf("%llu messages, %llu unseen\n", static_cast<unsigned long long>(summary.messages),
                static_cast<unsigned long long>(summary.unseen));
  }
  list.print("list mailboxes");
  const Watch read;
  readAll(*store);
  read.print("read and verify");
  return 0;
}
