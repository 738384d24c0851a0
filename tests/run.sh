#!/usr/bin/env bash
# Every test, in two halves side by side, each with servers of its own: those that kill and wait, and all others.
# A broker that was given is shared by all tests, so with one they run one after the other.
set -uo pipefail
readonly pytest=$1

if [[ -n ${BELLTOWER_TEST_AMQP_URL:-} ]]; then
    exec "$pytest" -q
fi

told=$(mktemp)
readonly told
"$pytest" -q -p no:cacheprovider tests --ignore tests/faults >"$told" 2>&1 &
readonly beside=$!
trap 'kill -TERM "$beside" 2>/dev/null; wait "$beside"; rm -f "$told"; exit 1' INT TERM

"$pytest" -q -p no:cacheprovider tests/faults
faults=$?
wait "$beside"
rest=$?
cat "$told"
rm -f "$told"
[[ $faults -eq 0 && $rest -eq 0 ]]
