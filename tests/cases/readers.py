#!/usr/bin/env python3
"""Dovecot, mutt and notmuch work in a Maildir tree that mailbraid syncs with an IMAP account: P1, P2 and P3 with them.

usage: readers.py PROGRAM [--only NAME]

Each case ends with what must be there on both sides, message by message, and a run that must do nothing. No order is left to
chance where one is meant: a run waits at its password, mutt at a shell command, until the other program is done.
"""

import argparse
import os
import shutil
import sys
import tempfile
import threading

import run_cases
from run_cases import mailctl
from shared_tree import (Client, Gate, Home, Mutt, Notmuch, addresses, both_hold, by_chance, complaints_of, mail,
                         same_addresses)

PROGRAMS = ("mutt", "notmuch")


def beside_dovecot(program, directory, server):
    """Dovecot serves the tree; an IMAP session is open in it all the time."""
    near, far = run_cases.Account(server.port, "user1"), run_cases.Account(server.port, "user2")
    near.make({"INBOX": mail("m00", "m29"), "Work": mail("w00", "w09"), "Grüße": [], "Grüße/Alt": mail("g00", "g04")})
    far.make({"INBOX": mail("m20", "m29") + mail("f00", "f04")})
    tree = os.path.join(server.facts["HOME"], "user1", "mail")
    home = Home(program, directory, tree, "maildir++", far, "mail" if os.geteuid() == 0 else None)
    then = {"INBOX": mail("m00", "m29") + mail("f00", "f04"), "Work": mail("w00", "w09"), "Grüße": [],
            "Grüße/Alt": mail("g00", "g04")}

    before = addresses(near), addresses(far)

    def settled(wanted, *moved):
        nonlocal before
        both_hold(home, near, wanted)
        home.idle()
        now = addresses(near), addresses(far)
        for old, new in zip(before, now):
            same_addresses(old, new, moved)
        before = now

    reader = Client(near)
    reader.select("INBOX")
    other = Client(far)
    other.select("INBOX")
    home.complete()
    settled(then)

    def both_work():
        reader.store("m00", "+FLAGS (\\Seen \\Flagged)")
        reader.store("m01", "+FLAGS (work)")
        reader.remove("m02")
        reader.move("m03", "Work")
        reader.append("INBOX", "n00", "\\Answered")
        reader.append("Work", "n01")
        reader.store("m07", "+FLAGS (\\Seen)")
        other.store("m04", "+FLAGS (\\Answered)")
        other.remove("m05")
        other.move("m06", "Work")
        other.store("m07", "+FLAGS (\\Flagged)")
        other.append("INBOX", "d00")
        other.append("INBOX", "d01")

    home.complete(meanwhile=both_work)
    home.complete()
    then["INBOX"] = (mail("m00", "m00", "\\Seen", "\\Flagged") + mail("m01", "m01", "work") + mail("m04", "m04", "\\Answered")
                     + mail("m07", "m07", "\\Seen", "\\Flagged") + mail("m08", "m29") + mail("f00", "f04")
                     + mail("n00", "n00", "\\Answered") + mail("d00", "d01"))
    then["Work"] += mail("m03", "m03") + mail("m06", "m06") + mail("n01", "n01")
    settled(then, "m02", "m03", "m05", "m06")

    # The session goes on with what mailbraid brought and changed.
    home.age()
    reader.store("d00", "+FLAGS (\\Seen)")
    reader.store("m04", "-FLAGS (\\Answered)")
    reader.move("d01", "Grüße")
    reader.imap.command(b"CREATE Fresh")
    reader.append("Fresh", "x00", "\\Draft")
    other.imap.command(b"CREATE Elsewhere")
    other.append("Elsewhere", "y00")
    other.select("Work")
    other.remove("w00")
    other.store("m03", "+FLAGS (\\Flagged)")
    other.select("Grüße/Alt")
    other.store("g00", "+FLAGS (later)")
    home.complete()
    then["INBOX"] = [one for one in then["INBOX"] if one["id"] not in ("d00", "d01", "m04")]
    then["INBOX"] += mail("d00", "d00", "\\Seen") + mail("m04", "m04")
    then["Work"] = mail("w01", "w09") + mail("m03", "m03", "\\Flagged") + mail("m06", "m06") + mail("n01", "n01")
    then["Grüße"] = mail("d01", "d01")
    then["Grüße/Alt"] = mail("g00", "g00", "later") + mail("g01", "g04")
    then |= {"Fresh": mail("x00", "x00", "\\Draft"), "Elsewhere": mail("y00", "y00")}
    settled(then, "d01", "w00")
    reader.imap.command(b"NOOP")
    reader.select("Work")
    reader.move("m03", "INBOX")  # and back again, by both
    home.complete()
    other.select("INBOX")
    other.move("m03", "Work")
    home.complete()
    settled(then, "m03")
    reader.select("INBOX")

    # At the same time, without any order.
    reader.imap.command(b"CREATE Race")
    for one in mail("r00", "r29"):
        reader.append("Race", one["id"])
    reader.select("Race")
    home.complete()
    then["Race"] = mail("r00", "r29")
    settled(then)
    other.select("Race")

    def session():
        for number in range(10):
            reader.store(f"r{number:02}", "+FLAGS (\\Seen)")
            reader.move(f"r{number + 10}", "Work")
            reader.append("Race", f"s{number:02}", "\\Flagged")
            reader.store(f"r{number + 20}", "+FLAGS (\\Flagged)")
            reader.remove(f"r{number + 20}")

    failed = []

    def safely():
        try:
            session()
        except (AssertionError, mailctl.Refused, EOFError, OSError) as error:
            failed.append(error)

    thread = threading.Thread(target=safely)
    codes = [home.sync(alongside=thread.start)]
    for number in range(10):
        other.store(f"r{number:02}", "+FLAGS (\\Answered)")
        other.append("INBOX", f"t{number:02}")
        codes.append(home.sync())
    thread.join()
    assert not failed, failed
    for code, said in codes:
        assert code in (0, 75), said  # 75: the tree changed again and again while it was listed
    home.complete()
    then["Race"] = mail("r00", "r09", "\\Seen", "\\Answered") + mail("s00", "s09", "\\Flagged")
    then["Work"] += mail("r10", "r19")
    then["INBOX"] += mail("t00", "t09")
    settled(then, *[f"r{number}" for number in range(10, 30)])
    home.age()
    settled(then)
    reader.close()
    other.close()


