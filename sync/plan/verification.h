// Compares, message by message and as multisets, what an endpoint shall hold with what it holds. Pure.
#pragma once

#include "mailstore/message_form.h"
#include "mailstore/records.h"

#include <cstddef>
#include <cstdint>
#include <map>
#include <memory>
#include <optional>
#include <string>
#include <vector>

namespace mailbraid::sync::plan {

/// A message that the store knows of one mailbox of the endpoint.
struct ExpectedMessage {
  enum class Standing : std::uint8_t {
    Required,  ///< it shall be there; `reason`: why it may not be there yet, as a clause, or empty
    Refused,   ///< the endpoint would not take it, as `reason` says
    LeftOut,   ///< the configuration does not carry it there
    Removed,   ///< removed in the store; `reason`: why it may still be there, empty where the configuration leaves it
  };
  mailstore::EntryId entry;
  std::optional<mailstore::RemoteKey> key;  ///< of its pair
  mailstore::Digest digest;
  mailstore::HeaderDigest header;
  mailstore::ContentKey content;
  std::uint64_t size = 0;
  std::uint64_t likeness = 0;  ///< see likenessOf()
  mailstore::Flags flags;
  mailstore::InternalDate date;
  bool wasUploaded = false;                   ///< as `key`, by mailbraid: then its date there is to be the entry's
  std::string repairs;                        ///< with which mailbraid has uploaded it, as the user allows; empty: none
  std::vector<mailstore::MessageForm> forms;  ///< that repairs give it
  Standing standing = Standing::Required;
  std::string reason;
};

/// What only a message's body tells.
struct BodyNames {
  mailstore::Digest digest;
  mailstore::ContentKey content;
};

/// A message that the endpoint has.
struct FoundMessage {
  enum class Excuse : std::uint8_t {
    None,
    Refused,  ///< the store could not take it in, as `reason` says
    LeftOut,  ///< the configuration does not take it
  };
  mailstore::RemoteKey key;
  std::optional<mailstore::HeaderDigest> header;
  bool hasMessageId = false;
  std::uint64_t size = 0;  ///< 0: not known
  std::uint64_t likeness = 0;
  std::optional<BodyNames> body;  ///< when it was read
  std::string unreadable;         ///< not empty: the endpoint does not give it, and why
  std::optional<mailstore::Flags> flags;
  std::optional<mailstore::InternalDate> date;
  Excuse excuse = Excuse::None;
  std::string reason;  ///< of the excuse; of a message that is not in the store, a guess why, as a clause, or empty
  std::shared_ptr<const mailstore::HeaderIndex> index;  ///< none: not known yet
};

/// Equal for messages that may be the same one: by Message-ID, else by date, sender and subject. 0: nothing to go by.
std::uint64_t likenessOf(const mailstore::HeaderIndex& index);

struct Finding {
  enum class Kind : std::uint8_t {
    // Differences.
    Missing,
    Altered,
    Misplaced,  ///< what belongs into `mailbox` is in `foundIn`
    Extra,
    // Known, with its reason: not there, or not in the store.
    Refused,
    // Remarks.
    AnotherRoute,  ///< the same message as another route brought it: fields that transport adds differ
    Repaired,      ///< it differs by repairs that the user allows
    FlagsDiffer,
    DateDiffers,
  };
  Kind kind = Kind::Missing;
  std::size_t mailbox = 0;
  std::optional<std::size_t> foundIn;
  std::optional<mailstore::EntryId> entry;
  std::optional<mailstore::RemoteKey> key;
  std::uint64_t size = 0;
  mailstore::InternalDate date;
  std::optional<mailstore::InternalDate> dateThere;  ///< where it is another one
  std::string reason;
  mailstore::HeaderIndex index;  ///< as found there; empty where only the store has it
};

constexpr bool isDifference(Finding::Kind kind) {
  return kind < Finding::Kind::Refused;
}

/// `expected` = ok + missing + altered + misplaced + refused from the store.
struct Tally {
  std::uint64_t expected = 0;
  std::uint64_t ok = 0;
  std::uint64_t missing = 0;
  std::uint64_t altered = 0;
  std::uint64_t misplaced = 0;
  std::uint64_t extra = 0;
  std::uint64_t refused = 0;
  std::uint64_t leftOut = 0;  ///< by the configuration, on either side
  std::uint64_t octetsExpected = 0;
  std::uint64_t octetsOk = 0;
  [[nodiscard]] std::uint64_t differences() const { return missing + altered + misplaced + extra; }
};

/// One endpoint. First compare() each mailbox; then describe() what undescribed() names; then read the bodies that
/// bodiesWanted() names and tell them; then settle(). Of what matched nothing is kept but tallies and digests.
class Verification {
 public:
  /// Mailboxes are the caller's numbers, each at most once.
  void compare(std::size_t mailbox, std::vector<ExpectedMessage> expected, std::vector<FoundMessage> found);

