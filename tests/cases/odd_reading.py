"""Servers that cannot open a mailbox, rename one with all below it, or list less, or other names, than before."""

from odd_home import PopServer, home, octets, refuse
from scripted_imap import Message, No, Server


def answer_for(mailbox, answer):
    def hook(_, words):
        if words[0] == mailbox.encode():
            raise No(answer)

    return hook


def check_unopened(program):
    """12: while a mailbox that may have got what is missing cannot be opened, nothing counts as removed."""
    for commands in (("EXAMINE",), ("EXAMINE", "STATUS")):
        with home(program) as (at, far):
            inbox, work = far.mailboxes["INBOX"], far.mailboxes["Work"]
            for command in commands:
                far.hooks[command] = answer_for("Work", "[UNAVAILABLE] not now")
            work.add(inbox.messages.pop(inbox.uid("m2")))
            said = at.sync(75)
            assert said.count("not now") == 1 and "INBOX: 1 message is gone there" in said, said
            assert at.where("m2") == {"near": ["INBOX"], "far": ["Work"]}, at.held()
            at.settled(75, "not now")
            far.hooks.clear()
            at.sync()
            at.settled()
            assert at.where("m2") == {"near": ["Work"], "far": ["Work"]}, at.held()


def check_unopened_allowed(program):
    """12: what is held back for a mailbox that cannot be opened is removed when that is allowed."""
    with home(program) as (at, far):
        far.hooks["EXAMINE"] = answer_for("Work", "[UNAVAILABLE] not now")
        far.mailboxes["Work"].add(Message(octets("w2")))
        far.mailboxes["INBOX"].expunge("m1")
        at.sync(75)
        at.settled(75, "INBOX: 1 message is gone there")
        said = at.run("status")
        assert "--allow-removals far:INBOX" in said, said
        at.run("sync", "--allow-removals", "far:INBOX", status=75)
        assert at.where("m1") == {"near": [], "far": []}, at.held()
        at.settled(75, "not now")


def check_unopened_without_news(program):
    """12: a mailbox that cannot be opened, and got nothing by what STATUS says, or never can be, holds nothing back."""
    for answer, news in (("[UNAVAILABLE] not now", False), ("[NOPERM] not now", True)):
        with home(program) as (at, far):
            far.hooks["EXAMINE"] = answer_for("Work", answer)
            if news:
                far.mailboxes["Work"].add(Message(octets("w2")))
            far.mailboxes["INBOX"].expunge("m1")
            said = at.sync(75)
            assert said.count("not now") == 1 and "is gone there" not in said, said
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


def check_refused_rename(program):
    """13: a server that does not let itself be renamed keeps its mail under the old names until it does."""
    with home(program, other=Server()) as (at, far):
        other = at.servers["other"]
        for name in ("P", "P/C"):
            far.make(name).add(Message(octets("in " + name)))
        at.sync()
        other.hooks["RENAME"] = refuse("[NOPERM] not yours")
        far.rename("P", "Q")
        at.sync(75)
        at.repeats(75, "other P: ")
        assert at.where("in P") == {"near": ["Q"], "far": ["Q"], "other": ["P"]}, at.held()
        assert at.where("in P/C") == {"near": ["Q/C"], "far": ["Q/C"], "other": ["P/C"]}, at.held()
        other.hooks.clear()
        at.sync()
        at.settled()
        assert at.where("in P") == {"near": ["Q"], "far": ["Q"], "other": ["Q"]}, at.held()
        assert at.where("in P/C") == {"near": ["Q/C"], "far": ["Q/C"], "other": ["Q/C"]}, at.held()


def check_news_while_writing(program):
    """Mail that arrives between reading and writing is taken, and not mistaken for what was written."""
    with home(program) as (at, far):

        def arrives(*_):
            for name in far.mailboxes:
                far.mailboxes[name].add(Message(octets("late in " + name)))

        at.move("m3", "Work")
        at.add("n1")
        at.flag("m1", "S")
        at.remove("m2")
        far.once("UID MOVE", arrives)
        at.sync()
        at.sync()
        at.settled()
        inbox, work = {"m1", "n1", "late in INBOX"}, {"w1", "m3", "late in Work"}
        for boxes in at.held().values():
            assert {name: set(held) for name, held in boxes.items()} == {"INBOX": inbox, "Work": work}, at.held()


def pop_home(program):
    pop = PopServer()
    pop.messages = [(f"U{number}", octets(f"p{number}")) for number in range(6)]
    return pop, home(program, pop=pop)


