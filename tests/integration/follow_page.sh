#!/usr/bin/env bash
# Follows a page for newcomers word by word: runs the commands of its ```sh blocks in one shell, in a folder of its own.
#
#   follow_page.sh PAGE [BIN_DIR]      from the repository's root
#
# Prints each command after "$ ", and what it says. Stops at the first that fails. A block in another language is written to
# the file that the text before it names ("Save this as `first.py`"). Servers listen on ports of their own. With BIN_DIR the
# programs are there, and a block that would build them is left out. From nothing, on a bare Debian:
#
#   sudo deploy/check_debian.sh bookworm tests/integration/follow_page.sh client/examples/OWN_TABLE.md
set -euo pipefail
source deploy/server_process.sh

page=$(realpath "$1")
readonly page bin=${2:+$(realpath "$2")}
export RONDO=$PWD PYTHONDONTWRITEBYTECODE=1
begin_script
export HOME=$work
if [[ $bin ]]; then PATH=$bin:$PATH; cd "$work"; fi

# What the page's lines begin in the background.
rondo-server() { start_server "$work/server.log" "$(type -P rondo-server)" "$@" --model_poll_interval=1s; }

run_block() {
  local line command=
  while IFS= read -r line; do
    command+=$line$'\n'
    [[ $line == *\\ ]] && continue
    printf '$ %s' "$command"
    eval "${command/% &$'\n'/$'\n'}" </dev/null || { echo "follow_page: that failed" >&2; return 1; }
    command=
  done <<<"$1"
}

language= block= file=
while IFS= read -r line; do
  if [[ $line =~ ^\`\`\`(.*)$ && ! $language ]]; then
    language=${BASH_REMATCH[1]} block=
  elif [[ $line == '```' ]]; then
    if [[ $language != sh ]]; then
      printf '%s' "$block" >"$file"
    elif [[ ! $bin || $block != *cmake* ]]; then
      run_block "${block%$'\n'}"
    fi
    language=
  elif [[ $language ]]; then
    block+=$line$'\n'
  elif [[ $line =~ Save\ this\ as\ \`([^\`]+)\` ]]; then
    file=${BASH_REMATCH[1]}
  fi
done <"$page"
