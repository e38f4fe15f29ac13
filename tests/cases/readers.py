#!/usr/bin/env python3
"""Dovecot, mutt and notmuch work in a Maildir tree that mailbraid syncs with an IMAP account: P1, P2 and P3 with them.

usage: readers.py PROGRAM [--only NAME]

Each case ends with what must be there on both sides, message by message, and a run that must do nothing. No order is left to
chance where one is meant: a run waits at its password, mutt at a shell command, until the other program is done.
"""

import argparse
import ctypes
import json
import os
import pty
import re
import select
import shutil
import struct
import subprocess
import sys
import tempfile
import threading
import time

import run_cases
from run_cases import mailctl

PATIENCE = 120  # seconds until a program that hangs is ended; nothing else depends on it
PROGRAMS = ("mutt", "notmuch")


class Process:
    """A program whose end, and whatever else is to be waited for, is waited for together."""

    def __init__(self, command, **options):
        self.output = b""
        self.process = subprocess.Popen(command, **options)
        self.ended = os.pidfd_open(self.process.pid)

    def __enter__(self):
        return self

    def __exit__(self, *_):
        if self.process.poll() is None:
            self.process.kill()
            self.process.wait()
        os.close(self.ended)

    def wait_for(self, descriptor=None, terminal=None):
        """True when there is something to read from `descriptor`, False when the program has ended."""
        wanted = [one for one in (descriptor, terminal, self.ended) if one is not None]
        while True:
            ready, _, _ = select.select(wanted, [], [], PATIENCE)
            if not ready:
                raise AssertionError(f"{self.process.args} hangs: {self.output[-3000:]!r}")
            if terminal in ready:
                self.output += os.read(terminal, 65536)
            elif descriptor in ready:
                return True
            else:
                self.process.wait()
                return False


class Gate:
    """Where a program waits: a shell script that tells that it was reached, and goes on when it may."""

    def __init__(self, directory, name):
        self.script, self.arrived, self.go = (os.path.join(directory, name + end) for end in ("", ".arrived", ".go"))
        os.mkfifo(self.arrived)
        os.mkfifo(self.go)
        self.descriptor = os.open(self.arrived, os.O_RDWR | os.O_NONBLOCK)
        with open(self.script, "w", encoding="ascii") as file:
            file.write(f'#!/bin/sh\n[ "$GATE" != {name} ] || {{ echo >"{self.arrived}"; cat "{self.go}"; }}\necho secret\n')
        os.chmod(self.script, 0o700)

    def reached_by(self, process, **options):
        assert process.wait_for(self.descriptor, **options), f"{process.process.args} ended before it came to its gate"
        os.read(self.descriptor, 100)

    def open(self):
        with open(self.go, "w", encoding="ascii"):
            pass

    def close(self):
        os.close(self.descriptor)


class Listing:
    """Waits until a directory was read (inotify(7))."""

    CLOSED, DIRECTORY = 0x10, 0x40000000

    def __init__(self, path):
        library = ctypes.CDLL(None, use_errno=True)
        self.descriptor = library.inotify_init1(os.O_NONBLOCK)
        watch = library.inotify_add_watch(self.descriptor, path.encode(), self.CLOSED)
        assert watch >= 0, f"{path}: {os.strerror(ctypes.get_errno())}"

    def __enter__(self):
        return self

    def __exit__(self, *_):
        os.close(self.descriptor)

    def done_by(self, process):
        while process.wait_for(self.descriptor):
            events = os.read(self.descriptor, 65536)
            while events:
                _, mask, _, length = struct.unpack_from("iIII", events)
                if mask & self.DIRECTORY:
                    return
                events = events[16 + length:]
        raise AssertionError(f"{process.process.args} ended before it read the directory")


