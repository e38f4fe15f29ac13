"""What `verify` says of endpoints, for cases that end with all carried out."""

import json
import subprocess


def differences(program, config, names):
    """What is not as the store says, as sentences."""
    done = subprocess.run([program, "--config", config, "verify", "--full", "--json", *names],
                          stdin=subprocess.DEVNULL, capture_output=True, text=True, timeout=120, check=False)
    if not done.stdout:
        return [f"verify ended with {done.returncode}: {done.stderr.strip()}"]
    return [f"{endpoint['endpoint']}: verify says {row['kind']} {row['mailbox']} {row['subject']}: {row['reason']}"
            for endpoint in json.loads(done.stdout)["endpoints"] for row in endpoint["findings"] if row["difference"]]
