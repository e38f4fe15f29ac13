#!/usr/bin/env python3
"""The store's own changes (flag, move, remove, restore, undo, import, gc) and how the next sync carries them out."""

import contextlib
import json
import mailbox
import os
import shutil
import sqlite3
import subprocess
import sys
import tempfile


def octets(name):
    return (
        f"From: x@example.org\nSubject: {name}\nMessage-ID: <{name}@example.org>\n"
        f"Date: Mon, 01 Jan 2024 00:00:00 +0000\n\nbody {name}\n"
    ).encode()


class Home:
    """Two Maildirs of one braid."""

    def __init__(self, program, directory):
        self.program, self.directory = program, directory
        self.config = os.path.join(directory, "config.toml")
        os.makedirs(directory, exist_ok=True)
        self.configure("30d")
        for name in "ab":
            tree = mailbox.Maildir(self.path(name), create=True)
            for number in range(4):
                tree.add(octets(f"{name}{number}"))

    def configure(self, retention, endpoints="ab"):
        with open(self.config, "w", encoding="utf-8") as file:
            file.write(f'[store]\npath = "{self.directory}/store"\nretention = "{retention}"\n')
            for name in endpoints:
                file.write(f'[endpoint.{name}]\ntype = "maildir"\npath = "{self.path(name)}"\nbraid = "home"\n')

    def path(self, name):
        return os.path.join(self.directory, name)

    def run(self, *words, status=0, stdin=""):
        command = [self.program, "--config", self.config, *words]
        done = subprocess.run(command, input=stdin, capture_output=True, text=True, check=False)
        assert done.returncode == status, (words, done.returncode, done.stdout + done.stderr)
        return done.stdout + done.stderr

    def sync(self):
        """Until nothing is left to do; both trees must hold the same then."""
        said = self.run("sync")
        again = self.run("sync")
        assert again.count("nothing to do") == 2, again
        assert self.tree("a") == self.tree("b"), (self.tree("a"), self.tree("b"))
        return said

    def tree(self, name):
        """{mailbox: {subject: flags}}"""
        top = self.path(name)
        out = {}
        for where in sorted(os.listdir(top)) + [""]:
            if where in ("cur", "new", "tmp") or not os.path.isdir(os.path.join(top, where, "cur")):
                continue
            held = mailbox.Maildir(os.path.join(top, where), create=False)
            out[where or "INBOX"] = {message["Subject"]: message.get_flags() for message in held}
        return out

    def entries(self, *words):
        return {one["subject"]: one["entry"] for one in map(json.loads, self.run("ls", *words, "--json").splitlines())}

    def last_run(self):
        return json.loads(self.run("log", "--count", "1", "--json"))["run"]


def check_changes(home):
    home.sync()
    entry = home.entries("home/INBOX")
    home.run("flag", str(entry["a0"]), "-", "--add", "seen", "--add", "work", stdin=f'{entry["a1"]}\n{entry["a0"]}\n')
    flagged = home.last_run()
    home.run("move", str(entry["a2"]), "home/Work", "--create")
    moved = home.last_run()
    home.run("remove", str(entry["b3"]))
    home.sync()
    tree = home.tree("b")
    assert "S" in tree["INBOX"]["a0"] and "S" in tree["INBOX"]["a1"], tree
    assert list(tree["Work"]) == ["a2"] and "a2" not in tree["INBOX"] and "b3" not in tree["INBOX"], tree

    said = home.run("flag", str(entry["a0"]), "--add", "seen")
    assert "nothing to do" in said, said
    assert list(home.entries("home/INBOX", "--removed")) == ["b3"]
    home.run("restore", str(entry["b3"]))
    home.run("undo", str(flagged))
    home.run("undo", str(moved))
    home.sync()
    tree = home.tree("a")
    assert tree["INBOX"]["a0"] == "" and "a2" in tree["INBOX"] and "b3" in tree["INBOX"], tree


def check_undo_of_a_sync(home):
    """A sync that took a removal over is taken back: the message is back everywhere."""
    tree = mailbox.Maildir(home.path("a"), create=False)
    tree.remove(next(key for key, message in tree.items() if message["Subject"] == "a3"))
    home.sync()
    assert "a3" not in home.tree("b")["INBOX"]
    said = home.run("undo", str(home.last_run() - 1))
    assert "1 restored" in said, said
    home.sync()
    assert "a3" in home.tree("b")["INBOX"]