class Home:
    """A store, the tree `near` on this disk and the IMAP account `far`."""

    def __init__(self, program, directory, tree, style, far, owner=None):
        """Mailbraid runs as `owner` when that is another user: whose mail the tree is."""
        self.program, self.directory, self.tree, self.far = program, directory, tree, far
        self.ages = 0
        self.user = {"user": owner, "group": owner, "extra_groups": []} if owner else {}
        os.makedirs(directory, mode=0o700)
        self.password = Gate(directory, "password")
        with open(self.path("config.toml"), "w", encoding="utf-8") as file:
            file.write(
                f'[store]\npath = "{directory}/store"\n'
                f'[endpoint.near]\ntype = "maildir"\npath = "{tree}"\nsubfolders = "{style}"\nbraid = "home"\n'
                f'[endpoint.far]\ntype = "imap"\nhost = "127.0.0.1"\nport = {far.port}\ntls = "none"\nuser = "{far.user}"\n'
                f'password_command = ["{self.password.script}"]\nbraid = "home"\n'
            )
        if owner:
            for path in (directory, *map(self.path, os.listdir(directory))):
                shutil.chown(path, owner, owner)

    def path(self, name):
        return os.path.join(self.directory, name)

    def sync(self, meanwhile=None, alongside=None):
        """A run. `meanwhile` is done when it has listed the tree's INBOX and waits for the far side, `alongside` while it
        goes on."""
        waits = meanwhile or alongside
        environment = {**os.environ, "GATE": "password" if waits else ""}
        command = [self.program, "--config", self.path("config.toml"), "sync", "--json"]
        inbox = os.path.join(self.tree, "cur")
        if not os.path.isdir(inbox):
            inbox = os.path.join(self.tree, "INBOX", "cur")
        if waits:
            os.utime(inbox)  # it is read in any case
        with tempfile.TemporaryFile() as said, Listing(inbox) as listing:
            with Process(command, stdin=subprocess.DEVNULL, stdout=said, stderr=said, env=environment, **self.user) as run:
                if waits:
                    self.password.reached_by(run)
                    listing.done_by(run)
                    if meanwhile:
                        meanwhile()
                    self.password.open()
                if alongside:
                    alongside()
                run.wait_for()
            said.seek(0)
            text = said.read().decode()
        return run.process.returncode, text

    def complete(self, **options):
        code, said = self.sync(**options)
        assert code == 0, f"a run ended with {code}: {said}"
        return {row["endpoint"]: row for row in map(json.loads, said.splitlines()) if "endpoint" in row}

    def idle(self):
        """One more run does nothing: it neither says nor does so."""
        files = self.files()
        far = addresses(self.far)
        rows = self.complete()
        assert set(rows) == {"near", "far"}, rows
        for row in rows.values():
            for key in ("new", "adopted", "flags", "moved", "removed", "uploaded", "flags_stored", "moved_there", "removed_there",
                        "held", "quarantined", "problems"):
                assert not row[key], f"one more run had something to do: {row}"
        assert self.files() == files and addresses(self.far) == far, "one more run changed something"
        return rows

    def files(self):
        """{path: inode} of all messages; nothing is left in tmp."""
        out = {}
        for where, _, names in os.walk(self.tree):
            if os.path.basename(where) in ("cur", "new", "tmp"):
                out.update({os.path.join(where, name): os.stat(os.path.join(where, name)).st_ino for name in names})
        assert not [path for path in out if os.path.basename(os.path.dirname(path)) == "tmp"], out
        return out

    def age(self):
        """As if nothing had changed for an hour: what changed lately is read whether it seems to have changed or not."""
        self.ages += 1
        when = time.time() - 86400 + 3600 * self.ages
        for where, _, names in os.walk(self.tree):
            for path in [where] + [os.path.join(where, name) for name in names if name == "dovecot-keywords"]:
                os.utime(path, (when, when))
        self.complete()  # times that went back look like a backup's; everything is recognised
        rows = self.idle()
        assert rows["near"]["mailboxes_read"] == 0, f"mailboxes that did not change were read: {rows}"


def addresses(account):
    """{mailbox: (UIDVALIDITY, {UID: message, flags and internal date})}"""
    imap = account.imap()
    out = {}
    for name, _ in sorted(imap.names()):
        quoted = mailctl.quoted(mailctl.encodeName(name))
        status = imap.command(b"STATUS " + quoted + b" (UIDVALIDITY)")[0][-1]
        held = {uid: (run_cases.identity(raw), run_cases.lowered(flags), date) for uid, flags, date, raw in imap.messages(name)}
        out[name] = (int(re.search(rb"UIDVALIDITY (\d+)", status).group(1)), held)
    imap.command(b"LOGOUT")
    return out


