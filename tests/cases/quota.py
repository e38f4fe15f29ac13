#!/usr/bin/env python3
"""P1, P10: a real server whose quota holds half of the mail: uploads stop in order, and all is there once it holds more.

usage: quota.py MAILBRAID
"""

import mailbox
import os
import subprocess
import sys
import tempfile

HERE = os.path.dirname(os.path.abspath(__file__))
sys.path.insert(0, os.path.join(HERE, "..", "support"))
import mailctl  # noqa: E402
from run_cases import Server  # noqa: E402

MESSAGES = 20
SUBJECTS = sorted(f"m{number}" for number in range(MESSAGES))


def write_tree(path):
    tree = mailbox.Maildir(path, create=True)
    for subject in SUBJECTS:
        tree.add(
            f"From: x@example.org\nSubject: {subject}\nMessage-ID: <{subject}@example.org>\n"
            f"Date: Mon, 01 Jan 2024 00:00:00 +0000\n\n{'x' * 70}\n".encode() + b"y" * 10_000 + b"\n"
        )


def subjects(port):
    held = mailctl.Imap(port, "user1", "secret").messages("INBOX")
    return sorted(octets.split(b"Subject: ")[1].split(b"\r\n")[0].decode() for _, _, _, octets in held)


class Trial:
    def __init__(self, program, directory):
        self.program, self.directory = program, directory
        write_tree(os.path.join(directory, "near"))

    def sync(self, server, status):
        config = os.path.join(self.directory, "config.toml")
        with open(config, "w", encoding="utf-8") as file:
            file.write(
                f'[store]\npath = "{self.directory}/store"\n'
                f'[endpoint.near]\ntype = "maildir"\npath = "{self.directory}/near"\nbraid = "home"\n'
                f'[endpoint.far]\ntype = "imap"\nhost = "127.0.0.1"\nport = {server.port}\ntls = "none"\nuser = "user1"\n'
                f'password_command = ["echo", "secret"]\nbraid = "home"\n'
            )
        run = subprocess.run([self.program, "--config", config, "sync"], capture_output=True, text=True, check=False)
        said = run.stdout + run.stderr
        assert run.returncode == status, f"{run.returncode}, not {status}: {said}"
        return said


def main():
    with tempfile.TemporaryDirectory(prefix="mailbraid-quota-") as directory:
        os.chmod(directory, 0o755)
        trial = Trial(os.path.abspath(sys.argv[1]), directory)
        server = Server(os.path.join(directory, "server"), "all", "--quota", "100k")
        try:
            said = trial.sync(server, 75)
            held = subjects(server.port)
            assert 5 <= len(held) < MESSAGES and len(set(held)) == len(held), held
            assert said.count(f"{MESSAGES - len(held)} messages (") == 1, said
            said = trial.sync(server, 75)
            assert subjects(server.port) == held and said.count(f"{MESSAGES - len(held)} messages (") == 1, said
        finally:
            server.close()
        server = Server(os.path.join(directory, "server"), "all", "--quota", "10M")
        try:
            trial.sync(server, 0)
            assert subjects(server.port) == SUBJECTS, subjects(server.port)
            assert trial.sync(server, 0).count("nothing to do") == 2
        finally:
            server.close()
    print("a full account takes what it can, and the rest when it can")


if __name__ == "__main__":
    main()
