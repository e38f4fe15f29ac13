#!/usr/bin/env python3
"""verify ENDPOINT: destinations damaged on purpose (IMAP, POP3, Maildir, mbox), and exactly the damage is named.

usage: verify.py PROGRAM
"""

import contextlib
import hashlib
import html.parser
import json
import mailbox
import os
import subprocess
import sys
import tempfile

HERE = os.path.dirname(os.path.abspath(__file__))
sys.path.insert(0, os.path.join(HERE, "..", "support"))
import mailctl  # noqa: E402

SCRIPT = "<script>alert(1)</script>"
DIFFERENCES = ("missing", "altered", "misplaced", "extra")


def octets(name, body="body", subject=None):
    return (
        f"From: x@example.org\r\nSubject: {subject or name}\r\nMessage-ID: <{name}@example.org>\r\n"
        f"Date: Mon, 01 Jan 2024 00:00:00 +0000\r\n\r\n{body} {name}\r\n"
    ).encode()


@contextlib.contextmanager
def dovecot(directory):
    server = subprocess.Popen(
        [sys.executable, os.path.join(HERE, "..", "support", "dovecot.py"), os.path.join(directory, "server")],
        stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True,
    )
    values = {}
    for line in server.stdout:
        if line == "READY\n":
            break
        name, _, values[name] = line.rstrip("\n").partition("=")
    try:
        yield values
    finally:
        server.stdin.close()
        server.wait()


class Home:
    """One store, and a braid for each kind of endpoint, with the Maildir `near-KIND` where its mail came from."""

    def __init__(self, program, directory, values):
        self.program, self.directory, self.values = program, directory, values
        self.config = os.path.join(directory, "config.toml")
        with open(self.config, "w", encoding="utf-8") as file:
            file.write(f'[store]\npath = "{directory}/store"\n')

    def endpoint(self, name, kind, braid, **keys):
        lines = {"type": kind, "braid": braid, **keys}
        if kind in ("imap", "pop3"):
            port = self.values[f"{kind.upper()}_PORT"]
            lines = {"host": "127.0.0.1", "port": int(port), "tls": "none", "password_command": ["echo", "secret"], **lines}
        with open(self.config, "a", encoding="utf-8") as file:
            file.write(f"[endpoint.{name}]\n" + "".join(f"{key} = {json.dumps(value)}\n" for key, value in lines.items()))

    def maildir(self, name):
        return os.path.join(self.directory, name)

    def fill(self, name, mails, folder=""):
        tree = mailbox.Maildir(os.path.join(self.maildir(name), folder), create=True)
        for mail in mails:
            tree.add(mail.replace(b"\r\n", b"\n"))

    def run(self, *arguments, code=0):
        run = subprocess.run([self.program, "--config", self.config, *arguments], capture_output=True, text=True, check=False)
        assert run.returncode == code, f"{arguments}: exit code {run.returncode}, not {code}: {run.stdout} {run.stderr}"
        return run.stdout

    def verify(self, name, *options, code=0):
        """What differs, as (kind, mailbox, subject, mailbox it is in), sorted; and the whole endpoint's object."""
        report = json.loads(self.run("verify", name, "--json", *options, code=code))
        assert report["exit_code"] == code, report
        found = report["endpoints"][0]
        rows = [(row["kind"], row["mailbox"], row["subject"], row.get("found_in")) for row in found["findings"]]
        differences = sorted(row for row in rows if row[0] in DIFFERENCES)
        assert sum(found["totals"][kind] for kind in DIFFERENCES) == len(differences), found
        assert sum(row["totals"]["expected"] for row in found["mailboxes"]) == found["totals"]["expected"]
        assert sum(row["totals"]["expected"] for row in found["years"]) == found["totals"]["expected"]
        return differences, found

    def imap(self, user):
        return mailctl.Imap(int(self.values["IMAP_PORT"]), user, "secret")

    def store_hash(self):
        with open(os.path.join(self.directory, "store", "store.db"), "rb") as file:
            return hashlib.sha256(file.read()).hexdigest()