def same_addresses(before, after, moved):
    """Who reads by UID finds all where it was, but for the messages that were moved or removed."""
    for mailbox, (validity, held) in before.items():
        assert mailbox in after and after[mailbox][0] == validity, f"{mailbox} has another UIDVALIDITY"
        now = after[mailbox][1]
        for uid, (identity, _, date) in held.items():
            if uid in now:
                assert now[uid][0] == identity, f"{mailbox}: UID {uid} was {identity} and is {now[uid][0]}"
                assert now[uid][2] == date, f"{mailbox}: {identity} was of {date} and is of {now[uid][2]}"
            else:
                assert identity.split(" ")[0] in moved, f"{mailbox}: {identity} is not UID {uid} any more"


def both_hold(home, near, wanted):
    """Content and flags: all of `wanted` and nothing else, on both sides."""
    wanted = run_cases.expected(wanted)
    for name, state in (("near", near.state()), ("far", home.far.state())):
        for mailbox in sorted(set(wanted) | set(state)):
            has, should = state.get(mailbox), wanted.get(mailbox)
            if has == should:
                continue
            extra = [one for one in has or [] if one not in (should or [])]
            lacking = [one for one in should or [] if one not in (has or [])]
            count = f"{has and len(has)} of {should and len(should)}"
            raise AssertionError(f"{name} {mailbox}: {count}, extra {extra}, lacking {lacking}")


def mail(first, last, *flags):
    """Names of two digits and more, so that none is the beginning of another one."""
    return [{"id": f"{first[0]}{number:02}", "flags": list(flags)} for number in range(int(first[1:]), int(last[1:]) + 1)]


def by_chance(near, messages, *flags):
    """The messages with those of these flags, besides theirs, that they have in the INBOX."""
    has = {identity.split(" ")[0]: held for identity, held in near.state()["INBOX"]}
    return [{**one, "flags": one["flags"] + [flag for flag in flags if flag.lower() in has[one["id"]]]} for one in messages]


class Client:
    """An IMAP session that stays; messages by their subject."""

    def __init__(self, account):
        self.imap = account.imap()
        self.mailbox = None

    def select(self, mailbox):
        self.imap.select(mailbox)
        self.mailbox = mailbox

    def uid(self, name):
        self.imap.command(b"NOOP")  # what others did shows
        for parts in self.imap.command(b'UID SEARCH SUBJECT "' + name.encode() + b'"'):
            if parts[0].startswith(b"* SEARCH"):
                found = parts[0].split()[2:]
                assert len(found) == 1, f"{self.mailbox} has {len(found)} of {name}"
                return found[0]
        raise AssertionError("no answer to SEARCH")

    def store(self, name, change):
        self.imap.command(b"UID STORE " + self.uid(name) + b" " + change.encode())

    def move(self, name, mailbox):
        self.imap.command(b"UID MOVE " + self.uid(name) + b" " + mailctl.quoted(mailctl.encodeName(mailbox)))

    def remove(self, name):
        uid = self.uid(name)
        self.imap.command(b"UID STORE " + uid + b" +FLAGS.SILENT (\\Deleted)")
        self.imap.command(b"UID EXPUNGE " + uid)

    def append(self, mailbox, name, flags=""):
        self.imap.append(mailbox, run_cases.octets({}, name), flags, run_cases.DATE)

    def close(self):
        self.imap.command(b"LOGOUT")


