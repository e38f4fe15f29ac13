#include "mailstore/library/late_library.h"

#include "mailstore/types/error.h"

#include <dlfcn.h>

#include <string>

namespace mailbraid::mailstore {
namespace {

[[noreturn]] void fail(const std::string& what, const std::string& advice) {
  const char* reason = dlerror();
  throw Error(ErrorKind::Internal, Scope::Run, Retry::Never,
              what + " cannot be loaded (" + (reason != nullptr ? reason : "no reason given") + "): " + advice + ".");
}

}  // namespace

LateLibrary::LateLibrary(const char* file, const char* package)
    : file_(file), package_(package), handle_(dlopen(file, RTLD_NOW | RTLD_LOCAL)) {
  if (handle_ == nullptr) fail(std::string("The library ") + file_, std::string("install the package ") + package_);
}

void* LateLibrary::address(const char* name) const {
  void* const found = dlsym(handle_, name);
  if (found == nullptr) {
    fail(std::string("The function ") + name + " of " + file_,
         "it is not the library that mailbraid was built for; build it anew, or install the package " +
             std::string(package_) + " of that system");
  }
  return found;
}

}  // namespace mailbraid::mailstore
