#!/usr/bin/env python3
"""Runs the sync cases of two_way.json against real Dovecot servers and the program.

usage: run_cases.py PROGRAM [--variant NAME] [--only TEXT] [--swap] [--maildir]

A case has `before` (the state of the last good sync, as the endpoints had it), `now` (the endpoints before the run under
test; "kept" leaves a mailbox as the first sync made it), `settings` of endpoints, `events` between, and `then` (what must
be there afterwards; `or`: what else may be). `away` are endpoints that cannot be reached in these runs. After each case one more
run must do nothing.

Variants take abilities away from every server: plain (UIDs only), no-uidplus, no-move, no-condstore, no-qresync,
no-literal-plus. --swap exchanges the endpoints A and B. With --maildir, B is a Maildir tree.
"""
import argparse
import hashlib
import json
import os
import shutil
import subprocess
import sys
import tempfile

HERE = os.path.dirname(os.path.abspath(__file__))
sys.path.insert(0, os.path.join(HERE, "..", "support"))
import mailctl  # noqa: E402
import verified  # noqa: E402

ALL = ("IMAP4rev1 SASL-IR ID ENABLE NAMESPACE UNSELECT CHILDREN SPECIAL-USE LIST-EXTENDED LIST-STATUS ESEARCH "
       "LITERAL+ MULTIAPPEND UIDPLUS MOVE CONDSTORE QRESYNC BINARY").split()
WITHOUT = {"all": (), "uidplus": ("UIDPLUS",), "move": ("MOVE",), "condstore": ("CONDSTORE", "QRESYNC"),
           "qresync": ("QRESYNC",), "literal-plus": ("LITERAL+", "MULTIAPPEND"),
           "plain": [c for c in ALL if c not in ("IMAP4rev1", "UIDPLUS")], "move+uidplus": ("MOVE", "UIDPLUS")}
USERS = {name: f"user{number}" for number, name in enumerate("ABC", 1)}
DATE = "01-Jan-2026 10:00:00 +0000"


CARRIED = ("uploaded", "flags_stored", "moved_there", "removed_there")
COUNTS = ("new", "flags", "moved", "removed", "uploaded", "flags_stored", "moved_there", "removed_there")


class Server:
    """A private Dovecot that ends with this process."""

    def __init__(self, directory, ability, *knobs):
        os.makedirs(directory, exist_ok=True)
        os.chmod(directory, 0o755)
        words = [sys.executable, os.path.join(HERE, "..", "support", "dovecot.py"), directory, *knobs]
        if ability != "all":
            words += ["--capability", " ".join(c for c in ALL if c not in WITHOUT[ability])]
        for name, role in (("Sent Items", "Sent"), ("Sent", "Sent"), ("Trash", "Trash"), ("Archive", "Archive")):
            words += ["--role", f"{name}=\\{role}"]
        self.process = subprocess.Popen(words, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True)
        self.facts = {}
        for line in self.process.stdout:
            if line.strip() == "READY":
                break
            name, _, value = line.strip().partition("=")
            self.facts[name] = value
        self.port = int(self.facts["IMAP_PORT"])

    def close(self):
        self.process.stdin.close()
        self.process.wait()


def octets(message, name):
    """What a message of this name is; equal names are equal octets."""
    if "octets" in message:
        return message["octets"].encode("latin-1")
    identity = message.get("message_id", f"<{name}@test>")
    head = message.get("transport", "") + f"From: somebody@example.org\r\nSubject: {name}\r\nDate: Thu, 1 Jan 2026 10:00:00 +0000\r\n"
    if identity is not None:
        head += f"Message-ID: {identity}\r\n"
    body = message.get("body", f"This is {name}.\r\n" * 12)
    text = head + "\r\n" + body
    return (text + "x" * max(0, message.get("size", 0) - len(text))).encode()


def each(messages):
    for message in messages:
        if "numbered" in message:
            prefix, first, last = message["numbered"]
            for number in range(first, last + 1):
                yield f"{prefix}{number}", message
        else:
            yield message["id"], message


