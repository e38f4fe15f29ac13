#!/usr/bin/env python3
"""Servers that keep less than they say, lie, or change under mailbraid's hands: nothing is lost, doubled, or tried for ever."""

import os
import sys
import traceback

from odd_home import PopServer, home, octets
from scripted_imap import Cut, Message, No, Server


def refuse(answer):
    def hook(*_):
        raise No(answer)
    return hook


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


def check_removed_on_append(program):
    """9, 10: a mailbox that is deleted at the server before its new message is uploaded."""
    def on_append(far):
        far.once("APPEND", lambda *_: far.mailboxes.pop("Work"))

    def after_list(far):
        far.once("STATUS", lambda *_: far.mailboxes.pop("Work"))

    def before_select(far):
        far.once("EXAMINE", lambda *_: far.mailboxes.pop("Work"))

    for when in (on_append, after_list, before_select):
        with home(program) as (at, far):
            at.add("n1", "Work")
            at.add("n2")
            when(far)
            at.run("sync", status=75)
            assert at.where("n2") == {"near": ["INBOX"], "far": ["INBOX"]}, at.held()
            assert at.where("n1")["near"] == ["Work"], at.held()
            at.sync()
            at.settled()
            assert at.where("n1") == {"near": ["Work"], "far": ["Work"]}, at.held()
            assert at.where("w1")["near"] == at.where("w1")["far"], at.held()


def check_refused_uploads(program):
    """9: some fit, and then none does; a limit; one that is not wanted while the others are."""
    def quota(far):
        def hook(*_):
            if len(far.mailboxes["INBOX"].messages) >= 5:
                raise No("[OVERQUOTA] full")
        return hook

    new = ["n1", "n2", "n3", "n4", "n5"]
    with home(program) as (at, far):
        for subject in new:
            at.add(subject)
        far.hooks["APPEND"] = quota(far)
        said = at.sync(75)
        assert said.count("quota") == 1 and "2 uploaded" in said, said
        said = at.sync(75)
        assert said.count("quota") == 1 and "uploaded" not in said, said
        at.repeats(75, "quota")
        far.hooks.clear()
        assert "3 uploaded" in at.sync()
        at.settled()
        assert at.server("far")["INBOX"].keys() == {"m1", "m2", "m3", *new}, at.held()

    with home(program) as (at, far):
        for subject in new:
            at.add(subject)
        far.hooks["APPEND"] = refuse("[LIMIT] too many at once")
        at.sync(75)
        at.repeats(75, "too many at once")
        far.hooks.clear()
        at.sync()
        at.settled()
        assert at.server("far")["INBOX"].keys() == {"m1", "m2", "m3", *new}, at.held()

    def unwanted(_, words):
        if b"Subject: n3" in words[-1]:
            raise No("I do not like it")

    with home(program) as (at, far):
        for subject in new:
            at.add(subject)
        far.hooks["APPEND"] = unwanted
        said = at.sync(11)
        assert "4 uploaded, 1 quarantined" in said, said
        assert sorted(at.sent["far"]) == [f"APPEND INBOX {subject}" for subject in new], at.sent
        assert "I do not like it" in at.run("status"), at.run("status")
        at.settled()
        assert at.where("n3") == {"near": ["INBOX"], "far": []}, at.held()


def check_broken_uploads(program):
    """9: the line breaks within a message, or when it is stored and nothing says so: it is there once afterwards."""
    for where in ("within", "stored"):
        for abilities in ("UIDPLUS MOVE", ""):
            for comes_back in (True, False):
                with home(program, abilities) as (at, far):
                    for subject in ("n1", "n2", "n3"):
                        at.add(subject)

                    def breaks(*_, comes_back=comes_back, far=far):
                        far.away = not comes_back
                        raise Cut

                    far.once("APPEND " + where, breaks)
                    at.sync(0 if comes_back else 75)
                    far.away = False
                    at.sync()
                    at.settled()
                    for subject in ("n1", "n2", "n3"):
                        assert at.where(subject) == {"near": ["INBOX"], "far": ["INBOX"]}, at.held()


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


