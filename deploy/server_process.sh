# Sourced: a rondo-server of one's own on free ports, started, asked and stopped. For deploy/demo.sh, the examples and the
# tests that are shell scripts. One server a script; its log is $server_log.

server_pid=
server_log=

# start_server LOG PROGRAM FLAGS...: returns once the server listens, and sets RONDO_SERVER, which `rondo` reads.
start_server() {
  server_log=$1
  shift
  : >"$server_log"
  "$@" --listen=127.0.0.1:0 --http_listen=127.0.0.1:0 2>>"$server_log" &
  server_pid=$!
  local attempt
  for ((attempt = 0; attempt < 300; attempt++)); do
    RONDO_SERVER=$(listening_at address)
    if [[ $RONDO_SERVER ]]; then
      export RONDO_SERVER
      return
    fi
    kill -0 "$server_pid" 2>/dev/null || break
    sleep 0.1
  done
  echo "the server did not start:" >&2
  cat "$server_log" >&2
  return 1
}

# The value of the key $1 (address, http_address) in the log's line event=listening; nothing before it is there.
listening_at() {
  sed -n "/event=listening/s/.* $1=\"\\{0,1\\}\\([^ \"]*\\).*/\\1/p" "$server_log"
}

# The page /metrics, with nothing but bash.
read_metrics() {
  local address
  address=$(listening_at http_address)
  exec 3<>"/dev/tcp/${address%:*}/${address##*:}"
  printf 'GET /metrics HTTP/1.0\r\n\r\n' >&3
  sed '1,/^\r$/d' <&3
  exec 3>&-
}

# stop_server: SIGTERM; fails unless the server exits with 0.
stop_server() {
  local status=0
  kill -TERM "$server_pid"
  wait "$server_pid" || status=$?
  server_pid=
  ((status == 0)) || { echo "the server ended with $status:" >&2; tail -n 20 "$server_log" >&2; return 1; }
}

# begin_script: makes the folder $work. Folder and server end with the script, however that ends.
begin_script() {
  work=$(mktemp -d)
  trap 'kill_server; rm -rf "$work"' EXIT
  trap 'exit 130' INT
  trap 'exit 143' TERM
}

title() { printf '\n== %s\n\n' "$*"; }

# For a trap at exit: no server survives its script.
kill_server() {
  if [[ $server_pid ]]; then
    kill -TERM "$server_pid" 2>/dev/null || true
    wait "$server_pid" || true
  fi
}
