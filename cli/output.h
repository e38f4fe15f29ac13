// Standard output: results, and nothing else.
#pragma once

#include <string_view>

namespace mailbraid::cli {

/// Buffered. Throws Error (NotWritable) when standard output cannot be written; when its reader went away (`| head`)
/// the process ends as others do, by SIGPIPE.
class Output {
 public:
  void line(std::string_view text);
  void octets(std::string_view octets);
  /// Everything is out when it returns.
  void flush();

 private:
  [[noreturn]] static void fail();
};

}  // namespace mailbraid::cli
