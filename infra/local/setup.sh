#!/usr/bin/env bash
# Makes a checkout ready to run. A step whose inputs have not changed is skipped; any failure ends the set-up.
set -euo pipefail
cd "$(dirname "${BASH_SOURCE[0]}")/../.."

readonly steps=8
number=0
ticker=

die() {
  printf '\nerror: %s\n' "$*" >&2
  exit 1
}

stop_ticker() {
  if [ -n "$ticker" ]; then
    kill "$ticker" 2>/dev/null || true
    wait "$ticker" 2>/dev/null || true
    ticker=
  fi
}
trap stop_ticker EXIT

start_ticker() {
  while sleep 5 </dev/null >/dev/null 2>&1; do printf '.'; done &
  ticker=$!
}

# timed LOG COMMAND...: runs the command with its output in LOG, dots meanwhile, then the seconds.
timed() {
  local log=$1 started=$SECONDS status=0
  shift
  start_ticker
  "$@" >"$log" 2>&1 </dev/null || status=$?
  stop_ticker
  if [ "$status" -eq 0 ]; then
    printf ' %d s\n' $((SECONDS - started))
  fi
  return "$status"
}

# step TITLE STAMP INPUTS COMMAND...: the stamp holds the checksum of the inputs the step last ran with.
step() {
  local title=$1 stamp=$2 inputs=$3 log sum
  shift 3
  number=$((number + 1))
  log=.run/logs/setup-$number.log
  printf '[%d/%d] %-34s' "$number" "$steps" "$title"
  # shellcheck disable=SC2086  # several files
  sum=$(cat $inputs | cksum)
  if [ "$(cat "$stamp" 2>/dev/null)" = "$sum" ]; then
    printf ' ready\n'
    return
  fi
  if ! timed "$log" "$@"; then
    printf '\n'
    tail -n 15 "$log" >&2
    die "$title failed (all of it: $log); run 'make setup' again, what is done is kept"
  fi
  printf '%s\n' "$sum" >"$stamp"
}

find_python() {
  local candidate
  for candidate in python3.11 python3; do
    if "$candidate" -c 'import sys, ensurepip; sys.exit(sys.version_info[:2] != (3, 11))' 2>/dev/null; then
      command -v "$candidate"
      return
    fi
  done
  return 1
}

has_jdk() {
  local tool major
  for tool in java javac; do
    major=$("${JAVA_HOME:+$JAVA_HOME/bin/}$tool" -version 2>&1 | sed -nE 's/^(javac|openjdk version|java version) "?([0-9]+).*/\2/p')
    [ "${major:-0}" -ge 17 ] || return 1
  done
}

# Lines "what is missing|its Debian packages".
missing_prerequisites() {
  find_python >/dev/null || echo 'Python 3.11 with its venv module (python3.11)|python3.11 python3.11-venv'
  has_jdk || echo 'a JDK, version 17 or newer (java and javac, on the PATH or in JAVA_HOME)|openjdk-17-jdk-headless'
  command -v mvn >/dev/null || echo 'Maven (mvn)|maven'
}

apt_install() {
  export DEBIAN_FRONTEND=noninteractive
  apt-get update && apt-get install -y --no-install-recommends "$@"
}

prerequisites() {
  local missing packages
  missing=$(missing_prerequisites)
  if [ -n "$missing" ] && [ "$(id -u)" -eq 0 ] && command -v apt-get >/dev/null; then
    packages=$(printf '%s\n' "$missing" | cut -d'|' -f2)
    printf 'Installing with apt: %s ' "$(echo $packages)"
    # shellcheck disable=SC2086  # several packages
    timed .run/logs/setup-apt.log apt_install $packages || { tail -n 15 .run/logs/setup-apt.log >&2; }
    missing=$(missing_prerequisites)
  fi
  if [ -n "$missing" ]; then
    die "$(printf 'missing:\n'; printf '%s\n' "$missing" | sed -E 's/(.*)\|(.*)/  - \1; on Debian and Ubuntu: apt install \2/')"
  fi
}

