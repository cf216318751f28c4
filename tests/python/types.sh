#!/bin/sh
# The type hints of the package hold, as mypy reads them in its strict mode.
set -eu
cd "$(dirname "$0")/../.."
command -v mypy >/dev/null || { echo "SKIP no mypy (Debian: mypy)"; exit 77; }
work=$(mktemp -d) && trap 'rm -rf "$work"' EXIT
# Unpack, which the keywords of the terms are written with, is called experimental by the mypy of Debian 12.
experimental=
mypy --help | grep -q -e --enable-incomplete-feature && experimental=--enable-incomplete-feature=Unpack
mypy --strict $experimental --cache-dir "$work" python/credits
