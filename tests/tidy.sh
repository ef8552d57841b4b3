#!/usr/bin/env bash
# clang-tidy over the sources of what is shipped, by the compile commands of preset tidy. Exit 1 if it finds anything, or
# if a source was not checked when the time was up.
#
#   tests/tidy.sh [--since=COMMIT] [--seconds=N]     the sources that changed since COMMIT, and one for each header that did
#   tests/tidy.sh --all [--seconds=N]                every source
#
# Without --since: since this branch left origin's default branch; on that branch itself, the commits of the four hours
# before its newest one: those before were checked as they came. Where there is no history to ask, every source. Without --seconds there is no limit.
set -euo pipefail
cd "$(dirname "${BASH_SOURCE[0]}")/.."

readonly folders=(base model server client)
all= since= seconds=

for argument in "$@"; do
  case $argument in
    --all) all=1 ;;
    --since=*) since=${argument#*=} ;;
    --seconds=*) seconds=${argument#*=} ;;
    *) echo "tidy: unknown argument $argument; wanted --all, --since=COMMIT or --seconds=N" >&2; exit 2 ;;
  esac
done

git_says() { git -c safe.directory='*' "$@" 2>/dev/null; }

# The commit that the change to check began from; fails where that cannot be told.
start_of_change() {
  if [[ $since ]]; then git_says rev-parse --verify "$since^{commit}"; return; fi
  local base
  base=$(git_says merge-base HEAD origin/HEAD || true)
  if [[ $base && $base != "$(git_says rev-parse HEAD)" ]]; then echo "$base"; return; fi
  base=$(git_says rev-list -1 --before="$(($(git_says log -1 --format=%ct) - 14400))" HEAD)
  [[ $base ]] && echo "$base"
}

# The sources to check, one a line, and on stderr why those.
wanted_sources() {
  local start=
  if [[ ! $all ]] && ! start=$(start_of_change); then
    [[ ! $since ]] || { echo "tidy: no commit $since" >&2; return 2; }
    echo "tidy: no history says what changed: every source" >&2
  fi
  if [[ ! $start ]]; then find "${folders[@]}" -name '*.cc' | sort; return; fi
  echo "tidy: what changed since $(git_says log -1 --format='%h %s' "$start")" >&2
  { git_says diff --name-only "$start" HEAD; git_says diff --name-only HEAD; git_says ls-files --others --exclude-standard; } |
    python3 tests/sources_to_check.py "${folders[@]}"
}

# Checks one source; once the time is up it only says that it did not, and fails.
tidy_source() {
  if ((EPOCHSECONDS >= tidy_deadline)); then
    echo "not checked, out of time: $1"
    return 1
  fi
  clang-tidy --quiet -p build/tidy "$1" 2>&1 | sed '/^[0-9]* warnings generated\.$/d'
}

sources=$(wanted_sources)
echo "tidy: $(grep -c . <<<"$sources" || true) sources"
[[ $sources ]] || exit 0
cmake --preset tidy >/dev/null
cmake --build --preset tidy | tail -n 1  # the headers that are made from the protos
export -f tidy_source
export tidy_deadline=$((EPOCHSECONDS + ${seconds:-1000000000}))
xargs -n 1 -P "$(nproc)" bash -o pipefail -c 'tidy_source "$1"' tidy <<<"$sources" || exit 1
