#!/usr/bin/env bash
# Put a RabbitMQ on this machine for the tests, and start nothing: the tests run a private node of their own.
# Does nothing when there is one, or when BELLTOWER_TEST_AMQP_URL names a broker to use instead.
set -euo pipefail

readonly policy=/usr/sbin/policy-rc.d
readonly aside=$policy.belltower-aside

has_rabbitmq() {
    [[ -x /usr/lib/rabbitmq/bin/rabbitmq-server ]] || command -v rabbitmq-server >/dev/null
}

explain_and_fail() {
    cat >&2 <<'TEXT'
The tests need RabbitMQ 3.10 or later. Any one of these will do:
  - Debian, Ubuntu:  run this again as root, or  apt-get install rabbitmq-server
  - macOS:           brew install rabbitmq
  - a broker that you already run:  export BELLTOWER_TEST_AMQP_URL=amqp://user:password@host/vhost
TEXT
    exit 1
}

# Debian starts a service as soon as it is installed, unless policy-rc.d answers 101.
forbid_starting() {
    if [[ -x $policy ]]; then
        local answer=0
        "$policy" rabbitmq-server start >/dev/null 2>&1 || answer=$?
        [[ $answer -eq 101 ]] && return
    fi
    if [[ -e $policy || -L $policy ]]; then
        mv "$policy" "$aside"
    fi
    trap restore_policy EXIT
    printf '#!/bin/sh\nexit 101\n' >"$policy"
    chmod 755 "$policy"
}

restore_policy() {
    rm -f "$policy"
    if [[ -e $aside || -L $aside ]]; then
        mv "$aside" "$policy"
    fi
}

apt_quietly() {
    local log
    log=$(mktemp)
    if ! DEBIAN_FRONTEND=noninteractive apt-get -qq -o DPkg::Lock::Timeout=120 "$@" </dev/null >"$log" 2>&1; then
        cat "$log" >&2
        rm -f "$log"
        return 1
    fi
    rm -f "$log"
}

install_package() {
    echo "Installing RabbitMQ for the tests (nothing is started)"
    forbid_starting
    # Old or missing package lists are the usual reason why a first try fails.
    apt_quietly install -y --no-install-recommends rabbitmq-server 2>/dev/null ||
        { apt_quietly update && apt_quietly install -y --no-install-recommends rabbitmq-server; }
}

[[ -n ${BELLTOWER_TEST_AMQP_URL:-} ]] && exit 0
has_rabbitmq && exit 0
[[ $(id -u) -eq 0 ]] && command -v apt-get >/dev/null || explain_and_fail
install_package
has_rabbitmq || explain_and_fail
