#include "sync/imap/encoder.h"

#include "sync/imap/internal_date.h"

#include <algorithm>
#include <array>
#include <cstddef>
#include <utility>

namespace mailbraid::sync::imap {

namespace {

constexpr std::size_t kLiteralMinusMaximum = 4096;  // RFC 7888 section 5

template <class E>
struct Word {
  E value;
  std::string_view text;
};

constexpr std::array kStatusWords = {
    Word<StatusItem>{StatusItem::Messages, "MESSAGES"},
    Word<StatusItem>{StatusItem::UidNext, "UIDNEXT"},
    Word<StatusItem>{StatusItem::UidValidity, "UIDVALIDITY"},
    Word<StatusItem>{StatusItem::Unseen, "UNSEEN"},
    Word<StatusItem>{StatusItem::Deleted, "DELETED"},
    Word<StatusItem>{StatusItem::Size, "SIZE"},
    Word<StatusItem>{StatusItem::HighestModSeq, "HIGHESTMODSEQ"},
    Word<StatusItem>{StatusItem::MailboxId, "MAILBOXID"},
    Word<StatusItem>{StatusItem::AppendLimit, "APPENDLIMIT"},
};
constexpr std::array kSelectionWords = {
    Word<ListSelection>{ListSelection::Subscribed, "SUBSCRIBED"},
    Word<ListSelection>{ListSelection::Remote, "REMOTE"},
    Word<ListSelection>{ListSelection::RecursiveMatch, "RECURSIVEMATCH"},
    Word<ListSelection>{ListSelection::SpecialUse, "SPECIAL-USE"},
};
constexpr std::array kReturnWords = {
    Word<ListReturn>{ListReturn::Subscribed, "SUBSCRIBED"},
    Word<ListReturn>{ListReturn::Children, "CHILDREN"},
    Word<ListReturn>{ListReturn::SpecialUse, "SPECIAL-USE"},
};
constexpr std::array kFetchWords = {
    Word<FetchItem>{FetchItem::Flags, "FLAGS"},
    Word<FetchItem>{FetchItem::InternalDate, "INTERNALDATE"},
    Word<FetchItem>{FetchItem::Size, "RFC822.SIZE"},
    Word<FetchItem>{FetchItem::ModSeq, "MODSEQ"},
    Word<FetchItem>{FetchItem::EmailId, "EMAILID"},
    Word<FetchItem>{FetchItem::ThreadId, "THREADID"},
    Word<FetchItem>{FetchItem::GmailMessageId, "X-GM-MSGID"},
    Word<FetchItem>{FetchItem::GmailLabels, "X-GM-LABELS"},
    Word<FetchItem>{FetchItem::HeaderPeek, "BODY.PEEK[HEADER]"},
    Word<FetchItem>{FetchItem::BodyPeek, "BODY.PEEK[]"},
};
constexpr std::array kSearchWords = {
    Word<SearchReturn>{SearchReturn::All, "ALL"},
    Word<SearchReturn>{SearchReturn::Min, "MIN"},
    Word<SearchReturn>{SearchReturn::Max, "MAX"},
    Word<SearchReturn>{SearchReturn::Count, "COUNT"},
};

bool isPlainAtomOctet(char octet) {
  static constexpr std::string_view kPunctuation = "-_./@&+,:=";
  return (octet >= 'a' && octet <= 'z') || (octet >= 'A' && octet <= 'Z') || (octet >= '0' && octet <= '9') ||
         kPunctuation.find(octet) != std::string_view::npos;
}

std::string_view specialUseOf(mailstore::Role role) {
  using mailstore::Role;
  switch (role) {
    case Role::Sent:
      return "\\Sent";
    case Role::Drafts:
      return "\\Drafts";
    case Role::Trash:
      return "\\Trash";
    case Role::Junk:
      return "\\Junk";
    case Role::Archive:
      return "\\Archive";
    default:
      return {};  // a view cannot be made, INBOX is always there
  }
}

class Writer {
 public:
  Writer(std::string_view tag, const EncodeContext& context) : context_(context) {
    pieces_.emplace_back();
    // Reserved at once, so that no reallocation leaves a copy of a secret behind.
    pieces_.back().reserve(512);
    raw(tag);
  }
  ~Writer() {
    for (std::string& piece : pieces_) wipe(piece);
  }
  Writer(const Writer&) = delete;
  Writer& operator=(const Writer&) = delete;

  void raw(std::string_view text) { pieces_.back().append(text); }
  void number(std::uint64_t value) { raw(std::to_string(value)); }
  void refuse(std::string_view problem) {
    if (problem_.empty()) problem_ = problem;
  }

