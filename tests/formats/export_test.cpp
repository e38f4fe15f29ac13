#include "mailstore/formats/exporter.h"
#include "mailstore/types/error.h"
#include "tests/support/catch.h"
#include "tests/support/scratch.h"

#include <filesystem>
#include <fstream>
#include <iterator>
#include <string>
#include <vector>

#include <sys/stat.h>

using namespace mailbraid::mailstore;
using mailbraid::tests::Scratch;
namespace fs = std::filesystem;

namespace {

std::string contentOf(const fs::path& file) {
  std::ifstream in(file, std::ios::binary);
  return {std::istreambuf_iterator<char>(in), std::istreambuf_iterator<char>()};
}

EntryRow rowOf(std::int64_t id) {
  EntryRow row;
  row.entry.id = EntryId{id};
  row.entry.internalDate = {1037000000, 60};
  row.message.header.from = "A <a@example.org>";
  row.message.digest.bytes[0] = 0xAB;
  return row;
}

/// Exports one message, fed in pieces of `step` octets.
void exportOne(ExportSink& sink, std::string_view octets, std::size_t step, const EntryRow& row = rowOf(1),
               std::string_view mailbox = "home/INBOX") {
  sink.begin(row, mailbox);
  for (std::size_t at = 0; at < octets.size(); at += step) sink.octets(octets.substr(at, step));
  sink.end();
}

std::vector<fs::path> filesIn(const fs::path& directory) {
  std::vector<fs::path> out;
  for (const auto& item : fs::directory_iterator(directory)) out.push_back(item.path());
  return out;
}

std::string maildirContent(std::string_view octets, std::size_t step) {
  const Scratch scratch;
  const auto sink = makeExportSink(ExportFormat::Maildir, scratch.path() / "out");
  exportOne(*sink, octets, step);
  sink->finish();
  const auto files = filesIn(scratch.path() / "out/home/INBOX/cur");
  REQUIRE(files.size() == 1);
  CHECK(filesIn(scratch.path() / "out/home/INBOX/tmp").empty());
  return contentOf(files.front());
}

std::string mboxContent(std::string_view octets, std::size_t step) {
  const Scratch scratch;
  const auto sink = makeExportSink(ExportFormat::Mbox, scratch.path() / "out");
  exportOne(*sink, octets, step);
  sink->finish();
  return contentOf(scratch.path() / "out/home/INBOX.mbox");
}

const std::string kFromLine = "From a@example.org Mon Nov 11 07:33:20 2002\n";

}  // namespace

TEST_CASE("P2: an eml file has the octets of the message, whatever they are", "[export][P2]") {
  const std::string octets("A: b\r\n\r\n\0\xFF bare \r and \n, no end", 32);
  const Scratch scratch;
  const auto sink = makeExportSink(ExportFormat::Eml, scratch.path());
  exportOne(*sink, octets, 3);
  exportOne(*sink, "", 1, rowOf(2));
  sink->finish();
  CHECK(contentOf(scratch.path() / "home/INBOX/1.eml") == octets);
  CHECK(contentOf(scratch.path() / "home/INBOX/2.eml").empty());
  CHECK(fs::exists(scratch.path() / "home/INBOX/2.eml"));
}

TEST_CASE("the files of an export have the internal date as their modification time", "[export]") {
  const Scratch scratch;
  const auto sink = makeExportSink(ExportFormat::Eml, scratch.path());
  exportOne(*sink, "x", 1);
  sink->finish();
  struct stat status {};
  REQUIRE(::stat((scratch.path() / "home/INBOX/1.eml").c_str(), &status) == 0);
  CHECK(status.st_mtime == 1037000000);
}

