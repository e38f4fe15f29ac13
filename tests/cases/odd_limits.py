"""Servers that give and take only so much: at once, in a day, of one size, or on one connection."""

from odd_home import PopServer, home, octets, refuse
from scripted_imap import Cut, Message, No, literals

MANY = [f"n{number:03}" for number in range(350)]


def check_account_is_full(program):
    """The quota is the account's: when one mailbox gets OVERQUOTA, the next one is not tried, and what is left is told once."""
    with home(program) as (at, far):

        def quota(_, words):
            if sum(len(box.messages) for box in far.mailboxes.values()) + len(literals(words)) > 6:
                raise No("[OVERQUOTA] full")

        for subject in ("n1", "n2", "n3", "n4"):
            at.add(subject)
        for subject in ("w2", "w3"):
            at.add(subject, "Work")
        far.hooks["APPEND"] = quota
        said = at.sync(75)
        assert said.count("quota") == 1 and "4 messages (" in said and "2 uploaded" in said, said
        assert not any("Work" in line for line in at.sent["far"]), at.sent
        at.sync(75)
        at.repeats(75, "4 messages (")
        far.hooks.clear()
        assert "4 uploaded" in at.sync()
        at.settled()
        assert at.where("w3") == {"near": ["Work"], "far": ["Work"]} and len(at.held()["far"]["INBOX"]) == 7, at.held()


def check_append_limit(program):
    """RFC 7889: what is larger than the server takes is not sent, and told with its reason; by capability, or of each mailbox."""
    for abilities, limit in (("LITERAL+ UIDPLUS APPENDLIMIT=400", "NIL"), ("LITERAL+ UIDPLUS APPENDLIMIT", "400")):
        with home(program, abilities) as (at, far):
            far.append_limit = limit
            at.add("n1")
            at.add("n2" + "x" * 300)
            said = at.run("sync", "--dry-run", status=11)
            assert "far INBOX: too large to upload" in said and "1 uploaded, 1 quarantined" in said, said
            said = at.sync(11)
            assert "1 uploaded, 1 quarantined" in said and at.sent["far"] == ["APPEND INBOX n1"], (said, at.sent)
            assert "the server takes 400 at most" in at.run("status"), at.run("status")
            at.settled()


def check_bye_while_uploading(program):
    """A server that ends every connection after 100 messages gets all of them in one run, once."""
    for abilities in ("LITERAL+ UIDPLUS", "LITERAL+", "LITERAL+ UIDPLUS MULTIAPPEND", ""):
        with home(program, abilities) as (at, far):
            for subject in MANY:
                at.add(subject)
            far.bye_after = 100
            at.sync()
            assert far.mailboxes["INBOX"].subjects() == ["m1", "m2", "m3", *MANY], far.mailboxes["INBOX"].subjects()
            at.settled()


def check_bye_while_downloading(program):
    """Likewise when they are read."""
    for abilities in ("LITERAL+ UIDPLUS", ""):
        with home(program, abilities) as (at, far):
            for subject in MANY:
                far.mailboxes["INBOX"].add(Message(octets(subject)))
            far.bye_after = 100
            at.sync()
            assert sorted(at.maildir()["INBOX"]) == ["m1", "m2", "m3", *MANY], at.held()
            at.settled()


def check_bye_for_ever(program):
    """A server that takes nothing at all before it says BYE is not asked for ever."""
    with home(program) as (at, far):
        at.add("n1")
        far.bye_after = 0
        said = at.sync(69)
        assert said.count("mailbraid: far: ") == 1 and len(at.sent["far"]) <= 4, (said, at.sent)
        far.bye_after = None
        assert "1 uploaded" in at.sync()
        at.settled()


def check_throttled_uploads(program):
    """A server that asks for a moment's patience gets all in one run; one that asks for more than a run has, in the next."""
    for abilities in ("LITERAL+ UIDPLUS", ""):
        with home(program, abilities) as (at, far):
            for subject in ("n1", "n2", "n3"):
                at.add(subject)
            far.once("APPEND", refuse("Request is throttled. Suggested Backoff Time: 20 milliseconds"))
            at.sync()
            at.settled()
            assert len(far.mailboxes["INBOX"].messages) == 6, at.held()
            at.add("n4")
            far.hooks["APPEND"] = refuse("Request is throttled. Suggested Backoff Time: 900000 milliseconds")
            said = at.sync(75)
            assert said.count("run it again in 15 min") == 1 and len(at.sent["far"]) == 1, (said, at.sent)
            far.hooks.clear()
            assert "1 uploaded" in at.sync()
            at.settled()


