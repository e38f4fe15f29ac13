#!/bin/bash
# Installs the Debian packages that are missing; does nothing where none is.
#
# usage: install-packages.sh build|servers|tests ...
#   build    what mailbraid is built with
#   servers  the mail server and tools of the examples
#   tests    what the tests use besides
set -euo pipefail

declare -A packages=(
  [build]="g++ cmake ninja-build pkg-config libpoco-dev libgmime-3.0-dev libgsasl-dev libcli11-dev libtomlplusplus-dev
           libzstd-dev libsqlite3-dev libssl-dev zlib1g-dev"
  [servers]="dovecot-core dovecot-imapd dovecot-pop3d python3 openssl"
  [tests]="catch2 ccache clang-14 libclang-rt-14-dev clang-format clang-tidy mutt notmuch"
)

wanted=()
for group in "$@"; do
  [ -n "${packages[$group]:-}" ] || { echo "install-packages.sh: no such group: $group" >&2; exit 64; }
  read -r -d '' -a names <<<"${packages[$group]}" || true
  wanted+=("${names[@]}")
done

if ! command -v dpkg-query >/dev/null; then
  echo "This is no Debian system, so nothing is installed for you. Needed here (Debian 12's names): ${wanted[*]}" >&2
  exit 0
fi

missing=()
for name in "${wanted[@]}"; do
  [ "$(dpkg-query -W -f='${db:Status-Status}' "$name" 2>/dev/null)" = installed ] || missing+=("$name")
done
[ ${#missing[@]} -gt 0 ] || exit 0

as_root=()
if [ "$(id -u)" != 0 ]; then
  # Without a terminal sudo must not ask.
  [ -t 0 ] && sudo=(sudo) || sudo=(sudo -n)
  if ! command -v sudo >/dev/null || ! "${sudo[@]}" true; then
    echo "Packages are missing and need root to install. Run this as root, then start again:" >&2
    echo "  apt-get install --no-install-recommends ${missing[*]}" >&2
    exit 69
  fi
  as_root=("${sudo[@]}")
fi

# A mail server that is installed for a test must not start serving this machine. Whatever guard was there is put back.
guard=/usr/sbin/policy-rc.d
aside=$guard.before-mailbraid
restore() {
  "${as_root[@]}" rm -f "$guard"
  [ ! -e "$aside" ] || "${as_root[@]}" mv "$aside" "$guard"
}
trap restore EXIT
trap 'exit 75' INT TERM HUP
[ -e "$aside" ] || [ ! -e "$guard" ] || "${as_root[@]}" mv "$guard" "$aside"
printf '#!/bin/sh\nexit 101\n' | "${as_root[@]}" tee "$guard" >/dev/null
"${as_root[@]}" chmod 755 "$guard"

apt() {
  "${as_root[@]}" env DEBIAN_FRONTEND=noninteractive apt-get -o DPkg::Lock::Timeout=300 -o Acquire::Retries=3 -q "$@" </dev/null
}
echo "installing: ${missing[*]}"
# A list of packages may be old or absent, so a first failure asks for a new one.
apt install -y --no-install-recommends "${missing[@]}" >/dev/null 2>&1 ||
  { apt update && apt install -y --no-install-recommends "${missing[@]}"; } >&2