class Account:
    def __init__(self, port, user):
        self.port, self.user = port, user

    def imap(self):
        return mailctl.Imap(self.port, self.user, "secret")

    def wipe(self):
        imap = self.imap()
        for name, _ in sorted(imap.names(), reverse=True):
            if name.upper() == "INBOX":
                imap.select(name)
                if list(imap.messages(name)):
                    imap.select(name)
                    imap.command(b"UID STORE 1:* +FLAGS.SILENT (\\Deleted)")
                    imap.command(b"EXPUNGE")
                imap.command(b"CLOSE")
            else:
                try:
                    imap.command(b"DELETE " + mailctl.quoted(mailctl.encodeName(name)))
                except mailctl.Refused:
                    pass

    def state(self):
        """mailbox -> {(subject, digest of body without what transport adds): [flags, date]...}"""
        imap = self.imap()
        out = {}
        for name, attributes in imap.names():
            if "noselect" in attributes.lower() or "nonexistent" in attributes.lower():
                continue
            out[canonical(name)] = sorted(
                (identity(raw), lowered(flags)) for _, flags, _, raw in imap.messages(name))
        return out

    def make(self, wanted):
        """Changes the account so that it holds `wanted`: mailboxes, messages, flags. What is there already stays."""
        imap = self.imap()
        wanted = {canonical(name): messages for name, messages in wanted.items()}
        there = {canonical(n) for n, a in imap.names() if "noselect" not in a.lower()}
        for name in sorted(there - set(wanted), reverse=True):
            if name != "INBOX":
                imap.command(b"DELETE " + mailctl.quoted(mailctl.encodeName(name)))
        for name in wanted:
            if name not in there and name != "INBOX":
                imap.command(b"CREATE " + mailctl.quoted(mailctl.encodeName(name)))
            if wanted[name] != "kept":
                self.fill(imap, name, wanted[name])

    @staticmethod
    def fill(imap, mailbox, messages):
        held = {}
        for uid, flags, _, raw in imap.messages(mailbox):
            held.setdefault(identity(raw), []).append((uid, flags))
        imap.select(mailbox)
        for name, message in each(messages):
            raw = octets(message, name)
            flags = sorted(message.get("flags", []))
            known = held.get(identity(raw), [])
            if not known:
                imap.append(mailbox, raw, " ".join(flags), message.get("date", DATE))
                continue
            uid, has = known.pop(0)
            if has != flags:
                imap.command(b"UID STORE %d FLAGS.SILENT (%s)" % (uid, " ".join(flags).encode()))
        gone = [uid for left in held.values() for uid, _ in left]
        if gone:
            text = b",".join(b"%d" % uid for uid in gone)
            imap.command(b"UID STORE " + text + b" +FLAGS.SILENT (\\Deleted)")
            imap.command(b"UID EXPUNGE " + text)
        imap.command(b"UNSELECT")

    def event(self, event):
        imap = self.imap()
        if event["do"] == "move":
            imap.select(event["from"])
            uids = [uid for uid, _, _, raw in list(imap.messages(event["from"]))
                    if event["id"] == "*" or b"Subject: " + event["id"].encode() + b"\r\n" in raw]
            imap.select(event["from"])
            target = mailctl.quoted(mailctl.encodeName(event["to"]))
            text = b",".join(b"%d" % uid for uid in uids)
            imap.command(b"UID COPY " + text + b" " + target)
            imap.command(b"UID STORE " + text + b" +FLAGS.SILENT (\\Deleted)")
            imap.command(b"UID EXPUNGE " + text)
        elif event["do"] == "rename folder":
            imap.command(b"RENAME " + mailctl.quoted(event["from"].encode()) + b" " + mailctl.quoted(event["to"].encode()))
        elif event["do"] == "uidvalidity":
            # INBOX cannot be removed; when it is renamed, another one takes its place.
            kept = list(imap.messages("INBOX"))
            imap.command(b"CLOSE")
            imap.command(b"RENAME INBOX Aside")
            for _, flags, date, raw in kept:
                imap.append("INBOX", raw, " ".join(flags), date)
            imap.command(b"DELETE Aside")
        elif event["do"] == "deliver":
            imap.append("INBOX", octets({}, event["id"]), "", DATE)
        else:
            raise ValueError(event["do"])


