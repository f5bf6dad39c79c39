#!/bin/sh
# Install what functional tests talk to, where that is allowed. Where it is not, this says so and the tests that need it
# are reported as not run.
set -eu
missing=""
command -v chromium > /dev/null || missing="$missing chromium"
ls /usr/lib/postgresql/*/bin/initdb > /dev/null 2>&1 || missing="$missing postgresql"
[ -n "$missing" ] || exit 0
if ! command -v apt-get > /dev/null; then
    echo "not installed:$missing (no apt-get here); the tests that need them will not run"
elif [ "$(id -u)" = 0 ]; then
    apt-get update -qq && DEBIAN_FRONTEND=noninteractive apt-get install -y -qq --no-install-recommends $missing > /dev/null
elif sudo -n true 2> /dev/null; then
    sudo apt-get update -qq && sudo DEBIAN_FRONTEND=noninteractive apt-get install -y -qq --no-install-recommends $missing > /dev/null
else
    echo "not installed:$missing (needs root); the tests that need them will not run"
fi