def beside_dovecot(program, directory, server):
    """Dovecot serves the tree; an IMAP session is open in it all the time."""
    near, far = run_cases.Account(server.port, "user1"), run_cases.Account(server.port, "user2")
    near.make({"INBOX": mail("m00", "m29"), "Work": mail("w00", "w09"), "Grüße": [], "Grüße/Alt": mail("g00", "g04")})
    far.make({"INBOX": mail("m20", "m29") + mail("f00", "f04")})
    tree = os.path.join(server.facts["HOME"], "user1", "mail")
    home = Home(program, directory, tree, "maildir++", far, "mail" if os.geteuid() == 0 else None)
    then = {"INBOX": mail("m00", "m29") + mail("f00", "f04"), "Work": mail("w00", "w09"), "Grüße": [],
            "Grüße/Alt": mail("g00", "g04")}

    before = addresses(near), addresses(far)

    def settled(wanted, *moved):
        nonlocal before
        both_hold(home, near, wanted)
        home.idle()
        now = addresses(near), addresses(far)
        for old, new in zip(before, now):
            same_addresses(old, new, moved)
        before = now

    reader = Client(near)
    reader.select("INBOX")
    other = Client(far)
    other.select("INBOX")
    home.complete()
    settled(then)

    def both_work():
        reader.store("m00", "+FLAGS (\\Seen \\Flagged)")
        reader.store("m01", "+FLAGS (work)")
        reader.remove("m02")
        reader.move("m03", "Work")
        reader.append("INBOX", "n00", "\\Answered")
        reader.append("Work", "n01")
        reader.store("m07", "+FLAGS (\\Seen)")
        other.store("m04", "+FLAGS (\\Answered)")
        other.remove("m05")
        other.move("m06", "Work")
        other.store("m07", "+FLAGS (\\Flagged)")
        other.append("INBOX", "d00")
        other.append("INBOX", "d01")

    home.complete(meanwhile=both_work)
    home.complete()
    then["INBOX"] = (mail("m00", "m00", "\\Seen", "\\Flagged") + mail("m01", "m01", "work") + mail("m04", "m04", "\\Answered")
                     + mail("m07", "m07", "\\Seen", "\\Flagged") + mail("m08", "m29") + mail("f00", "f04")
                     + mail("n00", "n00", "\\Answered") + mail("d00", "d01"))
    then["Work"] += mail("m03", "m03") + mail("m06", "m06") + mail("n01", "n01")
    settled(then, "m02", "m03", "m05", "m06")

    # The session goes on with what mailbraid brought and changed.
    home.age()
    reader.store("d00", "+FLAGS (\\Seen)")
    reader.store("m04", "-FLAGS (\\Answered)")
    reader.move("d01", "Grüße")
    reader.imap.command(b"CREATE Fresh")
    reader.append("Fresh", "x00", "\\Draft")
    other.imap.command(b"CREATE Elsewhere")
    other.append("Elsewhere", "y00")
    other.select("Work")
    other.remove("w00")
    other.store("m03", "+FLAGS (\\Flagged)")
    other.select("Grüße/Alt")
    other.store("g00", "+FLAGS (later)")
    home.complete()
    then["INBOX"] = [one for one in then["INBOX"] if one["id"] not in ("d00", "d01", "m04")]
    then["INBOX"] += mail("d00", "d00", "\\Seen") + mail("m04", "m04")
    then["Work"] = mail("w01", "w09") + mail("m03", "m03", "\\Flagged") + mail("m06", "m06") + mail("n01", "n01")
    then["Grüße"] = mail("d01", "d01")
    then["Grüße/Alt"] = mail("g00", "g00", "later") + mail("g01", "g04")
    then |= {"Fresh": mail("x00", "x00", "\\Draft"), "Elsewhere": mail("y00", "y00")}
    settled(then, "d01", "w00")
    reader.imap.command(b"NOOP")
    reader.select("Work")
    reader.move("m03", "INBOX")  # and back again, by both
    home.complete()
    other.select("INBOX")
    other.move("m03", "Work")
    home.complete()
    settled(then, "m03")
    reader.select("INBOX")

    # At the same time, without any order.
    reader.imap.command(b"CREATE Race")
    for one in mail("r00", "r29"):
        reader.append("Race", one["id"])
    reader.select("Race")
    home.complete()
    then["Race"] = mail("r00", "r29")
    settled(then)
    other.select("Race")

    def session():
        for number in range(10):
            reader.store(f"r{number:02}", "+FLAGS (\\Seen)")
            reader.move(f"r{number + 10}", "Work")
            reader.append("Race", f"s{number:02}", "\\Flagged")
            reader.store(f"r{number + 20}", "+FLAGS (\\Flagged)")
            reader.remove(f"r{number + 20}")

    failed = []

    def safely():
        try:
            session()
        except (AssertionError, mailctl.Refused, EOFError, OSError) as error:
            failed.append(error)

    thread = threading.Thread(target=safely)
    codes = [home.sync(alongside=thread.start)]
    for number in range(10):
        other.store(f"r{number:02}", "+FLAGS (\\Answered)")
        other.append("INBOX", f"t{number:02}")
        codes.append(home.sync())
    thread.join()
    assert not failed, failed
    for code, said in codes:
        assert code in (0, 75), said  # 75: the tree changed again and again while it was listed
    home.complete()
    then["Race"] = mail("r00", "r09", "\\Seen", "\\Answered") + mail("s00", "s09", "\\Flagged")
    then["Work"] += mail("r10", "r19")
    then["INBOX"] += mail("t00", "t09")
    settled(then, *[f"r{number}" for number in range(10, 30)])
    home.age()
    settled(then)
    reader.close()
    other.close()


