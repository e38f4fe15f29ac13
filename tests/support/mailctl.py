#!/usr/bin/env python3
"""Looks at and changes the mail of a test server, without a line of the program under test. Octets stay as they are.

usage: mailctl.py PORT USER PASSWORD COMMAND ...           IMAP or POP3 on 127.0.0.1, no TLS; mailbox names are UTF-8
  append MAILBOX [--flags FLAGS] [--date DATE] FILE...     prints the new UIDs; FILE "-": on standard input, each as LENGTH LF OCTETS
  dump [MAILBOX...]                                        a message a line: mailbox, uid, flags, internal date, size, SHA-256 (tabs between)
  mailboxes                                                a mailbox a line: name, uidvalidity, uidnext, messages, attributes
  store MAILBOX UIDS +FLAGS|-FLAGS|FLAGS FLAG...           expunge MAILBOX UIDS            move MAILBOX UIDS TARGET
  create MAILBOX      rename OLD NEW      delete MAILBOX      renew MAILBOX (the same mail under a new UIDVALIDITY)
  raw LINE                                                 one command as it is; prints what came back
  pop3-dump                                                a message a line: number, UIDL, size, SHA-256
  pop3-delete NUMBER...
"""
import argparse
import base64
import hashlib
import re
import socket
import sys

LITERAL = re.compile(rb"~?\{(\d+)\+?\}$")


def encodeName(name):
    """Modified UTF-7 (RFC 3501 section 5.1.3)."""
    out, shifted = b"", ""
    for char in name + "\0":
        if char != "\0" and not " " <= char <= "~":
            shifted += char
            continue
        if shifted:
            out += b"&" + base64.b64encode(shifted.encode("utf-16-be")).rstrip(b"=").replace(b"/", b",") + b"-"
            shifted = ""
        out += b"&-" if char == "&" else char.encode().strip(b"\0")
    return out


def decodeName(octets):
    def shifted(match):
        text = match.group(1).replace(b",", b"/")
        return base64.b64decode(text + b"=" * (-len(text) % 4)).decode("utf-16-be").encode() if text else b"&"
    return re.sub(rb"&([A-Za-z0-9+,]*)-", shifted, octets).decode()


def quoted(text):
    octets = text if isinstance(text, bytes) else text.encode()
    return b'"' + octets.replace(b"\\", b"\\\\").replace(b'"', b'\\"') + b'"'


class Refused(Exception):
    """The server said NO, BAD or -ERR."""


class Connection:
    def __init__(self, port):
        self.socket = socket.create_connection(("127.0.0.1", port), 60)
        self.file = self.socket.makefile("rb", 1 << 18)

    def send(self, octets):
        self.socket.sendall(octets)

    def line(self):
        line = self.file.readline()
        if not line.endswith(b"\n"):
            raise EOFError("the server closed the connection")
        return line.rstrip(b"\r\n")


class Imap(Connection):
    def __init__(self, port, user, password):
        super().__init__(port)
        self.line()
        self.command(b"AUTHENTICATE PLAIN " + base64.b64encode(f"\0{user}\0{password}".encode()))

    def response(self):
        """One response as a list: text, literal, text, literal, ... text."""
        parts = [self.line()]
        while match := LITERAL.search(parts[-1]):
            octets = self.file.read(int(match.group(1)))
            parts += [octets, self.line()]
        return parts

    def command(self, *parts):
        """Sends texts and, for a tuple, its octets as a literal. Returns the responses before the tagged one."""
        answers = []
        line = b"t "
        for part in parts:
            if isinstance(part, tuple):
                octets = part[0]
                self.send(line + (b"~" if b"\0" in octets else b"") + b"{%d}\r\n" % len(octets))
                line = b""
                self.until(b"+", answers)
                self.send(octets)
            else:
                line += part
        self.send(line + b"\r\n")
        self.tagged = self.until(b"t ", answers)
        return answers

    def until(self, start, answers):
        while True:
            parts = self.response()
            if parts[0].startswith((b"t NO", b"t BAD")):
                raise Refused(parts[0].decode(errors="replace"))
            if parts[0].startswith(start):
                return parts[0]
            answers.append(parts)

    def names(self):
        for parts in self.command(b'LIST "" "*"'):
            match = re.match(rb'\* LIST \(([^)]*)\) (?:"(?:\\?.)"|NIL) (.*)$', parts[0])
            if match:
                name = parts[1] if len(parts) > 1 else match.group(2)
                if name.startswith(b'"'):
                    name = re.sub(rb"\\(.)", rb"\1", name[1:-1])
                yield decodeName(name), match.group(1).decode()

    def select(self, mailbox, verb=b"SELECT"):
        self.command(verb + b" " + quoted(encodeName(mailbox)))

    def append(self, mailbox, octets, flags="", date=""):
        text = b"APPEND " + quoted(encodeName(mailbox)) + b" (" + flags.encode() + b") "
        self.command(text + (quoted(date) + b" " if date else b""), (octets,))
        match = re.search(rb"APPENDUID \d+ (\d+)", self.tagged)
        return int(match.group(1)) if match else 0

    def messages(self, mailbox):
        """(uid, flags, internal date, octets) of each."""
        self.select(mailbox, b"EXAMINE")
        for parts in self.command(b"UID FETCH 1:* (UID FLAGS INTERNALDATE BODY.PEEK[])"):
            text = b" ".join(parts[0::2])
            if b" FETCH (" not in text or len(parts) < 2:
                continue
            flags = re.search(rb"FLAGS \(([^)]*)\)", text).group(1).decode().split()
            yield (int(re.search(rb"UID (\d+)", text).group(1)), sorted(set(flags) - {"\\Recent"}),
                   re.search(rb'INTERNALDATE "([^"]*)"', text).group(1).decode(), parts[1])


