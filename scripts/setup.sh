#!/bin/sh
# Finds a Python of 3.11 or later and hands over to setup.py, which makes .venv with it and fills it.
# Where all is done already, it ends at once.
#
#     sh scripts/setup.sh [--dev] [--torch]        PYTHON=/path/to/python3 picks one
set -eu
cd "$(dirname "$0")/.."

# Meant for another Python, and fatal for this one.
unset PYTHONHOME PYTHONPATH PYTHONOPTIMIZE PYTHONINSPECT

ask() {
    "$1" -I -c "$2" 2>/dev/null
}

usable() {
    command -v "$1" >/dev/null 2>&1 &&
        ask "$1" 'import ensurepip, sys, venv; sys.exit(sys.version_info < (3, 11))' >/dev/null
}

why_not() {
    if ! command -v "$1" >/dev/null 2>&1; then
        echo "there is no such program"
    elif ! version=$(ask "$1" 'import sys; print("%d.%d.%d" % sys.version_info[:3])'); then
        echo "it does not start as a Python"
    elif ! ask "$1" 'import sys; sys.exit(sys.version_info < (3, 11))'; then
        echo "it is Python $version, and this needs 3.11 or later"
    else
        echo "it has no venv module (on Debian and Ubuntu: sudo apt-get install python3-venv)"
    fi
}

find_python() {
    for candidate in python3 python3.11 python3.12 python3.13 python3.14 \
        /usr/bin/python3 /usr/local/bin/python3; do
        if usable "$candidate"; then
            command -v "$candidate"
            return
        fi
    done
    return 1
}

if [ -n "${PYTHON:-}" ]; then
    if ! usable "$PYTHON"; then
        echo "PYTHON=$PYTHON: $(why_not "$PYTHON"). Name another, or none." >&2
        exit 1
    fi
    exec "$PYTHON" -I scripts/setup.py --only-this-python ${1+"$@"}
fi

if .venv/bin/python -I scripts/setup.py --ready ${1+"$@"} 2>/dev/null; then
    exit 0
fi

python=$(find_python) || python=
if [ -z "$python" ] && [ "$(id -u)" = 0 ] && command -v apt-get >/dev/null 2>&1; then
    # Debian packs Python without what makes environments.
    echo "No Python of 3.11 or later with venv here: asking apt-get for python3-venv (this needs the network)."
    apt-get update -qq
    DEBIAN_FRONTEND=noninteractive apt-get install -y -qq python3 python3-venv >/dev/null
    python=$(find_python) || python=
fi
if [ -z "$python" ]; then
    echo "This needs Python 3.11 or later with its venv module, and found none." >&2
    echo "On Debian and Ubuntu: sudo apt-get install python3 python3-venv" >&2
    echo "Elsewhere, name one: make PYTHON=/path/to/python3" >&2
    exit 1
fi
exec "$python" -I scripts/setup.py ${1+"$@"}
