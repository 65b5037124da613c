#!/bin/sh
# Writes deploy/requirements*.txt: every package of the image, and of the one for Ray, in the versions of this virtual
# environment, which are those that the tests have run with. Needs uv (pip install uv).
set -eu
cd "$(dirname "$0")/.."
tested=$(mktemp)
trap 'rm -f "$tested"' EXIT
.venv/bin/python -m pip freeze --exclude-editable >"$tested"
lock() {
	# opencv-python and the headless build write the same folder; the headless one needs no libGL.
	uv pip compile pyproject.toml --upgrade --constraint "$tested" --extra brain --extra mcp --extra otel \
		--extra postgres --python-version 3.13 --python-platform x86_64-manylinux_2_39 \
		--no-emit-package opencv-python --no-annotate --custom-compile-command "sh deploy/lock.sh" --quiet "$@"
}
lock --output-file deploy/requirements.txt
lock --extra cluster --output-file deploy/requirements-cluster.txt