class Mutt:
    """mutt in a terminal of its own, with keys typed ahead."""

    RC = """
set folder="{tree}" spoolfile="=INBOX" mbox_type=Maildir record="" postponed="" header_cache="" move=no wait_key=no sleep_time=0
set quit=yes delete=yes confirmappend=no confirmcreate=no resolve=no sort=subject beep=no
set from="x@example.org" realname="x" index_format="%4C %Z %s" shell=/bin/sh
"""

    def __init__(self, home, gate):
        self.home, self.gate = home, gate
        self.rc = home.path("muttrc")
        with open(self.rc, "w", encoding="utf-8") as file:
            file.write(self.RC.format(tree=home.tree))

    def run(self, mailbox, *keys, meanwhile):
        """Types the keys; `meanwhile` is done when mutt has come to the gate. mutt writes what is left, and ends."""
        # What another program did is taken over by the first attempt to write, which writes only at the next one.
        typed = "".join(keys) + "<sync-mailbox>" * 3 + "<quit>" * 10
        terminal, inside = pty.openpty()
        environment = {**os.environ, "TERM": "vt100", "GATE": "mutt", "HOME": self.home.directory, "LC_ALL": "C.UTF-8"}
        command = ["mutt", "-n", "-F", self.rc, "-f", "=" + mailbox, "-e", f"push '{typed}'"]
        try:
            with Process(command, stdin=inside, stdout=inside, stderr=inside, env=environment, start_new_session=True) as mutt:
                self.gate.reached_by(mutt, terminal=terminal)
                meanwhile(self.gate.open)
                mutt.wait_for(terminal=terminal)
            assert mutt.process.returncode == 0, f"mutt ended with {mutt.process.returncode}: {mutt.output[-2000:]!r}"
        finally:
            os.close(terminal)
            os.close(inside)

    def at_gate(self):
        return f"<shell-escape>{self.gate.script}<enter>"

    @staticmethod
    def read(name):
        return f"<limit>~s {name}<enter><display-message><exit><limit>all<enter>"

    @staticmethod
    def all_of(pattern, keys):
        return f"<tag-pattern>~s {pattern}<enter><tag-prefix>{keys}<untag-pattern>~A<enter>"


def saved(first, last, *flags):
    """mail() as mutt writes it when it saves a message to another mailbox: with a field more."""
    out = mail(first, last, *flags)
    for one in out:
        head, _, body = run_cases.octets({}, one["id"]).decode().partition("\r\n\r\n")
        length = len(body.replace("\r\n", "\n"))
        one["octets"] = f"{head}\r\nContent-Length: {length}\r\n\r\n{body}"
    return out


