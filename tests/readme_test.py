#!/usr/bin/env python3
"""Runs what README.md tells people to type: every command of its ```console blocks, in order, with the configuration of its
first ```toml block, against throwaway accounts.

usage: readme_test.py MAILBRAID README
"""
import json
import os
import re
import subprocess
import sys
import tempfile

HERE = os.path.dirname(os.path.abspath(__file__))


def blocks(text, kind):
    return re.findall(rf"^```{kind}\n(.*?)^```", text, re.MULTILINE | re.DOTALL)


def atServer(toml, values):
    """The README's endpoints, at this machine's server: host, port, authority and user are replaced, all else stays."""
    users = iter(("user1", "user2", "user3"))
    lines, port = [], ""
    for line in toml.split("\n"):
        if line.startswith("type"):
            port = values["POP3S_PORT" if "pop3" in line else "IMAPS_PORT"]
        if line.startswith("host"):
            line = f'host = "localhost"\nport = {port}\nca_file = "{values["CA"]}"'
        if line.startswith("user"):
            line = f'user = "{next(users)}"'
        lines.append(line)
    return "\n".join(lines)


def withEntry(command, home, environment):
    """The README's entry 1 is one of INBOX; which number that has depends on which account was quicker."""
    match = re.match(r"(mailbraid (?:flag|move)) 1 (.*)", command)
    if not match:
        return command
    listed = subprocess.run(["mailbraid", "ls", "home/INBOX", "--json"], cwd=home, env=environment, capture_output=True,
                            text=True, check=True)
    return f'{match[1]} {json.loads(listed.stdout.splitlines()[0])["entry"]} {match[2]}'


def main():
    program, readme = (os.path.abspath(path) for path in sys.argv[1:3])
    with open(readme, encoding="utf-8") as file:
        text = file.read()
    commands = [line[2:] for block in blocks(text, "console") for line in block.split("\n") if line.startswith("$ ")]
    with tempfile.TemporaryDirectory() as home:
        os.chmod(home, 0o755)
        server = subprocess.Popen([sys.executable, os.path.join(HERE, "support", "dovecot.py"), os.path.join(home, "server")],
                                  stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True)
        values = {}
        for line in server.stdout:
            if line == "READY\n":
                break
            name, _, values[name] = line.rstrip("\n").partition("=")
        try:
            subprocess.run([sys.executable, os.path.join(HERE, "..", "examples", "sample_mail.py"), values["IMAP_PORT"],
                            os.path.join(home, "expected")], check=True, stdout=subprocess.DEVNULL)
            os.makedirs(os.path.join(home, "bin"))
            with open(os.path.join(home, "bin", "pass"), "w", encoding="ascii") as file:
                file.write("#!/bin/sh\necho secret\n")
            os.chmod(file.name, 0o755)
            os.symlink(program, os.path.join(home, "bin", "mailbraid"))
            os.makedirs(os.path.join(home, ".config", "mailbraid"))
            with open(os.path.join(home, ".config", "mailbraid", "config.toml"), "w", encoding="utf-8") as file:
                file.write(atServer(blocks(text, "toml")[0], values))
            environment = {**os.environ, "HOME": home, "PATH": f"{home}/bin:{os.environ['PATH']}"}
            for name in ("XDG_CONFIG_HOME", "XDG_DATA_HOME"):
                environment.pop(name, None)
            failed = 0
            for command in commands:
                command = withEntry(command, home, environment)
                done = subprocess.run(["bash", "-c", command], cwd=home, env=environment, stdin=subprocess.DEVNULL,
                                      capture_output=True, text=True, errors="replace")
                if done.returncode:
                    failed += 1
                    print(f"$ {command}\n{done.stdout}{done.stderr}exit code {done.returncode}")
        finally:
            server.stdin.close()
            server.wait()
    print(f"{len(commands) - failed} commands of {os.path.basename(readme)} ran, {failed} failed")
    return 1 if failed or not commands else 0


if __name__ == "__main__":
    sys.exit(main())
