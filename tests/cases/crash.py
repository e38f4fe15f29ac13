#!/usr/bin/env python3
"""P4: kills a sync with -9 at many moments of a rich push, runs it again, and compares with a sync that was not killed.

usage: crash.py PROGRAM [--variant NAME] [--kills N]

Two Dovecot accounts and a Maildir tree hold the same mail; then messages are delivered, flagged, moved and removed on each.
"""
import argparse
import os
import shutil
import signal
import subprocess
import sys
import tempfile
import time

import run_cases

MAIL = [{"numbered": ["m", 0, 59]}]


def rich(accounts):
    """Changes on every side: what the sync under test has to carry."""
    state = [{"numbered": ["m", 0, 9], "flags": ["\\Seen"]}, {"numbered": ["m", 10, 19], "flags": ["\\Flagged", "work"]},
             {"numbered": ["m", 25, 59]}, {"numbered": ["a", 0, 24]}]
    accounts["A"].make({"INBOX": state, "Work": [{"numbered": ["w", 0, 9]}]})
    accounts["C"].make({"INBOX": [{"numbered": ["m", 0, 39]}, {"numbered": ["m", 45, 59]}, {"numbered": ["c", 0, 9]}]})
    accounts["B"].make({"INBOX": MAIL + [{"numbered": ["b", 0, 19], "flags": ["\\Answered"]}], "Filed": []})
    for number in range(50, 55):
        accounts["B"].event({"do": "move", "id": f"m{number}", "from": "INBOX", "to": "Filed"})


class Crash:
    def __init__(self, arguments, directory, servers):
        self.trial = run_cases.Trial(arguments, directory, servers)
        self.directory = directory
        self.case = {"now": {}, "before": {}}
        self.accounts = {name: self.trial.account(self.case, name) for name in "ABC"}
        self.number = 0

    def prepared(self):
        """A home whose last sync was good, and the changes since."""
        self.number += 1
        home = os.path.join(self.directory, f"crash{self.number}")
        os.makedirs(home, mode=0o700)
        with open(f"{home}/password", "w", encoding="ascii") as file:
            file.write("secret\n")
        os.chmod(f"{home}/password", 0o600)
        for account in self.accounts.values():
            account.wipe()
        self.accounts["A"].make({"INBOX": MAIL})
        self.trial.configure(self.case, "ABC", home)
        self.trial.sync(home)
        rich(self.accounts)
        return home

    def states(self):
        # The name of a keyword's letter differs between trees, the flags do not.
        return {name: account.state() for name, account in self.accounts.items()}

    def killed(self, home, delay):
        """Runs a sync and kills it after `delay` seconds; True when it was still at work."""
        process = subprocess.Popen([self.trial.program, "--config", f"{home}/config.toml", "sync", "-q"],
                                   stdin=subprocess.DEVNULL, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
        try:
            process.wait(delay)
            return False
        except subprocess.TimeoutExpired:
            process.send_signal(signal.SIGKILL)
            process.wait()
            return True

    def run(self, kills):
        home = self.prepared()
        began = time.monotonic()
        self.trial.sync(home)
        length = time.monotonic() - began
        wanted = self.states()
        wrong = []
        if len({str(sorted(state.items())) for state in wanted.values()}) != 1:
            wrong.append(f"the sync that was not killed did not make the endpoints the same: {wanted}")
        hit = 0
        for kill in range(kills):
            home = self.prepared()
            hit += self.killed(home, length * (kill + 0.5) / kills)
            for _ in range(2):
                code, _, errors = self.trial.sync(home)
                if code != 0:
                    wrong.append(f"kill {kill}: the next run ended with {code}: {errors}")
            if self.states() != wanted:
                wrong.append(f"kill {kill}: {self.differences(wanted)}")
            code, rows, _ = self.trial.sync(home)
            done = {name: {k: row[k] for k in ("new", "uploaded", "flags_stored", "moved_there", "removed_there") if row[k]}
                    for name, row in rows.items()}
            if any(done.values()):
                wrong.append(f"kill {kill}: one more run did {done}")
            shutil.rmtree(home)
        if hit < kills // 3:
            wrong.append(f"only {hit} of {kills} runs were killed at work")
        return wrong, hit

    def differences(self, wanted):
        out = []
        for name, state in self.states().items():
            for mailbox in sorted(set(state) | set(wanted[name])):
                has, should = state.get(mailbox, []), wanted[name].get(mailbox, [])
                extra = [one for one in has if one not in should]
                lacking = [one for one in should if one not in has]
                if has != should:
                    out.append(f"{name} {mailbox}: {len(has)} of {len(should)}, extra {extra[:3]}, lacking {lacking[:3]}")
        return "; ".join(out)


def main():
    parser = argparse.ArgumentParser()
    parser.add_argument("program")
    parser.add_argument("--variant", default="all", choices=[*run_cases.WITHOUT])
    parser.add_argument("--kills", type=int, default=20)
    arguments = parser.parse_args()
    arguments.program = os.path.abspath(arguments.program)
    arguments.maildir = True
    with tempfile.TemporaryDirectory(prefix="mailbraid-crash-") as directory:
        os.chmod(directory, 0o755)
        servers = run_cases.Servers(directory, arguments.variant)
        try:
            wrong, hit = Crash(arguments, directory, servers).run(arguments.kills)
        finally:
            servers.close()
    for sentence in wrong:
        print("FAILED " + sentence[:900])
    print(f"{hit} of {arguments.kills} runs were killed at work, {len(wrong)} failed")
    return 1 if wrong else 0


if __name__ == "__main__":
    sys.exit(main())
