"""New mail for servers that refuse some of it, or break off."""

import contextlib
import mailbox
import os
import shutil
import sqlite3

from odd_home import PopServer, breaks_for_good, home, octets, refuse
from scripted_imap import Cut, Message, No, literals

NEW = ["n1", "n2", "n3", "n4", "n5"]
HERE = {"near": ["INBOX"], "far": ["INBOX"]}


def check_removed_on_append(program):
    """9, 10: a mailbox is deleted at the server before its new message is uploaded: the message is kept, the rest is done."""
    for command in ("APPEND", "STATUS", "EXAMINE"):  # after reading, after LIST, after STATUS
        with home(program) as (at, far):
            at.add("n1", "Work")
            at.add("n2")

            def remove(session, words, command=command, far=far):
                if words[0] == b"Work":
                    del far.hooks[command]
                    far.mailboxes.pop("Work")

            far.hooks[command] = remove
            said = at.sync(75)
            assert said.count("there is no such mailbox") == 1 and "Work no longer exists there" in said, said
            assert at.where("n2") == HERE, at.held()
            assert at.where("n1") == {"near": ["Work"], "far": []}, at.held()
            at.sync()
            assert at.sent["far"] == ["CREATE Work", "APPEND Work n1"], at.sent
            at.settled()
            assert at.where("n1") == {"near": ["Work"], "far": ["Work"]}, at.held()
            assert at.where("w1") == {"near": [], "far": []}, "what was deleted with its mailbox is removed: " + said


def check_quota(program):
    """9: some fit, and then none does."""
    for abilities in ("LITERAL+ UIDPLUS MOVE", "LITERAL+ UIDPLUS MULTIAPPEND", "MULTIAPPEND", ""):
        with home(program, abilities) as (at, far):

            def quota(_, words, far=far):
                if len(far.mailboxes["INBOX"].messages) + len(literals(words)) > 5:
                    raise No("[OVERQUOTA] full")

            for subject in NEW:
                at.add(subject)
            far.hooks["APPEND"] = quota
            said = at.sync(75)
            assert said.count("quota") == 1 and "2 uploaded" in said, said
            said = at.sync(75)
            assert said.count("quota") == 1 and "uploaded" not in said, said
            at.repeats(75, "quota")
            far.hooks.clear()
            assert "3 uploaded" in at.sync()
            at.settled()
            assert all(at.where(subject) == HERE for subject in NEW), at.held()


def check_limit(program):
    """9: a limit for now: the same is tried in the next run, and all of it is there at last."""
    with home(program) as (at, far):
        for subject in NEW:
            at.add(subject)
        far.hooks["APPEND"] = refuse("[LIMIT] too many at once")
        said = at.sync(75)
        assert said.count("too many at once") == 1 and "uploaded" not in said, said
        at.repeats(75, "too many at once")
        far.hooks.clear()
        assert "5 uploaded" in at.sync()
        at.settled()
        assert all(at.where(subject) == HERE for subject in NEW), at.held()


def check_unwanted(program):
    """9: one message is refused: the others get through, and it is not tried again at once."""

    def unwanted(_, words):
        if any(b"Subject: n3" in word for word in literals(words)):
            raise No("I do not like it")

    for abilities in ("LITERAL+ UIDPLUS MOVE", "LITERAL+ UIDPLUS MULTIAPPEND", ""):
        with home(program, abilities) as (at, far):
            for subject in NEW:
                at.add(subject)
            far.hooks["APPEND"] = unwanted
            said = at.sync(11)
            assert "4 uploaded, 1 quarantined" in said, said
            assert at.sent["far"].count("APPEND INBOX n3") == 1, at.sent
            if "MULTIAPPEND" not in abilities:
                assert sorted(at.sent["far"]) == [f"APPEND INBOX {subject}" for subject in NEW], at.sent
            said = at.run("status")
            assert "I do not like it" in said, said
            at.settled()
            assert at.where("n3") == {"near": ["INBOX"], "far": []}, at.held()
            assert all(at.where(subject) == HERE for subject in NEW if subject != "n3"), at.held()