def check_throttled_listing(program):
    """A server that asks for patience when its mailboxes are listed is left, and asked again over a new line."""
    with home(program) as (at, far):
        at.add("n1")
        far.once("LIST", refuse("Request is throttled. Suggested Backoff Time: 20 milliseconds"))
        assert "1 uploaded" in at.sync()
        assert sum("ready" in line for line in far.transcript) == 2, far.transcript  # of this run
        at.settled()


def check_day_of_uploads(program):
    """A day's budget of uploads lasts for all runs of the day; what is left is told, and goes on the next day."""
    with home(program) as (at, far):
        at.options = 'limits = { upload_per_day = "5k" }\n'
        for subject in MANY[:20]:
            at.add(subject)
        said = at.sync(75)
        for _ in range(4):  # what is left after a careful guess is used, too
            if at.sent["far"]:
                said = at.sync(75)
        gone = len(far.mailboxes["INBOX"].messages) - 3
        told = f"today's budget of 5 kB for uploads to 127.0.0.1 is used up: {20 - gone} messages ("
        assert 5 <= gone < 20 and not at.sent["far"] and said.count(told) == 1, (gone, at.sent, said)
        for _ in range(4):
            at.next_day()
            at.sync(status=None)
        at.next_day()
        at.settled()
        assert len(far.mailboxes["INBOX"].messages) == 23, at.held()


def check_day_of_downloads(program):
    """Likewise of downloads; nothing is carried to a mailbox that is read in part only."""
    with home(program) as (at, far):
        at.options = 'limits = { download_per_day = "20k" }\n'
        for subject in MANY[:40]:
            far.mailboxes["INBOX"].add(Message(octets(subject)))
        at.add("here")
        said = at.sync(75)
        taken = len(at.maildir()["INBOX"]) - 4
        assert 5 <= taken < 40 and "today's budget of 20 kB for downloads" in said, (taken, said)
        assert not at.sent["far"], at.sent
        at.sync(75)
        assert len(at.maildir()["INBOX"]) - 4 == taken, at.held()
        for _ in range(6):
            at.next_day()
            at.sync(status=None)
        at.next_day()
        at.settled()
        assert len(at.maildir()["INBOX"]) == 44 and at.where("here")["far"] == ["INBOX"], at.held()


def check_few_at_a_time(program):
    """messages_per_second holds for uploads with MULTIAPPEND, too."""
    with home(program, "LITERAL+ UIDPLUS MULTIAPPEND") as (at, _):
        at.options = "limits = { messages_per_second = 10 }\n"
        for subject in MANY[:12]:
            at.add(subject)
        at.sync()
        assert sorted(len(line.split()) - 2 for line in at.sent["far"]) == [2, 10], at.sent
        at.settled()


def check_killed(program):
    """P4: what a killed run has spent of the day is counted but for its last batch, and nothing is doubled by the next one."""
    with home(program) as (at, far):
        at.options = 'limits = { download_per_day = "1G", messages_per_second = 150 }\n'
        for subject in MANY:
            far.mailboxes["INBOX"].add(Message(octets(subject)))
        asked = []

        def kill(_, words):
            asked.append(b"BODY.PEEK[]" in words[1])
            if sum(asked) == 3:  # each second has its command
                at.process.kill()
                raise Cut

        far.hooks["UID FETCH"] = kill
        at.sync(status=-9)
        far.hooks.clear()
        stored = at.ask("SELECT count(*) FROM entry")[0][0] - 4
        counted = at.ask("SELECT messages_in, octets_in FROM spending")[0]
        assert 0 < stored <= counted[0] <= stored + 64 and counted[1] > 150 * counted[0], (stored, counted)
        at.options = ""
        at.sync()
        at.settled()
        assert sorted(at.maildir()["INBOX"]) == ["m1", "m2", "m3", *MANY], at.held()


def check_pop_budget(program):
    """POP3: a day's budget, and a maildrop that is locked for a moment."""
    with home(program, pop=PopServer()) as (at, _):
        at.servers["pop"].messages = [(f"U{number}", octets(f"p{number:02}")) for number in range(30)]
        at.options = 'limits = { download_per_day = "6k" }\n'
        said = at.sync(75)
        taken = len(at.maildir()["INBOX"]) - 3
        assert 5 <= taken < 30 and said.count(f"is used up: {30 - taken} messages (") == 1, (taken, said)
        at.sync(75)
        assert len(at.maildir()["INBOX"]) == taken + 3, at.held()
        at.servers["pop"].refusals = ["-ERR [IN-USE] your last session is not over yet"]
        for _ in range(3):
            at.next_day()
            at.sync(status=None)
        at.next_day()
        at.settled()
        assert len(at.maildir()["INBOX"]) == 33 and not at.servers["pop"].refusals, at.held()
