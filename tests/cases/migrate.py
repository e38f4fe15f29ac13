#!/usr/bin/env python3
"""migrate: POP3, IMAP and a Thunderbird profile onto an IMAP account; killed, repeated, met half done; and what it refuses.

usage: migrate.py PROGRAM [--kills N] [--messages N] [--only NAME]
"""

import argparse
import json
import os
import random
import re
import signal
import subprocess
import sys
import tempfile
import time

sys.dont_write_bytecode = True
import migrate_odd  # noqa: E402
import migrate_views  # noqa: E402
from migrate_trial import Trial, arrived, octets, seconds  # noqa: E402
import dovecot  # noqa: E402
import mailctl  # noqa: E402
import run_cases  # noqa: E402


def check_pop3(trial, arguments):
    """Killed at random moments, it goes on where it was: each message once, with its date."""
    count = arguments.messages
    source, target = trial.user(), trial.user()
    trial.fill(source, "INBOX", range(count))
    home = trial.home(old=trial.account("pop3", source), new=trial.account("imap", target))
    began = time.monotonic()
    said = trial.migration(trial.home(old=trial.account("pop3", source), new=trial.account("imap", trial.user())), "old", "new")
    takes = time.monotonic() - began
    assert said["new"]["uploaded"] == count and said["sources"][0]["there"] == count, said
    chance = random.Random(4)
    for _ in range(arguments.kills):
        process = subprocess.Popen(trial.command(home, "migrate", "old", "new", "-q"), cwd=home, stdout=subprocess.DEVNULL,
                                   stderr=subprocess.DEVNULL)
        try:
            process.wait(chance.uniform(0.02, takes))
        except subprocess.TimeoutExpired:
            process.send_signal(signal.SIGKILL)
            process.wait()
    trial.migration(home, "old", "new")
    wanted = [(number, arrived(number), []) for number in range(count)]
    found = trial.numbers(target)
    assert found == wanted, [one for one in found if one not in wanted or found.count(one) > 1] + [one for one in wanted if one not in found]
    again = trial.migration(home, "old", "new", "--final")
    assert again["new"]["uploaded"] == 0 and again["old"]["new"] == 0, again
    assert trial.numbers(target) == wanted
    assert len(trial.numbers(source)) == count, "the source was touched"


def check_there_already(trial, arguments):
    """What the destination got over another route is recognised by its content."""
    count = arguments.messages
    there = count * 2 // 5
    source, target = trial.user(), trial.user()
    trial.fill(source, "INBOX", range(count))
    trial.fill(target, "INBOX", range(there), route=1)
    home = trial.home(old=trial.account("pop3", source), new=trial.account("imap", target))
    said = trial.migration(home, "old", "new")
    assert said["new"]["uploaded"] == count - there, said["new"]
    assert said["sources"] == [{**said["sources"][0], "messages": count, "there": count, "refused": 0}], said["sources"]
    assert [number for number, _, _ in trial.numbers(target)] == list(range(count))


def check_both_protocols(trial, _):
    """The same account read by POP3 and by IMAP at once: no message twice."""
    source, target = trial.user(), trial.user()
    trial.fill(source, "INBOX", range(40), flags="\\Seen")
    trial.fill(source, "Gesendete Elemente", range(100, 110))
    home = trial.home(pop=trial.account("pop3", source), imap=trial.account("imap", source), new=trial.account("imap", target))
    said = trial.migration(home, "pop", "imap", "new")
    assert said["new"]["uploaded"] == 50, said
    assert [number for number, _, _ in trial.numbers(target)] == list(range(40))
    assert all(flags == ["\\Seen"] for _, _, flags in trial.numbers(target))
    assert [number for number, _, _ in trial.numbers(target, "Sent")] == list(range(100, 110))


