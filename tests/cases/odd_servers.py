#!/usr/bin/env python3
"""Servers that keep less than they say, lie, or change between two commands: nothing is lost, doubled, or tried for ever.

usage: odd_servers.py MAILBRAID [CASE...]
"""

import os
import sys
import traceback

import odd_changes
import odd_limits
import odd_reading
import odd_repairs
import odd_uploads


def main():
    program, wanted = os.path.abspath(sys.argv[1]), sys.argv[2:]
    cases = {
        name: case
        for module in (odd_changes, odd_uploads, odd_repairs, odd_reading, odd_limits)
        for name, case in vars(module).items()
        if name.startswith("check_") and (not wanted or name in wanted)
    }
    assert cases, "there is no such case"
    failed = []
    for name, case in cases.items():
        try:
            case(program)
        except AssertionError:
            failed.append(name)
            print(f"--- {name}: {case.__doc__}")
            traceback.print_exc(file=sys.stdout)
    if failed:
        sys.exit("failed: " + ", ".join(failed))
    print(f"{len(cases)} cases: odd servers lose nothing, double nothing, and are not asked for ever")


if __name__ == "__main__":
    main()
