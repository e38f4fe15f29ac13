#!/usr/bin/env python3
"""Fails when the tree breaks the rules of ARCHITECTURE.md: an #include that points up, a library outside its seam, ...

usage: check_tree.py [ROOT]      prints "FILE:LINE: RULE: what" for each violation, exits 1 if there is any
"""
import os
import re
import sys

# A directory may include itself and what is named here. A parent names all below it, except where a longer row exists.
LAYERS = {
    "mailstore/types": (),
    "mailstore/library": ("mailstore/types",),
    "mailstore": ("mailstore/types", "mailstore/library"),
    "sync/sasl": ("mailstore/types",),
    "sync/imap": ("mailstore/types",),
    "sync/pop3": ("mailstore/types",),
    "sync/net": ("mailstore/types", "mailstore/library", "sync/sasl"),
    "sync/endpoint": ("mailstore/types", "mailstore", "sync/net", "sync/sasl", "sync/imap", "sync/pop3"),
    "sync/plan": ("mailstore/types", "mailstore", "sync/endpoint"),
    "sync/exec": ("mailstore/types", "mailstore", "sync/endpoint", "sync/net", "sync/sasl", "sync/plan"),
    "sync/engine": ("mailstore/types", "mailstore", "sync/endpoint", "sync/net", "sync/sasl", "sync/plan", "sync/exec"),
    "cli": ("mailstore/types", "mailstore", "sync/endpoint", "sync/net", "sync/sasl", "sync/engine"),
}

# Of a directory that a layer may see only in part, the headers that it may see. The planner is pure: of the store and the
# endpoints it knows records, sets, settings and a message's forms, nothing that does something; of connections and logins what settings.h holds.
ONLY_HEADERS = {
    ("sync/plan", "mailstore"): {"mailstore/records.h", "mailstore/message_form.h"},
    ("sync/plan", "sync/endpoint"): {"sync/endpoint/settings.h", "sync/endpoint/records.h", "sync/endpoint/delta.h"},
}

# An external header (a regular expression on what stands between < and >) and the directories that may include it.
SEAMS = [
    (r"Poco/Net/|Poco/Crypto/", ("sync/net",), "Poco::Net and NetSSL stay in sync/net"),
    (r"Poco/Data/|sqlite3\.h$", ("mailstore",), "Poco::Data and sqlite3 stay in mailstore"),
    (r"zstd\.h$", ("mailstore",), "zstd stays in mailstore"),
    (r"gmime/", ("mailstore", "cli"), "GMime reads headers in mailstore and texts for people in cli"),
    (r"gsasl", ("sync/sasl",), "libgsasl stays in sync/sasl"),
    (r"CLI/|toml\+\+/|tomlplusplus", ("cli",), "CLI11 and toml++ stay in cli"),
    (r"sys/socket\.h$|netinet/|arpa/inet\.h$|netdb\.h$", ("sync/net",), "sockets stay in sync/net"),
]

# Sans-I/O: bytes in, values out.
PURE = ("mailstore/types", "sync/imap", "sync/pop3", "sync/plan")
IMPURE_HEADER = re.compile(
    r"^(Poco/|sys/|netinet/|arpa/|unistd\.h|poll\.h|fcntl\.h|time\.h|ctime|thread|stop_token|mutex|shared_mutex|condition_variable"
    r"|future|atomic|semaphore|latch|barrier|fstream|iostream|filesystem|csignal|signal\.h|pthread\.h)")
IMPURE_CALL = re.compile(r"_clock::now\s*\(|\b(?:gettimeofday|clock_gettime|random_device)\b")

PRINTS = re.compile(r"\bstd::(?:cout|cerr|clog|puts|printf)\b|\b(?:printf|puts)\s*\(")
FOREIGN_WORDS = re.compile(r"\bTODO\b|\bFIXME\b|\bXXX\b(?!\.)|\bHACK\b")
TOP_LEVEL = {
    "CMakeLists.txt", "CMakePresets.json", "README.md", "LICENSE", "CHANGELOG.md", "ARCHITECTURE.md", ".clang-format",
    ".clang-tidy", ".gitignore", ".git", ".ci", "sync", "mailstore", "cli", "tests", "examples",
    "build", ".cache", "compile_commands.json", "CMakeUserPresets.json",  # not of the project, but people have them
}
NOT_OURS = {"build", ".git", ".cache", "__pycache__"}
SOURCE = (".h", ".cpp", ".py", ".sh")
MAX_LINES = 500
INCLUDE = re.compile(r'^\s*#\s*include\s*(?:"([^"]+)"|<([^>]+)>)')