def saved(first, last, *flags):
    """mail() as mutt writes it when it saves a message to another mailbox: with a field more."""
    out = mail(first, last, *flags)
    for one in out:
        head, _, body = run_cases.octets({}, one["id"]).decode().partition("\r\n\r\n")
        length = len(body.replace("\r\n", "\n"))
        one["octets"] = f"{head}\r\nContent-Length: {length}\r\n\r\n{body}"
    return out


def beside_mutt(program, directory, server):
    """mutt has the tree open, with changes that it has not written yet, while mailbraid changes it."""
    far = run_cases.Account(server.port, "user3")
    near = run_cases.Tree(os.path.join(directory, "tree"))
    home = Home(program, directory, near.path, "nested", far)
    near.make({"INBOX": mail("m00", "m29"), "Filed": mail("k00", "k04")})
    far.make({"INBOX": mail("m20", "m29") + mail("f00", "f04")})
    before = addresses(far)

    def settled(wanted, *moved):
        nonlocal before
        both_hold(home, near, wanted)
        home.idle()
        now = addresses(far)
        same_addresses(before, now, moved)
        before = now

    gate = Gate(directory, "mutt")
    mutt = Mutt(home, gate)
    other = Client(far)
    home.complete()
    settled({"INBOX": mail("m00", "m29") + mail("f00", "f04"), "Filed": mail("k00", "k04")})

    def others_work(go):
        other.select("INBOX")
        other.store("m01", "+FLAGS (\\Answered)")
        other.store("m06", "+FLAGS (\\Seen)")
        other.remove("m07")
        other.move("m08", "Filed")
        other.append("INBOX", "d00")
        home.complete()
        go()

    mutt.run("INBOX", mutt.read("m00"), mutt.all_of("m01", "<set-flag>!"), "<delete-pattern>~s m0[23]<enter>",
             mutt.all_of("m0[45]", "<save-message>=Filed<enter>"), mutt.at_gate(), meanwhile=others_work)
    home.complete()
    # Of a message that was changed in mutt, mutt writes all flags as it knows them: m01 is not answered any more.
    filed = mail("k00", "k04") + saved("m04", "m05") + mail("m08", "m08")
    inbox = (mail("m00", "m00", "\\Seen") + mail("m01", "m01", "\\Flagged") + mail("m06", "m06", "\\Seen")
             + mail("m09", "m29") + mail("f00", "f04"))
    settled({"INBOX": inbox + mail("d00", "d00"), "Filed": filed}, "m02", "m03", "m04", "m05", "m07", "m08")

    # What mailbraid brought while mutt was away; flags that are taken back; a message that both moved; back from a mailbox.
    home.age()

    def both_move(go):
        other.select("INBOX")
        other.move("m10", "Filed")
        home.complete()
        go()

    mutt.run("INBOX", mutt.read("d00"), mutt.all_of("m01", "<clear-flag>!"), mutt.all_of("m11", "<set-flag>r"),
             mutt.all_of("m10", "<set-flag>!"), mutt.at_gate(), meanwhile=both_move)
    home.complete()
    mutt.run("Filed", mutt.all_of("k0[01]", "<save-message>=INBOX<enter>"), mutt.all_of("k02", "<save-message>=New<enter>"),
             mutt.at_gate(), meanwhile=lambda go: go())
    home.complete()
    inbox = (mail("m00", "m00", "\\Seen") + mail("m01", "m01") + mail("m06", "m06", "\\Seen") + mail("m09", "m09")
             + mail("m11", "m11", "\\Answered", "\\Seen") + mail("m12", "m19") + mail("m27", "m29") + mail("d00", "d00", "\\Seen")
             + saved("k00", "k01"))
    filed = mail("k03", "k04") + saved("m04", "m05") + mail("m08", "m08") + mail("m10", "m10")
    settled({"INBOX": inbox + mail("m20", "m26") + mail("f00", "f04"), "Filed": filed, "New": saved("k02", "k02")},
            "m10", "k00", "k01", "k02")

    # At the same time: mutt writes while a run is at work.
    def race(go):
        other.select("INBOX")
        for number in range(20, 25):
            other.store(f"m{number}", "+FLAGS (\\Answered)")
        for number in range(10):
            other.append("INBOX", f"t{number:02}")
        home.complete(alongside=go)

    mutt.run("INBOX", mutt.all_of("m2[0-4]", "<set-flag>!"), "<delete-pattern>~s f0<enter>",
             mutt.all_of("m2[56]", "<save-message>=Filed<enter>"), mutt.at_gate(), meanwhile=race)
    home.complete()
    # Left to chance: whether mutt, which did not know that they were answered, wrote flags after mailbraid did.
    inbox += by_chance(near, mail("m20", "m24", "\\Flagged"), "\\Answered")
    settled({"INBOX": inbox + mail("t00", "t09"), "Filed": filed + saved("m25", "m26"), "New": saved("k02", "k02")},
            *[f"f{number:02}" for number in range(5)], "m25", "m26")
    home.age()
    gate.close()
    other.close()


