"""Flags, moves and removals for servers that keep less than they say, or lie about what they did."""

from odd_home import breaks_for_good, home, octets, refuse
from scripted_imap import Message, No

EVERYWHERE = {"near": ["Work"], "far": ["Work"]}


def check_no_new_keywords(program):
    """1: a keyword that the server cannot keep stays in the Maildir; the other flags travel."""
    with home(program) as (at, far):
        far.permanent.remove("\\*")
        far.permanent.append("Known")
        at.keyword("m1", "Todo")
        at.flag("m2", "S")
        at.add("n1")
        at.keyword("n1", "Todo")
        at.sync()
        assert at.sent["far"] == ["UID STORE 2 +FLAGS (\\Seen) in INBOX", "APPEND INBOX n1"], at.sent
        at.settled()
        at.flag("m1", "Sa")
        at.sync()
        assert at.sent["far"] == ["UID STORE 1 +FLAGS (\\Seen) in INBOX"], at.sent
        far.mailboxes["INBOX"].messages[1].flags.add("\\Flagged")
        at.sync()
        at.settled()
        assert at.maildir()["INBOX"] == {"m1": {"Todo", "S", "F"}, "m2": {"S"}, "m3": set(), "n1": {"Todo"}}, at.maildir()
        wanted = {"m1": {"\\Seen", "\\Flagged"}, "m2": {"\\Seen"}, "m3": set(), "n1": set()}
        assert at.server("far")["INBOX"] == wanted, at.held()
        at.keyword("w1", "Known", "Work")
        at.move("m1", "Work")
        at.sync()
        at.settled()
        assert at.server("far")["Work"]["w1"] == {"Known"}, "a keyword that the server has travels"
        assert at.maildir()["Work"]["w1"] == {"Known"}, at.held()


def check_dropped_flags(program):
    """2: a server that says nothing and forgets a flag is not told of it in every run."""
    with home(program) as (at, far):
        far.dropped = {"*", "\\Answered"}
        at.keyword("m1", "Todo")
        at.flag("m2", "RS")
        at.add("n1")
        at.flag("n1", "FR")
        at.sync()
        assert len(at.sent["far"]) == 3, at.sent
        at.settled()
        assert at.maildir()["INBOX"] == {"m1": {"Todo"}, "m2": {"R", "S"}, "m3": set(), "n1": {"F", "R"}}, at.maildir()
        wanted = {"m1": set(), "m2": {"\\Seen"}, "m3": set(), "n1": {"\\Flagged"}}
        assert at.server("far")["INBOX"] == wanted, at.held()


def check_no_deleted(program):
    """3: where nothing can be marked as deleted nothing is removed, and a message that cannot be moved is not copied."""
    for abilities in ("LITERAL+ UIDPLUS MOVE", "LITERAL+ UIDPLUS", ""):
        with home(program, abilities) as (at, far):
            far.permanent.remove("\\Deleted")
            at.remove("m1")
            at.move("m2", "Work")
            sentence = "remove nothing there"
            said = at.sync(75)
            assert "removed there" not in said and said.count(sentence) == 1, said
            moves = "MOVE" in abilities
            assert at.sent["far"] == (["UID MOVE 2 Work in INBOX"] if moves else []), at.sent
            at.settled(75, sentence)
            assert at.where("m1") == {"near": [], "far": ["INBOX"]}, at.where("m1")
            assert at.where("m2") == {"near": ["Work"], "far": ["Work" if moves else "INBOX"]}, at.where("m2")
            far.permanent.append("\\Deleted")
            said = at.sync()
            assert "1 removed there" in said and ("1 moved there" in said) != moves, said
            at.settled()
            at.empty_of_deleted("far")
            assert at.where("m1") == {"near": [], "far": []}, at.held()
            assert at.where("m2") == EVERYWHERE, at.held()