  /// Makes room for `size` more octets without leaving the old ones readable.
  void reserve(std::size_t size) {
    std::string& piece = pieces_.back();
    if (piece.capacity() - piece.size() >= size) return;
    std::string larger;
    larger.reserve(piece.size() + size);
    larger = piece;
    wipe(piece);
    piece.swap(larger);
  }

  /// A space and the text as atom, quoted string or literal, the first that can hold it.
  void astring(std::string_view text) {
    raw(" ");
    if (!text.empty() && std::all_of(text.begin(), text.end(), isPlainAtomOctet) && !isNil(text)) return append(text);
    string(text);
  }
  /// Quoted or literal: also where an atom would mean something else.
  void string(std::string_view text) {
    for (const char octet : text) {
      if (octet == '\0' || octet == '\r' || octet == '\n') return refuse("an argument has a CR, LF or NUL in it");
    }
    if (isQuotable(text)) return quoted(text);
    literal(text);
  }

  template <class E, std::size_t Size>
  void words(const std::array<Word<E>, Size>& table, EnumSet<E> set) {
    std::string_view separator;
    for (const Word<E>& word : table) {
      if (!set.has(word.value)) continue;
      raw(separator);
      raw(word.text);
      separator = " ";
    }
  }

  void uids(const UidRange& range) {
    if (const auto* from = std::get_if<UidsFrom>(&range)) {
      if (from->first.value() == 0) return refuse("0 is no UID");
      number(from->first.value());
      return raw(":*");
    }
    const auto& set = std::get<mailstore::UidSet>(range);
    if (set.empty()) return refuse("the set of UIDs is empty");
    raw(set.text());
  }

  [[nodiscard]] const EncodeContext& context() const { return context_; }

  EncodedCommand finish() {
    EncodedCommand out;
    out.problem = problem_;
    if (!problem_.empty()) return out;
    raw("\r\n");
    out.pieces = std::move(pieces_);
    out.owed = std::move(owed_);
    pieces_.clear();
    return out;
  }

  /// Announces a literal whose octets are supplied later, or writes them.
  void message(const AppendMessage& message) {
    const bool waits = mustWait(message.size);
    raw(message.literal == LiteralKind::Binary ? "~{" : "{");
    number(message.size);
    raw(waits ? "}\r\n" : "+}\r\n");
    if (!message.octets) {
      owed_.push_back({pieces_.size() - 1, message.size, waits ? LiteralMode::Synchronising : LiteralMode::Plus});
      pieces_.emplace_back();
      return;
    }
    if (waits) pieces_.emplace_back();
    raw(*message.octets);  // no secret: it may leave copies behind
  }

 private:
  [[nodiscard]] bool mustWait(std::uint64_t size) const {
    return context_.literals == LiteralMode::Synchronising ||
           (context_.literals == LiteralMode::Minus && size > kLiteralMinusMaximum);
  }
  static bool isNil(std::string_view text) {
    return text.size() == 3 && (text[0] | 0x20) == 'n' && (text[1] | 0x20) == 'i' && (text[2] | 0x20) == 'l';
  }
  void append(std::string_view text) {
    reserve(text.size() + 2);
    raw(text);
  }
  [[nodiscard]] bool isQuotable(std::string_view text) const {
    return std::all_of(text.begin(), text.end(), [this](char octet) {
      const auto value = static_cast<unsigned char>(octet);
      return value >= 0x20 && (value < 0x7F || (value >= 0x80 && context_.utf8 == Utf8Quoting::Allowed));
    });
  }
  void quoted(std::string_view text) {
    reserve(2 * text.size() + 4);
    raw("\"");
    for (const char octet : text) {
      if (octet == '"' || octet == '\\') raw("\\");
      pieces_.back().push_back(octet);
    }
    raw("\"");
  }
  void literal(std::string_view text) {
    const bool waits = mustWait(text.size());
    raw("{");
    number(text.size());
    raw(waits ? "}\r\n" : "+}\r\n");
    if (waits) pieces_.emplace_back();
    reserve(text.size() + 64);
    raw(text);
  }

  EncodeContext context_;
  std::vector<std::string> pieces_;
  std::vector<EncodedCommand::Owed> owed_;
  std::string_view problem_;
};

struct WriteCommand {
  Writer& out;

  void operator()(const Capability&) const { out.raw(" CAPABILITY"); }
  void operator()(const Noop&) const { out.raw(" NOOP"); }
  void operator()(const Logout&) const { out.raw(" LOGOUT"); }
  void operator()(const StartTls&) const { out.raw(" STARTTLS"); }
  void operator()(const Compress&) const { out.raw(" COMPRESS DEFLATE"); }
  void operator()(const Namespace&) const { out.raw(" NAMESPACE"); }
  void operator()(const Unselect&) const { out.raw(" UNSELECT"); }
  void operator()(const Close&) const { out.raw(" CLOSE"); }

