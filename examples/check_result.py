#!/usr/bin/env python3
"""Looks at what quickstart.sh got, so that it can fail.

usage: check_result.py mailboxes EXPECTED LS_JSON      the store holds in each mailbox what the accounts together hold
       check_result.py nothing SYNC_JSON               a sync that transferred and changed nothing
"""
import json
import sys


def objects(path):
    with open(path, encoding="utf-8") as file:
        return [json.loads(line) for line in file if line.strip()]


def mailboxes(expected, listed):
    with open(expected, encoding="utf-8") as file:
        wanted = json.load(file)
    got = {box["mailbox"]: box["messages"] for box in objects(listed)}
    wrong = [f"{name}: {got.get(name)} messages instead of {count}" for name, count in wanted.items() if got.get(name) != count]
    if wrong:
        sys.exit("\n".join(wrong))
    print(f"checked: {len(wanted)} mailboxes hold what the accounts together hold, each message once")


def nothing(synced):
    lines = objects(synced)
    changes = {f"{line.get('endpoint', 'run')} {key}": line[key] for line in lines
               for key in ("new", "flags", "moved", "removed", "held", "quarantined") if line.get(key)}
    if not lines or changes:
        sys.exit(f"the second sync was not idle: {changes or 'it said nothing'}")
    for line in lines:
        if "endpoint" in line:
            print(f"  {line['endpoint']:10} 0 new, 0 changed, 0 removed; {line['bytes_in'] + line['bytes_out']} octets on the wire")
    print("checked: no message was transferred and nothing changed")


if __name__ == "__main__":
    {"mailboxes": mailboxes, "nothing": nothing}[sys.argv[1]](*sys.argv[2:])
