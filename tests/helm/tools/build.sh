#!/usr/bin/env bash
# Builds what checks of the chart need, once, into the user's cache; prints the folder of the programs.
#   build.sh check     helm, helm-unittest, kubeconform, kube-score, hadolint, the schemas of every kind
#   build.sh server    that, and etcd, a Kubernetes control plane with kubectl and kwok
# A part whose inputs have not changed is skipped. Everything is pinned here, in requirements.txt, go.mod and pom.xml.
set -euo pipefail
cd "$(dirname "${BASH_SOURCE[0]}")"

readonly kubernetes=1.36.3
readonly kubeconform=0.8.0
readonly kube_score=1.20.0
readonly kwok=0.8.0
readonly kuberay=1.6.1
readonly prometheus_operator=0.94.1
readonly cache=${XDG_CACHE_HOME:-$HOME/.cache}/stockstream/chart-tools
readonly bin=$cache/bin
readonly venv=$cache/venv
readonly crds=$cache/crds
export GOTOOLCHAIN=local GOBIN=$bin CGO_ENABLED=0 GOFLAGS="-trimpath -p=${GO_JOBS:-2}" PATH=$venv/bin:$PATH

# part NAME INPUTS COMMAND...: runs the command unless it has run with these inputs (files, or a version).
part() {
  local name=$1 inputs=$2 stamp sum log
  shift 2
  stamp=$cache/stamps/$name log=$cache/logs/$name.log
  # shellcheck disable=SC2086  # several files
  sum=$( (printf '%s ' "$inputs"; declare -f "$1"; cat $inputs 2>/dev/null || true) | cksum)
  if [ "$(cat "$stamp" 2>/dev/null)" != "$sum" ]; then
    printf 'building %s\n' "$name" >&2
    "$@" >"$log" 2>&1 </dev/null || { tail -n 20 "$log" >&2; printf 'error: %s failed (%s)\n' "$name" "$log" >&2; exit 1; }
    printf '%s\n' "$sum" >"$stamp"
  fi
}

python_tools() {
  local root=$PWD/../../..
  "$root/.venv/bin/uv" venv --clear --python "$root/.venv/bin/python" "$venv"
  UV_HTTP_TIMEOUT=300 "$root/.venv/bin/uv" pip sync --python "$venv/bin/python" --require-hashes requirements.txt
}

go_tool() { go install "$1"; }

# in_module FOLDER COMMAND...: in the module that pins what `go install` cannot (it refuses `replace`).
in_module() { (cd "$1" && shift && GOFLAGS="$GOFLAGS -mod=readonly" "$@"); }

helm_unittest() { in_module helm-unittest go build -o "$bin/helm-unittest" github.com/helm-unittest/helm-unittest/cmd/helm-unittest; }

control_plane() {
  local version=k8s.io/component-base/version program
  for program in kube-apiserver kube-controller-manager kube-scheduler kubectl; do
    in_module kubernetes go build -o "$bin/$program" -ldflags \
      "-s -w -X $version.gitVersion=v$kubernetes -X $version.gitMajor=1 -X $version.gitMinor=36" \
      "k8s.io/kubernetes/cmd/$program"
  done
}
