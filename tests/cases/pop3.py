#!/usr/bin/env python3
"""P1, P4: a sync that deletes at a POP3 server dies at each of its side effects; the next runs make good for it.

usage: pop3.py PROGRAM die_at.so [--every N]

The mail of a POP3 account that need not stay there (leave_on_server = "no") goes to the store and to a Maildir tree.
"""
import argparse
import json
import mailbox
import os
import shutil
import signal
import subprocess
import sys
import tempfile

import run_cases

MAIL = [{"numbered": ["m", 0, 5]}]
SUBJECTS = [f"m{number}" for number in range(6)]
DONE = ("new", "adopted", "removed", "uploaded", "removed_there", "held", "quarantined")


class Home:
    def __init__(self, program, library, directory):
        self.program, self.library, self.directory = program, library, directory
        self.server = run_cases.Server(os.path.join(directory, "server"), "all")
        self.account = run_cases.Account(self.server.port, "user1")
        self.path = os.path.join(directory, "home")

    def begin(self):
        shutil.rmtree(self.path, ignore_errors=True)
        os.makedirs(f"{self.path}/disk", mode=0o700)
        with open(f"{self.path}/password", "w", encoding="ascii") as file:
            file.write("secret\n")
        os.chmod(f"{self.path}/password", 0o600)
        with open(f"{self.path}/config.toml", "w", encoding="utf-8") as file:
            file.write(f'[store]\npath = "{self.path}/store"\n'
                       f'[endpoint.old]\ntype = "pop3"\nhost = "127.0.0.1"\nport = {self.server.facts["POP3_PORT"]}\n'
                       f'tls = "none"\nuser = "user1"\npassword_file = "{self.path}/password"\nbraid = "home"\n'
                       'leave_on_server = "no"\n'
                       f'[endpoint.disk]\ntype = "maildir"\npath = "{self.path}/disk"\nbraid = "home"\n')
        self.account.wipe()
        self.account.make({"INBOX": MAIL})

    def run(self, *words, **environment):
        return subprocess.run([self.program, "--config", f"{self.path}/config.toml", *words], capture_output=True, text=True,
                              check=False, stdin=subprocess.DEVNULL, env={**os.environ, **environment})

    def effects(self):
        """How many side effects a run has that is left alone."""
        self.begin()
        path = os.path.join(self.directory, "count")
        done = self.run("sync", LD_PRELOAD=self.library, MAILBRAID_COUNT_TO=path)
        assert done.returncode == 0, done.stdout + done.stderr
        with open(path, encoding="ascii") as file:
            return int(file.read())

    def dies(self, effect):
        return self.run("sync", LD_PRELOAD=self.library, MAILBRAID_DIE_AT=str(effect)).returncode == -signal.SIGKILL

    def stored(self):
        rows = self.run("ls", "home/INBOX", "--json").stdout.splitlines()
        return sorted(json.loads(row)["subject"] for row in rows)

    def on_disk(self):
        return sorted(message["Subject"] for message in mailbox.Maildir(f"{self.path}/disk/INBOX", create=False))

    def on_server(self):
        return len(self.account.state()["INBOX"])

    def wrong_after(self, effect):
        """What is wrong after the runs that follow one that died there, as sentences."""
        wrong = []
        for _ in range(2):
            done = self.run("sync")
            if done.returncode != 0:
                wrong.append(f"the next run ended with {done.returncode}: {done.stderr}")
        if self.stored() != SUBJECTS:
            wrong.append(f"the store has {self.stored()}")
        if self.on_disk() != SUBJECTS:
            wrong.append(f"the tree has {self.on_disk()}")
        if self.on_server() != 0:
            wrong.append(f"{self.on_server()} messages are on the server")
        for row in map(json.loads, self.run("sync", "--json").stdout.splitlines()):
            if "endpoint" in row and any(row[key] for key in DONE):
                wrong.append(f"one more run did {row}")
        return [f"effect {effect}: {sentence}" for sentence in wrong]


def main():
    parser = argparse.ArgumentParser()
    parser.add_argument("program")
    parser.add_argument("library")
    parser.add_argument("--every", type=int, default=1)
    arguments = parser.parse_args()
    with tempfile.TemporaryDirectory(prefix="mailbraid-pop3-") as directory:
        os.chmod(directory, 0o755)
        home = Home(os.path.abspath(arguments.program), os.path.abspath(arguments.library), directory)
        wrong, died, of = [], 0, 0
        try:
            for effect in range(1, home.effects() + 1, arguments.every):
                for moment in (effect, -effect):
                    home.begin()
                    of += 1
                    died += home.dies(moment)
                    wrong += home.wrong_after(moment)
        finally:
            home.server.close()
    for sentence in wrong:
        print("FAILED " + sentence[:900])
    print(f"{died} of {of} runs died, {len(wrong)} failures")
    return 1 if wrong or died < of // 3 else 0


if __name__ == "__main__":
    sys.exit(main())