FAULTY = {
    "eight": "From: K\u00e4the <k@example.org>\nSubject: eight\nMessage-ID: <8@x>\n\nbody\n".encode(),
    "nul": b"Subject: nul\nMessage-ID: <0@x>\n\nbo\0dy\n",
    "both": "Subject: both \u00e4\nMessage-ID: <b@x>\n\nbo\0dy\n".encode(),
    "anonymous": b"Subject: anonymous\n\nbo\0dy\n",
}


def strict(_, words):
    """A hook of a server that takes neither NUL nor 8-bit headers, and not n3."""
    for word in literals(words):
        if b"\0" in word:
            raise No("Message contains NUL characters")
        if any(octet > 127 for octet in word.partition(b"\r\n\r\n")[0]):
            raise No("Message contains invalid header")
        if b"Subject: n3" in word:
            raise No("I do not like it")


@contextlib.contextmanager
def faulty_home(program, abilities):
    with home(program, abilities) as (at, far):
        far.hooks["APPEND"] = strict
        at.options = 'repair = ["nul", "8bit-header"]\n'
        for text in FAULTY.values():
            mailbox.Maildir(at.near).add(text)
        yield at, far


def holds_each_once(at, far):
    subjects = [message.octets.partition(b"\r\n\r\n")[0] for message in far.mailboxes["INBOX"].messages.values()]
    assert len(set(subjects)) == len(subjects), subjects
    assert len(mailbox.Maildir(at.near)) == len(subjects), (list(mailbox.Maildir(at.near)), subjects)


def check_repaired_upload_is_known(program):
    """4, 5: what the server took with a repair is the message that it was, whatever was lost: never there twice."""
    for abilities in ("LITERAL+ UIDPLUS", "LITERAL+ UIDPLUS BINARY", "LITERAL+", ""):
        with faulty_home(program, abilities) as (at, far):  # killed when the server has it, and nobody was told

            def killed(*_):
                at.process.kill()
                raise Cut()

            far.once("APPEND stored", killed)
            at.sync(None)
            assert at.process.returncode == -9
            at.sync()
            holds_each_once(at, far)
            at.settled()
            assert at.run("verify", "far").count("with a repair only") == 4
        with faulty_home(program, abilities) as (at, far):
            at.sync()
            shutil.rmtree(os.path.join(at.directory, "store"))  # the store is lost
            said = at.sync()
            assert said.count("is elsewhere with a repair") == 3, said
            holds_each_once(at, far)
            at.settled()
            at.run("verify", "near", "--full")  # the store has what was there first, not what it was repaired to
            assert at.run("verify", "far", "--full").count("with a repair only") == 4
        with faulty_home(program, abilities) as (at, far):
            at.sync()
            inbox = far.mailboxes["INBOX"].messages
            for uid in [uid for uid, message in inbox.items() if b"\r\n\r\nbody\r\n" in message.octets]:
                far.mailboxes["Work"].add(inbox.pop(uid))  # another client files them
            said = at.sync()
            assert "4 moved" in said, said
            at.settled()
            assert len(at.maildir()["Work"]) == len(at.server("far")["Work"]), at.held()


def check_repairs(program):
    """7: what is refused as it is goes with the repairs that the user allows, is told, and stays as it is here."""
    for abilities in ("LITERAL+ UIDPLUS BINARY", "LITERAL+ UIDPLUS MULTIAPPEND", ""):
        with home(program, abilities) as (at, far):
            far.hooks["APPEND"] = strict
            for text in FAULTY.values():
                mailbox.Maildir(at.near).add(text)
            for subject in NEW:
                at.add(subject)
            said = at.sync(11)
            assert "4 uploaded, 5 quarantined" in said, said
            at.options = 'repair = ["nul", "8bit-header"]\n'
            said = at.sync(11)  # at once: the configuration is another one
            assert "4 uploaded" in said and "1 quarantined" in said, said
            for names in ("nul", "8bit-header", "nul, 8bit-header"):
                assert f"taken with a repair ({names}); the store keeps it as it came" in said, said
            assert "upload repaired" in at.run("log", at.run("log", "--count", "1").split()[0]), said
            held = {message.octets for message in far.mailboxes["INBOX"].messages.values()}
            eight = FAULTY["eight"].replace(b"\n", b"\r\n").replace("K\u00e4the".encode(), b"=?utf-8?Q?K=C3=A4the?=")
            assert eight in held and b"Subject: nul\r\nMessage-ID: <0@x>\r\n\r\nbody\r\n" in held, held
            assert {open(at.file("nul"), "rb").read()} == {FAULTY["nul"]}
            for words in (("verify", "far", "--full"), ("verify", "far")):
                said = at.run(*words, status=11)  # n3 is refused
                assert said.count("the server took it with a repair only") == 4 and "altered" not in said, said
            at.settled()