def uid_of(imap, folder, name):
    for uid, _, _, text in imap.messages(folder):
        if f"Message-ID: <{name}@example.org>".encode() in text:
            return uid
    raise AssertionError(f"{name} is not in {folder}")


def replace(imap, folder, name, text):
    old = uid_of(imap, folder, name)
    imap.append(folder, text, date="01-Jan-2024 00:00:00 +0000")
    mailctl.expunge(imap, [folder, str(old)])


def everything(imap):
    return {folder: list(imap.messages(folder)) for folder in ("INBOX", "Archive")}


class Page(html.parser.HTMLParser):
    def __init__(self, text):
        super().__init__()
        self.tags, self.links, self.words = [], [], ""
        self.feed(text)

    def handle_starttag(self, tag, attrs):
        self.tags.append(tag)
        self.links += [value for name, value in attrs if name in ("src", "href", "action", "data", "srcset", "background")]

    def handle_data(self, data):
        self.words += data


def check_page(path, said):
    with open(path, encoding="utf-8") as file:
        text = file.read()
    page = Page(text)
    assert "script" not in page.tags and "img" not in page.tags and "link" not in page.tags, page.tags
    assert not page.links and "url(" not in text and "@import" not in text and "://" not in text
    assert SCRIPT in page.words and SCRIPT not in text
    for words in said:
        assert words in page.words, words
    assert os.stat(path).st_mode & 0o777 == 0o600


def imap_destination(home):
    user = "user1"
    home.endpoint("near", "maildir", "home", path=home.maildir("near"))
    home.endpoint("work", "imap", "home", user=user)
    home.fill("near", [octets(f"m{number}") for number in range(8)] + [octets("twin"), octets("twin")])
    home.fill("near", [octets(f"a{number}") for number in range(3)], "Archive")
    home.run("sync")
    imap = home.imap(user)

    store = home.store_hash()
    assert home.run("verify", "work", "-q") == ""
    for options in ((), ("--full",)):
        differences, found = home.verify("work", *options)
        assert not differences and found["totals"]["ok"] == 13 and found["verdict"] == "Nothing is missing", found
        assert found["digest_expected"] == found["digest_ok"]
    digests = [json.loads(line)["digest"] for box in ("INBOX", "Archive")
               for line in home.run("ls", f"home/{box}", "--json").splitlines()]
    listed = hashlib.sha256("".join(f"{digest}\n" for digest in sorted(digests)).encode()).hexdigest()
    assert listed == found["digest_expected"], "the digest of digests cannot be computed again"

    mailctl.expunge(imap, ["INBOX", str(uid_of(imap, "INBOX", "m1"))])
    replace(imap, "INBOX", "m2", octets("m2", "another body"))
    mailctl.move(imap, ["INBOX", str(uid_of(imap, "INBOX", "m3")), "Archive"])
    imap.append("INBOX", octets("stranger", subject=SCRIPT))
    four = [("altered", "INBOX", "m2", None), ("extra", "INBOX", SCRIPT, None), ("misplaced", "INBOX", "m3", "Archive"),
            ("missing", "INBOX", "m1", None)]
    for options in ((), ("--full",)):
        differences, found = home.verify("work", *options, code=12)
        assert differences == four, differences
        assert found["verdict"] == "4 messages differ" and found["digest_expected"] == listed != found["digest_ok"]

    # An alteration that keeps the header and the size is only in the body.
    replace(imap, "INBOX", "m4", octets("m4", "BODY"))
    assert home.verify("work", code=12)[0] == four
    assert home.verify("work", "--full", code=12)[0] == sorted([*four, ("altered", "INBOX", "m4", None)])
    assert "Bodies were not compared" in home.run("verify", "work", code=12)
    assert "Bodies were not compared" not in home.run("verify", "work", "--full", code=12)
    replace(imap, "INBOX", "m4", octets("m4"))

    mailctl.expunge(imap, ["INBOX", str(uid_of(imap, "INBOX", "twin"))])
    differences, _ = home.verify("work", code=12)
    assert differences == sorted([*four, ("missing", "INBOX", "twin", None)]), differences

    reports = [os.path.join(home.directory, "proof." + ending) for ending in ("txt", "json", "html")]
    before = everything(imap)
    home.run("verify", "work", *[word for path in reports for word in ("--report", path)], code=12)
    with open(reports[0], encoding="utf-8") as file:
        text = file.read()
    assert "5 messages differ" in text and "misplaced: INBOX" in text and "it is in Archive" in text, text
    with open(reports[1], encoding="utf-8") as file:
        assert json.load(file)["verdict"] == "5 messages differ"
    check_page(reports[2], ["5 messages differ", "Bodies were not compared", "m1@example.org", "it is in Archive", "Signature"])
    assert not [name for name in os.listdir(home.directory) if name.endswith(".new")]

    assert everything(imap) == before, "something was changed at the server"
    assert home.store_hash() == store, "the store was changed"


