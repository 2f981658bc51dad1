#!/bin/sh
# Finds a Python of 3.11 or later, makes .venv with it, and hands over to setup.py.
#
#     sh scripts/setup.sh [--dev]        PYTHON=/path/to/python3 picks one
set -eu
cd "$(dirname "$0")/.."

usable() {
    command -v "$1" >/dev/null 2>&1 &&
        "$1" -c 'import ensurepip, sys, venv; sys.exit(sys.version_info < (3, 11))' >/dev/null 2>&1
}

find_python() {
    for candidate in ${PYTHON:-} python3 python3.11 python3.12 python3.13 python3.14 \
        /usr/bin/python3 /usr/local/bin/python3; do
        if usable "$candidate"; then
            command -v "$candidate"
            return
        fi
    done
    return 1
}

python=$(find_python) || python=
if [ -z "$python" ] && [ "$(id -u)" = 0 ] && command -v apt-get >/dev/null 2>&1; then
    # Debian packs Python without what makes environments.
    echo "No Python of 3.11 or later with venv here: asking apt-get for python3-venv."
    apt-get update -qq
    DEBIAN_FRONTEND=noninteractive apt-get install -y -qq python3 python3-venv >/dev/null
    python=$(find_python) || python=
fi
if [ -z "$python" ]; then
    echo "This needs Python 3.11 or later with its venv module, and found none." >&2
    echo "On Debian and Ubuntu: apt-get install python3 python3-venv" >&2
    echo "Elsewhere, name one: make PYTHON=/path/to/python3" >&2
    exit 1
fi

if ! usable .venv/bin/python; then
    echo "Making .venv with $python ($("$python" --version))."
    "$python" -m venv --clear .venv
fi
exec .venv/bin/python scripts/setup.py "$@"
