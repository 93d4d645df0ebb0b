#!/usr/bin/env bash
# flink_jars.sh PYTHON FOLDER: all jars that the features job needs, in FOLDER, made anew: the connectors by Maven,
# and the job's own functions, compiled against the Flink of PYTHON's environment.
set -euo pipefail

readonly python=$1 jars=$2 java_bin=${JAVA_HOME:+$JAVA_HOME/bin/}
sources=$(cd "$(dirname "${BASH_SOURCE[0]}")/../.." && pwd)
readonly sources
classes=$(mktemp -d)
trap 'rm -rf "$classes"' EXIT

rm -rf "$jars"
mkdir -p "$jars"
mvn -B -ntp -f "$sources/infra/local/pom.xml" -P flink \
  org.apache.maven.plugins:maven-dependency-plugin:3.8.1:copy-dependencies \
  -DincludeScope=runtime -DoutputDirectory="$(realpath "$jars")"

flink=$("$python" -c 'import os, pyflink; print(os.path.dirname(pyflink.__file__))')
"${java_bin}javac" --release 17 -proc:none -d "$classes" \
  -cp "$(echo "$flink"/lib/flink-*.jar "$jars"/*.jar | tr ' ' ':')" "$sources"/streaming/java/stockstream/*.java
"${java_bin}jar" --create --file "$jars/stockstream-functions.jar" -C "$classes" .
