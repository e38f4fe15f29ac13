// A session of Poco::Data, whose libraries are loaded when the first one is opened: only to make a store and to bring
// one up to date (mailstore's own).
#pragma once

#include <memory>
#include <string>

struct sqlite3;
namespace Poco::Data {
class Session;
}

namespace mailbraid::mailstore {

/// One connection, for one thread at a time.
class PocoSession {
 public:
  /// Opens what SQLite's URI `uri` names. Throws NotWritable when it cannot be opened, Internal when a library is
  /// missing.
  PocoSession(const std::string& uri, const std::string& shownAs);

  [[nodiscard]] sqlite3* handle() const;

 private:
  struct Destroy {
    void operator()(Poco::Data::Session* session) const;
  };
  std::unique_ptr<Poco::Data::Session, Destroy> session_;
};

}  // namespace mailbraid::mailstore