def check_decisions(home):
    """What becomes of a message that both sides changed is told, by the run and by its history."""
    trees = {name: mailbox.Maildir(home.path(name), create=False) for name in "ab"}

    def file_of(name, subject):
        trees[name] = mailbox.Maildir(home.path(name), create=False)
        key = next(key for key, message in trees[name].items() if message["Subject"] == subject)
        return trees[name], key, os.path.join(home.path(name), trees[name]._lookup(key))

    def remove(name, subject):
        tree, key, _ = file_of(name, subject)
        tree.remove(key)

    def flag(name, subject):
        _, key, path = file_of(name, subject)
        os.rename(path, os.path.join(home.path(name), "cur", os.path.basename(path).split(":")[0] + ":2,FS"))

    def move(name, subject, to):
        _, key, path = file_of(name, subject)
        target = mailbox.Maildir(os.path.join(home.path(name), to), create=True)
        os.rename(path, os.path.join(target._path, "cur", os.path.basename(path).split(":")[0] + ":2,S"))

    for name in ("c0", "c1", "c2", "c3"):
        trees["a"].add(octets(name))
    home.sync()
    remove("a", "c0")
    flag("b", "c0")
    flag("a", "c1")
    remove("b", "c1")
    move("a", "c2", "X")
    move("b", "c2", "Y")
    remove("a", "c3")
    move("b", "c3", "X")
    run = home.last_run() + 1
    said = home.sync()
    log = home.run("log", str(run))
    for words in ("moved to different mailboxes: the first move holds", ": kept"):
        assert words in said and words in log, said + log
    assert sum(int(line.split()[2]) for line in said.splitlines() if line.endswith(": kept")) == 3, said
    places = {subject: where for where, held in home.tree("a").items() for subject in held}
    assert {"c0", "c1", "c2", "c3"} <= set(places), places
    assert places["c2"] in ("X", "Y") and places["c3"] == "X", places


def check_import(home):
    os.makedirs(os.path.join(home.directory, "files", "Old"))
    for name in ("files/a0", "files/Old/e1"):
        with open(os.path.join(home.directory, name + ".eml"), "wb") as file:
            file.write(octets(os.path.basename(name)))
    files = os.path.join(home.directory, "files")
    before = sorted(os.walk(files))
    said = home.run("import", files, "--into", "INBOX")
    assert "1 new, 1 recognised" in said, said  # a0 is there already
    assert "2 recognised" in home.run("import", files, "--into", "home/INBOX")
    assert sorted(os.walk(files)) == before
    home.sync()
    assert list(home.entries("home/INBOX/Old")) == ["e1"]
    other = mailbox.Maildir(os.path.join(home.directory, "old"), create=True)
    other.add(octets("m1"))
    home.run("import", other._path)
    assert os.listdir(other._path) != [] and not os.path.exists(os.path.join(other._path, ".mailbraid"))
    imported = home.last_run()
    home.sync()
    assert "m1" in home.tree("b")["INBOX"]
    home.run("undo", str(imported))
    home.sync()
    assert "m1" not in home.tree("b")["INBOX"]


def check_import_keeps(home):
    """Flags come along; undoing an import leaves what others have by themselves, and what was changed since."""
    other = mailbox.Maildir(os.path.join(home.directory, "older"), create=True)
    for number in range(1, 4):
        message = mailbox.MaildirMessage(octets(f"k{number}"))
        message.set_subdir("cur")
        message.set_flags("FS")
        other.add(message)
    mailbox.Maildir(home.path("a")).add(octets("k1"))  # not synced yet
    home.run("import", other._path)
    imported = home.last_run()
    home.sync()
    assert home.tree("b")["INBOX"]["k2"] == "FS", home.tree("b")
    home.run("flag", str(home.entries("home/INBOX")["k2"]), "--remove", "flagged")
    home.run("undo", str(imported))
    home.sync()
    left = home.tree("b")["INBOX"]
    assert left["k1"] == "FS" and left["k2"] == "S" and "k3" not in left, left


def check_names(program, directory):
    """A name that one side cannot hold is written there so that it is read back, also by a store that knows nothing."""
    home = Home(program, os.path.join(directory, "names"))
    with open(home.config, "a", encoding="utf-8") as file:
        file.write('subfolders = "maildir++"\n')
    os.makedirs(os.path.join(home.path("a"), "Lists"))
    mailbox.Maildir(os.path.join(home.path("a"), "Lists", "a.b"), create=True).add(octets("n1"))
    said = home.run("sync")
    assert "Lists/a.b is called Lists/a%2Eb there" in said, said
    held = os.path.join(home.path("b"), ".Lists.a%2Eb")
    assert len(mailbox.Maildir(held, create=False)) == 1
    mailbox.Maildir(held, create=False).add(octets("n2"))
    home.run("sync")
    shutil.rmtree(os.path.join(directory, "names", "store"))
    home.run("sync")
    home.run("sync")
    assert len(mailbox.Maildir(held, create=False)) == 2
    assert sorted(home.entries("home/Lists/a.b")) == ["n1", "n2"]
    assert sorted(os.listdir(os.path.join(home.path("a"), "Lists"))) == ["a.b"]


