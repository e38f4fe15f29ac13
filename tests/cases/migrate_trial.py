"""What the cases of migrate work with: messages with a number, accounts of a real Dovecot, and homes of mailbraid."""

import email.utils
import json
import os
import random
import re
import shutil
import subprocess
import sys
import time

HERE = os.path.dirname(os.path.abspath(__file__))
sys.path.insert(0, os.path.join(HERE, "..", "support"))
import mailctl  # noqa: E402

FIRST = 1_000_000_000  # seconds: the oldest message


def octets(number, route=0, words=40):
    """A message as a route delivered it. What the routes have in common is its content."""
    chance = random.Random(number)
    date = email.utils.formatdate(FIRST + number * 3600)
    received = email.utils.formatdate(FIRST + number * 3600 + 7 + route)
    head = f"Return-Path: <r{route}@example.org>\r\n" if route else ""
    head += f"Received: from a{route}.example.org by mx{route}.example.net; {received}\r\n"
    head += f"X-Spam-Level: {'*' * route}\r\n" if route else ""
    body = "\r\n".join(" ".join(f"{chance.getrandbits(32):x}" for _ in range(8)) for _ in range(words))
    return (f"{head}From: Käthe <k{number}@example.org>\r\nTo: me@example.net\r\nSubject: mail {number}\r\n"
            f"Message-ID: <{number}@example.org>\r\nDate: {date}\r\n\r\n{body}\r\n").encode()


def arrived(number, route=0):
    """Seconds: when the topmost Received says that it came."""
    return FIRST + number * 3600 + 7 + route


def seconds(date):
    """Of IMAP's internal date."""
    return int(email.utils.mktime_tz(email.utils.parsedate_tz(date.replace("-", " ", 2))))


class Trial:
    def __init__(self, program, directory, server):
        self.program, self.directory, self.server = program, directory, server
        self.number = 0
        self.users = 0

    def user(self):
        """An account that is empty."""
        self.users += 1
        name = f"user{self.users}"
        shutil.rmtree(os.path.join(self.server.directory, "home", name), ignore_errors=True)
        return name

    def imap(self, user):
        return mailctl.Imap(self.server.port, user, "secret")

    def fill(self, user, mailbox, numbers, route=0, flags=""):
        """By MULTIAPPEND, for speed."""
        imap = self.imap(user)
        if mailbox != "INBOX":
            imap.command(b"CREATE " + mailctl.quoted(mailctl.encodeName(mailbox)))
        numbers = list(numbers)
        for first in range(0, len(numbers), 200):
            line = b"t APPEND " + mailctl.quoted(mailctl.encodeName(mailbox))
            for number in numbers[first:first + 200]:
                date = time.strftime("%d-%b-%Y %H:%M:%S +0000", time.gmtime(arrived(number, route)))
                text = octets(number, route)
                line += b' (%s) "%s" {%d+}\r\n' % (flags.encode(), date.encode(), len(text)) + text
            imap.send(line + b"\r\n")
            imap.until(b"t OK", [])
        imap.command(b"LOGOUT")

    def home(self, **endpoints):
        self.number += 1
        home = os.path.join(self.directory, f"home{self.number}")
        os.makedirs(home, mode=0o700)
        with open(f"{home}/password", "w", encoding="ascii") as file:
            file.write("secret\n")
        os.chmod(f"{home}/password", 0o600)
        self.configure(home, **endpoints)
        return home

    def configure(self, home, **endpoints):
        with open(f"{home}/config.toml", "w", encoding="utf-8") as file:
            file.write(f'[store]\npath = "{home}/store"\n')
            for name, lines in endpoints.items():
                file.write(f"[endpoint.{name}]\n{lines}\n")

    def account(self, kind, user, extra="", port=None):
        port = port or self.server.facts[f"{kind.upper()}_PORT"]
        return (f'type = "{kind}"\nhost = "127.0.0.1"\nport = {port}\nuser = "{user}"\ntls = "none"\n'
                f'password_file = "password"\n{extra}')

    def command(self, home, *words):
        return [self.program, "--config", f"{home}/config.toml", *words]

    def run(self, home, *words, status=0):
        done = subprocess.run(self.command(home, *words), capture_output=True, text=True, check=False, cwd=home)
        said = done.stdout + done.stderr
        assert done.returncode == status, (words, done.returncode, said)
        return said

    def migration(self, home, *words, status=0):
        """The objects by what they are about, and the run's."""
        said = self.run(home, "migrate", *words, "--json", status=status)
        objects = [json.loads(line) for line in said.splitlines() if line.startswith("{")]
        out = {one["endpoint"]: one for one in objects if "endpoint" in one}
        out["sources"] = next((one["migration"] for one in objects if "migration" in one), [])
        out["run"] = next((one for one in objects if "run" in one), None)
        if out["run"] and out["run"]["run"]:
            assert out["run"]["exit_code"] == status, (out["run"], status)
            assert self.history(home)["exit_code"] == status, self.history(home)
        return out

    def history(self, home):
        """What `log` tells of the newest run."""
        return json.loads(self.run(home, "log", "--count", "1", "--json").splitlines()[0])

    def numbers(self, user, mailbox="INBOX"):
        """[(message number, seconds of its internal date, flags)], sorted."""
        found = []
        for _, flags, date, text in self.imap(user).messages(mailbox):
            number = int(re.search(rb"^Message-ID: <(\d+)@", text, re.M).group(1))
            found.append((number, seconds(date), flags))
        return sorted(found)
