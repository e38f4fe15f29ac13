"""New mail for servers that refuse some of it, or break off."""

import os
import shutil

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
            assert "600 uploaded" in at.sync(11 if happens is loses else 0)
            assert sorted(at.sent["far"]) == sorted(f"APPEND INBOX {subject}" for subject in many)
            far.hooks.clear()
            at.sync()
            assert at.sent["far"] == [], len(at.sent["far"])


def check_mailbox_replaced_while_reading(program):
    """3, 5: the mailbox that uploads go to is replaced while others are still read: what went with it is sent again."""
    for abilities in ("LITERAL+", "LITERAL+ UIDPLUS"):
        with home(program, abilities, inbox=()) as (at, far):
            many = [f"x{number}" for number in range(600)]
            for subject in many:
                at.add(subject)
            appended = []

            def replaces(_, words, far=far, appended=appended):
                appended.append(words)
                if len(appended) == 50:
                    far.make("INBOX")

            far.hooks["APPEND"] = replaces
            at.sync(None)
            at.sync()
            assert sorted(at.server("far")["INBOX"]) == sorted(many), len(at.server("far")["INBOX"])
            at.settled()


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
