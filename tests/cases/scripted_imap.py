"""An IMAP4rev1 server (RFC 3501) in this process: mailboxes in memory, no TLS, and every oddity that a case wants of it."""

import contextlib
import re
import socket
import socketserver
import threading
import zlib

SYSTEM_FLAGS = ("\\Answered", "\\Flagged", "\\Deleted", "\\Seen", "\\Draft")
CHANGES = ("APPEND", "COPY", "CREATE", "DELETE", "EXPUNGE", "MOVE", "RENAME", "STORE")
TOKEN = re.compile(rb'"((?:[^"\\]|\\.)*)"|\(|\)|[^\s()"\[{]+(?:\[[^\]]*\])?|\{(\d+)\+?\}')


class Cut(Exception):
    """The line breaks."""


class No(Exception):
    """The command is refused: No("[OVERQUOTA] full")."""


class Literal(bytes):
    pass


class Message:
    def __init__(self, octets, flags=(), date="01-Jan-2024 00:00:00 +0000"):
        self.octets, self.flags, self.date = octets, set(flags), date

    def subject(self):
        return re.search(rb"^Subject: *([^\r\n]*)", self.octets, re.MULTILINE).group(1).decode()


class Mailbox:
    def __init__(self, validity):
        self.validity, self.next, self.messages = validity, 1, {}
        self.modseq, self.changed, self.shown = 1, {}, {}  # RFC 7162; by UID, those that are gone, too

    def add(self, message):
        self.messages[self.next] = message
        self.next += 1
        return self.next - 1

    def uid(self, subject):
        return next(uid for uid, message in self.messages.items() if message.subject() == subject)

    def expunge(self, subject):
        del self.messages[self.uid(subject)]

    def look(self, view):
        """HIGHESTMODSEQ: what is shown otherwise than at the last look has changed, or vanished, with the next one."""
        shown = {uid: frozenset(self.messages[uid].flags) for uid in view}
        news = [uid for uid in shown | self.shown if shown.get(uid) != self.shown.get(uid)]
        self.modseq += bool(news)
        self.changed.update(dict.fromkeys(news, self.modseq))
        self.shown = shown
        return self.modseq

    def subjects(self):
        return sorted(message.subject() for message in self.messages.values())


class Server:
    """What it is and does differently is set in its attributes; `hooks` run before a command is obeyed."""

    def __init__(self, abilities="LITERAL+ UIDPLUS MOVE"):
        self.lock = threading.RLock()
        self.abilities = abilities.split()
        self.permanent = [*SYSTEM_FLAGS, "\\*"]  # what PERMANENTFLAGS says
        self.dropped = set()  # flags that it says nothing against, and does not keep; "*": every keyword
        self.read_only, self.unlisted = set(), set()  # mailboxes
        self.copyuid = lambda *told: told  # (validity, sources, copies) as they are told
        self.appenduid = lambda *told: told  # (validity, UIDs)
        self.moves_in_parts = False  # MOVE tells each message's COPYUID by itself
        self.expunges = True  # False: EXPUNGE is answered with OK, and the message stays
        # Command: called with the session and the arguments before it is obeyed; may raise No or Cut. "APPEND announced"
        # comes before the server asks for the octets, "APPEND within" in the middle of them, "APPEND stored" before the answer.
        self.hooks = {}
        self.gmail_id = zlib.crc32  # X-GM-MSGID of a message's octets
        self.shows_most = None  # who selects a mailbox sees so many of its messages, the newest; STATUS counts all
        self.headers_only = False  # who asks for a message gets its header
        self.bye_after = None  # so many messages given or taken a connection, and it says BYE in the middle of things
        self.append_limit = "NIL"  # what STATUS says where the capability is APPENDLIMIT, without a number
        self.away = False
        self.roles = {}  # mailbox: special use
        self.log, self.transcript = [], []
        self.validity = 100
        self.mailboxes = {}
        self.make("INBOX")
        outer = self

        class Handler(socketserver.StreamRequestHandler):
            wbufsize, disable_nagle_algorithm = -1, True

            def handle(self):
                Session(outer, self.rfile, self.wfile).run()

            def finish(self):
                with contextlib.suppress(ConnectionError):  # the client was killed meanwhile
                    super().finish()

        self.listener = socketserver.ThreadingTCPServer(("127.0.0.1", 0), Handler)
        self.listener.daemon_threads = True
        self.port = self.listener.server_address[1]
        threading.Thread(target=self.listener.serve_forever, args=(0.01,), daemon=True).start()

    def __enter__(self):
        return self

    def __exit__(self, *_):
        self.listener.shutdown()
        self.listener.server_close()

    def make(self, name):
        self.validity += 1
        self.mailboxes[name] = Mailbox(self.validity)
        return self.mailboxes[name]

    def rename(self, old, new):
        """With all that is below it (RFC 3501 section 6.3.5)."""
        for name in [one for one in self.mailboxes if one == old or one.startswith(old + "/")]:
            self.mailboxes[new + name[len(old):]] = self.mailboxes.pop(name)

    def once(self, command, action):
        """`action` instead of, or before, the next such command only."""
        def hook(*told):
            del self.hooks[command]
            return action(*told)
        self.hooks[command] = hook

    def has(self, ability):
        return ability in self.abilities

    def changes(self):
        """The commands since it was asked last that change something."""
        with self.lock:
            told, self.log = self.log, []
        return told