def check_import_of_mbox(home):
    def write(path, *names):
        os.makedirs(os.path.dirname(path), exist_ok=True)
        with open(path, "wb") as file:
            for name in names:
                file.write(b"From x@example.org Mon Jan  1 00:00:00 2024\n" + octets(name) + b"\n")

    single = os.path.join(home.directory, "archive.mbox")
    write(single, "x1", "x2", "a0")
    said = home.run("import", single, "--into", "INBOX")
    assert "2 new, 1 recognised" in said, said
    assert "3 recognised" in home.run("import", single, "--into", "INBOX")
    home.run("import", single)  # into a mailbox of its name
    assert sorted(home.entries("home/archive")) == ["a0", "x1", "x2"]
    profile = os.path.join(home.directory, "profile")
    write(os.path.join(profile, "Inbox"), "t1")
    write(os.path.join(profile, "Work"), "t2")
    write(os.path.join(profile, "Work.sbd", "Old"), "t3", "t4")
    open(os.path.join(profile, "Work.msf"), "wb").close()
    before = {top: sorted(files) for top, _, files in os.walk(profile)}
    assert "4 new" in home.run("import", profile)
    assert {top: sorted(files) for top, _, files in os.walk(profile)} == before
    assert sorted(home.entries("home/Work/Old")) == ["t3", "t4"]
    home.sync()
    assert len(mailbox.Maildir(os.path.join(home.path("b"), "Work", "Old"), create=False)) == 2


def make_old(home):
    """Everything that was removed was removed long ago."""
    with contextlib.closing(sqlite3.connect(os.path.join(home.directory, "store", "store.db"))) as database:
        database.execute("UPDATE entry SET removed_at = 1 WHERE removed_at <> 0")
        database.commit()


def check_gc(home):
    removed = home.entries("home/INBOX", "--removed")
    assert "m1" in removed, removed
    home.run("gc")
    assert home.entries("home/INBOX", "--removed") == removed, "forgotten before its time"
    make_old(home)
    said = home.run("gc")
    assert "0 removed messages" not in said, said
    assert home.entries("home/INBOX", "--removed") == {}
    home.run("verify")
    assert home.tree("a") == home.tree("b") and home.sync()
    home.configure("30d", "a")
    assert "endpoint b is no longer in the configuration" in home.run("gc")
    home.run("gc", "--forget", "b")
    assert "gc --forget" not in home.run("gc")


def check_bad_input(home):
    for words, part in (
        (("flag", "1"), "--add FLAG or --remove FLAG"),
        (("flag", "1", "--add", "a b"), "is no flag"),
        (("flag", "1", "--add", "seen", "--remove", "\\Seen"), "add and remove the same flag"),
        (("flag", "99999", "--add", "seen"), "there is no entry 99999"),
        (("move", "x", "home/INBOX"), "is not the number of an entry"),
        (("move", "1"), "write mailbraid move 42 home/Work"),
        (("move", "1", "home/Nowhere"), "there is no mailbox"),
        (("move", "1", "home/../x", "--create"), "cannot be a mailbox"),
        (("move", "1", "other/x", "--create"), "there is no braid"),
        (("remove",), "needs the numbers of entries"),
        (("restore", "1"), "is not removed"),
        (("undo", "99999"), "there is no run 99999"),
        (("import", home.config), "holds no mail that mailbraid knows"),
        (("import", home.path("missing")), "cannot be read"),
        (("import", home.path("a"), "--braid", "other"), "has no braid"),
        (("gc", "--forget", "a"), "remove it there first"),
        (("gc", "--forget", "nobody"), "knows no endpoint"),
    ):
        said = home.run(*words, status=64)
        assert part in said and said.count("\n") == 1, (words, said)


def main():
    with tempfile.TemporaryDirectory(prefix="mailbraid-changes-") as directory:
        home = Home(os.path.abspath(sys.argv[1]), directory)
        check_changes(home)
        check_undo_of_a_sync(home)
        check_decisions(home)
        check_import(home)
        check_import_keeps(home)
        check_import_of_mbox(home)
        check_names(os.path.abspath(sys.argv[1]), directory)
        check_bad_input(home)
        check_gc(home)
    print("the store's own changes are carried out, and taken back")


if __name__ == "__main__":
    main()
