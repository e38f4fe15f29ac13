"""migrate from a source with a view of all mail, which may hold what no mailbox has: migrate.py runs these cases."""

import json
import re
import signal
import subprocess

import odd_home
import scripted_imap
from migrate_trial import octets

ABILITIES = "LITERAL+ UIDPLUS SPECIAL-USE"


def source_with(all_mail, abilities=ABILITIES, **mailboxes):
    """`all_mail`, and what is in the mailboxes: numbers, or octets."""
    source = scripted_imap.Server(abilities)
    source.roles["All"] = "\\All"
    for name, messages in {**mailboxes, "All": all_mail}.items():
        box = source.mailboxes.get(name) or source.make(name)
        for one in messages:
            box.add(scripted_imap.Message(octets(one) if isinstance(one, int) else one))
    return source


def home_of(trial, source, target, extra="", **others):
    return trial.home(old=trial.account("imap", "o", extra, source.port), new=trial.account("imap", "me", "", target.port), **others)


def archive(trial, extra=""):
    """Gmail's way: 3 messages in INBOX, and in a view of all mail these and 40 that were archived."""
    source = source_with(range(43), INBOX=range(3), Label=range(3), Spam=range(200, 260), Lists=range(300, 302))
    target = scripted_imap.Server(ABILITIES)
    return source, target, home_of(trial, source, target, extra)


def final(trial, home, *sources, status):
    """What is said, and what is told of each source."""
    said = trial.run(home, "migrate", *(sources or ("old",)), "new", "--final", status=status)
    told = trial.migration(home, *(sources or ("old",)), "new", "--final", status=status)["sources"]
    return said, {one["endpoint"]: one for one in told}


def check_archived(trial, _):
    """What is only in a view of all mail is told, and no migration is complete without it; nor with a lie about it."""
    source, target, home = archive(trial, 'mailboxes = ["*", "!Lists"]')
    with source, target:
        said = trial.run(home, "migrate", "old", "new", "--dry-run")
        assert 'old: "All", with 43 messages, is not taken' in said and 'old: "Lists", with 2 messages, is not taken' in said, said
        said = trial.run(home, "migrate", "old", "new")
        assert "may have mail that is in no mailbox, which a complete run with --final looks for" in said and "end with: mailbraid migrate old new --final" in said, said
        said = trial.run(home, "migrate", "old", "new", "--final", "-q", "--report", f"{home}/proof.json", status=12)
        assert "keep the sources" in said and "Migration of old to new: Not all mail of old is at new" in said, said
        assert "Compared: what was taken; what was not taken is no part of it" in said, said
        with open(f"{home}/proof.json", encoding="utf-8") as file:
            proof = json.load(file)
        assert proof["exit_code"] == 12 and "Not all mail" in proof["verdict"], proof
        (told,) = trial.migration(home, "old", "new", "--final", status=12)["sources"]
        # INBOX, Label, Spam and Lists, and what is archived.
        assert told["only_in_view"] == 40 and told["left_at_source"] == 3 + 3 + 60 + 2 + 40, told
        assert sorted((one["mailbox"], one["messages"], one["why"]) for one in told["left_out"]) == [
            ("All", 43, "view"), ("Lists", 2, "configuration")], told
        advice = re.search(r'write (mailboxes = .*?\]) and (map = .*?\}) below', said)
        assert advice, said
        old = trial.account("imap", "o", "\n".join(advice.groups()), source.port)
        trial.configure(home, old=old, new=trial.account("imap", "me", "", target.port))
        said = trial.run(home, "migrate", "old", "new", "--final")
        assert "Nothing is missing" in said and len(target.mailboxes["Archive"].messages) == 43, said
        # Who does not want it says so, and then it is told, and no reason to go on.
    source, target, home = archive(trial, 'mailboxes = ["*", "!All"]')
    with source, target:
        said = trial.run(home, "migrate", "old", "new", "--final")
        assert '"All", with 43 messages, is not taken: left out by "mailboxes"' in said and "still has 111 messages" in said, said
        assert "Compared:" not in said, said


