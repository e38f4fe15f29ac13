#include "sync/endpoint/tree_seal.h"

#include "mailstore/formats/output_file.h"
#include "sync/endpoint/disk_errors.h"

#include <cerrno>
#include <fstream>
#include <random>
#include <string>

#include <unistd.h>

namespace mailbraid::sync::endpoint {

using mailstore::UidValidity;

namespace {

UidValidity freshValidity() {
  std::random_device random;
  return UidValidity{static_cast<std::uint32_t>(random()) | 1U};
}

/// The same for the same endpoint (FNV-1a).
UidValidity lastingValidity(const std::string& endpoint) {
  std::uint32_t hash = 2166136261U;
  for (const char c : endpoint) hash = (hash ^ static_cast<unsigned char>(c)) * 16777619U;
  return UidValidity{hash | 1U};
}

}  // namespace

bool TreeSeal::isImpossible() const {
  return ::access(file_.c_str(), F_OK) != 0 && ::access(file_.parent_path().c_str(), W_OK) != 0;
}

TreeSeal::Reading TreeSeal::read(const Seal& seal) const {
  if (isImpossible()) return {lastingValidity(seal.endpoint), seal.lastRun != 0, seal.lastRun != 0};
  std::ifstream in(file_);
  std::string version;
  std::string endpoint;
  std::uint32_t validity = 0;
  std::int64_t run = 0;
  const bool whole = static_cast<bool>(in >> version >> endpoint >> validity >> run) && version == "mailbraid-1";
  if (whole && endpoint == seal.endpoint && run >= seal.lastRun && validity != 0) return {UidValidity{validity}, false};
  return {freshValidity(), seal.lastRun != 0};
}

mailstore::Error notHere(const std::filesystem::path& tree) {
  return {
      mailstore::ErrorKind::Unreachable, mailstore::Scope::Endpoint, mailstore::Retry::Later,
      tree.string() + " cannot be written, and the mark that mailbraid left in it is not there: is its disk mounted?"};
}

bool TreeSeal::write(const Seal& seal, UidValidity uidValidity, std::int64_t run) const {
  if (isImpossible()) return false;
  const std::filesystem::path fresh = file_.string() + ".new";
  ::unlink(fresh.c_str());
  atEndpoint([&] {
    mailstore::OutputFile file(fresh);
    file.write("mailbraid-1 " + seal.endpoint + " " + std::to_string(uidValidity.value()) + " " + std::to_string(run) +
               "\n");
    file.close({});
    mailstore::syncExport(file_.parent_path());
    if (::rename(fresh.c_str(), file_.c_str()) != 0) mailstore::failExport(file_, "cannot be made", errno);
  });
  return true;
}

}  // namespace mailbraid::sync::endpoint
