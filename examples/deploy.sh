#!/bin/sh
# A client of naught with nc (OpenBSD's) and jq: says who answers and how many workers serve, deploys, and ends as the deploy ends.
# Usage: deploy.sh [IPC-FILE]
set -eu
ipc=${1:-naught.ipc}

# Sends one call and prints the body of each message that comes back, one a line: -N closes the sending half, so naught
# answers and closes.
ask() {
  body=$(jq -cn --arg method "daemon/$1" --argjson params "${2:-{\}}" \
    '{jsonrpc: "2.0", id: 1, method: $method, params: $params}')
  printf 'Content-Length: %d\r\n\r\n%s' "$(printf %s "$body" | wc -c)" "$body" |
    nc -NU "$ipc" |
    sed 's/Content-Length: [0-9]*\r//g' |
    jq -c .
}

answer() { jq -e 'select(.id == 1) | .result // error(.error.message)'; }

ask hello | answer | jq -r '"naught \(.version), protocol \(.protocol)"'
ask status | answer | jq -r '"workers online: \(.counts.online)"'
ask deploy '{"timeout": 60}' | while read -r message; do
  printf '%s' "$message" | jq -r 'select(.method == "watcher/event").params | "\(.sequence) \(.name)"' >&2
  printf '%s\n' "$message"
done | answer | jq -er '.outcome, .reason // empty' | grep -x done
