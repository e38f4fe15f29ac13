#!/bin/bash
# Installs what the tests need, builds, and runs them all. The last line is "N passed, N failed".
#
# usage: tests/run.sh [--preset dev|release|asan|tsan] [--filter REGEX] [--no-fuzz] [--no-format] [--no-install] [--tidy]
#   --preset     how to build (dev); build/ci-PRESET holds the result
#   --filter     run only the ctest tests that match; no fuzzing, no check of the layout
#   --tidy       clang-tidy, too: ten minutes more
set -uo pipefail
[ -t 0 ] || exec </dev/null
root=$(cd "$(dirname "${BASH_SOURCE[0]}")/.." && pwd)
cd "$root" || exit 70

preset=dev filter='' fuzz=yes format=yes install=yes tidy=no
while [ $# -gt 0 ]; do
  case $1 in
    --preset) preset=${2:?--preset needs a name}; shift ;;
    --filter) filter=${2:?--filter needs a regular expression}; fuzz=no; format=no; shift ;;
    --no-fuzz) fuzz=no ;;
    --no-format) format=no ;;
    --tidy) tidy=yes ;;
    --no-install) install=no ;;
    -h | --help) sed -n '2,/^set/{/^set/!s/^# \{0,1\}//p}' "${BASH_SOURCE[0]}"; exit 0 ;;
    *) echo "run.sh: no such option: $1 (see --help)" >&2; exit 64 ;;
  esac
  shift
done

export LC_ALL=C.UTF-8
# ccache and others want a home that they can write to.
if [ ! -w "${HOME:-/nonexistent}" ]; then
  mkdir -p build/home
  export HOME=$root/build/home
fi
export CCACHE_NOHASHDIR=1
# The leak checker takes the thread-local data of libraries that were opened late for what it is not, and crashes.
export ASAN_OPTIONS="intercept_tls_get_addr=0 ${ASAN_OPTIONS:-}"
export TSAN_OPTIONS="die_after_fork=0 suppressions=$root/tests/tsan.supp ${TSAN_OPTIONS:-}"

passed=0 failed=0
step() { printf '\n== %s\n' "$*"; }
count() {  # count NAME COMMAND...: one test
  local name=$1
  shift
  if "$@"; then passed=$((passed + 1)); echo "passed: $name"; else failed=$((failed + 1)); echo "FAILED: $name"; fi
}
finish() {
  printf '\n%d passed, %d failed\n' "$passed" "$failed"
  [ "$failed" = 0 ] && [ "$passed" -gt 0 ]
  exit
}
must() {  # a step without which the rest makes no sense
  "$@" && return
  echo "FAILED: $*"
  failed=$((failed + 1))
  finish
}

if [ $install = yes ]; then
  step "packages"
  must examples/install-packages.sh build servers tests
fi
exec </dev/null  # only sudo may have had to ask

build=build/ci-$preset
step "build ($preset)"
must cmake --preset "$preset" -B "$build"
must cmake --build "$build" -j "$(nproc)"

step "tests"
report=$root/$build/tests.xml
rm -f "$report"
ctest --test-dir "$build" -j2 --output-on-failure --no-tests=error --timeout 900 --output-junit "$report" ${filter:+-R "$filter"}
if [ -e "$report" ]; then
  all=$(grep -o '\btests="[0-9]*"' "$report" | head -1 | tr -dc 0-9)
  bad=$(grep -o '\bfailures="[0-9]*"' "$report" | head -1 | tr -dc 0-9)
  passed=$((passed + all - bad)) failed=$((failed + bad))
else
  failed=$((failed + 1))
fi

if [ $fuzz = yes ]; then
  step "fuzzing, a few seconds each"
  must cmake --preset fuzz -B build/ci-fuzz
  must cmake --build build/ci-fuzz -j "$(nproc)"
  for target in build/ci-fuzz/tests/fuzz/fuzz_*; do
    [ -f "$target" ] && [ -x "$target" ] || continue
    name=$(basename "$target")
    corpus=${name#fuzz_}
    corpus=tests/fuzz/corpus/${corpus%%_*}  # fuzz_imap_client begins with what is in corpus/imap
    found=build/ci-fuzz/found/$name
    mkdir -p "$found"
    [ -d "$corpus" ] || corpus=
    count "$name" "$target" -max_total_time=5 -timeout=10 -rss_limit_mb=1024 -verbosity=0 -print_final_stats=1 \
      -artifact_prefix="build/ci-fuzz/$name-" "$found" ${corpus:+"$corpus"}
  done
fi

if [ $format = yes ]; then
  step "layout"
  mapfile -t sources < <(find cli sync mailstore tests examples -name '*.h' -o -name '*.cpp' | sort)
  count "clang-format" clang-format --dry-run -Werror "${sources[@]}"
fi

if [ $tidy = yes ]; then
  step "clang-tidy"
  must command -v clang-tidy
  find cli sync mailstore -name '*.cpp' | sort > "$build/tidy.list"
  count "clang-tidy" xargs -a "$build/tidy.list" -n 4 -P "$(nproc)" \
    clang-tidy -p "$build" --quiet --extra-arg=-Wno-unknown-warning-option
fi
finish
