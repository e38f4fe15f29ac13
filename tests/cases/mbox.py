#!/usr/bin/env python3
"""A Thunderbird tree and a Maildir in one braid: P2, P3, P4 and P5 for the mbox endpoint, with the program itself.

usage: mbox.py PROGRAM [--kills N]
"""

import argparse
import fcntl
import json
import mailbox
import os
import shutil
import signal
import subprocess
import sys
import tempfile
import time

FLAG_FIELDS = (b"X-Mozilla-Status:", b"X-Mozilla-Status2:", b"X-Mozilla-Keys:")


def text(name, body="body"):
    return (
        f"From: x@example.org\nSubject: {name}\nMessage-ID: <{name}@example.org>\n"
        f"Date: Mon, 01 Jan 2024 00:00:00 +0000\n\n{body} {name}\nFrom here on\n>From there on\n"
    ).encode()


def quoted(octets):
    return b"".join(
        b">" + line if line.lstrip(b">").startswith(b"From ") else line for line in octets.splitlines(True)
    )


def mbox_text(name, status="0000"):
    return (
        b"From - Mon Jan  1 00:00:00 2024\nX-Mozilla-Status: " + status.encode() + b"\nX-Mozilla-Status2: 00000000\n"
        + quoted(text(name)) + b"\n"
    )


def write(path, octets):
    os.makedirs(os.path.dirname(path), exist_ok=True)
    with open(path, "ab") as file:
        file.write(octets)


def without_flags(message):
    """The octets as Python's own reader gives them, without Thunderbird's fields, unquoted."""
    lines = message.as_bytes().splitlines(True)
    while lines and lines[0].startswith(FLAG_FIELDS):
        lines.pop(0)
    return b"".join(line[1:] if line.startswith(b">") and line.lstrip(b">").startswith(b"From ") else line for line in lines)


class Home:
    def __init__(self, program, directory):
        self.program = program
        self.directory = directory
        self.tree = os.path.join(directory, "Local Folders")
        self.maildir = os.path.join(directory, "Maildir")
        os.makedirs(self.tree)
        with open(self.path("config.toml"), "w", encoding="utf-8") as file:
            file.write(
                f'[store]\npath = "{directory}/store"\n'
                f'[endpoint.thunderbird]\ntype = "mbox"\npath = "{self.tree}"\nsubfolders = "thunderbird"\n'
                f'timeout = "1s"\nbraid = "home"\n'
                f'[endpoint.disk]\ntype = "maildir"\npath = "{self.maildir}"\nbraid = "home"\n'
            )

    def path(self, name):
        return os.path.join(self.directory, name)

    def fill(self, here, there):
        write(f"{self.tree}/Inbox", b"".join(mbox_text(name) for name in here))
        maildir = mailbox.Maildir(self.maildir, create=True)
        for name in there:
            maildir.add(text(name))

    def command(self):
        return [self.program, "--config", self.path("config.toml"), "sync"]

    def sync(self, code=0):
        run = subprocess.run([*self.command(), "--json"], capture_output=True, text=True, check=False)
        assert run.returncode == code, f"exit code {run.returncode}, not {code}: {run.stdout} {run.stderr}"
        rows = [json.loads(line) for line in run.stdout.splitlines()]
        return {row["endpoint"]: row for row in rows if "endpoint" in row}, run.stdout + run.stderr

    def idle(self):
        rows, said = self.sync()
        for row in rows.values():
            for key in ("new", "adopted", "flags", "removed", "uploaded", "flags_stored", "removed_there", "quarantined"):
                assert not row.get(key), f"one more run had something to do: {said}"

    def in_mbox(self, name="Inbox"):
        return sorted(without_flags(message) for message in mailbox.mbox(f"{self.tree}/{name}", create=False))

    def in_maildir(self):
        inbox = self.maildir if os.path.isdir(f"{self.maildir}/cur") else f"{self.maildir}/INBOX"
        maildir = mailbox.Maildir(inbox, create=False)
        return sorted(maildir.get_bytes(key) for key in maildir.keys())


def merges(home):
    home.fill(["a", "both"], ["both", "b"])
    for other in ("Inbox.msf", "msgFilterRules.dat", "popstate.dat", ".parentlock"):
        write(f"{home.tree}/{other}", b"no mail\n")
    write(f"{home.tree}/Work.sbd/Deep", mbox_text("deep", "0001"))
    write(f"{home.tree}/Work", b"")
    home.sync()
    everything = sorted([text("a"), text("b"), text("both")])
    assert home.in_mbox() == everything, home.in_mbox()
    assert home.in_maildir() == everything, home.in_maildir()
    deep = [text for text in os.listdir(f"{home.maildir}/Work/Deep/cur")]
    assert len(deep) == 1 and deep[0].endswith(":2,S"), deep
    home.idle()


