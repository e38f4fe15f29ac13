#!/usr/bin/env python3
"""P5: a Maildir tree that was wiped is filled again from the store, and nothing is removed anywhere else."""

import mailbox
import os
import shutil
import subprocess
import sys
import tempfile

MESSAGES = 12


def write_tree(path, name):
    tree = mailbox.Maildir(path, create=True)
    for number in range(MESSAGES):
        tree.add(
            (
                f"From: x@example.org\nSubject: {name} {number}\nMessage-ID: <{name}{number}@example.org>\n"
                f"Date: Mon, 01 Jan 2024 00:00:00 +0000\n\nbody {name} {number}\n"
            ).encode()
        )


def subjects(path):
    if not os.path.isdir(os.path.join(path, "cur")):
        path = os.path.join(path, "INBOX")  # where the mailbox is in a new nested tree
        if not os.path.isdir(path):
            return []
    return sorted(message["Subject"] for message in mailbox.Maildir(path, create=False))


def wipe(path, keep_directories):
    shutil.rmtree(path)
    os.mkdir(path)
    if keep_directories:
        for part in ("cur", "new", "tmp"):
            os.mkdir(os.path.join(path, part))


def check(program, directory, keep_directories):
    paths = {name: os.path.join(directory, name) for name in ("a", "b")}
    config = os.path.join(directory, "config.toml")
    with open(config, "w", encoding="utf-8") as file:
        file.write(f'[store]\npath = "{directory}/store"\n')
        for name, path in paths.items():
            write_tree(path, name)
            file.write(f'[endpoint.{name}]\ntype = "maildir"\npath = "{path}"\nbraid = "home"\n')

    def sync():
        run = subprocess.run([program, "--config", config, "sync"], capture_output=True, text=True, check=False)
        assert run.returncode == 0, run.stdout + run.stderr
        return run.stdout + run.stderr

    sync()
    everything = subjects(paths["a"])
    assert len(everything) == 2 * MESSAGES and subjects(paths["b"]) == everything
    wipe(paths["b"], keep_directories)
    said = sync()
    assert "wiped" in said, said
    assert subjects(paths["a"]) == everything, "something was removed: " + said
    assert subjects(paths["b"]) == everything, "the wiped tree was not filled: " + said
    said = sync()
    assert "wiped" not in said and "uploaded" not in said, "the next run had something to do: " + said


def main():
    for keep_directories in (False, True):
        with tempfile.TemporaryDirectory(prefix="mailbraid-wiped-") as directory:
            check(os.path.abspath(sys.argv[1]), directory, keep_directories)
    print("a wiped tree is filled again")


if __name__ == "__main__":
    main()