def check_rewritten_while_reading(program):
    """3: uploads begin while others are read, and the server stores something else, or loses it: nothing goes twice."""

    def rewrites(session, words):
        box = session.server.mailboxes[words[0].decode()]
        box.messages[max(box.messages)].octets += b"-- \r\n"

    def loses(session, words):
        box = session.server.mailboxes[words[0].decode()]
        box.messages.pop(max(box.messages))

    many = [f"x{number}" for number in range(600)]
    for abilities, happens in (("LITERAL+", rewrites), ("LITERAL+ UIDPLUS", rewrites), ("LITERAL+ UIDPLUS", loses)):
        with home(program, abilities) as (at, far):
            for subject in many:
                at.add(subject)
            far.hooks["APPEND stored"] = happens
            assert "600 uploaded" in at.sync()
            assert sorted(at.sent["far"]) == sorted(f"APPEND INBOX {subject}" for subject in many)
            far.hooks.clear()
            at.sync()
            assert at.sent["far"] == [], len(at.sent["far"])


def check_refusal_is_forgotten(program):
    """11: after uploads of which nothing was stored there the server is not waited for as after a cut-off one."""
    for text, hook in ((FAULTY["nul"], None), (octets("n1"), refuse("not that one"))):
        with home(program, "LITERAL+ UIDPLUS") as (at, far):
            mailbox.Maildir(at.near).add(text)
            if hook:
                far.hooks["APPEND"] = hook
            at.sync(11)
            at.sync(None)
            with sqlite3.connect(os.path.join(at.directory, "store", "store.db")) as store:
                assert store.execute("SELECT count(*) FROM upload").fetchone() == (0,)


def check_answer_alone_deletes_nothing(program):
    """1: a destination says that it has what it was given, and does not keep it: the POP3 source keeps everything."""
    for count in (100, 600):
        with home(program, "LITERAL+ UIDPLUS", pop=PopServer()) as (at, far):
            at.options_of["pop"], at.users["pop"] = 'leave_on_server = "no"\n', "another"
            pop = at.servers["pop"]
            pop.messages = [(f"u{number}", octets(f"x{number}")) for number in range(count)]

            def loses(session, words):
                box = session.server.mailboxes[words[0].decode()]
                box.messages.pop(max(box.messages))

            far.hooks["APPEND stored"] = loses
            at.run("migrate", "pop", "far", status=None)
            assert len(pop.messages) == count, len(pop.messages)
            far.hooks.clear()
            shutil.rmtree(os.path.join(at.directory, "store"))
            at.run("migrate", "pop", "far", status=None)
            assert pop.messages == [], len(pop.messages)
            assert len(far.mailboxes["INBOX"].messages) == count + 3


def check_refused_announcement(program):
    """9: without LITERAL+ a message is refused before its octets are sent, which then must not be sent."""
    with home(program, "UIDPLUS") as (at, far):
        announced = []

        def refuse_second(_, words):
            announced.append(words)
            if len(announced) == 2:
                raise No("[TOOBIG] not that one")

        for subject in NEW:
            at.add(subject)
        far.hooks["APPEND announced"] = refuse_second
        said = at.sync(11)
        assert "4 uploaded, 1 quarantined" in said and len(announced) == 5, said
        at.settled()
        assert len(at.server("far")["INBOX"]) == 7, at.held()


