// A shared library that is loaded when it is first needed. Binding the names of a large one takes longer than all else
// that a run without news has to do, and most runs need only some of them.
#pragma once

namespace mailbraid::mailstore {

/// Stays loaded until the program ends. Any thread.
class LateLibrary {
 public:
  /// `file` is its soname, so that it is of the version that the headers were of; `package` is what to install when it
  /// is missing. Throws Internal.
  LateLibrary(const char* file, const char* package);

  /// Sets `function` to what the library, or one that it was linked with, has under `name`: of a C++ function, the
  /// mangled one, whose parameters are part of it. Throws Internal.
  template <class Function>
  void find(Function*& function, const char* name) const {
    function = reinterpret_cast<Function*>(address(name));
  }

 private:
  [[nodiscard]] void* address(const char* name) const;

  const char* file_;
  const char* package_;
  void* handle_;
};

}  // namespace mailbraid::mailstore
