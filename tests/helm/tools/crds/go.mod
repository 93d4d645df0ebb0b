// Operators whose custom resource definitions lie in their Go modules; nothing is built from them.
module stockstream/tests/helm/tools/crds

go 1.26.0

require (
	github.com/prometheus-operator/prometheus-operator v0.94.1
	github.com/ray-project/kuberay/ray-operator v1.6.1
)