  void operator()(const Login& login) const {
    out.raw(" LOGIN");
    out.astring(login.user);
    out.astring(login.password.reveal());
  }

  void operator()(const Authenticate& authenticate) const {
    out.raw(" AUTHENTICATE ");
    word(authenticate.mechanism);
    if (!authenticate.initialResponse || out.context().initialResponse == InitialResponse::Later) return;
    const std::string_view response = authenticate.initialResponse->reveal();
    if (response.find_first_of(std::string_view("\r\n\0", 3)) != std::string_view::npos) {
      return out.refuse("the initial response is not base64");
    }
    out.raw(" ");
    out.reserve(response.size() + 4);
    out.raw(response.empty() ? "=" : response);
  }

  void operator()(const Id& id) const {
    out.raw(" ID ");
    if (id.fields.empty()) return out.raw("NIL");
    std::string_view separator = "(";
    for (const auto& [name, value] : id.fields) {
      out.raw(separator);
      out.string(name);
      out.raw(" ");
      out.string(value);
      separator = " ";
    }
    out.raw(")");
  }

  void operator()(const Enable& enable) const {
    out.raw(" ENABLE");
    if (enable.capabilities.empty()) out.refuse("there is nothing to enable");
    for (const std::string& name : enable.capabilities) {
      out.raw(" ");
      word(name);
    }
  }

  void operator()(const List& list) const {
    out.raw(" LIST");
    if (list.patterns.empty()) out.refuse("LIST has no pattern");
    if (!list.select.empty()) {
      out.raw(" (");
      out.words(kSelectionWords, list.select);
      out.raw(")");
    }
    out.raw(" ");
    out.string(list.reference);
    patterns(list.patterns);
    if (list.returns.empty() && list.status.empty()) return;
    out.raw(" RETURN (");
    out.words(kReturnWords, list.returns);
    if (!list.status.empty()) {
      out.raw(list.returns.empty() ? "STATUS (" : " STATUS (");
      out.words(kStatusWords, list.status);
      out.raw(")");
    }
    out.raw(")");
  }

  void operator()(const Lsub& lsub) const {
    out.raw(" LSUB ");
    out.string(lsub.reference);
    patterns({lsub.pattern});
  }

  void operator()(const Status& status) const {
    out.raw(" STATUS");
    out.astring(status.mailbox);
    if (status.items.empty()) out.refuse("STATUS asks for nothing");
    out.raw(" (");
    out.words(kStatusWords, status.items);
    out.raw(")");
  }

  void operator()(const Select& select) const {
    out.raw(select.mode == SelectMode::ReadOnly ? " EXAMINE" : " SELECT");
    out.astring(select.mailbox);
    if (!select.qresync) {
      if (select.extension == SelectExtension::Condstore) out.raw(" (CONDSTORE)");
      return;
    }
    const Qresync& known = *select.qresync;
    // RFC 7162 section 7: both are at least 1.
    if (known.uidValidity.value() == 0 || known.modSeq.value() == 0) return out.refuse("QRESYNC knows nothing");
    out.raw(" (QRESYNC (");
    out.number(known.uidValidity.value());
    out.raw(" ");
    out.number(known.modSeq.value());
    if (!known.knownUids.empty()) {
      out.raw(" ");
      out.raw(known.knownUids.text());
    }
    out.raw("))");
  }

  void operator()(const UidFetch& fetch) const {
    out.raw(" UID FETCH ");
    out.uids(fetch.uids);
    // UID comes with UID FETCH anyway; some servers want to be asked.
    out.raw(fetch.items.empty() ? " (UID" : " (UID ");
    out.words(kFetchWords, fetch.items);
    out.raw(")");
    const bool vanished = fetch.vanished == VanishedMode::Vanished;
    if (!fetch.changedSince) {
      if (vanished) out.refuse("VANISHED needs CHANGEDSINCE");
      return;
    }
    out.raw(" (CHANGEDSINCE ");
    out.number(fetch.changedSince->value());
    out.raw(vanished ? " VANISHED)" : ")");
  }

  void operator()(const UidSearch& search) const {
    out.raw(" UID SEARCH");
    if (!search.returns.empty()) {
      out.raw(" RETURN (");
      out.words(kSearchWords, search.returns);
      out.raw(")");
    }
    if (!search.uids) return out.raw(" ALL");
    out.raw(" UID ");
    out.uids(*search.uids);
  }