def stays(program, abilities, spoil, mend, sentence):
    """What a server does not remove is not told as removed, tried once a run, and a message to be moved is copied once."""
    with home(program, abilities) as (at, far):
        at.remove("m1")
        spoil(far)
        said = at.sync(75)
        assert "removed there" not in said and said.count(sentence) == 1, said
        at.repeats(75, sentence)
        assert at.where("m1") == {"near": [], "far": ["INBOX"]}, at.held()
        at.move("m2", "Work")
        said = at.sync(75)
        assert sum("COPY" in line for line in at.sent["far"]) == 1 and "moved there" not in said, (at.sent, said)
        said = at.sync(75)
        assert said.count(sentence.split(" 1 ")[0]) == 1 and not any("COPY" in line for line in at.sent["far"]), at.sent
        at.repeats(75, sentence.split(" 1 ")[0])
        assert at.where("m2") == {"near": ["Work"], "far": ["INBOX", "Work"]}, at.held()
        mend(far)
        assert "2 removed there" in at.sync()
        at.settled()
        at.empty_of_deleted("far")
        assert at.where("m1") == {"near": [], "far": []}, at.held()
        assert at.where("m2") == EVERYWHERE, at.held()


def check_refused_mark(program):
    """4: UID EXPUNGE says OK after a STORE that was refused."""
    for abilities in ("LITERAL+ UIDPLUS", ""):
        stays(
            program,
            abilities,
            lambda far: far.hooks.update({"UID STORE": refuse("[NOPERM] you have no t right")}),
            lambda far: far.hooks.clear(),
            "you have no t right",
        )


def check_expunge_without_effect(program):
    """5: UID EXPUNGE says OK and the message stays; or it cannot even be marked, which nothing says."""
    sentence = "agreed to remove 1 message, and still has it"
    stays(
        program,
        "LITERAL+ UIDPLUS",
        lambda far: setattr(far, "expunges", False),
        lambda far: setattr(far, "expunges", True),
        sentence,
    )
    for abilities in ("LITERAL+ UIDPLUS", ""):
        stays(program, abilities, lambda far: far.dropped.add("\\Deleted"), lambda far: far.dropped.clear(), sentence)


def check_false_uids(program):
    """6: COPYUID or APPENDUID names a UID that another message has, one that none has, or those of another mailbox."""
    lies = (
        lambda validity, *uids: (validity, *uids[:-1], [1] * len(uids[-1])),
        lambda validity, *uids: (validity, *uids[:-1], [uid + 70 for uid in uids[-1]]),
        lambda validity, *uids: (validity + 50, *uids),
    )
    for abilities in ("LITERAL+ UIDPLUS MOVE", "LITERAL+ UIDPLUS"):
        for lie in lies:
            with home(program, abilities) as (at, far):
                far.copyuid = far.appenduid = lie
                at.move("m1", "Work")
                at.add("n1", "Work")
                at.add("n2")
                at.sync()
                at.sync()
                at.settled()
                for subject in ("m1", "w1", "n1"):
                    assert at.where(subject) == EVERYWHERE, at.held()
                assert at.where("n2") == {"near": ["INBOX"], "far": ["INBOX"]}, at.held()


def check_vanished_before_move(program):
    """7: another client expunges a message before it is moved; without UIDPLUS nothing tells. It is put back."""
    for abilities in ("LITERAL+ UIDPLUS MOVE", "LITERAL+ MOVE", "LITERAL+ UIDPLUS", ""):
        with home(program, abilities) as (at, far):
            at.move("m1", "Work")
            at.move("m2", "Work")
            command = "UID MOVE" if "MOVE" in abilities else "UID COPY"
            far.once(command, lambda *_, far=far: far.mailboxes["INBOX"].expunge("m1"))
            at.sync()
            at.sync()
            at.settled()
            at.empty_of_deleted("far")
            assert at.where("m1") == at.where("m2") == EVERYWHERE, at.held()


