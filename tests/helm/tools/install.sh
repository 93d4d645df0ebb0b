#!/usr/bin/env bash
# Installs Helm, pinned and hashed, into a virtual environment of its own, once.
set -euo pipefail
cd "$(dirname "${BASH_SOURCE[0]}")/../../.."
readonly pinned=tests/helm/tools/requirements.txt venv=.run/helm
if ! cmp -s "$pinned" "$venv/.installed"; then
  .venv/bin/uv venv --quiet --clear --python .venv/bin/python "$venv"
  UV_HTTP_TIMEOUT=300 .venv/bin/uv pip sync --quiet --python "$venv/bin/python" --require-hashes "$pinned"
  cp "$pinned" "$venv/.installed"
fi
