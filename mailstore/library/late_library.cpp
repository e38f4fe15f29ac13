#include "mailstore/library/late_library.h"

#include "mailstore/types/error.h"

#include <dlfcn.h>

#include <string>

namespace mailbraid::mailstore {
namespace {

[[noreturn]] void fail(const std::string& what, const char* package) {
  const char* reason = dlerror();
  throw Error(ErrorKind::Internal, Scope::Run, Retry::Never,
              what + " cannot be loaded (" + (reason != nullptr ? reason : "no reason given") +
                  "): install the package " + package + ".");
}

}  // namespace

LateLibrary::LateLibrary(const char* file, const char* package)
    : file_(file), package_(package), handle_(dlopen(file, RTLD_NOW | RTLD_LOCAL)) {
  if (handle_ == nullptr) fail(std::string("The library ") + file_, package_);
}

void* LateLibrary::address(const char* name) const {
  void* const found = dlsym(handle_, name);
  if (found == nullptr) fail(std::string("The function ") + name + " of " + file_, package_);
  return found;
}

}  // namespace mailbraid::mailstore