def check_half_a_move(program):
    """UID MOVE moves the first message and refuses the second: each is in one place, at last in the right one."""
    for abilities in ("LITERAL+ UIDPLUS MOVE", "LITERAL+ MOVE"):
        with home(program, abilities) as (at, far):

            def half(*_, far=far):
                far.mailboxes["Work"].add(far.mailboxes["INBOX"].messages.pop(1))
                raise No("only some")

            far.once("UID MOVE", half)
            at.move("m1", "Work")
            at.move("m2", "Work")
            at.sync(75)
            assert at.where("m1") == EVERYWHERE and at.where("m2")["far"] == ["INBOX"], at.held()
            at.sync()
            assert at.sent["far"] == ["UID MOVE 2 Work in INBOX"], at.sent
            at.settled()
            assert at.where("m2") == EVERYWHERE, at.held()


def check_move_in_parts(program):
    """A large move that the server tells of in several COPYUIDs is known in full: nothing is read again to find it."""
    with home(program, "LITERAL+ UIDPLUS MOVE") as (at, far):
        far.moves_in_parts = True
        for subject in ("m1", "m2", "m3"):
            at.move(subject, "Work")
        assert "3 moved there" in at.sync()
        assert not any("HEADER" in line for line in far.transcript), far.transcript
        at.settled()
        for subject in ("m1", "m2", "m3"):
            assert at.where(subject) == EVERYWHERE, at.held()


def check_trash_without_copyuid(program):
    """8: what was moved to the server's trash is no new mail of anybody's trash or inbox, and comes back from there."""
    for abilities in ("LITERAL+ MOVE SPECIAL-USE", "SPECIAL-USE"):
        with home(program, abilities) as (at, far):
            trash, inbox = far.make("Trash"), far.mailboxes["INBOX"]
            far.roles["Trash"] = "\\Trash"
            at.options = 'removals = "trash"\n'
            at.sync()
            at.remove("m1")
            at.remove("m2")
            assert "2 removed there" in at.sync()
            assert trash.subjects() == ["m1", "m2"] and at.maildir()["Trash"] == {}, at.held()
            at.settled()
            at.empty_of_deleted("far")
            assert at.where("m1") == at.where("m2") == {"near": [], "far": ["Trash"]}, at.held()
            trash.expunge("m1")
            inbox.add(trash.messages.pop(trash.uid("m2")))
            at.sync()
            at.sync()
            at.settled()
            assert at.where("m1") == {"near": [], "far": []}, at.held()
            assert at.where("m2") == {"near": ["INBOX"], "far": ["INBOX"]}, at.held()


def check_read_only(program):
    """11: in a mailbox that is read-only no flag is changed and nothing is removed; mail still comes from it."""
    with home(program) as (at, far):
        far.read_only.add("Work")
        at.flag("w1", "S", "Work")
        at.flag("m1", "S")
        sentence = "it is read-only for this user"
        said = at.sync(75)
        assert said.count(sentence) == 1 and "1 flags there" in said, said
        assert at.sent["far"] == ["UID STORE 1 +FLAGS (\\Seen) in INBOX"], at.sent
        far.mailboxes["Work"].add(Message(octets("w2")))
        at.sync(75)
        at.settled(75, sentence)
        assert at.where("w2") == EVERYWHERE, at.held()
        assert at.maildir()["Work"]["w1"] == {"S"} and at.server("far")["Work"]["w1"] == set(), at.held()
        at.remove("w1", "Work")
        said = at.sync(75)
        assert said.count(sentence) == 1 and "removed there" not in said, said
        at.settled(75, sentence)
        assert at.where("w1") == {"near": [], "far": ["Work"]}, at.held()


def check_good_bye(program):
    """The server goes down between the mark and the expunge: the next run does the rest, and only that."""
    with home(program) as (at, far):
        at.remove("m1")
        at.flag("m2", "S")
        at.move("m3", "Work")
        far.once("UID EXPUNGE", breaks_for_good(far))
        said = at.sync(75)
        assert "removed there" not in said, said
        far.away = False
        at.sync()
        assert at.sent["far"] == ["UID STORE 1 +FLAGS.SILENT (\\Deleted) in INBOX", "UID EXPUNGE 1 in INBOX"], at.sent
        at.settled()
        assert at.maildir() == {"INBOX": {"m2": {"S"}}, "Work": {"w1": set(), "m3": set()}}, at.held()
        assert at.server("far") == {"INBOX": {"m2": {"\\Seen"}}, "Work": {"w1": set(), "m3": set()}}, at.held()


