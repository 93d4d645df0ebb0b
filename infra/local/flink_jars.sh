#!/usr/bin/env bash
# flink_jars.sh PYTHON FOLDER: the jars that the features job needs, in FOLDER/jars/flink: connectors by Maven,
# and its own functions compiled against the Flink of PYTHON's environment.
set -euo pipefail

readonly python=$1 folder=$2
sources=$(cd "$(dirname "${BASH_SOURCE[0]}")/../.." && pwd)
readonly sources
readonly jars=$folder/jars/flink classes=$folder/classes java_bin=${JAVA_HOME:+$JAVA_HOME/bin/}

rm -rf "$jars" "$classes"
mkdir -p "$jars" "$classes"
mvn -B -ntp -f "$sources/infra/local/pom.xml" -P flink \
  org.apache.maven.plugins:maven-dependency-plugin:3.8.1:copy-dependencies \
  -DincludeScope=runtime -DoutputDirectory="$(realpath "$jars")"

flink=$("$python" -c 'import os, pyflink; print(os.environ.get("FLINK_HOME") or os.path.dirname(pyflink.__file__))')
"${java_bin}javac" --release 17 -proc:none -d "$classes" \
  -cp "$(echo "$flink"/lib/flink-*.jar "$jars"/*.jar | tr ' ' ':')" "$sources"/streaming/java/stockstream/*.java
"${java_bin}jar" --create --file "$jars/stockstream-functions.jar" -C "$classes" .
