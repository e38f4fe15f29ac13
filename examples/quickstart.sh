#!/bin/bash
# Shows mailbraid at work on this machine, without touching any real account: builds it, starts a throwaway mail server with
# four accounts, syncs them into one store, syncs again, and clears everything away.
#
# usage: examples/quickstart.sh [DIR]     DIR: fill the accounts with the mail in DIR (one message a file) instead of samples
set -euo pipefail
root=$(cd "$(dirname "${BASH_SOURCE[0]}")/.." && pwd)
mail=${1:+$(cd "$1" && pwd)} || { echo "quickstart.sh: no such directory: $1" >&2; exit 64; }
cd "$root"
export LC_ALL=C.UTF-8
if [ ! -w "${HOME:-/nonexistent}" ]; then
  mkdir -p build/home
  export HOME=$root/build/home
fi

bold='' plain=''
if [ -t 1 ]; then bold=$'\e[1m' plain=$'\e[0m'; fi
say() { printf '\n%s%s%s\n' "$bold" "$*" "$plain"; }
fail() { echo "quickstart.sh: $*" >&2; exit 70; }

say "1. What is needed"
examples/install-packages.sh build servers
echo "every package is installed"

say "2. Building mailbraid"
build=build/quickstart
mkdir -p build
{ cmake --preset release -B $build -DMAILBRAID_TESTS=OFF && cmake --build $build --target mailbraid -j "$(nproc)"; } \
  >build/quickstart.log 2>&1 || { tail -30 build/quickstart.log >&2; fail "the build failed, see build/quickstart.log"; }
mailbraid=$root/$build/cli/mailbraid
"$mailbraid" --version

work=$(mktemp -d "${TMPDIR:-/tmp}/mailbraid-quickstart.XXXXXX")
chmod 755 "$work"
cleanup() {
  # The server ends when its standard input does.
  if [ -n "${SERVER_PID:-}" ]; then
    local server=$SERVER_PID
    eval "exec ${SERVER[1]}>&-"
    wait "$server" 2>/dev/null || true
  fi
  rm -rf "$work"
}
trap cleanup EXIT
trap 'exit 75' INT TERM HUP

say "3. A throwaway mail server on 127.0.0.1"
coproc SERVER { exec python3 tests/support/dovecot.py "$work/server" --role 'Gesendete Elemente=\Sent' --role 'Gelöscht=\Trash'; }
declare -A server=()
while IFS='=' read -r name value <&"${SERVER[0]}"; do
  [ "$name" != READY ] || break
  server[$name]=$value
done
[ "${name:-}" = READY ] || fail "the server did not start"
python3 examples/sample_mail.py "${server[IMAP_PORT]}" "$work/expected" ${mail:+"$mail"}

say "4. The configuration"
(
  umask 077
  echo secret >"$work/password"
  cat >"$work/config.toml" <<C
[store]
path = "$work/store"

[endpoint.isp]                # an old POP3 account
type = "pop3"
host = "localhost"
port = ${server[POP3S_PORT]}
user = "user1"
password_file = "$work/password"
ca_file = "${server[CA]}"
braid = "me"

[endpoint.phone]              # an IMAP account that calls its mailboxes INBOX, Sent and Trash
type = "imap"
host = "localhost"
port = ${server[IMAPS_PORT]}
user = "user2"
password_file = "$work/password"
ca_file = "${server[CA]}"
braid = "me"

[endpoint.provider]           # one that calls them INBOX, Gesendete Elemente and Gelöscht
type = "imap"
host = "localhost"
port = ${server[IMAPS_PORT]}
user = "user3"
password_command = ["cat", "$work/password"]
ca_file = "${server[CA]}"
braid = "me"

[endpoint.club]               # no braid: a mirror by itself
type = "imap"
host = "localhost"
port = ${server[IMAP_PORT]}
tls = "starttls"
user = "user4"
password_file = "$work/password"
ca_file = "${server[CA]}"
C
)
sed -n '/^\[endpoint/,$p' "$work/config.toml"
run() { "$mailbraid" --config "$work/config.toml" "$@"; }
run config check

say "5. The first sync: mailbraid sync"
run sync
echo
echo "mailbraid ls"
run ls
run ls --json >"$work/ls.json"
python3 examples/check_result.py mailboxes "$work/expected" "$work/ls.json"

say "6. The second sync: nothing has changed, so nothing is transferred"
run sync --json >"$work/second.json"
python3 examples/check_result.py nothing "$work/second.json"

say "Done. The server, the accounts and the store are gone again; the program is $mailbraid"