def check_replaced_mailbox(program):
    """Between reading and writing a mailbox is replaced by another one with other UIDs: nothing is done to the wrong message."""
    with home(program) as (at, far):

        def replace(*_):
            old = far.mailboxes["INBOX"]
            fresh = far.make("INBOX")
            for message in reversed(old.messages.values()):
                fresh.add(message)

        at.flag("m1", "S")
        at.remove("m2")
        at.add("n1")
        far.once("SELECT", replace)
        said = at.sync(75)
        assert said.count("replaced by another mailbox") == 1 and not at.sent["far"], (said, at.sent)
        at.sync()
        at.settled()
        assert at.maildir()["INBOX"] == {"m1": {"S"}, "m2": set(), "m3": set(), "n1": set()}, "nothing is removed: " + said
        assert at.server("far")["INBOX"] == {"m1": {"\\Seen"}, "m2": set(), "m3": set(), "n1": set()}, at.held()


def check_refused_flag(program):
    """2: a keyword that the server refuses with NO stops neither the other flags nor the removals of the mailbox."""

    def no_keywords(_, words):
        if any(isinstance(word, list) and b"$Todo" in word for word in words):
            raise No("[LIMIT] too many keywords")

    with home(program, inbox=("m1", "m2", "m3", "m4")) as (at, far):
        far.hooks["UID STORE"] = no_keywords
        at.keyword("m4", "$Todo")
        at.keyword("m1", "$Todo")
        at.flag("m1", "Sa")
        at.flag("m2", "F")
        at.remove("m3")
        said = at.run("sync", status=None)
        assert said.count("too many keywords") <= 1, said
        assert at.server("far")["INBOX"] == {"m1": {"\\Seen"}, "m2": {"\\Flagged"}, "m4": set()}, at.held()
        assert at.maildir()["INBOX"] == {"m1": {"S", "$Todo"}, "m2": {"F"}, "m4": {"$Todo"}}, at.held()


def check_false_copyuid_and_flags(program):
    """6: what is to be done to a message that was moved is not done to the one that a false COPYUID names."""
    for abilities in ("LITERAL+ UIDPLUS MOVE", "LITERAL+ UIDPLUS"):
        with home(program, abilities) as (at, far):
            far.copyuid = lambda validity, sources, copies: (validity, sources, [1] * len(copies))
            at.move("m1", "Work")
            at.flag("m1", "S", "Work")
            at.sync()
            at.sync()
            at.settled()
            assert at.server("far")["Work"] == {"w1": set(), "m1": {"\\Seen"}}, at.held()
            assert at.maildir()["Work"] == {"w1": set(), "m1": {"S"}}, at.held()


def check_read_only_target(program):
    """11: new mail for a mailbox that is read-only is offered once, not with all its octets in every run."""
    with home(program) as (at, far):
        far.read_only.add("Work")
        far.hooks["APPEND"] = lambda _, words: refuse("[NOPERM] read-only")() if words[0] == b"Work" else None
        far.hooks["UID MOVE"] = lambda _, words: refuse("[NOPERM] read-only")() if words[1] == b"Work" else None
        at.add("n1", "Work")
        at.add("n2", "Work")
        at.move("m1", "Work")
        at.run("sync", status=None)
        held = at.held()
        at.run("sync", status=None)
        assert at.sent["far"] == [], at.sent
        assert at.held() == held, (held, at.held())


def check_flags_told(program):
    """1: what the server cannot keep, and was not even asked to, is not told as done."""
    with home(program) as (at, far):
        far.permanent.remove("\\*")
        at.keyword("m1", "Todo")
        at.flag("m2", "S")
        said = at.sync()
        assert "1 flags there" in said, said