def beside_notmuch(program, directory, server):
    """notmuch renames files for tags and takes names for tags; mail is moved and removed by the names that it told."""
    far = run_cases.Account(server.port, "user4")
    near = run_cases.Tree(os.path.join(directory, "tree"))
    home = Home(program, directory, near.path, "nested", far)
    near.make({"INBOX": mail("m00", "m29"), "Filed": mail("k00", "k04")})
    far.make({"INBOX": mail("m20", "m29") + mail("f00", "f04")})
    notmuch = Notmuch(home)
    notmuch.new()
    before = addresses(far)

    def settled(wanted, *moved):
        nonlocal before
        notmuch.new()
        both_hold(home, near, wanted)
        home.idle()
        now = addresses(far)
        same_addresses(before, now, moved)
        before = now

    other = Client(far)
    home.complete()
    filed = mail("k00", "k04")
    settled({"INBOX": mail("m00", "m29") + mail("f00", "f04"), "Filed": filed})

    # Tags become flags at the far side, and flags there become tags.
    home.age()
    notmuch.tag("+flagged", "-unread", "m00", "f00")
    notmuch.tag("+replied", "+passed", "m01")
    other.select("INBOX")
    other.store("m02", "+FLAGS (\\Seen)")
    other.store("m03", "+FLAGS (\\Flagged \\Answered)")
    other.append("INBOX", "d00")
    home.complete()
    inbox = (mail("m00", "m00", "\\Seen", "\\Flagged") + mail("f00", "f00", "\\Seen", "\\Flagged") + mail("f01", "f04")
             + mail("m01", "m01", "\\Answered", "$Forwarded") + mail("m02", "m02", "\\Seen")
             + mail("m03", "m03", "\\Flagged", "\\Answered") + mail("m04", "m29"))
    settled({"INBOX": inbox + mail("d00", "d00"), "Filed": filed})
    assert notmuch.files("tag:new-mail and id:d00@test"), "the new mail is not new for notmuch"
    notmuch.tag("-unread", "-new-mail", "d00")  # from new to cur
    notmuch.tag("+unread", "-flagged", "m00")
    home.complete()
    inbox = mail("m00", "m00") + inbox[1:]
    settled({"INBOX": inbox + mail("d00", "d00", "\\Seen"), "Filed": filed})

    # Between the listing of the tree and what the run does there.
    def meanwhile():
        notmuch.tag("+replied", "-unread", "m04", "m05", "m06")
        notmuch.tag("+deleted", "m07", "m08")
        for path in notmuch.files("tag:deleted"):
            os.remove(path)
        for path in notmuch.files("id:m09@test or id:m10@test"):
            os.rename(path, os.path.join(near.path, "Filed", "cur", os.path.basename(path).partition(":")[0] + ":2,"))
        other.store("m05", "+FLAGS (\\Flagged)")
        other.move("m06", "Filed")
        other.remove("m11")
        other.append("INBOX", "d01")

    home.complete(meanwhile=meanwhile)
    home.complete()
    inbox = [one for one in inbox if not "m04" <= one["id"] <= "m11"]
    inbox += (mail("m04", "m04", "\\Seen", "\\Answered") + mail("m05", "m05", "\\Seen", "\\Answered", "\\Flagged")
              + mail("d00", "d00", "\\Seen"))
    filed += mail("m06", "m06", "\\Seen", "\\Answered") + mail("m09", "m10")
    settled({"INBOX": inbox + mail("d01", "d01"), "Filed": filed}, "m06", "m07", "m08", "m09", "m10", "m11")

    # At the same time.
    def tags():
        for number in range(12, 22):
            notmuch.tag("-unread", f"m{number}")
        notmuch.run("new", "--quiet")
        notmuch.tag("+passed", *[f"m{number}" for number in range(15, 25)])

    for number in range(12, 20):
        other.store(f"m{number}", "+FLAGS (\\Flagged)")
        other.append("INBOX", f"t{number}")
    home.complete(alongside=tags)
    home.complete()
    notmuch.new()
    inbox = [one for one in inbox if not "m12" <= one["id"] <= "m24"]
    # Left to chance: a tag does not come to the name of a file that mailbraid has renamed and notmuch has not seen since.
    inbox += by_chance(near, mail("m12", "m14", "\\Flagged"), "\\Seen")
    inbox += by_chance(near, mail("m15", "m19", "\\Flagged"), "\\Seen", "$Forwarded")
    inbox += mail("m20", "m21", "\\Seen", "$Forwarded") + mail("m22", "m24", "$Forwarded")
    settled({"INBOX": inbox + mail("d01", "d01") + mail("t12", "t19"), "Filed": filed})
    home.age()
    other.close()


