"""What odd_servers.py works with: a store, a Maildir and scripted servers in one braid, and a tiny POP3 server."""

import contextlib
import mailbox
import os
import socketserver
import sqlite3
import subprocess
import tempfile
import threading

import scripted_imap
from scripted_imap import Cut, Message, No


def octets(subject):
    return (
        f"From: x@example.org\r\nSubject: {subject}\r\nMessage-ID: <{subject}@example.org>\r\n"
        f"Date: Mon, 01 Jan 2024 00:00:00 +0000\r\n\r\nbody {subject}\r\n"
    ).encode()


def refuse(answer):
    """What a hook of a scripted server does: the command is answered with NO."""

    def hook(*_):
        raise No(answer)

    return hook


def breaks_for_good(server):
    """A hook by which the line breaks, and the server is away until its `away` is taken back."""

    def hook(*_):
        server.away = True
        raise Cut

    return hook


class PopServer:
    """Tells and gives whatever `messages` has: [(UIDL, octets)]."""

    def __init__(self):
        self.messages = []
        self.refusals = []  # what the next PASS are answered with
        outer = self

        class Handler(socketserver.StreamRequestHandler):
            wbufsize, disable_nagle_algorithm = -1, True

            def handle(self):
                outer.serve(self.rfile, self.wfile)

        self.listener = socketserver.ThreadingTCPServer(("127.0.0.1", 0), Handler)
        self.listener.daemon_threads = True
        self.port = self.listener.server_address[1]
        threading.Thread(target=self.listener.serve_forever, args=(0.01,), daemon=True).start()

    def __enter__(self):
        return self

    def __exit__(self, *_):
        self.listener.shutdown()
        self.listener.server_close()

    def serve(self, reader, writer):
        held = list(self.messages)
        gone = set()  # UIDLs, until QUIT

        def say(line, rest=b""):
            writer.write(line.encode() + b"\r\n" + rest)
            writer.flush()

        def table(of):
            return "".join(f"{number} {of(*one)}\r\n" for number, one in enumerate(held, 1)).encode() + b".\r\n"

        say("+OK ready")
        for line in reader:
            verb, *words = line.decode().upper().split()
            if verb == "CAPA":
                say("+OK", b"USER\r\nUIDL\r\nTOP\r\n.\r\n")
            elif verb == "PASS" and self.refusals:
                say(self.refusals.pop(0))
                return
            elif verb in ("USER", "PASS", "NOOP", "QUIT"):
                if verb == "QUIT" and gone:
                    self.messages = [one for one in self.messages if one[0] not in gone]
                say("+OK")
                if verb == "QUIT":
                    return
            elif verb == "DELE":
                gone.add(held[int(words[0]) - 1][0])
                say("+OK")
            elif verb == "STAT":
                say(f"+OK {len(held)} {sum(len(text) for _, text in held)}")
            elif verb == "LIST":
                say("+OK", table(lambda _, text: len(text)))
            elif verb == "UIDL":
                say("+OK", table(lambda name, _: name))
            elif verb == "RETR":
                say("+OK", held[int(words[0]) - 1][1] + b".\r\n")
            elif verb == "TOP":
                say("+OK", held[int(words[0]) - 1][1].partition(b"\r\n\r\n")[0] + b"\r\n\r\n.\r\n")
            else:
                say("-ERR not here")


