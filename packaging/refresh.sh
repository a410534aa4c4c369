#!/bin/sh
# After new models or a changed window: generated pages, pictures, packages, in this order.
# usage: [PYTHON=.venv/bin/python] packaging/refresh.sh    (or: make refresh)
set -eu
cd "$(dirname "$0")/.."
python=${PYTHON:-.venv/bin/python}
export NO_MKDOCS_2_WARNING=1
"$python" docs/generate.py
QT_QPA_PLATFORM=offscreen "$python" docs/screenshots.py
"$python" packaging/make_package.py
cat dist/packages/SHA256SUMS