class Keywords:
    """A keyword is a letter in the name of a file; which, Dovecot and mailbraid write down in the same file."""

    def __init__(self, program, directory, server, users):
        self.near, self.far = (run_cases.Account(server.port, user) for user in users)
        self.near.wipe()
        self.far.wipe()
        for account in (self.near, self.far):
            account.make({"INBOX": mail("m00", "m03")})
        tree = os.path.join(server.facts["HOME"], users[0], "mail")
        self.file = os.path.join(tree, "dovecot-keywords")
        self.home = Home(program, directory, tree, "maildir++", self.far, "mail" if os.geteuid() == 0 else None)
        self.home.complete()
        self.reader, self.other = Client(self.near), Client(self.far)
        self.reader.select("INBOX")
        self.other.select("INBOX")
        self.reader.store("m00", "+FLAGS (alpha)")
        self.home.complete()

    def settled(self, *messages):
        self.home.complete()
        both_hold(self.home, self.near, {"INBOX": [one for group in messages for one in group]})
        self.home.idle()


def keyword_meanwhile(program, directory, server):
    """Dovecot gives a letter to a keyword after mailbraid has listed the tree and before it gives one itself."""
    case = Keywords(program, directory, server, ("user5", "user6"))
    case.other.store("m01", "+FLAGS (beta)")
    case.home.complete(meanwhile=lambda: case.reader.store("m02", "+FLAGS (gamma)"))
    case.settled(mail("m00", "m00", "alpha"), mail("m01", "m01", "beta"), mail("m02", "m02", "gamma"), mail("m03", "m03"))