def follows_the_mail_program(home):
    home.fill([f"m{number}" for number in range(8)], [])
    home.sync()
    inbox = f"{home.tree}/Inbox"
    with open(inbox, "rb") as file:
        octets = file.read()
    # Thunderbird marks one as read and flagged in place, compacts another away, and receives a third.
    octets = octets.replace(mbox_text("m2"), mbox_text("m2", "0005")).replace(mbox_text("m4"), b"")
    with open(inbox, "wb") as file:
        file.write(octets + mbox_text("m8"))
    home.sync()
    assert home.in_maildir() == sorted(text(f"m{number}") for number in (0, 1, 2, 3, 5, 6, 7, 8))
    names = os.listdir(f"{home.maildir}/cur") + os.listdir(f"{home.maildir}/new")
    assert sum(name.endswith(":2,FS") for name in names) == 1, names
    home.idle()


def bad_files(home):
    home.fill(["a"], ["b"])
    write(f"{home.tree}/notes.txt", b"just a text\n")
    os.symlink("loop", f"{home.tree}/loop")
    os.symlink(".", f"{home.tree}/back.sbd")
    _, said = home.sync(75)
    assert "notes.txt" in said and "is no mbox" in said and "loop" in said, said
    assert home.in_mbox() == sorted([text("a"), text("b")]), "the rest was not done: " + said
    os.remove(f"{home.tree}/notes.txt")
    os.remove(f"{home.tree}/loop")
    # What was an mbox and is none now has lost nothing.
    os.rename(f"{home.tree}/Inbox", home.path("kept"))
    write(f"{home.tree}/Inbox", b"rubbish\n")
    home.sync(75)
    assert home.in_maildir() == sorted([text("a"), text("b")])
    os.rename(home.path("kept"), f"{home.tree}/Inbox")
    home.idle()


def locked(home):
    home.fill(["a"], [])
    home.sync()
    home.fill([], ["b"])
    with open(f"{home.tree}/Inbox", "r+b") as file:
        fcntl.lockf(file, fcntl.LOCK_EX)
        _, said = home.sync(75)
        assert "is locked by another program" in said, said
    home.sync()
    assert home.in_mbox() == sorted([text("a"), text("b")])
    home.idle()


def wiped(home):
    home.fill([f"m{number}" for number in range(30)], [])
    home.sync()
    everything = home.in_maildir()
    assert len(everything) == 30
    shutil.rmtree(home.tree)
    os.mkdir(home.tree)
    _, said = home.sync()
    assert "wiped" in said, said
    assert home.in_maildir() == everything, "something was removed: " + said
    assert home.in_mbox() == everything, "the tree was not filled again: " + said
    home.idle()


def state_lost(home):
    home.fill(["a"], ["b", "c"])
    home.sync()
    shutil.rmtree(home.path("store"))
    home.sync()
    assert home.in_mbox() == home.in_maildir() == sorted([text("a"), text("b"), text("c")])
    home.idle()


def killed(program, directory, kills):
    names = [f"m{number}" for number in range(400)]
    hit = 0
    length = 0.0
    for kill in range(-1, kills):
        path = os.path.join(directory, f"kill{kill}")
        os.mkdir(path)
        home = Home(program, path)
        home.fill(["a"], names)
        began = time.monotonic()
        process = subprocess.Popen([*home.command(), "-q"], stdin=subprocess.DEVNULL)
        try:
            process.wait(None if kill < 0 else length * (0.3 + 0.7 * (kill + 0.5) / kills))
        except subprocess.TimeoutExpired:
            process.send_signal(signal.SIGKILL)
            process.wait()
            hit += 1
        if kill < 0:
            length = time.monotonic() - began
        home.sync()
        everything = sorted(text(name) for name in ["a", *names])
        assert home.in_mbox() == everything, f"kill {kill}: {len(home.in_mbox())} of {len(everything)}"
        assert home.in_maildir() == everything, f"kill {kill}: in the Maildir"
        home.idle()
        shutil.rmtree(path)
    assert hit > 0, "no run was killed at work"


def main():
    parser = argparse.ArgumentParser()
    parser.add_argument("program")
    parser.add_argument("--kills", type=int, default=8)
    arguments = parser.parse_args()
    program = os.path.abspath(arguments.program)
    failed = 0
    with tempfile.TemporaryDirectory(prefix="mailbraid-mbox-") as directory:
        for case in (merges, follows_the_mail_program, bad_files, locked, wiped, state_lost):
            path = os.path.join(directory, case.__name__)
            os.mkdir(path)
            try:
                case(Home(program, path))
            except AssertionError as error:
                failed += 1
                print(f"FAILED {case.__name__}: {str(error)[:1500]}")
        try:
            killed(program, directory, arguments.kills)
        except AssertionError as error:
            failed += 1
            print(f"FAILED killed: {str(error)[:1500]}")
    print(f"{failed} failed")
    return 1 if failed else 0


if __name__ == "__main__":
    sys.exit(main())