def check_seen(trial, _):
    """POP3 knows no flags; the configuration says what counts as read."""
    source = trial.user()
    trial.fill(source, "INBOX", range(10))
    laptop = os.path.join(trial.directory, "laptop")
    for name in ("new", "cur", "tmp"):
        os.makedirs(os.path.join(laptop, name))
    for number in range(4, 7):
        with open(os.path.join(laptop, "cur", f"{number}.x:2,S"), "wb") as file:
            file.write(octets(number, route=1).replace(b"\r\n", b"\n"))
    age = int(time.time()) - arrived(4) - 1800
    tree = f'type = "maildir"\npath = "{laptop}"\npush = []\n'
    for rule, read in (("none", set()), ("all", set(range(10))), (f"older-than {age}s", set(range(5))),
                       ("from laptop", {4, 5, 6})):
        target = trial.user()
        home = trial.home(old=trial.account("pop3", source, f'seen = "{rule}"'), laptop=tree, new=trial.account("imap", target))
        trial.run(home, "sync", "laptop")
        trial.migration(home, "old", "new")
        found = {number for number, _, flags in trial.numbers(target) if "\\Seen" in flags}
        assert found == read, (rule, found)


# X-Mozilla-Status: read 1, replied 2, marked 4, forwarded 0x1000.
MOZILLA = {0: [], 1: ["\\Seen"], 3: ["\\Answered", "\\Seen"], 5: ["\\Flagged", "\\Seen"], 0x1001: ["$Forwarded", "\\Seen"]}
FOLDERS = {"Inbox": "INBOX", "Sent": "Sent", "Gesch\u00e4ft": "Gesch\u00e4ft", "Gesch\u00e4ft.sbd/M\u00fcller & S\u00f6hne": "Gesch\u00e4ft/M\u00fcller & S\u00f6hne",
           "Gesch\u00e4ft.sbd/M\u00fcller & S\u00f6hne.sbd/2019": "Gesch\u00e4ft/M\u00fcller & S\u00f6hne/2019", "\u4ed5\u4e8b": "\u4ed5\u4e8b",
           "\u4ed5\u4e8b.sbd/\u4f1a\u8b70": "\u4ed5\u4e8b/\u4f1a\u8b70"}


def profile(top, count):
    """A Thunderbird tree of `count` messages; returns {mailbox: {octets: flags}}."""
    wanted = {}
    files = list(FOLDERS)
    for number in range(count):
        folder = files[number % len(files)]
        status = list(MOZILLA)[number % len(MOZILLA)]
        text = octets(number) + (b"From here on it is quoted\r\n" if number % 11 == 0 else b"")
        os.makedirs(os.path.dirname(os.path.join(top, folder)), exist_ok=True)
        with open(os.path.join(top, folder), "ab") as file:
            file.write(b"From - Sun Sep  9 01:46:40 2001\nX-Mozilla-Status: %04x\nX-Mozilla-Status2: 00000000\n" % status)
            file.write(text.replace(b"\r\n", b"\n").replace(b"\nFrom here", b"\n>From here") + b"\n")
        wanted.setdefault(FOLDERS[folder], {})[text] = MOZILLA[status]
    for folder in files:
        open(os.path.join(top, folder + ".msf"), "wb").close()
    return wanted


def check_thunderbird(trial, arguments):
    """Nested folders with names of two languages: folders, flags, dates and octets arrive."""
    target = trial.user()
    top = os.path.join(trial.directory, "Local Folders")
    wanted = profile(top, arguments.messages)
    tree = f'type = "mbox"\npath = "{top}"\nsubfolders = "thunderbird"\nquoting = "mboxrd"\npush = []\n'
    home = trial.home(old=tree, new=trial.account("imap", target))
    said = trial.migration(home, "old", "new", "--final")
    assert said["new"]["uploaded"] == arguments.messages, said
    imap = trial.imap(target)
    names = {name for name, _ in imap.names()}
    assert names == set(wanted), names
    for mailbox, messages in wanted.items():
        found = {text: flags for _, flags, _, text in imap.messages(mailbox)}
        assert found == messages, (mailbox, len(found), len(messages))
        for _, _, date, text in imap.messages(mailbox):
            number = int(re.search(rb"<(\d+)@", text).group(1))
            assert seconds(date) == arrived(number), (date, number)
    assert trial.migration(home, "old", "new")["new"]["uploaded"] == 0


