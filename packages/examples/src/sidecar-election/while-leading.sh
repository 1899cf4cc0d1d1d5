#!/bin/sh
# Runs a command again and again, wherever this pod's sidecar leads, and nowhere else.
#
#   sh while-leading.sh SECONDS COMMAND [ARGUMENT...]
#
# The command finds its term in LEADER_TERM: a number that only grows, by which whoever is written to can tell an old
# leader from a new one. It is to be short: a third of the sidecar's --ttl passes from the moment when a leader that can
# not renew stops until somebody else may lead, and what takes longer has to ask again in between.
#
# SIDECAR says where the sidecar answers; http://127.0.0.1:4040 unless told otherwise.

if [ $# -lt 2 ]; then
  echo "usage: while-leading.sh SECONDS COMMAND [ARGUMENT...]" >&2
  exit 2
fi
seconds=$1
shift
sidecar=${SIDECAR:-http://127.0.0.1:4040}
told=

# Only news is worth a line.
tell() {
  [ "$told" = "$1" ] || echo "$1"
  told=$1
}

# The value of one field of a JSON object that has no objects in it, without its quotes.
field() {
  printf '%s\n' "$answer" | sed -n "s/.*\"$1\":\"\{0,1\}\([^\",}]*\).*/\1/p"
}

trap 'exit 0' TERM INT
while :; do
  answer=$(curl --silent --max-time 1 --write-out '%{http_code}' "$sidecar/leader")
  case $answer in
    # Only while the term is valid at this very moment. Anything else, no answer included, is a no.
    *200)
      LEADER_TERM=$(field term)
      export LEADER_TERM
      tell "leading in term $LEADER_TERM"
      "$@"
      ;;
    *503)
      leader=$(field name)
      tell "waiting: ${leader:-nobody} leads"
      ;;
    *)
      tell "waiting: the sidecar does not answer"
      ;;
  esac
  # In the background, so that a signal doesn't have to wait for it.
  sleep "$seconds" &
  wait $!
done
