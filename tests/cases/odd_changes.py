"""Flags, moves and removals for servers that keep less than they say, or lie about what they did."""

from odd_home import home, octets, refuse
from scripted_imap import Message, No


def check_no_new_keywords(program):
    """1: a keyword that the server cannot keep stays in the Maildir; the other flags travel."""
    with home(program) as (at, far):
        far.permanent.remove("\\*")
        at.keyword("m1", "Todo")
        at.flag("m2", "S")
        at.sync()
        assert at.sent["far"] == ["UID STORE 2 +FLAGS (\\Seen) in INBOX"], at.sent
        at.settled()
        at.flag("m1", "Sa")
        at.sync()
        assert at.sent["far"] == ["UID STORE 1 +FLAGS (\\Seen) in INBOX"], at.sent
        far.mailboxes["INBOX"].messages[1].flags.add("\\Flagged")
        at.sync()
        at.settled()
        assert at.maildir()["INBOX"] == {"m1": {"Todo", "S", "F"}, "m2": {"S"}, "m3": set()}, at.maildir()
        assert at.server("far")["INBOX"] == {"m1": {"\\Seen", "\\Flagged"}, "m2": {"\\Seen"}, "m3": set()}, at.held()


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
        assert at.server("far")["INBOX"] == {"m1": set(), "m2": {"\\Seen"}, "m3": set(), "n1": {"\\Flagged"}}, at.held()


def check_no_deleted(program):
    """3: where nothing can be marked as deleted nothing is removed, and a message that cannot be moved is not copied."""
    for abilities in ("UIDPLUS MOVE", "UIDPLUS", ""):
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
            at.sync()
            assert at.where("m2") == {"near": ["Work"], "far": ["Work"]} or not abilities, at.where("m2")


def check_refused_mark(program):
    """4: UID EXPUNGE says OK after a STORE that was refused."""
    with home(program, "UIDPLUS") as (at, far):
        far.hooks["UID STORE"] = refuse("[NOPERM] you have no t right")
        at.remove("m1")
        said = at.sync(75)
        assert "removed there" not in said and said.count("you have no t right") == 1, said
        assert at.sent["far"] == ["UID STORE 1 +FLAGS.SILENT (\\Deleted) in INBOX", "UID EXPUNGE 1 in INBOX"], at.sent
        at.repeats(75, "you have no t right")
        assert at.where("m1") == {"near": [], "far": ["INBOX"]}, at.where("m1")
        far.hooks.clear()
        assert "1 removed there" in at.sync()
        at.settled()
        assert at.where("m1") == {"near": [], "far": []}, at.where("m1")


def check_expunge_without_effect(program):
    """5: UID EXPUNGE says OK and the message stays, also the old copy of one that was moved."""
    with home(program, "UIDPLUS") as (at, far):
        far.expunges = False
        at.remove("m1")
        sentence = "agreed to remove 1 message, and still has it"
        said = at.sync(75)
        assert "removed there" not in said and said.count(sentence) == 1, said
        at.repeats(75, sentence)
        assert at.where("m1") == {"near": [], "far": ["INBOX"]}, at.where("m1")
        far.expunges = True
        at.sync()
        at.settled()
        assert at.where("m1") == {"near": [], "far": []}, at.where("m1")


def check_false_copyuid(program):
    """6: COPYUID names a UID that another message has, or another mailbox's UIDs."""
    lies = {
        "known UID": lambda validity, sources, copies: (validity, sources, [1] * len(copies)),
        "UID that nothing has": lambda validity, sources, copies: (validity, sources, [uid + 70 for uid in copies]),
        "other validity": lambda validity, sources, copies: (validity + 50, sources, copies),
    }
    for abilities in ("UIDPLUS MOVE", "UIDPLUS"):
        for lie in lies.values():
            with home(program, abilities) as (at, far):
                far.copyuid = lie
                at.move("m1", "Work")
                at.sync()
                at.sync()
                at.settled()
                assert at.where("m1") == {"near": ["Work"], "far": ["Work"]}, at.held()
                assert at.where("w1") == {"near": ["Work"], "far": ["Work"]}, at.held()


def check_vanished_before_move(program):
    """7: another client expunges a message before it is moved; without UIDPLUS nothing tells. It is put back."""
    for abilities in ("MOVE", ""):
        with home(program, abilities) as (at, far):
            at.move("m1", "Work")
            at.move("m2", "Work")
            command = "UID MOVE" if abilities else "UID COPY"
            far.once(command, lambda *_: far.mailboxes["INBOX"].expunge("m1"))
            at.sync()
            assert at.where("m1") == {"near": ["Work"], "far": ["Work"]}, at.held()
            assert at.where("m2")["near"] == ["Work"] and "Work" in at.where("m2")["far"], at.held()
            at.settled()


def check_trash_without_copyuid(program):
    """8: what was moved to the server's trash is no new mail of anybody's trash or inbox."""
    for abilities in ("MOVE SPECIAL-USE", "SPECIAL-USE"):
        with home(program, abilities) as (at, far):
            far.make("Trash")
            far.roles["Trash"] = "\\Trash"
            at.options = 'removals = "trash"\n'
            at.sync()
            at.remove("m1")
            at.sync()
            assert "Trash" in at.where("m1")["far"], at.held()
            at.settled()
            assert at.where("m1")["near"] == [], at.held()
            assert "INBOX" not in at.where("m1")["far"] or "\\Deleted" in at.server("far")["INBOX"]["m1"], at.held()


def check_read_only(program):
    """11: in a mailbox that is read-only nothing is tried; mail still comes from it."""
    with home(program) as (at, far):
        far.read_only.add("Work")
        far.hooks["APPEND"] = lambda _, words: refuse("[NOPERM] read-only")() if words[0] == b"Work" else None
        at.flag("w1", "S", "Work")
        at.flag("m1", "S")
        sentence = "it is read-only for this user"
        said = at.sync(75)
        assert said.count(sentence) == 1 and "1 flags there" in said, said
        assert at.sent["far"] == ["UID STORE 1 +FLAGS (\\Seen) in INBOX"], at.sent
        far.mailboxes["Work"].add(Message(octets("w2")))
        at.sync(75)
        at.settled(75, sentence)
        assert at.where("w2") == {"near": ["Work"], "far": ["Work"]}, at.held()
        assert at.maildir()["Work"]["w1"] == {"S"} and at.server("far")["Work"]["w1"] == set(), at.held()
        at.remove("w1", "Work")
        said = at.sync(75)
        assert said.count(sentence) == 1 and "removed there" not in said, said
        at.settled(75, sentence)
        assert at.where("w1") == {"near": [], "far": ["Work"]}, at.held()