def check_unopened(program):
    """12: while a mailbox that may have got what is missing cannot be opened, nothing counts as removed."""
    def broken(code):
        return lambda _, words: refuse(f"[{code}] not now")() if words[0] == b"Work" else None

    with home(program) as (at, far):
        far.hooks["EXAMINE"] = broken("UNAVAILABLE")
        far.mailboxes["INBOX"].expunge("m1")
        at.sync(75)
        assert at.where("m1") == {"near": [], "far": []}, "Work got nothing: m1 is not there"
        far.mailboxes["INBOX"].expunge("m2")
        far.mailboxes["Work"].add(Message(octets("m2")))
        said = at.sync(75)
        assert said.count("not now") == 1, said
        assert at.where("m2") == {"near": ["INBOX"], "far": ["Work"]}, at.held()
        at.settled(75, "not now")
        far.hooks.clear()
        at.sync()
        at.settled()
        assert at.where("m2") == {"near": ["Work"], "far": ["Work"]}, at.held()

    with home(program) as (at, far):
        far.hooks["EXAMINE"] = broken("NOPERM")
        far.mailboxes["Work"].add(Message(octets("w2")))
        far.mailboxes["INBOX"].expunge("m1")
        at.sync(75)
        assert at.where("m1") == {"near": [], "far": []}, at.held()
        at.settled(75, "not now")


def check_renamed_parent(program):
    """13: a mailbox is renamed with those below it; another server takes them along in the same way."""
    with home(program, other=Server()) as (at, far):
        for name in ("P", "P/C"):
            far.make(name).add(Message(octets("in " + name)))
        at.sync()
        at.settled()
        far.rename("P", "Q")
        at.sync()
        assert at.sent["other"] == ["RENAME P Q"], at.sent
        at.settled()
        wanted = {"INBOX": {"m1", "m2", "m3"}, "Work": {"w1"}, "Q": {"in P"}, "Q/C": {"in P/C"}}
        for boxes in at.held().values():
            assert {name: set(held) for name, held in boxes.items()} == wanted, at.held()


def pop_home(program):
    pop = PopServer()
    pop.messages = [(f"U{number}", octets(f"p{number}")) for number in range(6)]
    return pop, home(program, pop=pop)


def check_short_pop_listing(program):
    """14: a listing that came in short, and a gc, do not bring back what was removed."""
    pop, opened = pop_home(program)
    with opened as (at, _):
        at.remove("p1")
        at.sync()
        full, pop.messages = pop.messages, pop.messages[3:]
        at.sync()
        at.forget_dates()
        at.retention = "1d"
        at.run("gc")
        pop.messages = full
        at.sync()
        assert at.where("p1") == {"near": [], "far": []}, at.held()
        assert at.where("p2") == {"near": ["INBOX"], "far": ["INBOX"]}, at.held()
        at.settled()


def check_renamed_pop_messages(program):
    """14: all UIDLs change: what was filed stays where it is, what was removed does not come back."""
    pop, opened = pop_home(program)
    with opened as (at, _):
        at.move("p0", "Work")
        at.remove("p1")
        at.sync()
        at.settled()
        pop.messages = [("NEW" + name, text) for name, text in pop.messages]
        said = at.sync()
        assert " new" not in said, said
        at.settled()
        assert at.where("p0") == {"near": ["Work"], "far": ["Work"]}, at.held()
        assert at.where("p1") == {"near": [], "far": []}, at.held()
        assert at.where("p2") == {"near": ["INBOX"], "far": ["INBOX"]}, at.held()


def main():
    program, wanted = os.path.abspath(sys.argv[1]), sys.argv[2:]
    cases = {name: case for name, case in globals().items() if name.startswith("check_")}
    failed = []
    for name, case in cases.items():
        if wanted and name not in wanted:
            continue
        try:
            case(program)
        except AssertionError:
            failed.append(name)
            print(f"--- {name}: {case.__doc__}")
            traceback.print_exc(file=sys.stdout)
    if failed:
        sys.exit("failed: " + ", ".join(failed))
    print("odd servers lose nothing, double nothing, and are not asked for ever")


if __name__ == "__main__":
    main()