def check_short_pop_listing(program):
    """14: a listing that came in short, or empty, and a gc, do not bring back what was removed."""
    for left in (3, 0):
        pop, opened = pop_home(program)
        with opened as (at, _):
            at.move("p0", "Work")
            at.remove("p1")
            at.sync()
            full, pop.messages = pop.messages, pop.messages[6 - left:]
            at.sync()
            at.forget_dates()
            at.retention = "1d"
            said = at.run("gc")
            assert "1 removed message forgotten" in said, said
            at.settled()
            pop.messages = full
            at.sync()
            at.settled()
            assert at.where("p0") == {"near": ["Work"], "far": ["Work"]}, at.held()
            assert at.where("p1") == {"near": [], "far": []}, at.held()
            assert at.where("p2") == {"near": ["INBOX"], "far": ["INBOX"]}, at.held()


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


def check_shows_the_newest_only(program):
    """6, 12: a server that shows the newest messages of a large mailbox (Yahoo: 10,000): what it hides is not removed."""
    with home(program) as (at, far):
        far.shows_most = 3
        far.mailboxes["INBOX"].add(Message(octets("n1")))
        said = at.sync(75)
        assert "the server says that it holds 4 messages, and shows 3 of them" in said, said
        assert at.where("m1") == {"near": ["INBOX"], "far": ["INBOX"]}, at.held()
        assert at.where("n1") == {"near": ["INBOX"], "far": ["INBOX"]}, at.held()
        at.settled(75, "shows 3 of them")
        far.shows_most = None
        far.mailboxes["INBOX"].expunge("m2")
        at.sync()
        at.settled()
        assert at.where("m2") == {"near": [], "far": []}, at.held()


QRESYNC = "LITERAL+ UIDPLUS MOVE ENABLE QRESYNC"


def check_vanished_and_held(program):
    """6, 12: what a server says has vanished, and still counts, is not removed; what it shows is taken."""
    with home(program, QRESYNC) as (at, far):
        far.shows_most = 1
        far.mailboxes["INBOX"].add(Message(octets("n1")))
        said = at.sync(75)
        assert any("VANISHED (EARLIER) 1:3" in line or "VANISHED (EARLIER) 1,2,3" in line for line in far.transcript), far.transcript
        assert "the server says that it holds 4 messages, and shows 1 of them" in said, said
        assert all(at.where(one) == {"near": ["INBOX"], "far": ["INBOX"]} for one in ("m1", "m2", "m3", "n1")), at.held()
        at.settled(75, "shows 1 of them")
        far.shows_most = None
        far.mailboxes["INBOX"].expunge("m2")
        at.sync()
        at.settled()
        assert at.where("m2") == {"near": [], "far": []}, at.held()


def check_vanished_untold(program):
    """6: QRESYNC that forgets to tell what vanished does not add up: all are listed, else nothing is."""
    with home(program, QRESYNC) as (at, far):
        inbox = far.mailboxes["INBOX"]
        gone = inbox.uid("m2")
        inbox.expunge("m2")
        inbox.look(sorted(inbox.messages))
        del inbox.changed[gone]
        inbox.add(Message(octets("n1")))
        at.sync()
        assert sum(" UID SEARCH " in line for line in far.transcript) == 1, far.transcript
        assert at.where("m2") == {"near": [], "far": []}, at.held()
        inbox.expunge("m1")
        inbox.add(Message(octets("n2")))
        at.add("n3")
        at.sync()
        assert not any(" UID SEARCH " in line for line in far.transcript), far.transcript
        at.settled()
        assert set(at.server("far")["INBOX"]) == {"m3", "n1", "n2", "n3"}, at.held()


def check_vanished_and_listed(program):
    """6: what QRESYNC says has vanished, and the list shows that it is there, is not removed."""
    with home(program, QRESYNC) as (at, far):
        far.mailboxes["INBOX"].add(Message(octets("n1")))
        far.once("EXAMINE", lambda session, _: session.say("* VANISHED (EARLIER) 2"))
        at.sync()
        assert any(line == "S: * VANISHED (EARLIER) 2" for line in far.transcript), far.transcript
        at.settled()
        assert set(at.server("far")["INBOX"]) == set(at.maildir()["INBOX"]) == {"m1", "m2", "m3", "n1"}, at.held()


def check_vanished_listed_and_flagged(program):
    """6: nor is a flag lost that it tells of such a message."""
    with home(program, QRESYNC) as (at, far):
        inbox = far.mailboxes["INBOX"]
        inbox.messages[2].flags.add("\\Seen")
        far.once("EXAMINE", lambda session, _: session.say("* VANISHED (EARLIER) 2"))
        at.sync()
        assert any(line == "S: * VANISHED (EARLIER) 2" for line in far.transcript), far.transcript
        assert "S" in at.maildir()["INBOX"]["m2"], at.held()
        at.settled()