def beside_mutt(program, directory, server):
    """mutt has the tree open, with changes that it has not written yet, while mailbraid changes it."""
    far = run_cases.Account(server.port, "user3")
    near = run_cases.Tree(os.path.join(directory, "tree"))
    home = Home(program, directory, near.path, "nested", far)
    near.make({"INBOX": mail("m00", "m29"), "Filed": mail("k00", "k04")})
    far.make({"INBOX": mail("m20", "m29") + mail("f00", "f04")})
    before = addresses(far)

    def settled(wanted, *moved):
        nonlocal before
        both_hold(home, near, wanted)
        home.idle()
        now = addresses(far)
        same_addresses(before, now, moved)
        before = now

    gate = Gate(directory, "mutt")
    mutt = Mutt(home, gate)
    other = Client(far)
    home.complete()
    settled({"INBOX": mail("m00", "m29") + mail("f00", "f04"), "Filed": mail("k00", "k04")})

    def others_work(go):
        other.select("INBOX")
        other.store("m01", "+FLAGS (\\Answered)")
        other.store("m06", "+FLAGS (\\Seen)")
        other.remove("m07")
        other.move("m08", "Filed")
        other.append("INBOX", "d00")
        home.complete()
        go()

    mutt.run("INBOX", mutt.read("m00"), mutt.all_of("m01", "<set-flag>!"), "<delete-pattern>~s m0[23]<enter>",
             mutt.all_of("m0[45]", "<save-message>=Filed<enter>"), mutt.at_gate(), meanwhile=others_work)
    home.complete()
    # Of a message that was changed in mutt, mutt writes all flags as it knows them: m01 is not answered any more.
    filed = mail("k00", "k04") + saved("m04", "m05") + mail("m08", "m08")
    inbox = (mail("m00", "m00", "\\Seen") + mail("m01", "m01", "\\Flagged") + mail("m06", "m06", "\\Seen")
             + mail("m09", "m29") + mail("f00", "f04"))
    settled({"INBOX": inbox + mail("d00", "d00"), "Filed": filed}, "m02", "m03", "m04", "m05", "m07", "m08")

    # What mailbraid brought while mutt was away; flags that are taken back; a message that both moved; back from a mailbox.
    home.age()

    def both_move(go):
        other.select("INBOX")
        other.move("m10", "Filed")
        home.complete()
        go()

    mutt.run("INBOX", mutt.read("d00"), mutt.all_of("m01", "<clear-flag>!"), mutt.all_of("m11", "<set-flag>r"),
             mutt.all_of("m10", "<set-flag>!"), mutt.at_gate(), meanwhile=both_move)
    home.complete()
    mutt.run("Filed", mutt.all_of("k0[01]", "<save-message>=INBOX<enter>"), mutt.all_of("k02", "<save-message>=New<enter>"),
             mutt.at_gate(), meanwhile=lambda go: go())
    home.complete()
    inbox = (mail("m00", "m00", "\\Seen") + mail("m01", "m01") + mail("m06", "m06", "\\Seen") + mail("m09", "m09")
             + mail("m11", "m11", "\\Answered", "\\Seen") + mail("m12", "m19") + mail("m27", "m29") + mail("d00", "d00", "\\Seen")
             + saved("k00", "k01"))
    filed = mail("k03", "k04") + saved("m04", "m05") + mail("m08", "m08") + mail("m10", "m10")
    settled({"INBOX": inbox + mail("m20", "m26") + mail("f00", "f04"), "Filed": filed, "New": saved("k02", "k02")},
            "m10", "k00", "k01", "k02")

    # At the same time: mutt writes while a run is at work.
    def race(go):
        other.select("INBOX")
        for number in range(20, 25):
            other.store(f"m{number}", "+FLAGS (\\Answered)")
        for number in range(10):
            other.append("INBOX", f"t{number:02}")
        home.complete(alongside=go)

    mutt.run("INBOX", mutt.all_of("m2[0-4]", "<set-flag>!"), "<delete-pattern>~s f0<enter>",
             mutt.all_of("m2[56]", "<save-message>=Filed<enter>"), mutt.at_gate(), meanwhile=race)
    home.complete()
    # Left to chance: whether mutt, which did not know that they were answered, wrote flags after mailbraid did.
    inbox += by_chance(near, mail("m20", "m24", "\\Flagged"), "\\Answered")
    settled({"INBOX": inbox + mail("t00", "t09"), "Filed": filed + saved("m25", "m26"), "New": saved("k02", "k02")},
            *[f"f{number:02}" for number in range(5)], "m25", "m26")
    home.age()
    gate.close()
    other.close()