def check_report(trial, _):
    """A destination that is damaged: one missing, one altered, one extra, one misplaced, and no other is named."""
    source, target = trial.user(), trial.user()
    trial.fill(source, "INBOX", range(30))
    trial.fill(source, "Work", range(100, 110))
    home = trial.home(old=trial.account("imap", source), new=trial.account("imap", target))
    files = ["--report", f"{home}/proof.json", "--report", f"{home}/proof.html", "--report", f"{home}/proof.txt"]
    trial.run(home, "migrate", "old", "new", "--final", *files)
    assert all(os.path.getsize(file) > 0 for file in files[1::2])
    imap = trial.imap(target)

    def uid(number, mailbox="INBOX"):
        return next(uid for uid, _, _, text in imap.messages(mailbox) if b"<%d@" % number in text)

    def expunge(number):
        mailctl.expunge(imap, ["INBOX", str(uid(number))])

    expunge(3)
    mailctl.move(imap, ["INBOX", str(uid(5)), "Work"])
    expunge(7)
    imap.append("INBOX", octets(7) + b"one line more\r\n")
    imap.append("INBOX", octets(99))
    for words in (("verify", "new"), ("migrate", "old", "new", "--final")):
        said = trial.run(home, *words, "--report", f"{home}/proof.json", status=12)
        with open(f"{home}/proof.json", encoding="utf-8") as file:
            (report,) = json.load(file)["endpoints"]
        named = {(one["kind"], one["message_id"]) for one in report["findings"] if one["difference"]}
        wanted = {("missing", "3"), ("misplaced", "5"), ("altered", "7"), ("extra", "99")}
        if words[0] == "migrate":
            # The run has taken in what is there, and where; what somebody removed there is not brought again, but named.
            wanted = {("missing", "3"), ("missing", "7")}
        assert named == {(kind, f"{number}@example.org") for kind, number in wanted}, (named, said)


def check_refused(trial, _):
    """What makes no sense is refused in one sentence, before anything is done."""
    source, target = trial.user(), trial.user()
    home = trial.home(old=trial.account("pop3", source), new=trial.account("imap", target),
                      twin=trial.account("imap", target), closed=trial.account("imap", source, "push = []"))
    for words, sentence in ((("new", "new"), "the same account"), (("new", "twin"), "the same account"),
                            (("new", "old"), "POP3"), (("new", "closed"), "push"), (("old", "nwe"), "did you mean"),
                            (("old",), "migrate needs"), (("old", "old", "new"), "the same account")):
        said = trial.run(home, "migrate", *words, status=78 if sentence == "push" else 64)
        assert sentence in said and len(said.splitlines()) == 1, (words, said)
    trial.run(home, "sync", "old")
    said = trial.run(home, "migrate", "old", "new", status=78)
    assert 'braid = "new"' in said and len(said.splitlines()) == 1, said


def check_left_out(trial, _):
    """What is left out of the source is not at the destination, and that is said."""
    source, target = trial.user(), trial.user()
    trial.fill(source, "INBOX", range(5))
    home = trial.home(old=trial.account("imap", source, 'max_size = "1k"'), new=trial.account("imap", target))
    said = trial.run(home, "migrate", "old", "new", "--final", status=12)
    assert "5 more are only at the source" in said and "keep the sources" in said and "every night" not in said, said


