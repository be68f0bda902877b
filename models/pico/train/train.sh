#!/bin/sh
# Trains pico from nothing: train.sh WORK [options of pico.recipe]. Interrupted, the same command goes on.
#
# Makes a virtual environment in WORK/venv with what requirements.txt pins. Where Python already has JAX, say for a GPU,
# name it: PYTHON=python3 train.sh WORK ... . Voices and fonts come from the packages of packages.txt.
set -eu
here=$(cd "$(dirname "$0")" && pwd)
work=${1:?usage: train.sh WORK [--minutes N] [--lorgnette BIN] ...}
shift
mkdir -p "$work"
if [ -z "${PYTHON:-}" ]; then
    PYTHON=$work/venv/bin/python
    if [ ! -x "$PYTHON" ]; then
        python3 -m venv "$work/venv"
        "$PYTHON" -m pip install --quiet --requirement "$here/requirements.txt"
    fi
fi
export PYTHONPATH="$here${PYTHONPATH:+:$PYTHONPATH}"
exec nice -n 19 "$PYTHON" -m pico.recipe "$work" "$@"