class Notmuch:
    def __init__(self, home):
        self.home = home
        self.environment = {**os.environ, "NOTMUCH_CONFIG": home.path("notmuch-config"), "HOME": home.directory}
        with open(home.path("notmuch-config"), "w", encoding="utf-8") as file:
            file.write(f"[database]\npath={home.tree}\n[user]\nname=x\nprimary_email=x@example.org\n"
                       "[new]\ntags=new-mail\n[maildir]\nsynchronize_flags=true\n")

    def run(self, *words):
        done = subprocess.run(["notmuch", *words], env=self.environment, stdin=subprocess.DEVNULL, capture_output=True, text=True,
                              timeout=PATIENCE, check=False)
        assert done.returncode == 0, (words, done.stdout + done.stderr)
        return done.stdout

    def tag(self, *changes_and_names):
        """Changes (+tag, -tag), then names of messages."""
        changes = [word for word in changes_and_names if word[0] in "+-"]
        names = [f"id:{word}@test" for word in changes_and_names if word[0] not in "+-"]
        self.run("tag", *changes, "--", " or ".join(names))

    def files(self, query):
        return self.run("search", "--output=files", query).split("\n")[:-1]

    def new(self):
        """Takes in what changed; what it knows then is what is there."""
        self.run("new", "--quiet")
        tree = run_cases.Tree(self.home.tree)
        there = {path: flags for name in tree.names() for path, flags, _ in tree.messages(name)}
        known = self.files("*")
        assert sorted(known) == sorted(there), f"either notmuch or the tree has {set(known) ^ set(there)}"
        for query, flag, has in (("tag:flagged", "\\Flagged", True), ("tag:replied", "\\Answered", True),
                                 ("tag:passed", "$Forwarded", True), ("tag:draft", "\\Draft", True),
                                 ("tag:unread", "\\Seen", False)):
            tagged = sorted(self.files(query))
            flagged = sorted(path for path, flags in there.items() if (flag in flags) == has)
            assert tagged == flagged, f"{query}: {tagged}, and by their names {flagged}"