def refused_command_lines(home):
    assert "no report" not in home.run("verify", "--full", code=64)
    home.run("verify", "--report", "x.txt", code=64)
    home.run("verify", "work", "--report", "proof.pdf", code=64)
    home.run("verify", "work", "--report", "/nowhere/proof.html", code=73)


def unreachable_beside_reachable(home):
    home.endpoint("away", "imap", "home", user="me", port=1)
    report = json.loads(home.run("verify", "work", "away", "--json", code=69))
    work, away = sorted(report["endpoints"], key=lambda row: row["endpoint"] != "work")
    assert work["complete"] and work["totals"]["missing"] == 2 and not away["complete"], report
    assert away["verdict"] == "The comparison is not complete" and not away["findings"], away


def never_synced(home):
    home.endpoint("new", "imap", "home", user="user4")
    differences, found = home.verify("new", code=12)
    assert len(differences) == 13 and {row[0] for row in differences} == {"missing"}, differences
    assert "never synced" in found["remarks"][0], found["remarks"]


def pop3_endpoint(home):
    imap = home.imap("user2")
    for name in ("p1", "p2", "p3"):
        imap.append("INBOX", octets(name))
    home.endpoint("isp", "pop3", "isp", user="user2")
    home.run("sync", "isp")
    for options in ((), ("--full",)):
        differences, found = home.verify("isp", *options)
        assert not differences and found["totals"]["ok"] == 3, found
    # What was moved in the store stays where it is at such an account.
    entry = json.loads(home.run("ls", "isp/INBOX", "--json").splitlines()[0])["entry"]
    home.run("move", str(entry), "isp/Kept", "--create")
    home.run("sync", "isp")
    differences, found = home.verify("isp", "--full")
    assert not differences and found["totals"]["ok"] == 3, found
    mailctl.expunge(imap, ["INBOX", str(uid_of(imap, "INBOX", "p2"))])
    imap.append("INBOX", octets("p4"))
    differences, _ = home.verify("isp", code=12)
    assert differences == [("extra", "INBOX", "p4", None), ("missing", "INBOX", "p2", None)], differences