  void operator()(const UidStore& store) const {
    out.raw(" UID STORE ");
    out.uids(store.uids);
    if (store.unchangedSince) {
      out.raw(" (UNCHANGEDSINCE ");
      out.number(store.unchangedSince->value());
      out.raw(")");
    }
    out.raw(store.mode == StoreMode::Add ? " +FLAGS" : " -FLAGS");
    out.raw(store.answer == StoreAnswer::Silent ? ".SILENT " : " ");
    if (store.flags.empty()) out.refuse("STORE has no flag");
    flags(store.flags);
  }

  void operator()(const UidCopy& copy) const {
    out.raw(" UID COPY ");
    out.uids(copy.uids);
    out.astring(copy.mailbox);
  }
  void operator()(const UidMove& move) const {
    out.raw(" UID MOVE ");
    out.uids(move.uids);
    out.astring(move.mailbox);
  }
  void operator()(const UidExpunge& expunge) const {
    out.raw(" UID EXPUNGE ");
    out.uids(expunge.uids);
  }

  void operator()(const Append& append) const {
    out.raw(" APPEND");
    out.astring(append.mailbox);
    if (append.messages.empty()) out.refuse("APPEND has no message");
    std::size_t octets = 0;
    for (const AppendMessage& message : append.messages) octets += 128 + (message.octets ? message.octets->size() : 0);
    out.reserve(octets);
    for (const AppendMessage& message : append.messages) {
      if (message.octets && message.octets->size() != message.size)
        out.refuse("a message has another size than it says");
      out.raw(" ");
      flags(message.flags);
      out.raw(" \"");
      out.raw(dateTime(message.date));
      out.raw("\" ");
      out.message(message);
    }
  }

  void operator()(const Create& create) const {
    out.raw(" CREATE");
    out.astring(create.mailbox);
    const std::string_view use = specialUseOf(create.role);
    if (use.empty()) return;
    out.raw(" (USE (");
    out.raw(use);
    out.raw("))");
  }
  void operator()(const Rename& rename) const {
    out.raw(" RENAME");
    out.astring(rename.from);
    out.astring(rename.to);
  }
  void operator()(const Delete& remove) const {
    out.raw(" DELETE");
    out.astring(remove.mailbox);
  }
  void operator()(const Subscribe& subscribe) const {
    out.raw(" SUBSCRIBE");
    out.astring(subscribe.mailbox);
  }
  void operator()(const Unsubscribe& unsubscribe) const {
    out.raw(" UNSUBSCRIBE");
    out.astring(unsubscribe.mailbox);
  }

 private:
  /// A keyword is an atom (RFC 9051 section 9); one that is none is left out: no server has it.
  static bool isKeyword(std::string_view name) {
    constexpr std::string_view kSpecials = "(){ %*\"\\]";
    return !name.empty() && std::all_of(name.begin(), name.end(), [&](char c) {
      return c > 0x20 && c < 0x7F && kSpecials.find(c) == std::string_view::npos;
    });
  }
  void flags(const mailstore::Flags& flags) const {
    std::string_view separator = "(";
    for (const std::string& name : flags.names()) {
      if (name.front() != '\\' && !isKeyword(name)) continue;
      out.raw(separator);
      out.raw(name);
      separator = " ";
    }
    out.raw(separator == "(" ? "()" : ")");
  }

  void word(std::string_view text) const {
    const bool plain = std::all_of(text.begin(), text.end(), isPlainAtomOctet);
    if (text.empty() || !plain) return out.refuse("a word of a command is no atom");
    out.raw(text);
  }

  void patterns(const std::vector<std::string>& patterns) const {
    const bool several = patterns.size() > 1;
    std::string_view separator = several ? " (" : " ";
    for (const std::string& pattern : patterns) {
      out.raw(separator);
      out.string(pattern);
      separator = " ";
    }
    if (several) out.raw(")");
  }
};

std::string redactedText(std::string_view tag, const Command& command) {
  if (std::holds_alternative<Login>(command)) return std::string(tag) + " LOGIN <redacted>\r\n";
  if (const auto* authenticate = std::get_if<Authenticate>(&command)) {
    return std::string(tag) + " AUTHENTICATE " + authenticate->mechanism + " <redacted>\r\n";
  }
  return {};
}

}  // namespace

EncodedCommand encode(std::string_view tag, const Command& command, const EncodeContext& context) {
  Writer writer(tag, context);
  std::visit(WriteCommand{writer}, command);
  EncodedCommand out = writer.finish();
  out.redacted = redactedText(tag, command);
  return out;
}

}  // namespace mailbraid::sync::imap