environment() {
  "$python" -m venv .venv && .venv/bin/python -m pip install --require-hashes -r requirements/uv.txt
}

packages() {
  UV_HTTP_TIMEOUT=300 .venv/bin/uv pip sync --python .venv/bin/python --require-hashes requirements/all.txt
}

project() {
  .venv/bin/uv pip install --python .venv/bin/python --no-deps --no-build-isolation --editable .
}

broker_jars() {
  rm -rf .run/jars/broker &&
    mvn -B -ntp -f infra/local/pom.xml -P broker \
      org.apache.maven.plugins:maven-dependency-plugin:3.8.1:copy-dependencies \
      -DincludeScope=runtime -DoutputDirectory="$PWD/.run/jars/broker"
}

flink_jars() {
  infra/local/flink_jars.sh .venv/bin/python .run/jars/flink
}

reporter() {
  rm -rf .run/reporter && mkdir -p .run/reporter &&
    "${JAVA_HOME:+$JAVA_HOME/bin/}javac" --release 17 -proc:none -d .run/reporter \
      -cp "$(echo .venv/lib/python3.11/site-packages/pyflink/{lib/flink-dist,plugins/metrics-prometheus/flink}*.jar | tr ' ' ':')" \
      streaming/java/reporter/*.java &&
    cp -r streaming/java/reporter/META-INF .run/reporter/
}

fetch_prometheus() {
  rm -rf .run/prometheus && mkdir -p .run/prometheus && cd .run/prometheus || return
  apt-get download prometheus || { [ "$(id -u)" -eq 0 ] && apt-get update && apt-get download prometheus; } || return
  dpkg -x prometheus_*.deb . && rm prometheus_*.deb
}

prometheus() {
  number=$((number + 1))
  printf '[%d/%d] %-34s' "$number" "$steps" 'Prometheus (Debian package)'
  if [ -x .run/prometheus/usr/bin/prometheus ]; then
    printf ' ready\n'
  elif ! command -v apt-get >/dev/null || ! command -v dpkg >/dev/null; then
    printf ' none: this machine has no apt; metrics stay on their ports, unscraped, and the tests that need it fail\n'
  elif ! timed .run/logs/setup-$number.log fetch_prometheus; then
    printf ' none: the package could not be fetched (.run/logs/setup-%d.log); metrics stay unscraped, and the tests that need it fail\n' "$number"
  fi
}

chromium() {
  number=$((number + 1))
  printf '[%d/%d] %-34s' "$number" "$steps" 'Chromium (Debian package)'
  if command -v chromium >/dev/null; then
    printf ' ready\n'
  elif [ "$(id -u)" -ne 0 ] || ! command -v apt-get >/dev/null; then
    printf ' none: only root can install it, with apt; the browser tests will fail\n'
  elif ! timed .run/logs/setup-$number.log apt_install chromium; then
    printf ' none: the package could not be installed (.run/logs/setup-%d.log); the browser tests will fail\n' "$number"
  fi
}

mkdir -p .run/logs .run/jars
prerequisites
python=$(find_python)
readonly python
step 'Python environment' .venv/.stamp-environment requirements/uv.txt environment
step 'Python packages (about 6 GB)' .venv/.stamp-packages requirements/all.txt packages
step 'stockstream' .venv/.stamp-project 'pyproject.toml requirements/all.txt' project
step 'Kafka broker jars' .run/jars/broker/.stamp infra/local/pom.xml broker_jars
step 'Flink connectors and functions' .run/jars/flink/.stamp \
  'infra/local/flink_jars.sh streaming/java/stockstream/*.java infra/local/pom.xml requirements/all.txt' flink_jars
step 'Flink metrics on loopback' .run/reporter/.stamp \
  'streaming/java/reporter/*.java streaming/java/reporter/META-INF/services/* requirements/all.txt' reporter
prometheus
chromium
