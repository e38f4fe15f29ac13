#!/usr/bin/env python3
"""The check of the tree can fail: one bad file a rule, and a good tree in which nothing is found."""
import os
import sys
import tempfile

sys.path.insert(0, os.path.dirname(os.path.abspath(__file__)))
sys.dont_write_bytecode = True
import check_tree  # noqa: E402

GOOD = {
    "CMakeLists.txt": "project(x)\n",
    "mailstore/types/ids.h": "#pragma once\n#include <cstdint>\n",
    "mailstore/store.cpp": '#include "mailstore/types/ids.h"\n#include <sqlite3.h>\n#include <Poco/Data/Session.h>\n',
    "sync/imap/framer.cpp": '#include "sync/imap/framer.h"\n#include "mailstore/types/ids.h"\n#include <zlib.h>\n',
    "sync/net/transport.cpp": '#include "sync/sasl/secret.h"\n#include <Poco/Net/StreamSocket.h>\n',
    "sync/plan/plan.cpp": '#include "sync/endpoint/settings.h"\n#include "mailstore/records.h"\n',
    "cli/main.cpp": '#include "sync/engine/engine.h"\n#include <iostream>\nint main() { std::cout << 1; }\n',
    "tests/imap/a.cpp": '#include "sync/imap/framer.h"\n#include "tests/support/catch.h"\nusing namespace std;\n',
    "build/dev/generated.h": "using namespace std; // TODO\n",
}

# (rule, file, content)
BAD = [
    ("arrow", "mailstore/store.cpp", '#include "sync/plan/plan.h"\n'),
    ("arrow", "mailstore/types/ids.h", '#pragma once\n#include "mailstore/store.h"\n'),
    ("arrow", "sync/imap/session.cpp", '#include "sync/net/transport.h"\n'),
    ("arrow", "sync/pop3/session.cpp", '#include "sync/imap/framer.h"\n'),
    ("arrow", "sync/endpoint/imap.cpp", '#include "sync/engine/engine.h"\n'),
    ("arrow", "sync/plan/plan.cpp", '#include "mailstore/store.h"\n'),
    ("arrow", "sync/plan/plan.cpp", '#include "sync/net/transport.h"\n'),
    ("arrow", "sync/plan/plan.cpp", '#include "sync/sasl/mechanism.h"\n'),
    ("arrow", "sync/engine/engine.cpp", '#include "cli/main.h"\n'),
    ("arrow", "sync/engine/engine.cpp", '#include "sync/imap/framer.h"\n'),
    ("include", "sync/imap/framer.cpp", '#include "framer.h"\n'),
    ("include", "sync/imap/framer.cpp", '#include "../net/transport.h"\n'),
    ("include", "cli/main.cpp", '#include "tests/support/catch.h"\n'),
    ("seam", "sync/endpoint/imap.cpp", "#include <Poco/Net/StreamSocket.h>\n"),
    ("seam", "sync/engine/engine.cpp", "#  include <sqlite3.h>\n"),
    ("seam", "cli/ls.cpp", "#include <Poco/Data/Session.h>\n"),
    ("seam", "sync/net/login.cpp", "#include <gsasl.h>\n"),
    ("seam", "mailstore/config.cpp", "#include <toml++/toml.h>\n"),
    ("pure", "sync/imap/framer.cpp", "#include <thread>\n"),
    ("pure", "sync/pop3/session.cpp", "#include <poll.h>\n"),
    ("pure", "sync/plan/plan.cpp", "auto t = std::chrono::system_clock::now();\n"),
    ("namespace", "sync/imap/framer.h", "#pragma once\nusing namespace std;\n"),
    ("guard", "sync/imap/framer.h", "#include <string>\n"),
    ("print", "sync/engine/engine.cpp", 'void f() { std::cerr << "x"; }\n'),
    ("word", "cli/main.cpp", "// TODO: later\n"),
    ("word", "README.md", "FIXME: say more\n"),
    ("length", "cli/main.cpp", "\n" * 501),
    ("place", "notes.txt", "x\n"),
    ("text", "cli/main.cpp", b"// \xff\n"),
]


def treeWith(extra):
    root = tempfile.TemporaryDirectory()
    for path, content in {**GOOD, **extra}.items():
        whole = os.path.join(root.name, path)
        os.makedirs(os.path.dirname(whole), exist_ok=True)
        with open(whole, "wb") as file:
            file.write(content if isinstance(content, bytes) else content.encode())
    return root


def main():
    failed = 0
    with treeWith({}) as root:
        for line in check_tree.violations(root):
            failed += 1
            print("in the good tree:", line)
    for rule, path, content in BAD:
        with treeWith({path: content}) as root:
            report = check_tree.violations(root)
        if len(report) != 1 or f": {rule}: " not in report[0] or not report[0].startswith(path + ":"):
            failed += 1
            print(f"expected one '{rule}' in {path}, got {report}")
    print(f"{len(BAD) + 1 - failed} passed, {failed} failed")
    return 1 if failed else 0


if __name__ == "__main__":
    sys.exit(main())