TEST_CASE("P2: a Maildir message has LF where all its lines end in CRLF, and its own octets otherwise",
          "[export][P2]") {
  for (const std::size_t step : {std::size_t{1}, std::size_t{2}, std::size_t{1000}}) {
    CAPTURE(step);
    CHECK(maildirContent("A: b\r\n\r\nbody\r\n", step) == "A: b\n\nbody\n");
    CHECK(maildirContent("A: b\r\n\r\nno end", step) == "A: b\n\nno end");
    CHECK(maildirContent("A: b\r\n\r\nbare\nline\r\n", step) == "A: b\r\n\r\nbare\nline\r\n");
    CHECK(maildirContent("A: b\r\n\r\nbare\rline\r\n", step) == "A: b\r\n\r\nbare\rline\r\n");
    CHECK(maildirContent("A: b\r\n\r\ntwo\r\r\n", step) == "A: b\r\n\r\ntwo\r\r\n");
    CHECK(maildirContent("A: b\r\n\r\nlast\r", step) == "A: b\r\n\r\nlast\r");
    CHECK(maildirContent("\n", step) == "\n");
    CHECK(maildirContent("", step).empty());
  }
}

TEST_CASE("P2: a Maildir message that turns out late to have a bare LF still has its octets", "[export][P2]") {
  std::string octets;
  while (octets.size() < 300'000) octets += "a line of text\r\n";
  octets += "bare\n";
  CHECK(maildirContent(octets, 4096) == octets);
}

TEST_CASE("Maildir flags stand in the name, keywords in dovecot-keywords", "[export]") {
  const Scratch scratch;
  const auto sink = makeExportSink(ExportFormat::Maildir, scratch.path());
  EntryRow row = rowOf(1);
  row.entry.flags = Flags::parse({"\\Seen", "\\Flagged", "$Forwarded", "work"});
  exportOne(*sink, "x", 1, row);
  sink->finish();
  const auto files = filesIn(scratch.path() / "home/INBOX/cur");
  REQUIRE(files.size() == 1);
  const std::string name = files.front().filename().string();
  CHECK(name.substr(name.find(":2,")) == ":2,FPSa");
  CHECK(contentOf(scratch.path() / "home/INBOX/dovecot-keywords") == "0 work\n");
}

TEST_CASE("P2: an mbox message has its From lines quoted so that they can be unquoted", "[export][P2]") {
  for (const std::size_t step : {std::size_t{1}, std::size_t{3}, std::size_t{1000}}) {
    CAPTURE(step);
    CHECK(mboxContent("A: b\r\n\r\nFrom x\r\n>From y\r\n>>From z\r\nFromage\r\n>Fr\r\n", step) ==
          kFromLine + "A: b\n\n>From x\n>>From y\n>>>From z\nFromage\n>Fr\n\n");
    CHECK(mboxContent("A: b\r\n\r\n>>Fro", step) == kFromLine + "A: b\n\n>>Fro\n\n");
    CHECK(mboxContent("A: b\r\n\r\na\rb\r", step) == kFromLine + "A: b\n\na\rb\r\n\n");
    CHECK(mboxContent("", step) == kFromLine + "\n");
  }
}

TEST_CASE("a mailbox that is come back to keeps what it had", "[export]") {
  const Scratch scratch;
  const auto sink = makeExportSink(ExportFormat::Mbox, scratch.path());
  exportOne(*sink, "one\r\n", 9, rowOf(1), "a");
  exportOne(*sink, "two\r\n", 9, rowOf(2), "b");
  exportOne(*sink, "three\r\n", 9, rowOf(3), "a");
  sink->finish();
  CHECK(contentOf(scratch.path() / "a.mbox") == kFromLine + "one\n\n" + kFromLine + "three\n\n");
}

TEST_CASE("no mailbox name leads out of the export's directory", "[export]") {
  CHECK(exportPath("a/../../etc") == fs::path("a/%2E./%2E./etc"));
  CHECK(exportPath("./x") == fs::path("%2E/x"));
  CHECK(exportPath("a\\b") == fs::path("a%5Cb"));
  CHECK(exportPath(std::string_view("a\0b\n", 4)) == fs::path("a%00b%0A"));
  CHECK_THROWS_AS(exportPath(""), Error);
  CHECK_THROWS_AS(exportPath("/etc/passwd"), Error);
  CHECK_THROWS_AS(exportPath("a//b"), Error);
  CHECK_THROWS_AS(exportPath("a/"), Error);
  CHECK_THROWS_AS(exportPath(std::string(241, 'x')), Error);
}

TEST_CASE("two mailboxes never share a directory or a file", "[export]") {
  CHECK(exportPath("a/cur") == fs::path("a/%63ur"));
  CHECK(exportPath("a/%63ur") == fs::path("a/%2563ur"));
  CHECK(exportPath("a.mbox/b") == fs::path("a%2Embox/b"));
  CHECK(exportPath("a/1.eml/b") == fs::path("a/1%2Eeml/b"));
  CHECK(exportPath("Entwürfe/日本") == fs::path("Entwürfe/日本"));
}

TEST_CASE("an export never overwrites a file", "[export]") {
  const Scratch scratch;
  const auto twice = [&](ExportFormat format) {
    const fs::path directory = scratch.path() / std::to_string(static_cast<int>(format));
    for (int i = 0; i < 2; ++i) {
      const auto sink = makeExportSink(format, directory);
      exportOne(*sink, "octets", 9);
      sink->finish();
    }
  };
  CHECK_THROWS_AS(twice(ExportFormat::Eml), Error);
  CHECK_THROWS_AS(twice(ExportFormat::Mbox), Error);
  CHECK_THROWS_AS(twice(ExportFormat::Maildir), Error);
}

TEST_CASE("an export into a Maildir that has mail says what to do, and changes nothing there", "[export]") {
  for (const char* used : {"cur/1.x:2,S", "new/1.x", "tmp/1.x", "dovecot-keywords"}) {
    CAPTURE(used);
    const Scratch scratch;
    const fs::path maildir = scratch.path() / "home/INBOX";
    for (const char* part : {"cur", "new", "tmp"}) fs::create_directories(maildir / part);
    std::ofstream(maildir / used) << "mine";
    std::string sentence;
    {
      const auto sink = makeExportSink(ExportFormat::Maildir, scratch.path());
      try {
        exportOne(*sink, "octets", 9);
        sink->finish();
      } catch (const Error& error) {
        sentence = error.what();
        CHECK(error.kind() == ErrorKind::NotWritable);
      }
    }
    CHECK(sentence.find(maildir.string()) != std::string::npos);
    CHECK(sentence.find("Export into an empty directory") != std::string::npos);
    std::size_t files = 0;
    for (const auto& item : fs::recursive_directory_iterator(scratch.path())) files += item.is_directory() ? 0 : 1;
    CHECK(files == 1);
    CHECK(contentOf(maildir / used) == "mine");
  }
}

TEST_CASE("an export into a Maildir without mail goes through", "[export]") {
  const Scratch scratch;
  for (const char* part : {"cur", "new", "tmp"}) fs::create_directories(scratch.path() / "home/INBOX" / part);
  const auto sink = makeExportSink(ExportFormat::Maildir, scratch.path());
  exportOne(*sink, "octets", 9);
  sink->finish();
  CHECK(filesIn(scratch.path() / "home/INBOX/cur").size() == 1);
}

TEST_CASE("a Maildir export that fails leaves no file in tmp", "[export]") {
  const Scratch scratch;
  const fs::path maildir = scratch.path() / "home/INBOX";
  {
    const auto sink = makeExportSink(ExportFormat::Maildir, scratch.path());
    exportOne(*sink, "first", 9, rowOf(1));
    SECTION("when a name is taken at the last moment") {
      const fs::path taken = maildir / "cur" / (filesIn(maildir / "tmp").front().filename().string() + ":2,");
      std::ofstream(taken) << "mine";
      exportOne(*sink, "second", 9, rowOf(2));
      try {
        sink->finish();
        FAIL("it took the place of another file");
      } catch (const Error& error) {
        CHECK(std::string(error.what()).find("Export into an empty directory") != std::string::npos);
      }
      CHECK(contentOf(taken) == "mine");
    }
    SECTION("when it is given up within a message") {
      sink->begin(rowOf(2), "home/INBOX");
      sink->octets("half of it\n and its octets");
    }
  }
  CHECK(filesIn(maildir / "tmp").empty());
}
