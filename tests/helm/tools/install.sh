#!/usr/bin/env bash
# Installs the tools that read the chart and, with the argument `cluster`, a Kubernetes to install it on.
# Pinned and hashed; what has to be built is built once for all checkouts, into ~/.cache/stockstream/chart-tools.
set -euo pipefail
cd "$(dirname "${BASH_SOURCE[0]}")/../../.."
readonly tools=tests/helm/tools venv=$PWD/.run/helm built=$PWD/.run/chart-tools
readonly cache=${XDG_CACHE_HOME:-$HOME/.cache}/stockstream/chart-tools
readonly kubernetes=1.36.3
unset GOFLAGS GOROOT
export GOTOOLCHAIN=local CGO_ENABLED=0

packages() {
  .venv/bin/uv venv --quiet --clear --python .venv/bin/python "$venv"
  UV_HTTP_TIMEOUT=300 .venv/bin/uv pip sync --quiet --python "$venv/bin/python" --require-hashes "$tools/requirements.txt"
  cp "$tools/requirements.txt" "$venv/.installed"
}

# once NAME INPUT... -- COMMAND...: runs the command, which fills the folder given to it last, unless the
# cache has what these inputs make; then .run/chart-tools/NAME leads there.
once() {
  local name=$1 inputs=() sum folder
  shift
  while [ "$1" != -- ]; do inputs+=("$1") && shift; done
  shift
  sum=$(cat "${inputs[@]}" | sha256sum | cut -c1-16)
  folder=$cache/$name-$sum
  if [ ! -d "$folder" ]; then
    printf 'Chart tools: %s, once ...' "$name"
    mkdir -p "$cache"
    local part started=$SECONDS
    part=$(mktemp -d "$folder.XXXXXX")
    "$@" "$part" >"$part/log" 2>&1 || { printf '\n' && tail -n 20 "$part/log" >&2 && rm -rf "$part" && return 1; }
    mv -T "$part" "$folder" 2>/dev/null || rm -rf "$part" # another checkout was faster
    printf ' %d s\n' $((SECONDS - started))
  fi
  ln -sfn "$folder" "$built/$name"
}

# go_tools MODULE LINKER-FLAGS FOLDER: builds the tools that the module's go.mod names.
go_tools() {
  GOBIN=$3/bin "$venv/bin/go" -C "$tools/$1" install -buildvcs=false -mod=readonly -trimpath -ldflags "-s -w $2" tool
}

# kubernetes FOLDER: etcd and the control plane, and kwok, which plays the nodes by the stages beside it.
kubernetes() {
  local version=k8s.io/component-base/version stages
  stages=$("$venv/bin/go" -C "$tools/cluster" mod download -json sigs.k8s.io/kwok | sed -n 's/.*"Dir": "\(.*\)",$/\1/p')/kustomize/stage
  go_tools cluster "-X $version.gitVersion=v$kubernetes -X $version.gitMajor=1 -X $version.gitMinor=${kubernetes:2:2}" "$1" &&
    mv "$1/bin/server" "$1/bin/etcd" &&
    install -D -m 644 -t "$1/stages" "$stages"/node/fast/node-*.yaml "$stages"/node/heartbeat-with-lease/node-*.yaml \
      "$stages"/pod/fast/pod-*.yaml
}

mkdir -p "$built"
cmp -s "$tools/requirements.txt" "$venv/.installed" || packages
once lint "$tools"/lint/go.* "$tools/requirements.txt" -- go_tools lint ''
once crds "$tools"/crds/* "$tools/requirements.txt" -- "$tools/crds/extract.sh"
if [ "${1:-}" = cluster ]; then
  once cluster "$tools"/cluster/go.* "$tools/requirements.txt" -- kubernetes
fi
