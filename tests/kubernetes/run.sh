#!/usr/bin/env bash
# A real Kubernetes API server takes every rendering of the chart and the overlays, with Pod Security "restricted" enforced,
# upgrades each and dry-runs the rollback; a pod that breaks the rules is refused.
#
#   tests/kubernetes/run.sh        by hand: the first run builds the API server from its Go module, 11 minutes of CPU
#
# Needs go, kubectl, helm (or go), PyYAML, and etcd (Debian package etcd-server). There is no kubelet: nothing runs.
set -euo pipefail
cd "$(dirname "${BASH_SOURCE[0]}")/../.."

readonly version=1.34.4
readonly tools=$PWD/build/tools
readonly here=$PWD/tests/kubernetes
work=$(mktemp -d)
pids=()

clean_up() {
  ((${#pids[@]})) && kill "${pids[@]}" 2>/dev/null && wait "${pids[@]}" 2>/dev/null
  rm -rf "$work"
}
trap clean_up EXIT

fail() { echo "FAILED: $*" >&2; exit 1; }
need() { command -v "$1" >/dev/null || fail "no $1 here${2:+ ($2)}"; }
free_port() { python3 -c 'import socket; s = socket.socket(); s.bind(("127.0.0.1", 0)); print(s.getsockname()[1])'; }

# The API server's own go.mod has its staging modules beside it; here they come by their versions.
build_api_server() {
  [[ -x $tools/kube-apiserver ]] && return
  need go
  local source=$work/api_server module
  mkdir -p "$source" "$tools"
  cp "$here/api_server/main.go" "$source"
  printf 'module rondo.test/api_server\n\ngo 1.24.0\n' >"$source/go.mod"
  cd "$source"
  go mod download "k8s.io/kubernetes@v$version"
  sed -n 's|^\t*\(k8s.io/[a-z0-9-]*\) => ./staging.*|\1|p' \
    "$(go env GOMODCACHE)/cache/download/k8s.io/kubernetes/@v/v$version.mod" |
    while read -r module; do echo "-replace=$module=$module@v0.${version#1.}"; done |
    xargs go mod edit "-require=k8s.io/kubernetes@v$version"
  nice -n 19 env CGO_ENABLED=0 go build -mod=mod -buildvcs=false -p 1 \
    -ldflags="-X k8s.io/component-base/version.gitVersion=v$version -X k8s.io/component-base/version.gitMajor=1 -X k8s.io/component-base/version.gitMinor=34" \
    -o "$tools/kube-apiserver" .
  cd - >/dev/null
}

start_cluster() {
  local etcd_port peer_port port
  etcd_port=$(free_port) peer_port=$(free_port) port=$(free_port)
  etcd --data-dir="$work/etcd" --listen-client-urls="http://127.0.0.1:$etcd_port" \
    --advertise-client-urls="http://127.0.0.1:$etcd_port" --listen-peer-urls="http://127.0.0.1:$peer_port" \
    --initial-advertise-peer-urls="http://127.0.0.1:$peer_port" --initial-cluster="default=http://127.0.0.1:$peer_port" \
    >"$work/etcd.log" 2>&1 &
  pids+=($!)
  openssl genrsa -out "$work/accounts.key" 2048 2>/dev/null
  echo "token,admin,admin,system:masters" >"$work/tokens.csv"
  "$tools/kube-apiserver" --etcd-servers="http://127.0.0.1:$etcd_port" --bind-address=127.0.0.1 --secure-port="$port" \
    --cert-dir="$work/certs" --token-auth-file="$work/tokens.csv" --authorization-mode=AlwaysAllow \
    --service-account-issuer=https://rondo.test --service-account-key-file="$work/accounts.key" \
    --service-account-signing-key-file="$work/accounts.key" --service-cluster-ip-range=10.0.0.0/16 \
    --disable-admission-plugins=ServiceAccount >"$work/api_server.log" 2>&1 &
  pids+=($!)
  export KUBECONFIG=$work/kubeconfig
  kubectl config set-cluster test --server="https://127.0.0.1:$port" --insecure-skip-tls-verify=true >/dev/null
  kubectl config set-credentials test --token=token >/dev/null
  kubectl config set-context test --cluster=test --user=test >/dev/null
  kubectl config use-context test >/dev/null
  local poll
  for ((poll = 0; poll < 300; poll++)); do
    kubectl get --raw=/readyz >/dev/null 2>&1 && return
    kill -0 "${pids[-1]}" 2>/dev/null || break
    sleep 0.2
  done
  tail -n 20 "$work/api_server.log" >&2
  fail "the API server did not start"
}

# Prometheus Operator's kinds, whose specs the API server takes as they are.
make_operator_kinds() {
  local kind plural
  for kind in ServiceMonitor PrometheusRule; do
    plural=${kind,,}s
    cat <<YAML
---
apiVersion: apiextensions.k8s.io/v1
kind: CustomResourceDefinition
metadata: {name: $plural.monitoring.coreos.com}
spec:
  group: monitoring.coreos.com
  scope: Namespaced
  names: {kind: $kind, plural: $plural}
  versions:
    - name: v1
      served: true
      storage: true
      schema: {openAPIV3Schema: {type: object, x-kubernetes-preserve-unknown-fields: true}}
YAML
  done | kubectl apply --filename=- >/dev/null
  kubectl wait --for=condition=Established --timeout=60s crd --all >/dev/null
}

# namespace NAME: one whose pods have to be "restricted".
namespace() {
  kubectl create namespace "$1" >/dev/null
  kubectl label namespace "$1" pod-security.kubernetes.io/enforce=restricted >/dev/null
}

# The pod of the workload in the manifests on stdin, as a Pod: nobody makes it from the workload here. $1: a change to its
# container, in Python.
pod() {
  python3 -c '
import sys, yaml
work = next(one for one in yaml.safe_load_all(sys.stdin) if one and one["kind"] in ("Deployment", "StatefulSet"))["spec"]
pod = {"apiVersion": "v1", "kind": "Pod", "metadata": {"name": "pod"}, **work["template"]}
pod["metadata"] = {"name": "pod", "labels": pod["metadata"]["labels"]}
claims = [claim["metadata"]["name"] for claim in work.get("volumeClaimTemplates", [])]
pod["spec"].setdefault("volumes", []).extend({"name": c, "persistentVolumeClaim": {"claimName": c}} for c in claims)
container = pod["spec"]["containers"][0]
exec(sys.argv[1])
print(yaml.safe_dump(pod))' "$1"
}

# takes NAMESPACE FILE: the manifests are stored as they are, and their pod is admitted.
takes() {
  kubectl apply --namespace="$1" --server-side --validate=strict --filename="$2" >"$work/out" 2>&1 || { cat "$work/out" >&2; fail "$2"; }
  grep -i warning "$work/out" && fail "$2: a warning"
  pod pass <"$2" | kubectl create --namespace="$1" --dry-run=server --filename=- >/dev/null || fail "$2: the pod is refused"
}

try_overlay() {
  local name=$1
  namespace "overlay-$name"
  kubectl kustomize "deploy/kubernetes/overlays/$name" >"$work/overlay-$name.yaml"
  takes "overlay-$name" "$work/overlay-$name.yaml"
  sed 's|image: rondo:.*|image: rondo:0.2.0|' "$work/overlay-$name.yaml" >"$work/overlay-$name-next.yaml"
  takes "overlay-$name" "$work/overlay-$name-next.yaml"
  kubectl apply --namespace="overlay-$name" --server-side --dry-run=server --filename="$work/overlay-$name.yaml" >/dev/null
  echo "ok: overlay $name is taken, upgraded, and could be rolled back"
}

# try_chart NAME ARGUMENTS...: of helm.
try_chart() {
  local name=chart-$1
  shift
  namespace "$name"
  "$helm" template rondo deploy/helm/rondo --namespace="$name" --kube-version="$version" "$@" >"$work/$name.yaml"
  pod pass <"$work/$name.yaml" | kubectl create --namespace="$name" --dry-run=server --filename=- >/dev/null ||
    fail "$name: the pod is refused"
  "$helm" install rondo deploy/helm/rondo --namespace="$name" "$@" >/dev/null
  "$helm" upgrade rondo deploy/helm/rondo --namespace="$name" "$@" --set=image.tag=0.2.0 >/dev/null
  "$helm" rollback rondo 1 --namespace="$name" --dry-run >/dev/null
  kubectl get --namespace="$name" deployment,statefulset --output=jsonpath='{..image}' | grep -q ':0.2.0' || fail "$name: not upgraded"
  echo "ok: $name is taken, upgraded, and could be rolled back"
}

main() {
  need kubectl; need openssl; need etcd "Debian package etcd-server"
  export RONDO_HELM=${RONDO_HELM:-}
  helm=$(cd "$here" && python3 -c 'import renderings; print(renderings.helm())' | tail -n 1)
  build_api_server
  start_cluster
  make_operator_kinds
  local values
  for values in deploy/helm/renderings/*.yaml; do
    try_overlay "$(basename "$values" .yaml)"
    try_chart "$(basename "$values" .yaml)" --values="$values"
  done
  try_chart secrets --set=tls.secret=tls,tokens.secret=tokens,sessions.store=redis,sessions.redis.passwordSecret=redis \
    --set=sessions.redis.url=rediss://redis/0,sessions.redis.caSecret=ca,tracing.endpoint=collector:4317,tracing.caSecret=ca
  try_chart volume --set=models.source=volume,models.volume.persistentVolumeClaim.claimName=models
  try_chart init --set=models.source=init,models.initImage=models:1
  local change
  for change in 'container["securityContext"]["allowPrivilegeEscalation"] = True' 'del container["securityContext"]["capabilities"]' \
    'pod["spec"]["securityContext"]["runAsNonRoot"] = False' 'pod["spec"]["hostNetwork"] = True'; do
    pod "$change" <"$work/overlay-single.yaml" |
      kubectl create --namespace=overlay-single --dry-run=server --filename=- >"$work/out" 2>&1 && fail "taken: $change"
    grep -q 'violates PodSecurity "restricted' "$work/out" || { cat "$work/out"; fail "refused for another reason: $change"; }
  done
  echo "ok: pods that break the rules are refused"
}

main "$@"