def beside_notmuch(program, directory, server):
    """notmuch renames files for tags and takes names for tags; mail is moved and removed by the names that it told."""
    far = run_cases.Account(server.port, "user4")
    near = run_cases.Tree(os.path.join(directory, "tree"))
    home = Home(program, directory, near.path, "nested", far)
    near.make({"INBOX": mail("m00", "m29"), "Filed": mail("k00", "k04")})
    far.make({"INBOX": mail("m20", "m29") + mail("f00", "f04")})
    notmuch = Notmuch(home)
    notmuch.new()
    before = addresses(far)

    def settled(wanted, *moved):
        nonlocal before
        notmuch.new()
        both_hold(home, near, wanted)
        home.idle()
        now = addresses(far)
        same_addresses(before, now, moved)
        before = now

    other = Client(far)
    home.complete()
    filed = mail("k00", "k04")
    settled({"INBOX": mail("m00", "m29") + mail("f00", "f04"), "Filed": filed})

    # Tags become flags at the far side, and flags there become tags.
    home.age()
    notmuch.tag("+flagged", "-unread", "m00", "f00")
    notmuch.tag("+replied", "+passed", "m01")
    other.select("INBOX")
    other.store("m02", "+FLAGS (\\Seen)")
    other.store("m03", "+FLAGS (\\Flagged \\Answered)")
    other.append("INBOX", "d00")
    home.complete()
    inbox = (mail("m00", "m00", "\\Seen", "\\Flagged") + mail("f00", "f00", "\\Seen", "\\Flagged") + mail("f01", "f04")
             + mail("m01", "m01", "\\Answered", "$Forwarded") + mail("m02", "m02", "\\Seen")
             + mail("m03", "m03", "\\Flagged", "\\Answered") + mail("m04", "m29"))
    settled({"INBOX": inbox + mail("d00", "d00"), "Filed": filed})
    assert notmuch.files("tag:new-mail and id:d00@test"), "the new mail is not new for notmuch"
    notmuch.tag("-unread", "-new-mail", "d00")  # from new to cur
    notmuch.tag("+unread", "-flagged", "m00")
    home.complete()
    inbox = mail("m00", "m00") + inbox[1:]
    settled({"INBOX": inbox + mail("d00", "d00", "\\Seen"), "Filed": filed})

    # Between the listing of the tree and what the run does there.
    def meanwhile():
        notmuch.tag("+replied", "-unread", "m04", "m05", "m06")
        notmuch.tag("+deleted", "m07", "m08")
        for path in notmuch.files("tag:deleted"):
            os.remove(path)
        for path in notmuch.files("id:m09@test or id:m10@test"):
            os.rename(path, os.path.join(near.path, "Filed", "cur", os.path.basename(path).partition(":")[0] + ":2,"))
        other.store("m05", "+FLAGS (\\Flagged)")
        other.move("m06", "Filed")
        other.remove("m11")
        other.append("INBOX", "d01")

    home.complete(meanwhile=meanwhile)
    home.complete()
    inbox = [one for one in inbox if not "m04" <= one["id"] <= "m11"]
    inbox += (mail("m04", "m04", "\\Seen", "\\Answered") + mail("m05", "m05", "\\Seen", "\\Answered", "\\Flagged")
              + mail("d00", "d00", "\\Seen"))
    filed += mail("m06", "m06", "\\Seen", "\\Answered") + mail("m09", "m10")
    settled({"INBOX": inbox + mail("d01", "d01"), "Filed": filed}, "m06", "m07", "m08", "m09", "m10", "m11")

    # At the same time.
    def tags():
        for number in range(12, 22):
            notmuch.tag("-unread", f"m{number}")
        notmuch.run("new", "--quiet")
        notmuch.tag("+passed", *[f"m{number}" for number in range(15, 25)])

    for number in range(12, 20):
        other.store(f"m{number}", "+FLAGS (\\Flagged)")
        other.append("INBOX", f"t{number}")
    home.complete(alongside=tags)
    home.complete()
    notmuch.new()
    inbox = [one for one in inbox if not "m12" <= one["id"] <= "m24"]
    # Left to chance: a tag does not come to the name of a file that mailbraid has renamed and notmuch has not seen since.
    inbox += by_chance(near, mail("m12", "m14", "\\Flagged"), "\\Seen")
    inbox += by_chance(near, mail("m15", "m19", "\\Flagged"), "\\Seen", "$Forwarded")
    inbox += mail("m20", "m21", "\\Seen", "$Forwarded") + mail("m22", "m24", "$Forwarded")
    settled({"INBOX": inbox + mail("d01", "d01") + mail("t12", "t19"), "Filed": filed})
    home.age()
    other.close()


def complaints_of(server):
    """What Dovecot noticed, but for one thing: a message that came back under its old name gets a new UID, as it must."""
    with open(server.facts["LOG"], encoding="utf-8", errors="replace") as file:
        return [line for line in file if re.search("Error:|Warning:|Panic:|Fatal:", line)
                and "Expunged message reappeared, giving a new UID" not in line]


CASES = {"dovecot": beside_dovecot, "mutt": beside_mutt, "notmuch": beside_notmuch}


def main():
    parser = argparse.ArgumentParser()
    parser.add_argument("program")
    parser.add_argument("--only", choices=[*CASES])
    arguments = parser.parse_args()
    for name in PROGRAMS:
        if not shutil.which(name):
            sys.exit(f"{name} is not installed: apt-get install --no-install-recommends {name}")
    with tempfile.TemporaryDirectory(prefix="mailbraid-readers-") as directory:
        os.chmod(directory, 0o755)
        program = shutil.copy(arguments.program, directory)  # where the owner of the mail can run it
        server = run_cases.Server(os.path.join(directory, "server"), "all", "--format", "maildir")
        server.facts["HOME"] = os.path.join(directory, "server", "home")
        try:
            for name, case in CASES.items():
                if arguments.only in (None, name):
                    case(program, os.path.join(directory, name), server)
                    print("passed " + name, flush=True)
            complaints = complaints_of(server)
            assert not complaints, "Dovecot complains: " + "".join(complaints)
        finally:
            server.close()


if __name__ == "__main__":
    main()