class Pop3(Connection):
    def __init__(self, port, user, password):
        super().__init__(port)
        self.line()
        self.command(b"AUTH PLAIN " + base64.b64encode(f"\0{user}\0{password}".encode()))

    def command(self, text):
        self.send(text + b"\r\n")
        line = self.line()
        if not line.startswith(b"+OK"):
            raise Refused(line.decode(errors="replace"))
        return line

    def block(self, text):
        """The lines of a multi-line response, with their line ends, unstuffed."""
        self.command(text)
        lines = []
        while (line := self.file.readline()) not in (b".\r\n", b""):
            lines.append(line[1:] if line.startswith(b".") else line)
        return lines

    def dump(self):
        for line in self.block(b"UIDL"):
            number, uidl = line.split()
            octets = b"".join(self.block(b"RETR " + number))
            print(number.decode(), uidl.decode(), len(octets), hashlib.sha256(octets).hexdigest(), sep="\t")


def inputs(paths):
    for path in paths:
        if path != "-":
            with open(path, "rb") as file:
                yield file.read()
            continue
        while length := sys.stdin.buffer.readline():
            yield sys.stdin.buffer.read(int(length))


def flagList(words):
    return b"(" + " ".join(words).encode() + b")"


def append(imap, arguments):
    parser = argparse.ArgumentParser(prog="append")
    parser.add_argument("mailbox")
    parser.add_argument("--flags", default="")
    parser.add_argument("--date", default="")
    parser.add_argument("files", nargs="+")
    wanted = parser.parse_args(arguments)
    for octets in inputs(wanted.files):
        print(imap.append(wanted.mailbox, octets, wanted.flags, wanted.date))


def dump(imap, mailboxes):
    for mailbox in mailboxes or [name for name, flags in imap.names() if "\\noselect" not in flags.lower()]:
        for uid, flags, date, octets in imap.messages(mailbox):
            print(mailbox, uid, " ".join(flags), date, len(octets), hashlib.sha256(octets).hexdigest(), sep="\t")


def mailboxes(imap, _):
    for name, attributes in list(imap.names()):
        if "\\noselect" in attributes.lower():
            continue
        status = imap.command(b"STATUS " + quoted(encodeName(name)) + b" (UIDVALIDITY UIDNEXT MESSAGES)")[0]
        values = [re.search(rb"%s (\d+)" % word, status[-1]).group(1).decode() for word in (b"UIDVALIDITY", b"UIDNEXT", b"MESSAGES")]
        print(name, *values, attributes, sep="\t")


def store(imap, arguments):
    mailbox, uids, how, *flags = arguments
    imap.select(mailbox)
    imap.command(b"UID STORE ", uids.encode(), b" ", how.encode(), b" ", flagList(flags))


def expunge(imap, arguments):
    mailbox, uids = arguments
    store(imap, [mailbox, uids, "+FLAGS", "\\Deleted"])
    imap.command(b"UID EXPUNGE ", uids.encode())


def move(imap, arguments):
    mailbox, uids, target = arguments
    imap.select(mailbox)
    imap.command(b"UID MOVE ", uids.encode(), b" ", quoted(encodeName(target)))


def create(imap, arguments):
    imap.command(b"CREATE ", quoted(encodeName(arguments[0])))


def rename(imap, arguments):
    imap.command(b"RENAME ", quoted(encodeName(arguments[0])), b" ", quoted(encodeName(arguments[1])))


def delete(imap, arguments):
    imap.command(b"DELETE ", quoted(encodeName(arguments[0])))


def renew(imap, arguments):
    kept = list(imap.messages(arguments[0]))
    imap.command(b"CLOSE")
    delete(imap, arguments)
    create(imap, arguments)
    for _, flags, date, octets in kept:
        imap.append(arguments[0], octets, " ".join(flags), date)


def raw(imap, arguments):
    for parts in imap.command(arguments[0].encode()):
        sys.stdout.buffer.write(b"".join(parts) + b"\n")
    sys.stdout.buffer.write(imap.tagged + b"\n")


IMAP_COMMANDS = {function.__name__: function for function in
                 (append, dump, mailboxes, store, expunge, move, create, rename, delete, renew, raw)}


def main():
    if len(sys.argv) < 5:
        sys.exit(__doc__)
    port, user, password, command, *arguments = sys.argv[1:]
    sys.stdout.reconfigure(encoding="utf-8")
    try:
        if command == "pop3-dump":
            Pop3(int(port), user, password).dump()
        elif command == "pop3-delete":
            pop3 = Pop3(int(port), user, password)
            for number in arguments:
                pop3.command(b"DELE " + number.encode())
            pop3.command(b"QUIT")
        elif command in IMAP_COMMANDS:
            imap = Imap(int(port), user, password)
            IMAP_COMMANDS[command](imap, arguments)
            imap.command(b"LOGOUT")
        else:
            sys.exit(f"no such command: {command}\n{__doc__}")
    except (Refused, EOFError, OSError) as problem:
        sys.exit(f"mailctl {command}: {problem}")


if __name__ == "__main__":
    main()
