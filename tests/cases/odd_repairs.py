"""Servers that take a message with a repair only, which the user has allowed."""

import contextlib
import mailbox
import os
import shutil
import sqlite3
import threading
import time

from odd_home import home, octets, refuse
from odd_uploads import NEW
from scripted_imap import Cut, Message, No, Server, literals

FAULTY = {
    "eight": "From: K\u00e4the <k@example.org>\nSubject: eight\nMessage-ID: <8@x>\n\nbody\n".encode(),
    "nul": b"Subject: nul\nMessage-ID: <0@x>\n\nbo\0dy\n",
    "both": "Subject: both \u00e4\nMessage-ID: <b@x>\n\nbo\0dy\n".encode(),
    "anonymous": b"Subject: anonymous\n\nbo\0dy\n",
    "subject": "From: k@example.org\nSubject: Gr\u00fc\u00dfe\nMessage-ID: <s@x>\n\nbody\n".encode(),
}


def strict(_, words):
    """A hook of a server that takes neither NUL nor 8-bit headers, and not n3."""
    for word in literals(words):
        if b"\0" in word:
            raise No("Message contains NUL characters")
        if any(octet > 127 for octet in word.partition(b"\r\n\r\n")[0]):
            raise No("Message contains invalid header")
        if b"Subject: n3" in word:
            raise No("I do not like it")


@contextlib.contextmanager
def faulty_home(program, abilities):
    with home(program, abilities) as (at, far):
        far.hooks["APPEND"] = strict
        at.options = 'repair = ["nul", "8bit-header"]\n'
        for text in FAULTY.values():
            mailbox.Maildir(at.near).add(text)
        yield at, far


def holds_each_once(at, far):
    subjects = [message.octets.partition(b"\r\n\r\n")[0] for message in far.mailboxes["INBOX"].messages.values()]
    assert len(set(subjects)) == len(subjects), subjects
    assert len(mailbox.Maildir(at.near)) == len(subjects), (list(mailbox.Maildir(at.near)), subjects)


def check_repaired_upload_is_known(program):
    """4, 5: what the server took with a repair is the message that it was, whatever was lost: never there twice."""
    for abilities in ("LITERAL+ UIDPLUS", "LITERAL+ UIDPLUS BINARY", "LITERAL+", ""):
        with faulty_home(program, abilities) as (at, far):  # killed when the server has it, and nobody was told

            def killed(*_):
                at.process.kill()
                raise Cut()

            far.once("APPEND stored", killed)
            at.sync(None)
            assert at.process.returncode == -9
            at.sync()
            holds_each_once(at, far)
            at.settled()
            assert at.run("verify", "far").count("with a repair only") == len(FAULTY)
        with faulty_home(program, abilities) as (at, far):
            at.sync()
            shutil.rmtree(os.path.join(at.directory, "store"))  # the store is lost
            said = at.sync()
            for names in ("(nul)", "(8bit-header)", "(nul, 8bit-header)"):
                assert f"with a repair {names}" in said, said
            holds_each_once(at, far)
            at.settled()
            said = at.run("verify", "near", "--full")  # the store has what was there first, not what it was repaired to
            assert "differ" not in said, said
            assert at.run("verify", "far", "--full").count("with a repair only") == len(FAULTY)
        with faulty_home(program, abilities) as (at, far):
            at.sync()
            inbox = far.mailboxes["INBOX"].messages
            for uid in [uid for uid, message in inbox.items() if b"\r\n\r\nbody\r\n" in message.octets]:
                far.mailboxes["Work"].add(inbox.pop(uid))  # another client files them
            said = at.sync()
            assert f"{len(FAULTY)} moved" in said, said
            at.settled()
            assert len(at.maildir()["Work"]) == len(at.server("far")["Work"]), at.held()


def check_repairs(program):
    """7: what is refused as it is goes with the repairs that the user allows, is told, and stays as it is here."""
    for abilities in ("LITERAL+ UIDPLUS BINARY", "LITERAL+ UIDPLUS MULTIAPPEND", ""):
        with home(program, abilities) as (at, far):
            far.hooks["APPEND"] = strict
            for text in FAULTY.values():
                mailbox.Maildir(at.near).add(text)
            for subject in NEW:
                at.add(subject)
            said = at.sync(11)
            assert f"4 uploaded, {len(FAULTY) + 1} quarantined" in said, said
            at.options = 'repair = ["nul", "8bit-header"]\n'
            said = at.sync(11)  # at once: the configuration is another one
            assert f"{len(FAULTY)} uploaded" in said and "1 quarantined" in said, said
            for names in ("nul", "8bit-header", "nul, 8bit-header"):
                assert f"taken with a repair ({names}); the store keeps it as it came" in said, said
            assert "upload repaired" in at.run("log", at.run("log", "--count", "1").split()[0]), said
            held = {message.octets for message in far.mailboxes["INBOX"].messages.values()}
            eight = FAULTY["eight"].replace(b"\n", b"\r\n").replace("K\u00e4the".encode(), b"=?utf-8?Q?K=C3=A4the?=")
            assert eight in held and b"Subject: nul\r\nMessage-ID: <0@x>\r\n\r\nbody\r\n" in held, held
            assert {open(at.file("nul"), "rb").read()} == {FAULTY["nul"]}
            for words in (("verify", "far", "--full"), ("verify", "far")):
                said = at.run(*words, status=11)  # n3 is refused
                assert said.count("the server took it with a repair only") == len(FAULTY) and "altered" not in said, said
            at.settled()


