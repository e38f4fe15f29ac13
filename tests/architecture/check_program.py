#!/usr/bin/env python3
"""Fails when the program is linked with a library that it should load only when it needs it (see late_library.h).

usage: check_program.py PROGRAM
"""
import re
import subprocess
import sys

LATE = ("libPocoData", "libPocoNetSSL", "libPocoCrypto", "libPocoUtil", "libPocoXML", "libPocoJSON", "libgmime", "libglib")

table = subprocess.run(["readelf", "-d", sys.argv[1]], check=True, capture_output=True, text=True).stdout
needed = re.findall(r"\(NEEDED\).*\[(.*)\]", table)
if not any(name.startswith("libPocoNet.") for name in needed):
    sys.exit(f"{sys.argv[1]}: its libraries could not be read")
wrong = [name for name in needed if name.startswith(LATE)]
if wrong:
    sys.exit(f"{sys.argv[1]} is linked with {', '.join(wrong)}: load it when it is needed (mailstore/library)")
