"""What readers.py works with: programs that wait for each other, a tree and an account, the mail programs, the checks."""

import ctypes
import json
import os
import pty
import re
import select
import shutil
import struct
import subprocess
import tempfile
import time

import run_cases
from run_cases import mailctl

PATIENCE = 120  # seconds until a program that hangs is ended; nothing else depends on it


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


def complaints_of(server):
    """What Dovecot noticed, but for one thing: a message that came back under its old name gets a new UID, as it must."""
    with open(server.facts["LOG"], encoding="utf-8", errors="replace") as file:
        return [line for line in file if re.search("Error:|Warning:|Panic:|Fatal:", line)
                and "Expunged message reappeared, giving a new UID" not in line]