def another_route(home):
    """Mail that two accounts got differs in what transport adds; it is the same mail all the same."""
    route = b"Received: from elsewhere\r\n"
    home.fill("left", [octets("shared"), octets("plain")])
    home.fill("right", [route + octets("shared")])
    home.endpoint("left", "maildir", "routes", path=home.maildir("left"))
    home.endpoint("right", "maildir", "routes", path=home.maildir("right"))
    home.run("sync", "left", "right")
    for name in ("left", "right"):
        for options in ((), ("--full",)):
            differences, found = home.verify(name, *options)
            assert not differences and found["totals"]["ok"] == 2, found
    # What mailbraid uploaded is to have the date that it was given; what was there has its own.
    for name, kind in (("left", "date differs"), ("right", "altered")):
        for place, _, files in os.walk(home.maildir(name)):
            for path in (os.path.join(place, file) for file in files):
                with open(path, "rb") as file:
                    if b"<plain@" in file.read():
                        os.utime(path, (10**9, 10**9))
        differences, found = home.verify(name, code=12 if kind == "altered" else 0)
        told = [row for row in found["findings"] if row["kind"] == kind]
        assert len(told) == 1 and told[0]["date_there"] == "2001-09-09T01:46:40Z", found
        assert differences == ([("altered", "INBOX", "plain", None)] if kind == "altered" else []), differences
    remarked = [row["kind"] for name, code in (("left", 0), ("right", 12))
                for row in home.verify(name, code=code)[1]["findings"]]
    assert remarked.count("another route") == 1, remarked


def maildir_endpoint(home):
    tree = home.maildir("disk")
    home.fill("disk", [octets(f"d{number}") for number in range(4)])
    home.endpoint("disk", "maildir", "disk", path=tree)
    home.run("sync", "disk")
    assert not home.verify("disk")[0]
    for place, _, files in os.walk(tree):
        for name in files:
            path = os.path.join(place, name)
            with open(path, "rb") as file:
                text = file.read()
            if b"<d1@" in text:
                os.unlink(path)
            if b"<d2@" in text:
                with open(path, "wb") as file:
                    file.write(text.replace(b"body", b"BODY"))
    home.fill("disk", [octets("stranger")])
    two = [("extra", "INBOX", "stranger", None), ("missing", "INBOX", "d1", None)]
    assert home.verify("disk", code=12)[0] == two
    assert home.verify("disk", "--full", code=12)[0] == [("altered", "INBOX", "d2", None), *two]


def mbox_endpoint(home):
    os.mkdir(home.maildir("mboxes"))
    path = os.path.join(home.maildir("mboxes"), "INBOX")
    tree = mailbox.mbox(path)
    for name in ("b1", "b2"):
        tree.add(octets(name).replace(b"\r\n", b"\n"))
    tree.flush()
    home.endpoint("file", "mbox", "file", path=home.maildir("mboxes"))
    home.run("sync", "file")
    assert not home.verify("file")[0] and not home.verify("file", "--full")[0]
    moved = [json.loads(line) for line in home.run("ls", "file/INBOX", "--json").splitlines()]
    home.run("move", str(next(row["entry"] for row in moved if row["subject"] == "b1")), "file/Kept", "--create")
    home.run("sync", "file")
    assert not home.verify("file", "--full")[0]
    with open(path, "rb") as file:
        text = file.read()
    with open(path, "wb") as file:
        file.write(text.replace(b"body b2", b"BODY b2"))
    tree = mailbox.mbox(path)
    tree.add(octets("stranger").replace(b"\r\n", b"\n"))
    tree.flush()
    # Messages of an mbox are named by their octets, so that another body is another message even so.
    extra = ("extra", "INBOX", "stranger", None)
    assert home.verify("file", code=12)[0] == [extra]
    assert home.verify("file", "--full", code=12)[0] == [("altered", "INBOX", "b2", None), extra]


def main():
    with tempfile.TemporaryDirectory(prefix="mailbraid-verify-") as directory:
        os.chmod(directory, 0o755)
        with dovecot(directory) as values:
            home = Home(os.path.abspath(sys.argv[1]), directory, values)
            for case in (imap_destination, refused_command_lines, unreachable_beside_reachable, never_synced, pop3_endpoint,
                         another_route, maildir_endpoint, mbox_endpoint):
                case(home)
                print(f"{case.__name__}: passed", flush=True)


if __name__ == "__main__":
    main()
