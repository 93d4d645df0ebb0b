#!/usr/bin/env bash
# install.sh features|serving|batch PREFIX: a component with its locked packages, its sources and a launcher.
# The build stage of its image runs this; so does the check that has no image builder, in an empty folder.
set -euo pipefail

readonly component=$1 prefix=$2
sources=$(cd "$(dirname "${BASH_SOURCE[0]}")/../.." && pwd)
readonly sources
readonly lock=$sources/requirements/$component.txt

[ -f "$lock" ] || { echo "no component '$component': there is no $lock" >&2; exit 2; }
if [ -e "$prefix" ]; then
  echo "$prefix exists: an empty place is expected" >&2
  exit 2
fi

# The installer has an environment of its own, which is not part of the image.
installer=$(mktemp -d)
trap 'rm -rf "$installer"' EXIT
python3.11 -m venv "$installer"
"$installer/bin/python" -m pip install --quiet --require-hashes -r "$sources/requirements/uv.txt"

python3.11 -m venv --without-pip "$prefix"
UV_HTTP_TIMEOUT=300 "$installer/bin/uv" pip install --quiet --python "$prefix/bin/python" --require-hashes -r "$lock"

mkdir "$prefix/src"
cp -r "$sources"/{batch,infra,serving,streaming,LICENSE,NOTICE} "$prefix/src/"
find "$prefix/src" -name __pycache__ -prune -exec rm -rf {} +
echo "$prefix/src" >"$(echo "$prefix"/lib/python3.11/site-packages)/stockstream.pth"
printf '#!%s/bin/python\nfrom infra.cli import main\n\nmain()\n' "$prefix" >"$prefix/bin/stockstream"
chmod +x "$prefix/bin/stockstream"

# PyFlink's wheel is a whole Flink: it becomes the image's FLINK_HOME, with the job's jars on its class path.
if [ "$component" = features ]; then
  "$sources/infra/local/flink_jars.sh" "$prefix/bin/python" "$prefix/jars"
  mkdir "$prefix/flink"
  mv "$prefix"/lib/python3.11/site-packages/pyflink/{bin,conf,lib,licenses,opt,plugins} "$prefix/flink/"
  mv "$prefix"/jars/*.jar "$prefix/flink/lib/"
  rm -r "$prefix/jars"
  # The chart names the Python driver without its version; Flink accepts one such file only.
  mv "$prefix"/flink/opt/flink-python-*.jar "$prefix/flink/opt/flink-python.jar"
fi
