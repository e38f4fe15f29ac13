#include "mailstore/poco_session.h"

#include "mailstore/library/late_library.h"
#include "mailstore/types/error.h"

#include <Poco/Data/SQLite/Utility.h>
#include <Poco/Data/Session.h>
#include <Poco/Exception.h>

#include <new>

namespace mailbraid::mailstore {
namespace {

using Poco::Data::Session;

/// What is called of Poco::Data. A constructor takes the place of the object first.
struct PocoData {
  PocoData() {
    const LateLibrary library(MAILBRAID_POCO_DATA_SQLITE, "libpocodatasqlite80");
    library.find(setThreadMode, "_ZN4Poco4Data6SQLite7Utility13setThreadModeEi");
    library.find(registerConnector, "_ZN4Poco4Data6SQLite9Connector17registerConnectorEv");
    library.find(handleOf, "_ZN4Poco4Data6SQLite7Utility8dbHandleERKNS0_7SessionE");
    library.find(construct, "_ZN4Poco4Data7SessionC1ERKNSt7__cxx1112basic_stringIcSt11char_traitsIcESaIcEEES9_m");
    library.find(destroy, "_ZN4Poco4Data7SessionD1Ev");
    registerConnector();
  }
  bool (*setThreadMode)(int mode) = nullptr;
  void (*registerConnector)() = nullptr;
  sqlite3* (*handleOf)(const Session& session) = nullptr;
  void (*construct)(void* place, const std::string& connector, const std::string& uri, std::size_t timeout) = nullptr;
  void (*destroy)(Session* session) = nullptr;
};

const PocoData& pocoData() {
  static const PocoData functions;
  return functions;
}

}  // namespace

PocoSession::PocoSession(const std::string& uri, const std::string& shownAs) {
  const PocoData& data = pocoData();
  void* const place = ::operator new(sizeof(Session));
  try {
    data.construct(place, "SQLite", uri, Session::LOGIN_TIMEOUT_DEFAULT);
  } catch (const Poco::Exception& exception) {
    ::operator delete(place);
    throw Error(ErrorKind::NotWritable, Scope::Run, Retry::Never,
                "The store " + shownAs + " cannot be opened: " + exception.displayText() + ".");
  }
  session_.reset(static_cast<Session*>(place));
}

sqlite3* PocoSession::handle() const {
  return pocoData().handleOf(*session_);
}

void PocoSession::Destroy::operator()(Session* session) const {
  pocoData().destroy(session);
  ::operator delete(session);
}

}  // namespace mailbraid::mailstore
