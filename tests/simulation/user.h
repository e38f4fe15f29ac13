// What people, and programs that deliver mail, do between the runs; and what befalls endpoints.
#pragma once

#include "tests/simulation/world.h"

#include <string>

namespace mailbraid::simulation {

class User {
 public:
  explicit User(World& world) : world_(world) {}

  /// One thing, at some endpoint or in the store.
  void act();
  /// A thing at this endpoint, while it is synced.
  void meddle(SimServer& server);
  /// Something that is nobody's wish: a server restored, made anew, wiped; the store lost.
  void befall();
  void deliver();
  /// So many messages into one mailbox, for the brake.
  void deliverMany();
  void removeMany();

 private:
  /// A message and where it is.
  struct Found {
    Member* member = nullptr;
    std::string mailbox;
    std::size_t at = 0;
    SimMessage& message() const { return member->server.mailboxes.at(mailbox).messages.at(at); }
    SimMailbox& box() const { return member->server.mailboxes.at(mailbox); }
  };
  Member* anyMember();
  std::string anyMailbox(const Member& member);
  std::optional<Found> anyMessage(Member& member);
  void actAt(Member& member);
  void deliverTo(Member& member, const std::string& mailbox, std::size_t content);
  /// Whether what is done here to this message shows in the store, and nothing but it.
  bool touch(const Found& found);
  void changeFlags(const Found& found);
  void remove(const Found& found);
  void move(const Found& found);
  void copy(const Found& found);
  void changeMailboxes(Member& member);
  void actInStore();
  void blurMailbox(Member& member, const std::string& mailbox);
  mailstore::Flags otherFlags(const mailstore::Flags& flags, bool keywords);

  World& world_;
  bool meddles_ = false;
};

}  // namespace mailbraid::simulation