def keyword_time(program, directory, server):
    """A session of Dovecot reads the file again when its time, in seconds, is another one: so it must grow every time."""
    case = Keywords(program, directory, server, ("user7", "user8"))
    later = os.stat(case.file).st_mtime + 1000
    os.utime(case.file, (later, later))  # Dovecot itself writes times to come when it changes the file twice within a second
    case.reader.store("m02", "+FLAGS (gamma)")
    before = int(os.stat(case.file).st_mtime)
    case.other.store("m01", "+FLAGS (beta)")
    case.home.complete()
    after = int(os.stat(case.file).st_mtime)
    assert after > before, f"the time of dovecot-keywords was {before} and is {after}"
    case.settled(mail("m00", "m00", "alpha"), mail("m01", "m01", "beta"), mail("m02", "m02", "gamma"), mail("m03", "m03"))


CASES = {"dovecot": beside_dovecot, "mutt": beside_mutt, "notmuch": beside_notmuch, "keyword_meanwhile": keyword_meanwhile,
         "keyword_time": keyword_time}


def main():
    parser = argparse.ArgumentParser()
    parser.add_argument("program")
    parser.add_argument("--only", choices=[*CASES])
    arguments = parser.parse_args()
    for name in PROGRAMS:
        if not shutil.which(name):
            sys.exit(f"{name} is not installed: apt-get install --no-install-recommends {name}")
    with tempfile.TemporaryDirectory(prefix="mailbraid-readers-") as directory:
        os.chmod(directory, 0o755)
        program = shutil.copy(arguments.program, directory)  # where the owner of the mail can run it
        server = run_cases.Server(os.path.join(directory, "server"), "all", "--format", "maildir")
        server.facts["HOME"] = os.path.join(directory, "server", "home")
        try:
            for name, case in CASES.items():
                if arguments.only in (None, name):
                    case(program, os.path.join(directory, name), server)
                    print("passed " + name, flush=True)
            complaints = complaints_of(server)
            assert not complaints, "Dovecot complains: " + "".join(complaints)
        finally:
            server.close()


if __name__ == "__main__":
    main()
