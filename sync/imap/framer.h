// Cuts what arrives into lines and literal chunks. Internal to sync/imap.
#pragma once

#include <cstddef>
#include <cstdint>
#include <optional>
#include <string>
#include <string_view>

namespace mailbraid::sync::imap {

/// `{5}`, `{5+}` or `~{5}` at the end of a line.
struct LiteralAnnouncement {
  std::size_t lineLength = 0;  ///< of the line without the announcement
  std::uint64_t size = 0;
  bool overflows = false;  ///< the number is none that 64 bits hold
};
std::optional<LiteralAnnouncement> announcedLiteral(std::string_view line);

/// Never copies a literal's octets, nor a line that lies in one block. What a line means, and so whether a literal
/// follows, its user says. Views are valid until the next call.
class Framer {
 public:
  enum class FrameKind : std::uint8_t { NeedMore, Line /* without its CRLF */, LiteralChunk, LineTooLong };
  struct Frame {
    FrameKind kind = FrameKind::NeedMore;
    std::string_view octets;
  };

  /// Input is viewed, not copied, unless some is left unread from before.
  void receive(std::string_view octets);
  Frame next(std::size_t maximumLine);
  /// The next `size` octets are a literal.
  void expectLiteral(std::uint64_t size) { literalLeft_ = size; }
  [[nodiscard]] std::uint64_t literalLeft() const { return literalLeft_; }

  /// Octets that came before those of the last frame.
  [[nodiscard]] std::uint64_t frameOffset() const { return frameOffset_; }
  [[nodiscard]] bool hasInput() const { return !input_.empty() || (!carry_.empty() && !carryIsDone_); }
  /// Gives away what is unread and starts anew at offset 0.
  std::string takeInput();

 private:
  Frame nextLine(std::size_t maximumLine);

  std::string_view input_;
  std::string own_;           // behind input_ when a block came before the last one was read
  std::string carry_;         // the beginning of a line whose end has not come
  bool carryIsDone_ = false;  // carry_ was given out and is to be emptied
  std::uint64_t literalLeft_ = 0;
  std::uint64_t offset_ = 0;  // of input_
  std::uint64_t frameOffset_ = 0;
};

}  // namespace mailbraid::sync::imap