  struct Place {
    std::size_t mailbox = 0;
    mailstore::RemoteKey key;
    friend auto operator<=>(const Place&, const Place&) = default;
  };
  /// Messages that nothing matched, and of which it is not known what their headers say. By mailbox, as is the next.
  [[nodiscard]] std::vector<Place> undescribed() const;
  void describe(const Place& place, mailstore::HeaderIndex index);
  /// Messages that nothing matched and that may be one that was not found: only their bodies tell.
  [[nodiscard]] std::vector<Place> bodiesWanted() const;
  struct Body {
    BodyNames names;
    mailstore::HeaderDigest header;
    std::uint64_t size = 0;
    mailstore::HeaderIndex index;
  };
  void tellBody(const Place& place, Body body);
  void tellUnreadable(const Place& place, std::string reason);

  void settle();

  [[nodiscard]] const std::vector<Finding>& findings() const { return findings_; }
  [[nodiscard]] const std::map<std::size_t, Tally>& mailboxes() const { return mailboxes_; }
  [[nodiscard]] const std::map<int, Tally>& years() const { return years_; }  ///< 0: no date
  [[nodiscard]] const Tally& totals() const { return totals_; }
  [[nodiscard]] const std::vector<mailstore::Digest>& expectedDigests() const { return expectedDigests_; }
  /// Of what is as it should be: a subset.
  [[nodiscard]] const std::vector<mailstore::Digest>& okDigests() const { return okDigests_; }

 private:
  using Standing = ExpectedMessage::Standing;
  struct LeftExpected {
    std::size_t mailbox = 0;
    ExpectedMessage message;
    bool done = false;
  };
  struct LeftFound {
    std::size_t mailbox = 0;
    FoundMessage message;
    bool done = false;
  };
  enum class Reach : std::uint8_t { SameMailbox, OtherMailbox };

  /// Pairs up what is left by equal keys and hands each two to `meet`.
  template <class KeyOfExpected, class KeyOfFound, class Meet>
  void pairUp(Reach reach, const KeyOfExpected& keyOfExpected, const KeyOfFound& keyOfFound, const Meet& meet);
  template <class Change>
  void count(std::size_t mailbox, const mailstore::InternalDate& date, const Change& change);
  void expect(std::size_t mailbox, const ExpectedMessage& message);
  void same(std::size_t mailbox, const ExpectedMessage& expected, const FoundMessage& found);
  LeftFound* foundAt(const Place& place);
  bool stillThere(std::size_t mailbox, const ExpectedMessage& expected, const FoundMessage& found);
  void remark(std::size_t mailbox, const ExpectedMessage& expected, const FoundMessage& found);
  void anotherRoute(const LeftExpected& expected, const LeftFound& found);
  void misplaced(const LeftExpected& expected, const LeftFound& found);
  void altered(const LeftExpected& expected, const LeftFound& found);
  void repaired(const LeftExpected& expected, const LeftFound& found);
  void absent(const LeftExpected& expected);
  void surplus(const LeftFound& found);
  Finding& add(Finding::Kind kind, std::size_t mailbox, const ExpectedMessage& expected);

  std::vector<LeftExpected> expected_;
  std::vector<LeftFound> found_;
  std::map<Place, std::size_t> foundAt_;
  std::vector<Finding> findings_;
  std::map<std::size_t, Tally> mailboxes_;
  std::map<int, Tally> years_;
  Tally totals_;
  std::vector<mailstore::Digest> expectedDigests_;
  std::vector<mailstore::Digest> okDigests_;
};

}  // namespace mailbraid::sync::plan