def layerOf(path):
    """The longest row of LAYERS that holds this path, or None (tests, examples)."""
    rows = [row for row in LAYERS if path.startswith(row + "/")]
    return max(rows, key=len) if rows else None


def files(root):
    for directory, names, leaves in os.walk(root):
        names[:] = sorted(name for name in names if name not in NOT_OURS and not name.startswith("build-"))
        for leaf in sorted(set(leaves) - NOT_OURS):
            yield os.path.relpath(os.path.join(directory, leaf), root)


def checkIncludes(path, number, line, found):
    match = INCLUDE.match(line)
    if not match:
        return
    layer = layerOf(path)
    own, external = match.groups()
    if own:
        target = layerOf(own)
        if own.startswith(".") or "/../" in own:
            found(number, "include", f'"{own}": includes are written from the root')
        elif layer and target is None:
            found(number, "include", f'"{own}" is no header of a layer (write it from the root; tests/ is not for the program)')
        elif layer and target != layer and target not in LAYERS[layer]:
            found(number, "arrow", f'{layer} must not see {target} ("{own}")')
        elif own not in ONLY_HEADERS.get((layer, target), {own}):
            found(number, "arrow", f'{layer} must not see "{own}"')
        return
    if not layer:
        return
    for pattern, homes, why in SEAMS:
        if re.match(pattern, external) and layer not in homes:
            found(number, "seam", f"<{external}>: {why}")
    if layer in PURE and IMPURE_HEADER.match(external):
        found(number, "pure", f"<{external}> in {layer}, which does no I/O, has no clock and no thread")


def checkFile(root, path, report):
    def found(number, rule, what):
        report.append(f"{path}:{number}: {rule}: {what}")

    if path.split("/")[0] not in TOP_LEVEL:
        found(1, "place", "does not belong at the top level")
    try:
        with open(os.path.join(root, path), encoding="utf-8") as file:
            lines = file.read().split("\n")
    except UnicodeDecodeError:
        if path.endswith(SOURCE):
            found(1, "text", "is not UTF-8")
        return
    layer = layerOf(path)
    if path.endswith(SOURCE) and len(lines) - 1 > MAX_LINES:
        found(len(lines) - 1, "length", f"more than {MAX_LINES} lines: split it")
    if path.endswith(".h") and "#pragma once" not in lines:
        found(1, "guard", "#pragma once is missing")
    cpp = path.endswith((".h", ".cpp"))
    own = path.startswith("tests/architecture/")  # spells out what it forbids
    for number, line in enumerate(lines, 1):
        if cpp:
            checkIncludes(path, number, line, found)
        if path.endswith(".h") and re.match(r"\s*using\s+namespace\b", line):
            found(number, "namespace", "`using namespace` in a header")
        if cpp and layer in PURE and IMPURE_CALL.search(line):
            found(number, "pure", f"asks the clock or the system in {layer}")
        if cpp and layer and layer != "cli" and PRINTS.search(line):
            found(number, "print", "only cli prints")
        if not own and FOREIGN_WORDS.search(line):
            found(number, "word", f"'{FOREIGN_WORDS.search(line).group(0)}' does not belong in the tree")


def violations(root):
    report = []
    for path in files(root):
        checkFile(root, path, report)
    return report


def main():
    root = os.path.abspath(sys.argv[1] if len(sys.argv) > 1 else os.path.join(os.path.dirname(__file__), "..", ".."))
    if not os.path.exists(os.path.join(root, "CMakeLists.txt")):
        sys.exit(f"{root} is not the root of the project")
    report = violations(root)
    print("\n".join(report) if report else "the tree keeps its rules")
    return 1 if report else 0


if __name__ == "__main__":
    sys.exit(main())
