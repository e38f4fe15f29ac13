#!/usr/bin/env python3
"""Fills the four accounts of quickstart.sh and writes down what the store should hold afterwards.

usage: sample_mail.py IMAP_PORT EXPECTED [DIR]      DIR: take the files in it as messages instead of making some up
"""
import collections
import email.message
import email.policy
import email.utils
import json
import os
import random
import sys

sys.dont_write_bytecode = True
sys.path.insert(0, os.path.join(os.path.dirname(os.path.abspath(__file__)), "..", "tests", "support"))
import mailctl  # noqa: E402

# What the four accounts call their mailboxes. POP3 (isp) knows INBOX only.
ACCOUNTS = {
    "isp": ("user1", {"inbox": "INBOX"}),
    "phone": ("user2", {"inbox": "INBOX", "sent": "Sent", "trash": "Trash"}),
    "provider": ("user3", {"inbox": "INBOX", "sent": "Gesendete Elemente", "trash": "Gelöscht"}),
    "club": ("user4", {"inbox": "INBOX", "minutes": "Protokolle/2026"}),
}
STORE = {"inbox": "me/INBOX", "sent": "me/Sent", "trash": "me/Trash"}
CLUB_STORE = {"inbox": "club/INBOX", "minutes": "club/Protokolle/2026"}

# Message number modulo 10 -> where it lies: (account, mailbox) ...
PLACES = [
    [("isp", "inbox"), ("phone", "inbox"), ("provider", "inbox")],
    [("isp", "inbox"), ("phone", "inbox"), ("provider", "inbox")],
    [("isp", "inbox")],
    [("phone", "inbox"), ("provider", "inbox")],
    [("phone", "inbox")],
    [("phone", "sent"), ("provider", "sent")],
    [("provider", "sent")],
    [("phone", "trash"), ("provider", "trash")],
    [("club", "inbox")],
    [("club", "minutes")],
]

PEOPLE = ["Ada Müller <ada@example.org>", "田中 花子 <hanako@example.jp>", "Bob <bob@example.com>",
          '"O\'Brien, Pat" <pat@example.net>', "Zoë Weiß <zoe@example.de>"]
TEXTS = [
    ("Grüße aus Köln", "Schöne Grüße! Wir treffen uns um fünf; bring bitte die Äpfel mit.\n"),
    ("来週の会議について", "田中です。\n来週の会議は火曜日の午後三時からです。よろしくお願いします。\n"),
    ("Invoice 2026-17", "Please find the invoice attached.\n.\n..a line that begins with dots\n"),
    ("Re: Fahrplan", "> Wann fährt der Zug?\nUm 7:12 Uhr, Gleis 3.\n"),
    ("Holiday pictures", "From here on it gets sunny.\nFrom the beach, with love\n"),
]
CRLF = email.policy.SMTP.clone(max_line_length=998)


def plain(number, chance):
    subject, text = TEXTS[number % len(TEXTS)]
    message = email.message.EmailMessage(policy=CRLF)
    message["From"] = PEOPLE[number % len(PEOPLE)]
    message["To"] = PEOPLE[(number + 2) % len(PEOPLE)]
    message["Subject"] = f"{subject} ({number})"
    message["Date"] = email.utils.format_datetime(
        email.utils.localtime().replace(2026, 1 + number % 12, 1 + number % 28, 9, number % 60, 0, 0))
    message["Message-ID"] = f"<quickstart-{number}@example.org>"
    message.set_content(text * (1 + chance.randrange(20)), cte="8bit" if number % 2 else "quoted-printable")
    return message


def made(number, chance):
    """One message as octets, of a kind that its number chooses."""
    message = plain(number, chance)
    kind = number // 10 % 5
    if kind == 1:
        message.add_alternative(f"<p>Nummer <b>{number}</b> – schön</p>", subtype="html")
    if kind == 2:
        message.add_attachment(chance.randbytes(5000), maintype="application", subtype="pdf", filename="Rechnung März.pdf")
        message.add_attachment("名前,数\n花子,3\n", subtype="csv", filename="一覧.csv")
    octets = message.as_bytes()
    if kind == 3:  # raw eight-bit headers, an unusual fold, an unknown header, a charset of its own
        octets = (b"X-Odd:\r\n \t folded\tstrangely\r\nSubject: Stra\xdfe und \xe4hnliches\r\nDate: yesterday, more or less\r\n"
                  b"Message-ID: <quickstart-odd-%d@example.org>\r\nContent-Type: text/plain; charset=iso-2022-jp\r\n\r\n"
                  b"\x1b$BF|K\\8l\x1b(B\r\n" % number)
    if kind == 4:  # without a header at all
        octets = b"\r\nonly a body, number %d\r\n" % number
    return octets


def found(directory):
    for path, names, leaves in os.walk(directory):
        names.sort()
        for leaf in sorted(leaves):
            with open(os.path.join(path, leaf), "rb") as file:
                octets = file.read()
            if octets.strip():
                yield octets if octets.endswith(b"\n") else octets + b"\n"


def main():
    port, expected = int(sys.argv[1]), sys.argv[2]
    chance = random.Random(2026)
    messages = list(found(sys.argv[3])) if len(sys.argv) > 3 else [made(number, chance) for number in range(80)]
    if not messages:
        sys.exit(f"there is no mail in {sys.argv[3]}")
    connections = {}
    for account, (user, boxes) in ACCOUNTS.items():
        connections[account] = mailctl.Imap(port, user, "secret")
        for box in boxes.values():
            if box != "INBOX":
                connections[account].command(b"CREATE ", mailctl.quoted(mailctl.encodeName(box)))
    held = collections.defaultdict(collections.Counter)
    counts = collections.Counter()
    for number, octets in enumerate(messages):
        for account, role in PLACES[number % 10]:
            box = ACCOUNTS[account][1][role]
            flags = "\\Seen" if number % 3 else "\\Flagged $Important" if number % 7 == 0 else ""
            connections[account].append(box, octets, flags, f"{1 + number % 28:02d}-Jan-2026 08:{number % 60:02d}:00 +0100")
            counts[account, box] += 1
            held[account, role][octets] += 1
    for connection in connections.values():
        connection.command(b"LOGOUT")
    # Merged: of each message as many copies as the endpoint with the most of it has.
    wanted = {}
    for (account, role), copies in held.items():
        box = CLUB_STORE[role] if account == "club" else STORE[role]
        wanted[box] = wanted.get(box, collections.Counter()) | copies
    with open(expected, "w", encoding="utf-8") as file:
        json.dump({box: sum(copies.values()) for box, copies in wanted.items()}, file)
    for (account, box), count in counts.items():
        print(f"  {account:10}{box:22}{count:6} messages")


if __name__ == "__main__":
    main()