def check_refusal_is_forgotten(program):
    """11: after uploads of which nothing was stored there the server is not waited for as after a cut-off one."""
    for text, hook in ((FAULTY["nul"], None), (octets("n1"), refuse("not that one"))):
        with home(program, "LITERAL+ UIDPLUS") as (at, far):
            mailbox.Maildir(at.near).add(text)
            if hook:
                far.hooks["APPEND"] = hook
            at.sync(11)
            at.sync(None)
            with sqlite3.connect(os.path.join(at.directory, "store", "store.db")) as store:
                assert store.execute("SELECT count(*) FROM upload").fetchone() == (0,)


def repaired(text):
    return text.replace(b"\n", b"\r\n").replace(b"\0", b"")


def check_clean_copy_is_another_message(program):
    """2: what a repair would make of one message came by itself, too: both are kept, and nothing is called repaired."""
    for options in ("", 'repair = ["nul"]\n'):
        with home(program, "LITERAL+ UIDPLUS BINARY", mid=Server("LITERAL+ UIDPLUS BINARY")) as (at, far):
            at.options_of["mid"], at.options_of["far"] = options, 'repair = ["nul"]\n'
            mid = at.servers["mid"].mailboxes["INBOX"]
            faulty = FAULTY["nul"].replace(b"\n", b"\r\n")
            mid.add(Message(faulty))
            at.sync()
            mid.add(Message(repaired(FAULTY["nul"])))
            said = at.sync() + at.sync()
            assert "repair" not in said, said
            held = sorted(message.octets for message in far.mailboxes["INBOX"].messages.values() if b"nul" in message.octets)
            assert held == sorted([faulty, repaired(FAULTY["nul"])]), held


def until(happened, seconds=20):
    end = time.monotonic() + seconds
    while not happened():
        assert time.monotonic() < end, "it does not happen"
        time.sleep(0.01)


def check_original_comes_while_its_repair_is_sent(program):
    """2, 9: the store was lost; one server has what a repair made of a message, and another gives the message itself while
    the repaired one is already on its way to a third: it is there once, nothing is called damaged, nothing waits."""
    many = [f"x{number}" for number in range(400)]
    servers = {"mid": Server("LITERAL+ UIDPLUS"), "late": Server("LITERAL+ UIDPLUS")}
    mid = servers["mid"].mailboxes["INBOX"]
    for subject in many[:100]:
        mid.add(Message(octets(subject)))
    mid.add(Message(repaired(FAULTY["nul"])))
    for subject in many[100:]:
        mid.add(Message(octets(subject)))
    with home(program, "LITERAL+ UIDPLUS BINARY", inbox=(), **servers) as (at, far):
        at.options_of["mid"] = 'repair = ["nul"]\n'
        shutil.rmtree(os.path.join(at.directory, "store"))
        far.mailboxes["INBOX"].messages.clear()
        shutil.rmtree(at.near)
        mailbox.Maildir(at.near, create=True)
        late = servers["late"].mailboxes["INBOX"]
        late.messages.clear()
        late.add(Message(FAULTY["nul"].replace(b"\n", b"\r\n")))
        begun = threading.Event()

        def first_of_all(*_):
            del far.hooks["APPEND"]
            begun.set()
            until(lambda: at.ask("SELECT count(*) FROM repaired") != [(0,)])

        far.hooks["APPEND"] = first_of_all
        servers["late"].hooks["LIST"] = lambda *_: begun.wait(20)
        at.sync()
        said = at.sync()
        assert "damaged" not in said, said
        for server in (far, servers["mid"], servers["late"]):
            held = [message.octets for message in server.mailboxes["INBOX"].messages.values()]
            assert len(held) == len(many) + 1, len(held)
            assert sum(b"Subject: nul" in octets for octets in held) == 1, held
        at.settled()
        at.run("gc")
        assert at.ask("SELECT count(*) FROM message WHERE id NOT IN (SELECT message FROM entry)") == [(0,)]