def check_deletes_what_is_there(trial, _):
    """P1: a POP3 source loses only what the destination was seen to have in this run, and nothing where both are one account."""
    source, target = trial.user(), trial.user()
    trial.fill(source, "INBOX", range(8))
    home = trial.home(old=trial.account("pop3", source), new=trial.account("imap", target))
    trial.migration(home, "old", "new")
    (gone,) = dovecot.freePorts(1)
    trial.configure(home, old=trial.account("pop3", source, 'leave_on_server = "no"'), new=trial.account("imap", target, port=gone))
    said = trial.run(home, "migrate", "old", "new", status=69)
    assert "nothing is deleted there" in said and len(trial.numbers(source)) == 8, said
    trial.configure(home, old=trial.account("pop3", source, 'leave_on_server = "no"'), new=trial.account("imap", target))
    said = trial.run(home, "migrate", "old", "new", "--final")
    assert trial.numbers(source) == [] and len(trial.numbers(target)) == 8, said
    assert "old still has 0 messages" in said, said
    one = trial.user()
    trial.fill(one, "INBOX", range(8))
    home = trial.home(pop=trial.account("pop3", one, 'leave_on_server = "no"'), imap=trial.account("imap", one))
    trial.migration(home, "pop", "imap")
    assert len(trial.numbers(one)) == 8


def check_source_vanishes(trial, _):
    """A source that cannot be reached: the others are brought, and the exit code says that something is left."""
    first, target = trial.user(), trial.user()
    trial.fill(first, "INBOX", range(20))
    (gone,) = dovecot.freePorts(1)
    home = trial.home(old=trial.account("imap", first, 'braid = "x"'), gone=trial.account("imap", first, 'braid = "x"', gone),
                      new=trial.account("imap", target, 'braid = "x"'))
    said = trial.run(home, "migrate", "old", "gone", "new", status=69)
    assert len(trial.numbers(target)) == 20 and "run it again to go on" in said, said


def check_itself(trial, _):
    """An account under another name of its host is no destination for itself: all would be there, and nothing proved."""
    user = trial.user()
    trial.fill(user, "INBOX", range(3))
    account = trial.account("imap", user)
    home = trial.home(old=account, new=account.replace("127.0.0.1", "localhost"))
    said = trial.run(home, "migrate", "old", "new", "--final", status=64)
    assert "the same account" in said, said


def check_advice(trial, _):
    """What the last run advises for every night is what the configuration accepts."""
    source, other, target = trial.user(), trial.user(), trial.user()
    trial.fill(source, "INBOX", range(3))
    trial.fill(other, "INBOX", range(10, 13))
    pop, imap, new = (trial.account("pop3", source, 'leave_on_server = "14d"'), trial.account("imap", other), trial.account("imap", target))
    home = trial.home(pop=pop, imap=imap, new=new)
    said = trial.run(home, "migrate", "pop", "imap", "new", "--final")
    assert "and push = [] below [endpoint.imap] so" in said and "as its leave_on_server or newest says" in said, said
    trial.configure(home, pop=pop + '\nbraid = "new"', imap=imap + '\nbraid = "new"\npush = []', new=new)
    trial.fill(other, "INBOX", range(20, 22))
    trial.run(home, "sync", "-q")
    assert [number for number, _, _ in trial.numbers(target)] == [0, 1, 2, 10, 11, 12, 20, 21]


CHECKS = {name[len("check_"):]: check for name, check in {**globals(), **vars(migrate_odd), **vars(migrate_views)}.items() if name.startswith("check_")}


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("program")
    parser.add_argument("--kills", type=int, default=6)
    parser.add_argument("--messages", type=int, default=1000)
    parser.add_argument("--only", choices=sorted(CHECKS))
    arguments = parser.parse_args()
    program = os.path.abspath(arguments.program)
    for name, check in CHECKS.items():
        if arguments.only and name != arguments.only:
            continue
        with tempfile.TemporaryDirectory() as directory:
            os.chmod(directory, 0o755)
            server = run_cases.Server(os.path.join(directory, "server"), "all")
            server.directory = os.path.join(directory, "server")
            try:
                check(Trial(program, directory, server), arguments)
            finally:
                server.close()
        print(f"passed: {name}", flush=True)


if __name__ == "__main__":
    main()