class Tree:
    """A Maildir tree, with the methods of an Account."""

    LETTERS = {"\\Draft": "D", "\\Flagged": "F", "\\Answered": "R", "\\Seen": "S", "\\Deleted": "T", "$Forwarded": "P"}

    def __init__(self, path):
        self.path, self.count = path, 0

    def wipe(self):
        shutil.rmtree(self.path, ignore_errors=True)
        os.makedirs(self.path)
        self.mailbox("INBOX")

    def mailbox(self, name):
        for part in ("cur", "new", "tmp"):
            os.makedirs(os.path.join(self.path, name, part), exist_ok=True)

    def names(self):
        for directory, below, _ in os.walk(self.path):
            if "cur" in below:
                yield os.path.relpath(directory, self.path)

    def keywords(self, name):
        try:
            with open(os.path.join(self.path, name, "dovecot-keywords"), encoding="utf-8") as file:
                return [line.split(" ", 1)[1].rstrip("\n") for line in file]
        except FileNotFoundError:
            return []

    def messages(self, name):
        known = self.keywords(name)
        for part in ("cur", "new"):
            for file in sorted(os.listdir(os.path.join(self.path, name, part))):
                path = os.path.join(self.path, name, part, file)
                with open(path, "rb") as opened:
                    raw = opened.read()
                letters = file.partition(":2,")[2]
                flags = [flag for flag, letter in self.LETTERS.items() if letter in letters]
                flags += [known[ord(letter) - ord("a")] for letter in letters if letter.islower()]
                yield path, sorted(flags), (raw if b"\r" in raw else raw.replace(b"\n", b"\r\n"))

    def state(self):
        return {name: sorted((identity(raw), lowered(flags)) for _, flags, raw in self.messages(name))
                for name in self.names()}

    def letters(self, name, flags):
        known = self.keywords(name)
        out = ""
        for flag in flags:
            if flag not in self.LETTERS and flag not in known:
                known.append(flag)
            out += self.LETTERS.get(flag) or chr(ord("a") + known.index(flag))
        if known:
            with open(os.path.join(self.path, name, "dovecot-keywords"), "w", encoding="utf-8") as file:
                file.writelines(f"{number} {keyword}\n" for number, keyword in enumerate(known))
        return "".join(sorted(out))

    def make(self, wanted):
        wanted = {canonical(name): messages for name, messages in wanted.items()}
        for name in sorted(set(self.names()) - set(wanted) - {"INBOX"}, reverse=True):
            shutil.rmtree(os.path.join(self.path, name))
        for name, messages in wanted.items():
            self.mailbox(name)
            if messages != "kept":
                self.fill(name, messages)

    def fill(self, name, messages):
        held = {}
        for path, flags, raw in self.messages(name):
            held.setdefault(identity(raw), []).append((path, flags))
        for identifier, message in each(messages):
            raw = octets(message, identifier)
            flags = sorted(message.get("flags", []))
            known = held.get(identity(raw), [])
            if known:
                path, has = known.pop(0)
                base = os.path.basename(path).partition(":2,")[0]
                if has != flags:
                    os.rename(path, os.path.join(self.path, name, "cur", base + ":2," + self.letters(name, flags)))
                continue
            self.count += 1
            path = os.path.join(self.path, name, "cur", f"17672{self.count:05}.case.{os.getpid()}:2,{self.letters(name, flags)}")
            with open(path, "wb") as file:
                file.write(raw.replace(b"\r\n", b"\n") if b"\r" not in raw.replace(b"\r\n", b"") else raw)
            os.utime(path, (1767261600, 1767261600))
        for left in held.values():
            for path, _ in left:
                os.unlink(path)

    def event(self, event):
        if event["do"] == "move":
            self.mailbox(event["to"])
            for path, _, raw in list(self.messages(event["from"])):
                if event["id"] == "*" or b"Subject: " + event["id"].encode() + b"\r\n" in raw:
                    os.rename(path, os.path.join(self.path, event["to"], "cur", os.path.basename(path)))
        elif event["do"] == "rename folder":
            os.rename(os.path.join(self.path, event["from"]), os.path.join(self.path, event["to"]))
        elif event["do"] == "uidvalidity":  # a tree that was replaced
            os.unlink(os.path.join(self.path, ".mailbraid"))
        elif event["do"] == "deliver":
            with open(os.path.join(self.path, "INBOX", "new", f"1767200000.case.{os.getpid()}"), "wb") as file:
                file.write(octets({}, event["id"]).replace(b"\r\n", b"\n"))
        else:
            raise ValueError(event["do"])


def canonical(name):
    """INBOX is the one name without regard to case."""
    return "INBOX" if name.upper() == "INBOX" else name


def lowered(flags):
    """Keywords compare without regard to case."""
    return sorted(flag.lower() for flag in flags)