def check_view_is_compared(trial, _):
    """The final run looks for each message of a view of all mail: its number may agree by chance, or tell of copies."""
    twins = [b"From: a@example.org\r\nSubject: twin\r\n\r\n" + body for body in (b"one\r\n", b"two\r\n")]
    for all_mail, mailboxes, more in (
            (range(43), {"Label": range(3), "Chats": range(200, 260)}, 40),
            ([0, 1, 2, 50, 51, 52], {"Chats": range(200, 203)}, 3),
            ([0, 1, 2, 0, 1, 2], {"Label": range(3)}, 0),
            ([0, 1, 2, *range(200, 260)], {"Spam": range(200, 260)}, 0),
            ([0, 1, 2, *twins], {"Label": twins[:1]}, 1)):
        with source_with(all_mail, INBOX=range(3), **mailboxes) as source, scripted_imap.Server(ABILITIES) as target:
            home = home_of(trial, source, target)
            said, told = final(trial, home, status=12 if more else 0)
            assert told["old"]["only_in_view"] == more, told
            if more:
                assert f"has {more} message{'s that are' if more > 1 else ' that is'} not at the destination" in said and "keep the sources" in said, said
            else:
                assert "has nothing that is not at the destination" in said and "Nothing is missing" in said, said
            trial.configure(home, old=trial.account("imap", "o", 'mailboxes = ["*", "!All"]', source.port), new=trial.account("imap", "me", "", target.port))
            assert "Nothing is missing" in trial.run(home, "migrate", "old", "new", "--final")


def check_archived_meanwhile(trial, _):
    """What was taken from INBOX, and archived at the source before the final run, stays at the destination, and is not missed; what was archived before it could be taken is."""
    with source_with(range(20), INBOX=range(20)) as source, scripted_imap.Server(ABILITIES) as target:
        home = home_of(trial, source, target)
        trial.run(home, "migrate", "old", "new")
        source.mailboxes["INBOX"].expunge("mail 7")
        _, told = final(trial, home, status=0)
        assert told["old"]["only_in_view"] == 0 and "mail 7" in target.mailboxes["INBOX"].subjects(), told
        source.mailboxes["All"].add(scripted_imap.Message(octets(20)))
        _, told = final(trial, home, status=12)
        assert told["old"]["only_in_view"] == 1, told


def check_view_by_names(trial, _):
    """Where the server names messages, none is read again that is known by its name."""
    source = source_with(range(6), f"{ABILITIES} X-GM-EXT-1", INBOX=range(3), Label=range(2))
    with source, scripted_imap.Server(ABILITIES) as target:
        home = home_of(trial, source, target)
        trial.run(home, "migrate", "old", "new")
        source.transcript.clear()
        said = trial.run(home, "migrate", "old", "new", "--final", status=12)
        assert "has 3 messages that are not at the destination" in said, said
        asked = [line for line in source.transcript if line.startswith("C: ") and "BODY" in line]
        assert len(asked) == 1 and "UID FETCH 4:6 " in asked[0] and "HEADER" in asked[0], asked


def check_view_with_names_that_are_none(trial, _):
    """A server that gives one name to several messages proves nothing by it."""
    source = source_with(range(6), f"{ABILITIES} X-GM-EXT-1", INBOX=[octets(number, words=10 + number) for number in range(3)])
    source.gmail_id = lambda _: 7
    with source, scripted_imap.Server(ABILITIES) as target:
        _, told = final(trial, home_of(trial, source, target), status=12)
        assert told["old"]["only_in_view"] == 6, told


def check_view_in_full(trial, _):
    """With --full the bodies count: two messages with one header are two."""
    head = b"From: a@example.org\r\nSubject: twin\r\nMessage-ID: <twin@example.org>\r\n\r\n"
    with source_with([head + b"one\r\n", head + b"two\r\n"], INBOX=[head + b"one\r\n"]) as source, scripted_imap.Server(ABILITIES) as target:
        home = home_of(trial, source, target)
        said = trial.run(home, "migrate", "old", "new", "--final", "--full", status=12)
        assert "has 1 message that is not at the destination" in said, said


