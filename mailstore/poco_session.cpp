#include "mailstore/poco_session.h"

#include "mailstore/library/late_library.h"
#include "mailstore/types/error.h"

#include <Poco/Data/SQLite/Utility.h>
#include <Poco/Data/Session.h>
#include <Poco/Exception.h>

#include <memory>
#include <new>
#include <type_traits>

namespace mailbraid::mailstore {
namespace {

using Poco::Data::Session;

/// What is called of Poco::Data. A constructor takes the place of the object first.
struct PocoData {
  PocoData() {
    const LateLibrary library(MAILBRAID_POCO_DATA_SQLITE, "libpocodatasqlite80");
    library.find(registerConnector, "_ZN4Poco4Data6SQLite9Connector17registerConnectorEv");
    library.find(handleOf, "_ZN4Poco4Data6SQLite7Utility8dbHandleERKNS0_7SessionE");
    // Its last parameter is a std::size_t, which is one type or the other.
    constexpr bool kIsLong = std::is_same_v<std::size_t, unsigned long>;
    library.find(construct, kIsLong
                                ? "_ZN4Poco4Data7SessionC1ERKNSt7__cxx1112basic_stringIcSt11char_traitsIcESaIcEEES9_m"
                                : "_ZN4Poco4Data7SessionC1ERKNSt7__cxx1112basic_stringIcSt11char_traitsIcESaIcEEES9_j");
    library.find(destroy, "_ZN4Poco4Data7SessionD1Ev");
    registerConnector();
  }
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
  struct Free {
    void operator()(void* place) const { ::operator delete(place); }
  };
  std::unique_ptr<void, Free> place(::operator new(sizeof(Session)));
  try {
    data.construct(place.get(), "SQLite", uri, Session::LOGIN_TIMEOUT_DEFAULT);
  } catch (const Poco::Exception& exception) {
    throw Error(ErrorKind::NotWritable, Scope::Run, Retry::Never,
                "The store " + shownAs + " cannot be opened: " + exception.displayText() + ".");
  }
  session_.reset(static_cast<Session*>(place.release()));
}

sqlite3* PocoSession::handle() const {
  return pocoData().handleOf(*session_);
}

void PocoSession::Destroy::operator()(Session* session) const {
  pocoData().destroy(session);
  ::operator delete(session);
}

}  // namespace mailbraid::mailstore