def identity(raw):
    """A message by what must not change: all but the fields that transport adds."""
    raw = raw.replace(b"\0", b"\x80")  # so Dovecot tells a NUL in BODY[]
    head, _, body = raw.partition(b"\r\n\r\n")
    lines = [line for line in head.split(b"\r\n") if not line.lower().startswith((b"received:", b"x-"))]
    subject = next((line[9:].decode("latin-1") for line in lines if line.lower().startswith(b"subject: ")), "")
    return subject + " " + hashlib.sha256(b"\r\n".join(lines) + b"\r\n\r\n" + body).hexdigest()[:12]


def expected(boxes):
    return {canonical(mailbox): sorted((identity(octets(message, name)), lowered(message.get("flags", [])))
                            for name, message in each(messages)) for mailbox, messages in boxes.items()}


class Trial:
    def __init__(self, arguments, directory, servers):
        self.program, self.directory, self.servers = arguments.program, directory, servers
        self.maildir = arguments.maildir
        self.number = 0

    def account(self, case, name):
        if name == "B" and self.maildir:
            return Tree(os.path.join(self.directory, "tree"))
        ability = "+".join(sorted(case.get("server", {}).get(name, []))) or self.servers.variant
        return Account(self.servers.get(ability).port, USERS[name])

    def configure(self, case, names, home, away=()):
        lines = ["[store]", f'path = "{home}/store"']
        for name in names:
            account = self.account(case, name)
            lines += [f"[endpoint.{name}]", 'braid = "home"']
            if isinstance(account, Tree):
                path = account.path + ("-unplugged" if name in away else "")
                lines += ['type = "maildir"', f'path = "{path}"']
            else:
                lines += ['type = "imap"', 'host = "127.0.0.1"', f"port = {1 if name in away else account.port}", 'tls = "none"',
                          f'user = "{USERS[name]}"', f'password_file = "{home}/password"']
            for key, value in case.get("settings", {}).get(name, {}).items():
                lines.append(f"{key} = {json.dumps(value)}")
        with open(f"{home}/config.toml", "w", encoding="utf-8") as file:
            file.write("\n".join(lines) + "\n")
        os.chmod(f"{home}/config.toml", 0o600)

    def sync(self, home, words=()):
        done = subprocess.run([self.program, "--config", f"{home}/config.toml", "sync", "--json", *words],
                              stdin=subprocess.DEVNULL, capture_output=True, text=True, timeout=120)
        rows = [json.loads(line) for line in done.stdout.splitlines() if line.strip()]
        return done.returncode, {row["endpoint"]: row for row in rows if "endpoint" in row}, done.stderr

    def run(self, case):
        """What is wrong, as sentences."""
        self.number += 1
        home = os.path.join(self.directory, f"case{self.number}")
        os.makedirs(home, mode=0o700)
        with open(f"{home}/password", "w", encoding="ascii") as file:
            file.write("secret\n")
        os.chmod(f"{home}/password", 0o600)
        names = sorted(set(case["now"]) | set(case["before"]))
        accounts = {name: self.account(case, name) for name in names}
        for account in accounts.values():
            account.wipe()
        if case["before"]:
            for name, boxes in case["before"].items():
                accounts[name].make(boxes)
            # The base is what an ordinary sync made; the policy under test counts from here on.
            keep = ("max_messages",)
            first = {n: {k: v for k, v in s.items() if k in keep} for n, s in case.get("settings", {}).items()}
            self.configure({**case, "settings": first}, sorted(case["before"]), home)
            self.sync(home)
            self.sync(home)
        for name, boxes in case["now"].items():
            if not case.get("events"):
                accounts[name].make(boxes)
        for event in case.get("events", []):
            accounts[event["at"]].event(event)
        allow = [word for name in names for word in ("--allow-removals", name)] if case.get("allow_removals") else []
        runs, wrong = [], []
        for run in range(1, case.get("runs", 1) + 1):
            self.configure(case, names, home, [name for name, when in case.get("away", {}).items() if run in when])
            before = {name: account.state() for name, account in accounts.items()}
            planned = self.sync(home, [*allow, "--dry-run"])
            if {name: account.state() for name, account in accounts.items()} != before:
                wrong.append("the dry run changed something")
            runs.append(self.sync(home, allow))
            if not case.get("dry_run_differs"):
                wrong += self.deviations(planned[1], runs[-1][1])
        return wrong + self.judge(case, accounts, home, runs)

    @staticmethod
    def deviations(planned, done):
        """What a run did otherwise than its dry run said."""
        return [f"{name}: the dry run said {what} {row[what]}, the run did {done[name][what]}"
                for name, row in planned.items() for what in CARRIED if row[what] != done[name][what]]

    def judge(self, case, accounts, home, runs):
        wrong = []
        code, rows, errors = runs[-1]
        if case.get("exit") == "nonzero" and code == 0:
            wrong.append("the run ended with 0")
        if code not in (0, 10, 11) and case.get("exit") != "nonzero":
            wrong.append(f"the run ended with {code}: {errors.strip()}")
        states = {name: account.state() for name, account in accounts.items()}
        choices = [case["then"]] + [{**case["then"], **other} for other in case.get("or", [])]
        onlyMarks = self.servers.variant == "uidplus"
        found = [self.differences(choice, states, onlyMarks) for choice in choices]
        if all(found):
            wrong += found[0]
        for name, limits in case.get("at_most", {}).items():
            for what, most in limits.items():
                if rows.get(name, {}).get(what, 0) > most:
                    wrong.append(f"{name}: {what} {rows[name][what]}, at most {most}")
        code, rows, errors = self.sync(home)
        for name, row in rows.items():
            done = {what: row[what] for what in COUNTS if row[what]}
            if done:
                wrong.append(f"{name}: one more run did {done}")
        if not case.get("verify_differs"):
            wrong += verified.differences(self.program, f"{home}/config.toml", accounts)
        if {name: account.state() for name, account in accounts.items()} != states:
            wrong.append("one more run changed something")
        return wrong

    @staticmethod
    def differences(wanted, states, onlyMarks):
        """Without UIDPLUS a message cannot be expunged alone: what is marked instead counts as gone."""
        wrong = []
        for name, boxes in wanted.items():
            boxes = expected(boxes)
            for mailbox, messages in boxes.items():
                has = states[name].get(mailbox)
                if onlyMarks and has is not None:
                    has = [one for one in has if one in messages or "\\deleted" not in one[1]]
                if has != messages:
                    wrong.append(f"{name} {mailbox}: has {has}, wanted {messages}")
            for mailbox, has in states[name].items():
                marked = onlyMarks and all("\\deleted" in one[1] for one in has)
                if mailbox not in boxes and has and not marked:
                    wrong.append(f"{name} {mailbox}: there, not wanted: {states[name][mailbox]}")
        return wrong