def check_view_and_what_is_only_in_the_store(trial, _):
    """A message that the store has, and the destination has not, is missing there; one that the user has removed from the store is not."""
    with source_with(range(5), INBOX=range(3)) as source, scripted_imap.Server(ABILITIES) as target, scripted_imap.Server(ABILITIES) as third:
        third.make("Old")
        for number in (3, 4):
            third.mailboxes["Old"].add(scripted_imap.Message(octets(number)))
        new = trial.account("imap", "me", 'mailboxes = ["*", "!Old"]', target.port)
        other = trial.account("imap", "t", 'braid = "new"\npush = []', third.port)
        home = trial.home(old=trial.account("imap", "o", "", source.port), new=new, other=other)
        trial.run(home, "sync", "other", "new")
        _, told = final(trial, home, status=12)
        assert told["old"]["only_in_view"] == 2 and not any("mail 3" in box.subjects() for box in target.mailboxes.values()), told
    with source_with(range(3), INBOX=range(3)) as source, scripted_imap.Server(ABILITIES) as target:
        home = home_of(trial, source, target)
        trial.run(home, "migrate", "old", "new")
        trial.run(home, "remove", "2")
        assert "Nothing is missing" in trial.run(home, "migrate", "old", "new", "--final")


def check_arrived_meanwhile(trial, _):
    """What arrives while the final run works is for the next one, in a view as in a mailbox."""
    def arrive(*_):
        if "mail 99" not in source.mailboxes["INBOX"].subjects():
            for name in ("INBOX", "All"):
                source.mailboxes[name].add(scripted_imap.Message(octets(99)))

    with source_with(range(30), INBOX=range(30)) as source, scripted_imap.Server(ABILITIES) as target:
        home = home_of(trial, source, target)
        target.hooks["APPEND"] = arrive
        assert "Nothing is missing" in trial.run(home, "migrate", "old", "new", "--final")
        trial.run(home, "migrate", "old", "new", "--final")
        assert "mail 99" in target.mailboxes["INBOX"].subjects()


def check_view_over_another_route(trial, _):
    """What POP3 has brought, as it came over that route, is not missed because IMAP has it in no mailbox."""
    with source_with(range(6), INBOX=range(3)) as source, scripted_imap.Server(ABILITIES) as target, odd_home.PopServer() as pop:
        pop.messages = [(f"U{number}", octets(number, 1)) for number in range(5)]
        home = home_of(trial, source, target, pop=trial.account("pop3", "p", "", pop.port))
        said, told = final(trial, home, "old", "pop", status=12)
        assert told["old"]["only_in_view"] == 1, (said, told)
        pop.messages.append(("U5", octets(5, 1)))
        said, told = final(trial, home, "old", "pop", status=0)
        assert told["old"]["only_in_view"] == 0 and "Nothing is missing" in said, (said, told)


def check_view_cannot_be_read(trial, _):
    """Then it is not known, and said why."""
    def refuse(_, words):
        if words[0] == b"All":
            raise scripted_imap.No("too large")

    with source_with(range(3), INBOX=range(3)) as source, scripted_imap.Server(ABILITIES) as target:
        home = home_of(trial, source, target)
        trial.run(home, "migrate", "old", "new")
        source.hooks["EXAMINE"] = source.hooks["SELECT"] = refuse
        said = trial.run(home, "migrate", "old", "new", "--final", status=75)
        assert "All" in said and "too large" in said and "it could not be read" in said, said
        assert "It is not known whether all mail of old is at new" in said and "it is not known whether the migration is complete" in said, said
        source.hooks.clear()
        assert "Nothing is missing" in trial.run(home, "migrate", "old", "new", "--final")


def check_stopped_before_the_comparison(trial, _):
    """Ctrl-C after the run and before its comparison: nothing is proven, and that is said."""
    with source_with(range(3), INBOX=range(3)) as source, scripted_imap.Server(ABILITIES) as target:
        home = home_of(trial, source, target)
        trial.run(home, "migrate", "old", "new")

        def stop(_, words):
            if words[0] == b"All":
                running.send_signal(signal.SIGINT)
                running.wait()

        source.hooks["EXAMINE"] = source.hooks["SELECT"] = stop
        running = subprocess.Popen(trial.command(home, "migrate", "old", "new", "--final"), stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True, cwd=home)
        said = running.communicate()[0]
        assert running.returncode == 75 and "stopped before the comparison; nothing is lost, run it again" in said, said
        assert "Nothing is missing" not in said and "keep the sources" in said, said
        assert trial.history(home)["exit_code"] == 75