class Home:
    """A store, the Maildir `near`, and servers by name."""

    def __init__(self, program, directory, **servers):
        self.program, self.directory, self.servers = program, directory, servers
        self.near = os.path.join(directory, "near")
        mailbox.Maildir(self.near, create=True)
        self.options, self.retention = "", "30d"
        self.sent = {}
        self.process = None  # that runs, or ran last

    def configure(self):
        path = os.path.join(self.directory, "config.toml")
        with open(path, "w", encoding="utf-8") as file:
            file.write(f'[store]\npath = "{self.directory}/store"\nretention = "{self.retention}"\n')
            file.write(f'[endpoint.near]\ntype = "maildir"\npath = "{self.near}"\nbraid = "home"\n')
            for name, server in self.servers.items():
                kind = "pop3" if isinstance(server, PopServer) else "imap"
                file.write(
                    f'[endpoint.{name}]\ntype = "{kind}"\nhost = "127.0.0.1"\nport = {server.port}\ntls = "none"\n'
                    f'user = "me"\npassword_command = ["echo", "x"]\nbraid = "home"\n{self.options}'
                )
        return path

    def run(self, *words, status=0):
        imap = {name: server for name, server in self.servers.items() if isinstance(server, scripted_imap.Server)}
        for server in imap.values():
            server.transcript.clear()
        command = [self.program, "--config", self.configure(), *words]
        done = self.process = subprocess.Popen(command, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True)
        said = "".join(done.communicate())
        self.sent = {name: server.changes() for name, server in imap.items()}
        if status is not None and done.returncode != status:
            lines = [line for server in imap.values() for line in server.transcript]
            raise AssertionError("\n".join([*lines, f"{words} ended with {done.returncode}, not {status}: {said}"]))
        return said

    def sync(self, status=0):
        return self.run("sync", status=status)

    def settled(self, status=0, sentence=None):
        """A further run changes nothing anywhere, and tells what is still wrong in one sentence."""
        held = self.held()
        said = self.sync(status)
        assert not any(self.sent.values()), (self.sent, said)
        assert self.held() == held, (held, self.held(), said)
        if sentence:
            assert said.count(sentence) == 1, said
        else:
            assert said.count("nothing to do") == 1 + len(self.servers), said
        return said

    def repeats(self, status, sentence):
        """A further run tries exactly what the last one tried, once, and changes nothing."""
        tried, held = self.sent, self.held()
        said = self.sync(status)
        assert self.sent == tried, (tried, self.sent, said)
        assert self.held() == held, (held, self.held(), said)
        assert said.count(sentence) == 1, said

    # The Maildir.

    def path(self, where="INBOX"):
        return self.near if where == "INBOX" else os.path.join(self.near, where)

    def add(self, subject, where="INBOX"):
        mailbox.Maildir(self.path(where), create=True).add(octets(subject).replace(b"\r\n", b"\n"))

    def file(self, subject, where="INBOX"):
        held = mailbox.Maildir(self.path(where), create=False)
        key = next(key for key, message in held.items() if message["Subject"] == subject)
        return os.path.join(held._path, held._lookup(key))

    def flag(self, subject, letters, where="INBOX"):
        path = self.file(subject, where)
        base = os.path.basename(path).split(":")[0]
        os.rename(path, os.path.join(self.path(where), "cur", f"{base}:2,{letters}"))

    def keyword(self, subject, name, where="INBOX"):
        with open(os.path.join(self.path(where), "dovecot-keywords"), "w", encoding="ascii") as file:
            file.write(f"0 {name}\n")
        self.flag(subject, "a", where)

    def remove(self, subject, where="INBOX"):
        os.unlink(self.file(subject, where))

    def move(self, subject, to, where="INBOX"):
        mailbox.Maildir(self.path(to), create=True)
        path = self.file(subject, where)
        os.rename(path, os.path.join(self.path(to), "cur", os.path.basename(path).split(":")[0] + ":2,"))

    def maildir(self):
        """{mailbox: {subject: flags}}; nothing is there twice."""
        out = {}
        for top, _, _ in os.walk(self.near):
            if not os.path.isdir(os.path.join(top, "cur")):
                continue
            name = os.path.relpath(top, self.near)
            held = mailbox.Maildir(top, create=False)
            out["INBOX" if name == "." else name] = single(
                (str(message["Subject"]), self.flag_names(top, message.get_flags())) for message in held
            )
        return out

    @staticmethod
    def flag_names(top, letters):
        keywords = {}
        with contextlib.suppress(FileNotFoundError):
            with open(os.path.join(top, "dovecot-keywords"), encoding="ascii") as file:
                keywords = {chr(ord("a") + int(number)): name for number, name in map(str.split, file)}
        return {keywords.get(letter, letter) for letter in letters}

    # Both sides.

    def server(self, name):
        boxes = self.servers[name].mailboxes
        return {
            where: single((message.subject(), message.flags) for message in box.messages.values())
            for where, box in boxes.items()
        }

    def held(self):
        imap = [name for name, server in self.servers.items() if isinstance(server, scripted_imap.Server)]
        return {"near": self.maildir(), **{name: self.server(name) for name in imap}}

    def where(self, subject):
        """{endpoint: mailboxes that have it}"""
        return {name: [one for one, held in boxes.items() if subject in held] for name, boxes in self.held().items()}

    def empty_of_deleted(self, name):
        """What the mail program of a server without UIDPLUS does at last: what is marked there is expunged. Then nothing is new."""
        for box in self.servers[name].mailboxes.values():
            box.messages = {uid: message for uid, message in box.messages.items() if "\\Deleted" not in message.flags}
        near = self.maildir()
        self.sync()
        assert not self.sent[name] and self.maildir() == near, (self.sent, self.held())

    def ask(self, sql):
        """Asks the store, or changes it behind its back."""
        with contextlib.closing(sqlite3.connect(os.path.join(self.directory, "store", "store.db"))) as database:
            rows = database.execute(sql).fetchall()
            database.commit()
            return rows

    def next_day(self):
        """What was spent today was spent yesterday."""
        self.ask("UPDATE spending SET day = day - 1")

    def forget_dates(self):
        """Everything that was removed was removed long ago."""
        self.ask("UPDATE entry SET removed_at = 1 WHERE removed_at <> 0")


def single(pairs):
    out = {}
    for subject, flags in pairs:
        assert subject not in out, f"{subject} is there twice"
        out[subject] = flags
    return out


@contextlib.contextmanager
def home(program, abilities="LITERAL+ UIDPLUS MOVE", inbox=("m1", "m2", "m3"), **others):
    """A Home whose server `far` has some mail in INBOX, and one message in Work, synced once."""
    with contextlib.ExitStack() as stack:
        directory = stack.enter_context(tempfile.TemporaryDirectory(prefix="mailbraid-odd-"))
        far = stack.enter_context(scripted_imap.Server(abilities))
        for subject in inbox:
            far.mailboxes["INBOX"].add(Message(octets(subject)))
        far.make("Work").add(Message(octets("w1")))
        for server in others.values():
            stack.enter_context(server)
        at = Home(program, directory, far=far, **others)
        at.sync()
        yield at, far
