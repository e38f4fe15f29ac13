// Writing messages as mbox: the export's and the mbox endpoint's one writer.
#pragma once

#include "mailstore/formats/mbox_format.h"

#include <cstdint>
#include <functional>
#include <string>
#include <string_view>

namespace mailbraid::mailstore {

/// Looks at a message before it is written, so that it can be read back octet for octet: fed in pieces.
class MboxSurvey {
 public:
  void append(std::string_view octets);
  /// A CR or LF stands alone: its line ends are not to be changed.
  [[nodiscard]] bool isAsItIs() const { return lone_ || carriageReturn_; }
  /// Its last line has no line end.
  [[nodiscard]] bool isOpenEnd() const { return any_ && last_ != '\n'; }

 private:
  bool lone_ = false;
  bool carriageReturn_ = false;
  bool any_ = false;
  char last_ = 0;
};

/// Writes one message after another: begin(), octets() any number of times, end(). A message of which every line ends
/// in CRLF is written with LF; the last line is always ended, and an empty line follows. Throws only what the sink
/// does.
class MboxWriter {
 public:
  using Sink = std::function<void(std::string_view)>;
  MboxWriter(MboxQuoting quoting, Sink sink) : quoting_(quoting), sink_(std::move(sink)) {}

  struct Form {
    std::string from;  ///< the From field
    InternalDate date;
    bool asItIs = false;   ///< MboxSurvey: the line ends stay
    bool openEnd = false;  ///< MboxSurvey: marked in the postmark
    std::string status;    ///< mboxStatusLines(), or nothing
  };
  void begin(const Form& form);
  void octets(std::string_view octets);
  void end();

 private:
  void put(char c);
  void flushLineStart();
  void flush();

  const MboxQuoting quoting_;
  const Sink sink_;
  std::string buffer_;
  bool asItIs_ = false;
  // The beginning of a line, held back while it may still become `>>From `: so many `>`, then so much of "From ".
  bool atLineStart_ = true;
  std::size_t quotes_ = 0;
  std::size_t matched_ = 0;
  bool carriageReturn_ = false;
  bool lineOpen_ = false;
};

}  // namespace mailbraid::mailstore
