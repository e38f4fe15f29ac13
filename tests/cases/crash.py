#!/usr/bin/env python3
"""P4: kills a sync with -9 at many moments of a rich push, runs it again, and compares with a sync that was not killed.

usage: crash.py PROGRAM [--variant NAME] [--kills N | --exactly die_at.so [--every N]]

The moments are spread over the time that it takes, or are those just before and just after each side effect (or each Nth).

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
        self.exactly = os.path.abspath(arguments.exactly) if arguments.exactly else None
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

    def command(self, home):
        return [self.trial.program, "--config", f"{home}/config.toml", "sync", "-q"]

    def killed(self, home, delay):
        """Runs a sync and kills it after `delay` seconds; True when it was still at work."""
        process = subprocess.Popen(self.command(home), stdin=subprocess.DEVNULL, stdout=subprocess.DEVNULL,
                                   stderr=subprocess.DEVNULL)
        try:
            process.wait(delay)
            return False
        except subprocess.TimeoutExpired:
            process.send_signal(signal.SIGKILL)
            process.wait()
            return True

    def dies(self, home, effect):
        """Runs a sync that dies before side effect `effect`, or after it when that is negative; True when it did."""
        done = subprocess.run(self.command(home), env={**os.environ, "LD_PRELOAD": self.exactly, "MAILBRAID_DIE_AT": str(effect)},
                              stdin=subprocess.DEVNULL, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL, check=False)
        return done.returncode == -signal.SIGKILL

    def effects(self, home):
        """Runs a sync; how many side effects it had."""
        path = os.path.join(self.directory, "count")
        environment = {**os.environ, "LD_PRELOAD": self.exactly, "MAILBRAID_COUNT_TO": path}
        subprocess.run(self.command(home), env=environment, stdin=subprocess.DEVNULL, check=True)
        with open(path, encoding="ascii") as file:
            return int(file.read())

    def moments(self, home, kills, every, first, last):
        """Carries out the sync that is not killed; then (name, what kills one there)."""
        if self.exactly:
            count = self.effects(home)
            print(f"the sync has {count} side effects")
            return [(f"{'before' if sign > 0 else 'after'} side effect {k}", lambda at, effect=sign * k: self.dies(at, effect))
                    for k in range(first, min(last, count) + 1, every) for sign in (1, -1)]
        began = time.monotonic()
        self.trial.sync(home)
        length = time.monotonic() - began
        return [(f"kill {i}", lambda at, delay=length * (i + 0.5) / kills: self.killed(at, delay)) for i in range(kills)]

    def run(self, kills, every, first, last):
        moments = self.moments(self.prepared(), kills, every, first, last)
        wanted = self.states()
        wrong = []
        if len({str(sorted(state.items())) for state in wanted.values()}) != 1:
            wrong.append(f"the sync that was not killed did not make the endpoints the same: {wanted}")
        hit = 0
        for name, kill in moments:
            home = self.prepared()
            hit += kill(home)
            wrong += [f"{name}: {sentence}" for sentence in self.recovered(home, wanted)]
            shutil.rmtree(home)
        if hit < len(moments) // 3:
            wrong.append(f"only {hit} of {len(moments)} runs were killed at work")
        return wrong, hit, len(moments)

    def recovered(self, home, wanted):
        """What is wrong after the next runs, as sentences."""
        wrong = []
        for _ in range(2):
            code, _, errors = self.trial.sync(home)
            if code != 0:
                wrong.append(f"the next run ended with {code}: {errors}")
        if self.states() != wanted:
            wrong.append(self.differences(wanted))
        code, rows, _ = self.trial.sync(home)
        done = {name: {k: row[k] for k in ("new", "uploaded", "flags_stored", "moved_there", "removed_there") if row[k]}
                for name, row in rows.items()}
        if any(done.values()):
            wrong.append(f"one more run did {done}")
        return wrong

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
    parser.add_argument("--exactly", metavar="LIBRARY")
    parser.add_argument("--every", type=int, default=1)
    parser.add_argument("--first", type=int, default=1)
    parser.add_argument("--last", type=int, default=1_000_000)
    arguments = parser.parse_args()
    arguments.program = os.path.abspath(arguments.program)
    arguments.maildir = True
    with tempfile.TemporaryDirectory(prefix="mailbraid-crash-") as directory:
        os.chmod(directory, 0o755)
        servers = run_cases.Servers(directory, arguments.variant)
        try:
            wrong, hit, of = Crash(arguments, directory, servers).run(arguments.kills, arguments.every, arguments.first, arguments.last)
        finally:
            servers.close()
    for sentence in wrong:
        print("FAILED " + sentence[:900])
    print(f"{hit} of {of} runs were killed at work, {len(wrong)} failed")
    return 1 if wrong else 0


if __name__ == "__main__":
    sys.exit(main())