class Servers:
    def __init__(self, directory, variant):
        self.directory, self.variant, self.running = directory, variant, {}

    def get(self, ability):
        if ability not in self.running:
            self.running[ability] = Server(os.path.join(self.directory, "server-" + ability), ability)
        return self.running[ability]

    def close(self):
        for server in self.running.values():
            server.close()


def swapped(value):
    """A and B exchanged, wherever they name an endpoint."""
    exchange = {"A": "B", "B": "A"}
    if isinstance(value, dict):
        return {exchange.get(key, key): (exchange.get(inner, inner) if key == "at" else swapped(inner))
                for key, inner in value.items()}
    if isinstance(value, list):
        return [swapped(inner) for inner in value]
    return value


def main():
    parser = argparse.ArgumentParser()
    parser.add_argument("program")
    parser.add_argument("--variant", default="all", choices=[*WITHOUT])
    parser.add_argument("--only", default="")
    parser.add_argument("--swap", action="store_true")
    parser.add_argument("--maildir", action="store_true")
    arguments = parser.parse_args()
    arguments.program = os.path.abspath(arguments.program)
    with open(os.path.join(HERE, "two_way.json"), encoding="utf-8") as file:
        cases = [case for case in json.load(file) if arguments.only in case["name"]]
    failed = 0
    with tempfile.TemporaryDirectory(prefix="mailbraid-cases-") as directory:
        os.chmod(directory, 0o755)
        servers = Servers(directory, arguments.variant)
        trial = Trial(arguments, directory, servers)
        try:
            for case in cases:
                wrong = trial.run(swapped(case) if arguments.swap else case)
                failed += bool(wrong)
                print(("FAILED " if wrong else "passed ") + case["name"], flush=True)
                for sentence in wrong:
                    print("    " + sentence[:600], flush=True)
        finally:
            servers.close()
    print(f"{len(cases) - failed} passed, {failed} failed")
    return 1 if failed or not cases else 0


if __name__ == "__main__":
    sys.exit(main())