def check_flags_of_ever_more_that_vanished(program):
    """Flags of messages that it says have vanished are not kept without a limit."""
    told = "\r\n".join(["* VANISHED (EARLIER) 2"] + ["* 2 FETCH (UID 2 FLAGS (\\Seen) MODSEQ 9)"] * 100_001)
    with home(program, QRESYNC) as (at, far):
        far.mailboxes["INBOX"].add(Message(octets("n1")))
        far.once("EXAMINE", lambda session, _: session.say(told))
        said = at.sync(75)
        assert said.count("INBOX: the server tells flags of messages that it says have vanished") == 1, said
        assert at.where("m2") == {"near": ["INBOX"], "far": ["INBOX"]}, at.held()
        at.sync()
        at.settled()


def check_header_for_a_body(program):
    """A server that gives the header where the whole message was asked for: no empty message is taken for it."""
    with home(program) as (at, far):
        far.mailboxes["INBOX"].add(Message(octets("n1")))
        far.headers_only = True
        said = at.sync(11)
        assert set(at.maildir()["INBOX"]) == {"m1", "m2", "m3"}, at.held()
        assert "quarantine" in said, said


def check_date_that_is_none(program):
    """A message whose INTERNALDATE cannot be read is taken all the same."""
    with home(program) as (at, far):
        far.mailboxes["INBOX"].add(Message(octets("n1"), date="nonsense"))
        at.sync()
        assert at.where("n1") == {"near": ["INBOX"], "far": ["INBOX"]}, at.held()
        at.settled()


def check_hidden_where_nothing_is_listed(program):
    """6: with CONDSTORE, a changed flag lists no UIDs: that a mailbox shows less than it holds is seen all the same."""
    with home(program, "LITERAL+ UIDPLUS MOVE ENABLE CONDSTORE") as (at, far):
        inbox = far.mailboxes["INBOX"]
        inbox.messages[inbox.uid("m3")].flags.add("\\Seen")
        far.shows_most = 1
        said = at.sync(75)
        assert "the server says that it holds 3 messages, and shows 1 of them" in said, said
        assert not any("SEARCH" in line for line in far.transcript), far.transcript
        at.add("n1")
        at.run("sync", status=75)
        assert not at.sent["far"], at.sent
        far.shows_most = None
        at.sync()
        at.settled()
        assert at.where("m1") == at.where("n1") == {"near": ["INBOX"], "far": ["INBOX"]}, at.held()


def check_gone_between_status_and_opening(program):
    """A message that another client expunges between STATUS and EXAMINE is removed: nothing is hidden, no run fails."""
    for abilities in ("LITERAL+ UIDPLUS MOVE", "LITERAL+ UIDPLUS MOVE UNSELECT", QRESYNC):
        with home(program, abilities) as (at, far):
            inbox = far.mailboxes["INBOX"]

            def gone(_, words):
                if words[0] == b"INBOX" and "m1" in inbox.subjects():
                    inbox.expunge("m1")

            inbox.add(Message(octets("n1")))
            far.hooks["EXAMINE"] = gone
            at.sync()
            asked = [line for line in far.transcript if " STATUS INBOX " in line and line.startswith("C:")]
            assert len(asked) == 2, far.transcript
            at.sync()
            at.settled()
            assert at.where("m1") == {"near": [], "far": []}, at.held()
            assert at.where("n1") == {"near": ["INBOX"], "far": ["INBOX"]}, at.held()


def check_unlisted(program):
    """12: a mailbox that LIST leaves out, and STATUS knows, may have got what is missing elsewhere: nothing is removed."""
    with home(program) as (at, far):
        inbox, work = far.mailboxes["INBOX"], far.mailboxes["Work"]
        work.add(inbox.messages.pop(inbox.uid("m1")))
        far.unlisted.add("Work")
        at.run("sync", status=None)
        assert at.where("m1") == {"near": ["INBOX"], "far": ["Work"]}, at.held()
        far.unlisted.clear()
        at.sync()
        at.settled()
        assert at.where("m1") == {"near": ["Work"], "far": ["Work"]}, at.held()


def check_renamed_pop_messages_after_empty_listing(program):
    """14: a maildrop that was empty for a run (moved to a new host) and has other UIDLs then: nothing comes back or doubles."""
    pop, opened = pop_home(program)
    with opened as (at, _):
        at.move("p0", "Work")
        at.remove("p1")
        at.sync()
        full, pop.messages = pop.messages, []
        at.sync()
        pop.messages = [("NEW" + name, text) for name, text in full]
        at.sync()
        at.settled()
        assert at.where("p0") == {"near": ["Work"], "far": ["Work"]}, at.held()
        assert at.where("p1") == {"near": [], "far": []}, at.held()