def check_refused_keyword(program):
    """1: a keyword for which the server refuses a message is left out, the message is not."""

    def no_keywords(_, words):
        if any(isinstance(word, list) and b"Todo" in word for word in words):
            raise No("no such keyword")

    for abilities in ("LITERAL+ UIDPLUS", ""):
        with home(program, abilities) as (at, far):
            far.hooks["APPEND"] = no_keywords
            at.add("n1")
            at.add("n2")
            at.keyword("n1", "Todo")
            at.flag("n1", "Sa")
            at.sync()
            assert sorted(at.sent["far"]) == ["APPEND INBOX n1", "APPEND INBOX n1", "APPEND INBOX n2"], at.sent
            at.settled()
            assert at.maildir()["INBOX"]["n1"] == {"S", "Todo"}, at.held()
            assert at.server("far")["INBOX"]["n1"] == {"\\Seen"} and at.where("n2") == HERE, at.held()


def check_broken_uploads(program):
    """9: the line breaks within a message, or when it is stored and nothing says so: it is there once afterwards."""
    for where in ("APPEND within", "APPEND stored"):
        for abilities in ("LITERAL+ UIDPLUS MOVE", "LITERAL+", ""):
            with home(program, abilities) as (at, far):  # the server is back at once
                for subject in NEW:
                    at.add(subject)

                def breaks(*_):
                    raise Cut

                far.once(where, breaks)
                at.sync()
                at.settled()
                assert all(at.where(subject) == HERE for subject in NEW), at.held()
            with home(program, abilities) as (at, far):  # it is back for the next run
                for subject in NEW:
                    at.add(subject)
                far.once(where, breaks_for_good(far))
                said = at.sync(75)
                assert "come back later" in said, said
                far.away = False
                at.sync()
                at.settled()
                assert all(at.where(subject) == HERE for subject in NEW), at.held()


def check_killed_upload_arrives_late(program):
    """P4: killed while it uploads; the server stores what it was sent only after the next run has begun to read."""
    with home(program) as (at, far):
        late, looks = [], []

        def killed(_, words):
            late.extend(literals(words))
            at.process.kill()
            raise Cut()

        def stores(_, words):
            looks.append(words)
            if len(looks) == 3:  # INBOX and Work were looked at once
                far.mailboxes["INBOX"].add(Message(late[0]))

        at.add("n1")
        far.hooks["APPEND"] = killed
        at.sync(-9)
        del far.hooks["APPEND"]
        assert len(late) == 1 and "n1" not in at.server("far")["INBOX"]
        far.hooks["STATUS"] = stores
        at.sync()
        assert not at.sent["far"] and at.where("n1") == HERE, (at.sent, at.held())
        at.settled()


def check_removed_after_broken_upload(program):
    """9: what the server stored without saying so, and was removed in the Maildir before the next run, may have been put there by
    somebody: it is kept, once."""
    for abilities in ("LITERAL+ UIDPLUS MOVE", ""):
        with home(program, abilities) as (at, far):
            at.add("n1")
            far.once("APPEND stored", breaks_for_good(far))
            at.sync(75)
            assert at.where("n1") == HERE, at.held()
            far.away = False
            at.remove("n1")
            at.sync()
            at.settled()
            at.empty_of_deleted("far")
            assert at.where("n1") == {"near": ["INBOX"], "far": ["INBOX"]}, at.held()


def check_altered_on_arrival(program):
    """A server that adds a header field to what it is given: the message is there once on both sides."""
    for abilities in ("LITERAL+ UIDPLUS", ""):
        with home(program, abilities) as (at, far):

            def scan(*_, far=far):
                box = far.mailboxes["INBOX"]
                box.messages[box.next - 1].octets = b"X-Scanned: yes\r\n" + box.messages[box.next - 1].octets

            far.hooks["APPEND stored"] = scan
            at.add("n1")
            at.sync()
            at.settled()
            assert at.where("n1") == HERE, at.held()


def check_full_mailbox_is_emptied(program):
    """9: where the quota is used up, removals are what makes room: they are carried out although an upload was refused."""
    with home(program) as (at, far):

        def quota(_, words):
            if len(far.mailboxes["INBOX"].messages) + len(literals(words)) > 3:
                raise No("[OVERQUOTA] full")

        far.hooks["APPEND"] = quota
        at.add("n1")
        at.sync(75)
        at.remove("m1")
        said = at.sync(75)
        assert "1 removed there" in said, said
        at.sync()
        at.settled()
        assert at.where("n1") == HERE and at.where("m1") == {"near": [], "far": []}, at.held()