def literals(words):
    return [word for word in words if isinstance(word, Literal)]


class Session:
    def __init__(self, server, reader, writer):
        self.server, self.reader, self.writer = server, reader, writer
        self.name = self.view = None  # the mailbox that is selected, and its UIDs as the client knows them
        self.passed = 0  # messages, either way
        self.resyncs = False  # QRESYNC was enabled

    def say(self, text, data=b"", after=b""):
        line = text.encode() + data + after
        self.server.transcript.append("S: " + line.decode("latin-1"))
        self.writer.write(line + b"\r\n")

    def run(self):
        try:
            if self.server.away:
                return self.say("* BYE come back later")
            self.say(f"* OK [CAPABILITY {self.capabilities()}] ready")
            self.writer.flush()
            while self.command():
                pass
        except (Cut, ConnectionError, socket.timeout):
            pass

    def pass_message(self):
        """One more was given or taken."""
        if self.passed == self.server.bye_after:
            self.say("* BYE that is enough for one connection")
            self.writer.flush()
            self.reader.raw._sock.shutdown(socket.SHUT_WR)
            while self.reader.read(65536):  # a reset could overtake what was said
                pass
            raise Cut
        self.passed += 1

    def hook(self, name, words):
        if name in self.server.hooks:
            self.server.hooks[name](self, words)

    def capabilities(self):
        return " ".join(["IMAP4rev1", *self.server.abilities])

    def read_command(self):
        """Its words as bytes, lists as lists, and the line as the transcript shows it; None when it was refused half-way."""
        stack, shown = [[]], ""
        while True:
            line = self.reader.readline()
            if not line.endswith(b"\r\n"):
                raise Cut
            shown += line.decode("latin-1").rstrip()
            literal = None
            for token in TOKEN.finditer(line):
                if token.group() == b"(":
                    stack.append([])
                elif token.group() == b")":
                    stack[-2].append(stack.pop())
                elif token.group(2):
                    literal = int(token.group(2))
                elif token.group(1) is not None:
                    stack[-1].append(re.sub(rb"\\(.)", rb"\1", token.group(1)))
                else:
                    stack[-1].append(token.group())
            if literal is None:
                return stack[0], shown
            appends = stack[0][1].upper() == b"APPEND"
            if not line.endswith(b"+}\r\n"):
                try:
                    if appends:
                        self.hook("APPEND announced", stack[0][2:])
                    self.say("+ go ahead")
                except No as refusal:
                    self.server.transcript.append("C: " + shown)
                    self.server.log.append(f"APPEND {stack[0][2].decode()} announced")
                    self.say(f"{stack[0][0].decode()} NO {refusal}")
                    stack = None
                self.writer.flush()
                if stack is None:
                    return None
            octets = self.reader.read(literal // 2)
            if appends:
                self.hook("APPEND within", stack[0][2:])
            stack[-1].append(Literal(octets + self.reader.read(literal - literal // 2)))

    def command(self):
        told = self.read_command()
        if told is None:
            return True
        words, shown = told
        tag, verb = words[0].decode(), words[1].decode().upper()
        rest = words[2:]
        if verb == "UID":
            verb, rest = "UID " + rest[0].decode().upper(), rest[1:]
        with self.server.lock:
            self.server.transcript.append("C: " + shown)
            if verb.split()[-1] in CHANGES:
                self.note(verb, rest, shown)
            answer = getattr(self, "do_" + verb.lower().replace(" ", "_"), None)
            try:
                self.hook(verb, rest)
                ended = answer(*rest) if answer else "BAD not here"
            except No as refusal:
                ended = f"NO {refusal}"
            if not verb.endswith(("STORE", "FETCH", "SEARCH")):
                self.tell_news()
            self.say(f"{tag} {ended or 'OK done'}")
            self.writer.flush()
        return verb != "LOGOUT"

    def note(self, verb, rest, shown):
        """Without tag and octets: two runs that ask for the same say the same."""
        line = shown.split(" ", 1)[1]
        if verb == "APPEND":
            line = " ".join(["APPEND", rest[0].decode(), *(Message(word).subject() for word in literals(rest))])
        elif self.name and verb.startswith("UID"):
            line += " in " + self.name
        self.server.log.append(line)

    def tell_news(self):
        box = self.server.mailboxes.get(self.name)
        if box is None:
            return
        for uid in [uid for uid in self.view if uid not in box.messages]:
            self.say(f"* VANISHED {uid}" if self.resyncs else f"* {self.view.index(uid) + 1} EXPUNGE")
            self.view.remove(uid)
        fresh = [uid for uid in sorted(box.messages) if uid > max(self.view, default=0)]
        if fresh:
            self.view += fresh
            self.say(f"* {len(self.view)} EXISTS")

    def box(self, name, code="NONEXISTENT"):
        if name.decode() not in self.server.mailboxes:
            raise No(f"[{code}] there is no such mailbox")
        return self.server.mailboxes[name.decode()]

    def chosen(self, uids):
        """(UID, message) of those of the selected mailbox that are there."""
        if self.view is None:
            raise No("no mailbox is open")
        box = self.server.mailboxes.get(self.name, Mailbox(0))
        out = set()
        for part in uids.decode().split(","):
            first, _, last = part.partition(":")
            ends = [max(self.view, default=0) if end == "*" else int(end) for end in (first, last or first)]
            out |= {uid for uid in self.view if min(ends) <= uid <= max(ends) and uid in box.messages}
        return [(uid, box.messages[uid]) for uid in sorted(out)]

    def kept(self, flags):
        """Of the flags that a client asks for, what this server keeps."""
        flags = {flag.decode() for flag in flags}
        permanent, dropped = self.server.permanent, self.server.dropped
        keyword = {flag for flag in flags if not flag.startswith("\\")}
        if "\\*" not in permanent or "*" in dropped:
            flags -= keyword - set(permanent)
        return {flag for flag in flags if flag in keyword or flag in permanent} - dropped

    def do_capability(self):
        self.say("* CAPABILITY " + self.capabilities())

    def do_login(self, *_):
        pass

    do_noop = do_check = do_subscribe = do_login

    def do_logout(self):
        self.say("* BYE")

    def do_unselect(self):
        self.name = None

    do_close = do_unselect

    def do_enable(self, *words):
        self.resyncs = b"QRESYNC" in words
        self.say("* ENABLED " + " ".join(word.decode() for word in words))

    def do_list(self, *words):
        pattern = re.escape(words[1].decode()).replace("\\*", ".*").replace("%", "[^/]*")
        for name in list(self.server.mailboxes):
            if re.fullmatch(pattern, name) and name not in self.server.unlisted:
                self.say(f'* LIST ({self.server.roles.get(name, "")}) "/" "{name}"')

    def do_status(self, name, items):
        box = self.box(name)
        facts = {"MESSAGES": len(box.messages), "UIDNEXT": box.next, "UIDVALIDITY": box.validity, "RECENT": 0, "UNSEEN": 0,
                 "APPENDLIMIT": self.server.append_limit, "HIGHESTMODSEQ": box.look(self.shown(box))}
        told = " ".join(f"{item.decode()} {facts[item.decode()]}" for item in items if item.decode() in facts)
        self.say(f'* STATUS "{name.decode()}" ({told})')

    def shown(self, box):
        return sorted(box.messages)[-(self.server.shows_most or 0):]

    def tell_changes(self, box, since):
        """What QRESYNC tells of a mailbox that is opened."""
        news = [uid for uid, modseq in sorted(box.changed.items()) if modseq > since]
        gone = [uid for uid in news if uid not in self.view]
        if gone:
            self.say("* VANISHED (EARLIER) " + ",".join(map(str, gone)))
        for uid in [uid for uid in news if uid in self.view]:
            flags = " ".join(sorted(box.messages[uid].flags))
            self.say(f"* {self.view.index(uid) + 1} FETCH (UID {uid} FLAGS ({flags}) MODSEQ ({box.changed[uid]}))")

    def do_select(self, name, *words, mode="READ-WRITE"):
        self.name = None
        box = self.box(name)
        self.name, self.view = name.decode(), self.shown(box)
        mode = "READ-ONLY" if self.name in self.server.read_only else mode
        permanent = " ".join(self.server.permanent) if mode == "READ-WRITE" else ""
        self.say(f"* FLAGS ({' '.join(SYSTEM_FLAGS)})")
        self.say(f"* {len(self.view)} EXISTS")
        for code in (f"PERMANENTFLAGS ({permanent})", f"UIDVALIDITY {box.validity}", f"UIDNEXT {box.next}"):
            self.say(f"* OK [{code}] told")
        if self.server.has("QRESYNC") or self.server.has("CONDSTORE"):
            self.say(f"* OK [HIGHESTMODSEQ {box.look(self.view)}] told")
            known = words[0][1] if self.resyncs and words and words[0][0] == b"QRESYNC" else None
            if known and int(known[0]) == box.validity:
                self.tell_changes(box, int(known[1]))
        return f"OK [{mode}] selected"

    def do_examine(self, *words):
        return self.do_select(*words, mode="READ-ONLY")

    def do_create(self, name, *_):
        if name.decode() in self.server.mailboxes:
            raise No("[ALREADYEXISTS] it is there")
        self.server.make(name.decode())

    def do_delete(self, name):
        self.box(name)
        del self.server.mailboxes[name.decode()]

    def do_rename(self, old, new):
        self.box(old)
        if new.decode() in self.server.mailboxes:
            raise No("[ALREADYEXISTS] it is there")
        self.server.rename(old.decode(), new.decode())

    def do_append(self, name, *words):
        box = self.box(name, "TRYCREATE")
        flags, uids, date = [], [], None
        for word in words:
            if isinstance(word, list):
                flags = word
            elif isinstance(word, Literal):
                self.pass_message()
                uids.append(box.add(Message(word, self.kept(flags), *([date] if date else []))))
                flags, date = [], None
            elif re.fullmatch(rb"[ \d]\d-\w{3}-\d{4} [\d:]{8} [-+]\d{4}", word):
                date = word.decode()
        self.hook("APPEND stored", [name, *words])
        validity, told = self.server.appenduid(box.validity, uids)
        return f"OK [APPENDUID {validity} {','.join(map(str, told))}] stored" if self.server.has("UIDPLUS") else None

    def do_uid_search(self, *_):
        self.say("* SEARCH", "".join(f" {uid}" for uid, _ in self.chosen(b"1:*")).encode())

    def do_uid_fetch(self, uids, items, *_):
        for uid, message in self.chosen(uids):
            head = message.octets[:message.octets.index(b"\r\n\r\n") + 4]
            parts = [b"UID %d" % uid]
            for item in items if isinstance(items, list) else [items]:
                item = item.decode().upper()
                if item == "FLAGS":
                    parts.append(b"FLAGS (" + " ".join(sorted(message.flags)).encode() + b")")
                elif item == "INTERNALDATE":
                    parts.append(b'INTERNALDATE "' + message.date.encode() + b'"')
                elif item == "RFC822.SIZE":
                    parts.append(b"RFC822.SIZE %d" % len(message.octets))
                elif item == "X-GM-MSGID" and self.server.has("X-GM-EXT-1"):
                    parts.append(b"X-GM-MSGID %d" % self.server.gmail_id(message.octets))
                elif item in ("BODY.PEEK[]", "BODY.PEEK[HEADER]"):
                    if self.server.headers_only:
                        item = "BODY.PEEK[HEADER]"
                    octets = head if "HEADER" in item else message.octets
                    if "HEADER" not in item:
                        self.pass_message()
                    parts.append(item.replace(".PEEK", "").encode() + b" {%d}\r\n" % len(octets) + octets)
                elif item != "UID":
                    raise No(f"cannot give {item}")
            self.say(f"* {self.view.index(uid) + 1} FETCH (", b" ".join(parts), b")")

    def do_uid_store(self, uids, mode, flags):
        if self.name in self.server.read_only:
            raise No("[READ-ONLY] nothing is changed here")
        for uid, message in self.chosen(uids):
            if mode.startswith(b"+"):
                message.flags |= self.kept(flags)
            else:
                message.flags -= self.kept(flags)
            if b"SILENT" not in mode.upper():
                told = " ".join(sorted(message.flags))
                self.say(f"* {self.view.index(uid) + 1} FETCH (UID {uid} FLAGS ({told}))")

    def do_uid_expunge(self, uids):
        for uid, message in self.chosen(uids):
            if "\\Deleted" in message.flags and self.server.expunges:
                del self.server.mailboxes[self.name].messages[uid]

    def do_uid_copy(self, uids, name):
        target = self.box(name, "TRYCREATE")
        chosen = self.chosen(uids)
        copies = [target.add(Message(message.octets, message.flags, message.date)) for _, message in chosen]
        told = self.server.copyuid(target.validity, [uid for uid, _ in chosen], copies)
        if not copies or not self.server.has("UIDPLUS"):
            return None
        return "OK [COPYUID {} {} {}] copied".format(told[0], *(",".join(map(str, part)) for part in told[1:]))

    def do_uid_move(self, uids, name):
        if not self.server.has("MOVE"):
            return "BAD not here"
        chosen = self.chosen(uids)
        for part in [str(uid).encode() for uid, _ in chosen] if self.server.moves_in_parts else [uids]:
            told = self.do_uid_copy(part, name)
            if told:
                self.say("* " + told)
        for uid, _ in chosen:
            del self.server.mailboxes[self.name].messages[uid]
        return None
