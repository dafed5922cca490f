# shellcheck shell=bash disable=SC2034
# The common part of the scripts for a cluster: each story sources it.
#
# They take kubectl, whose current context is the cluster, git and jq, a cluster with Istio and with
# k8s/overlays/… applied, and from the environment
#
#   HFI_E2E_REPO           the repository that the control plane follows, by a URL or path that git can
#                          push to from here: it should be one for trying things out
#   HFI_E2E_BRANCH         its branch                                             [main]
#   HFI_E2E_PATH           a directory in it, below the control plane's HFI_PATH     [hfi-e2e]
#   HFI_E2E_MODE           sidecar or ambient                                     [sidecar]
#   HFI_E2E_NAMESPACE      the namespace to make, beside one with -other added    [hfi-e2e]
#   HFI_E2E_CONTROL_PLANE  the namespace of the control plane                     [boifi]
#
# The time of a push is mostly the control plane's HFI_INTERVAL, unless its forge notifies it.
# Policies select only the two namespaces, end by themselves after half an hour, and are removed at the
# end. The namespaces stay for the next script; `kubectl delete namespace hfi-e2e hfi-e2e-other` removes them.
# A script ends with 0 if every figure is as asked, 1 if one is not, 2 if it is used wrongly, and 3 if
# there is no cluster, or no hfi in it.
set -euo pipefail
cd "$(dirname "${BASH_SOURCE[0]}")/../.."

services=(frontend productcatalog ad cart checkout currency email payment recommendation shipping)
branch=${HFI_E2E_BRANCH:-main}
folder=${HFI_E2E_PATH:-hfi-e2e}
mode=${HFI_E2E_MODE:-sidecar}
namespace=${HFI_E2E_NAMESPACE:-hfi-e2e}
other=$namespace-other
control=${HFI_E2E_CONTROL_PLANE:-boifi}
# A request for this path shows which policy is in force.
probe=/which-policy

# --- What is printed

figures=0 failures=0

# The list of what each story asks, which the runner without a cluster reads too.
stories=scripts/mesh/acceptance/stories.json
story=${0##*/}

# asked FILTER...: what the list says of this story; the filter is jq's.
asked() { jq --raw-output --arg story "$story" --arg name "${2:-}" ".[] | select(.name == \$story) | $1" "$stories"; }

# criterion NAME FIELD: of one figure of this story.
criterion() { asked ".criteria[] | select(.name == \$name) | $2" "$1"; }

# The question of a figure, with its id.
sentence() { criterion "$1" '[.id, (.limit as $limit | .asks | sub("\\{limit\\}"; $limit // ""))] | @tsv'; }

# limit NAME: the limit of a figure, a number; times are in milliseconds.
limit() {
    case "$(criterion "$1" .limit)" in
        *" ms") criterion "$1" '.limit | split(" ") | .[0]' ;;
        *" s") criterion "$1" '.limit | split(" ") | .[0] + "000"' ;;
        *) criterion "$1" '.limit | split(" ") | .[0]' ;;
    esac
}

# figure NAME MEASURED CONDITION...: a line, and `ok` if the condition holds.
figure() {
    local verdict=ok id asks
    IFS=$'\t' read -r id asks < <(sentence "$1")
    figures=$((figures + 1))
    if ! "${@:3}"; then verdict=FAIL failures=$((failures + 1)); fi
    printf '  %-6s  %-56s  %-42s  %s\n' "$id" "$asks" "$2" "$verdict"
}

# within NAME MILLISECONDS [MEASURED]: a figure that is a time.
within() { figure "$1" "${3:-$2 ms}" test "$2" -le "$(limit "$1")"; }

# elsewhere NAME WHERE: a figure that this cluster cannot show.
elsewhere() {
    local id asks
    IFS=$'\t' read -r id asks < <(sentence "$1")
    printf '  %-6s  %-56s  not here: %s\n' "$id" "$asks" "$2"
}

# unusable STATUS MESSAGE...: ends the script before it has begun.
unusable() {
    echo "${0##*/}: ${*:2}" >&2
    exit "$1"
}

# In milliseconds.
now() { echo $((${EPOCHREALTIME/[.,]/} / 1000)); }

# await SECONDS WHAT COMMAND...: looks until the command succeeds; else the rest is not played.
await() {
    local end=$(($(now) + $1 * 1000))
    until "${@:3}"; do
        if [ "$(now)" -gt "$end" ]; then
            figures=$((figures + 1)) failures=$((failures + 1))
            echo "  FAIL: the rest of this story was not played: waited $1 s without success for $2"
            conclude
        fi
        sleep 0.2
    done
}

conclude() {
    if [ "$failures" -eq 0 ]; then
        printf '\nok: all %s figures are as asked\n' "$figures"
        exit 0
    fi
    printf '\nFAIL: %s of %s figures are not as asked\n' "$failures" "$figures"
    exit 1
}

# --- The beginning and the end

# begin ARGUMENTS...: everything that a story finds: namespaces, services, plugins, no policies.
begin() {
    arguments "$@"
    cluster
    work=$(mktemp -d)
    trap finish EXIT
    git clone --quiet --branch "$branch" "$HFI_E2E_REPO" "$work/policies" ||
        unusable 3 "cannot clone the branch $branch of HFI_E2E_REPO"
    printf '\n%s\n' "$(asked '.id + "  " + .title')"
    populate "$namespace"
    kubectl scale -n "$namespace" deployment/frontend --replicas=3 >/dev/null
    rolled_out "$namespace"
    publish
}

arguments() {
    case "${1:-}" in
        "") ;;
        -h | --help)
            local file
            for file in "scripts/e2e/${0##*/}" scripts/e2e/cluster.sh; do
                sed -n '2,/^[^#]/{/^# shellcheck /!s/^# \{0,1\}//p}' "$file"
            done
            exit 0
            ;;
        *) unusable 2 "takes no arguments; its settings are in the environment: see --help" ;;
    esac
    [ -n "${HFI_E2E_REPO:-}" ] ||
        unusable 2 "set HFI_E2E_REPO to the repository that the control plane follows: see --help"
    case "$mode" in sidecar | ambient) ;; *) unusable 2 "HFI_E2E_MODE is sidecar or ambient, not \"$mode\"" ;; esac
    local name='^[a-z0-9]([-a-z0-9]{0,50}[a-z0-9])?$'
    [[ $namespace =~ $name ]] || unusable 2 "HFI_E2E_NAMESPACE is not the name of a namespace: \"$namespace\""
    case "/$folder/" in *//* | */./* | */../*) unusable 2 "HFI_E2E_PATH is not a directory of a repository: \"$folder\"" ;; esac
}

cluster() {
    local tool
    for tool in kubectl git jq; do
        command -v "$tool" >/dev/null || unusable 3 "$tool is missing"
    done
    kubectl version --request-timeout=10s </dev/null >/dev/null 2>&1 ||
        unusable 3 "kubectl reaches no cluster: see \`kubectl config current-context\`"
    kubectl get crd wasmplugins.extensions.istio.io >/dev/null 2>&1 ||
        unusable 3 "this cluster has no WasmPlugin: install Istio"
    kubectl get deployment -n "$control" hfi-control-plane >/dev/null 2>&1 ||
        unusable 3 "there is no hfi-control-plane in the namespace $control: kubectl apply -k k8s/overlays/default"
}

# The ten services in a namespace of ours, never in one of somebody else's.
populate() {
    if ! kubectl get namespace "$1" >/dev/null 2>&1; then
        kubectl create namespace "$1" >/dev/null
        kubectl label namespace "$1" hfi.dev/e2e=true >/dev/null
    elif [ "$(kubectl get namespace "$1" --output 'jsonpath={.metadata.labels.hfi\.dev/e2e}')" != true ]; then
        unusable 3 "there is a namespace $1 that is not of these scripts; set HFI_E2E_NAMESPACE to another name"
    fi
    if [ "$mode" = ambient ]; then
        kubectl label namespace "$1" --overwrite istio.io/dataplane-mode=ambient istio.io/use-waypoint=waypoint >/dev/null
        kubectl apply -n "$1" -f scripts/e2e/waypoint.yaml >/dev/null
    else
        kubectl label namespace "$1" --overwrite istio-injection=enabled >/dev/null
    fi
    kubectl apply -n "$1" -f scripts/e2e/demo.yaml >/dev/null
    plugin "$1"
    rolled_out "$1"
}

plugin() { kubectl apply -n "$1" -k "k8s/plugin/${mode/ambient/waypoint}" >/dev/null; }

rolled_out() {
    local deployment
    for deployment in $(kubectl get deployments -n "$1" --output name); do
        kubectl rollout status -n "$1" --timeout=180s "$deployment" >/dev/null
    done
}

# Nothing of ours goes on, however the script ends.
finish() {
    local status=$?
    if [ -n "${replicas_before:-}" ]; then scale_control_plane "$replicas_before" || status=1; fi
    if [ -n "${broken:-}" ]; then remove_broken || status=1; fi
    if [ -d "$work/policies" ]; then
        withdraw
        push || {
            status=1
            echo "${0##*/}: could not push to $HFI_E2E_REPO: what is injected ends within half an hour" >&2
        }
    fi
    rm -rf "$work"
    exit "$status"
}

remove_broken() { kubectl delete wasmplugin -n "$namespace" "$broken" --ignore-not-found >/dev/null; }

scale_control_plane() { kubectl scale -n "$control" deployment/hfi-control-plane --replicas="$1" >/dev/null; }

# --- Policies

# policy NAME SERVICE NAMESPACE FAULT: one more for the next `publish`; the fault in YAML.
policy() {
    mkdir -p "$work/next"
    cat >"$work/next/hfi-e2e-$1.yaml" <<YAML
metadata: {name: hfi-e2e-$1}
spec:
  selector: {service: "$2", namespace: "$3"}
  rules:
    - match: {path: {exact: $probe}}
      fault: {percentage: 100, duration_seconds: 1800, abort: {httpStatus: 503}}
    - fault: {duration_seconds: 1800, $4}
YAML
}

# Makes those the only ones, and waits until every proxy of the namespace runs them; sets how many
# milliseconds it took from the start of `git push` until the control plane had them (`noticed`), and
# from then on (`spread`).
publish() {
    submit
    await 60 "the proxies to run commit $commit" followed
    spread=$(($(now) - served_at))
}

# The same until the control plane has them.
submit() {
    withdraw
    if [ -d "$work/next" ]; then
        mkdir -p "$work/policies/$folder"
        mv "$work"/next/* "$work/policies/$folder"
        rmdir "$work/next"
    fi
    local pushed_at
    pushed_at=$(now)
    push
    commit=$(git -C "$work/policies" rev-parse HEAD)
    await 180 "the control plane to serve commit $commit" served
    served_at=$(now)
    noticed=$((served_at - pushed_at))
}

# Removes what these scripts have put there, and nothing else.
withdraw() { rm -f "$work/policies/$folder"/hfi-e2e-*.yaml; }

push() {
    local git=(git -C "$work/policies" -c user.name=hfi-e2e -c user.email=hfi-e2e@example.com)
    "${git[@]}" add --all
    if "${git[@]}" diff --cached --quiet; then return 0; fi
    "${git[@]}" commit --quiet --message "Play the user stories of hfi"
    "${git[@]}" push --quiet origin "HEAD:$branch" && return 0
    # Somebody else was first.
    "${git[@]}" pull --quiet --rebase origin "$branch"
    "${git[@]}" push --quiet origin "HEAD:$branch"
}

# True if every replica serves the commit.
served() {
    each_replica /v1/policies/status |
        jq --exit-status --slurp --arg commit "$commit" \
            'length > 0 and all(.[]; .revision | endswith("@sha1:" + $commit))' >/dev/null
}

# True if every proxy of the namespace runs its newest snapshot.
followed() {
    local known
    known=$(filters) && proxies | jq --exit-status --raw-input --slurp --argjson known "$known" '
        split("\n") | map(select(. != "")) | length > 0
        and all(.[]; . as $pod | any($known[]; .pod == $pod and .newest))' >/dev/null
}

# --- What there is in the cluster

# The pods of the namespace that have a proxy; with an argument, those of this service. In ambient mode
# that is the waypoint.
proxies() {
    local selector=()
    if [ -n "${1:-}" ] && [ "$mode" = sidecar ]; then selector=(--selector "app=$1"); fi
    kubectl get pods -n "$namespace" "${selector[@]}" --output json | jq --raw-output '
        .items[] | select(.metadata.deletionTimestamp == null and .status.phase == "Running")
        | select(.spec.containers + (.spec.initContainers // []) | any(.name == "istio-proxy"))
        | .metadata.name'
}

# The last report of each proxy of the namespace to any replica: pod, service, newest, lastContact.
filters() {
    each_replica /v1/filters | jq --slurp --arg namespace "$namespace" '
        [.[].filters[] | . + {place: (.node | split("~")[2] // "")}
            | select(.place | endswith("." + $namespace))
            | . + {pod: (.place | rtrimstr("." + $namespace))}]
        | group_by([.pod, .service]) | map(max_by(.lastContact))'
}

# The address of each replica of the control plane.
replicas() {
    kubectl get pods -n "$control" --selector app.kubernetes.io/name=hfi-control-plane --output json | jq --raw-output '
        .items[] | select(.metadata.deletionTimestamp == null) | .status.podIP // empty
        | if contains(":") then "[\(.)]" else . end + ":8080"'
}

# each_replica PATH: what each replica answers, one after the other.
each_replica() {
    local urls
    mapfile -t urls < <(replicas | sed "s|.*|http://&$1|")
    client --fail --max-time 10 "${urls[@]}"
}

# curl, from inside of the mesh.
client() { kubectl exec -n "$namespace" deployment/client --container client -- curl --silent --globoff "$@"; }

# ask HOST NUMBER [PATH]: a line for each answer: its status, and the policy that made it up if one did.
ask() {
    # Globbing makes many requests of one address. An answer that does not come has the status 000.
    client --no-globoff --output /dev/null --parallel --parallel-max 8 --max-time 40 \
        --write-out '%{http_code} %header{x-hfi-policy}\n' "http://$1:8080${3:-/}?[1-$2]" 2>/dev/null || true
}

# Counts the lines of the input that match.
count() { grep --count --extended-regexp "$1" || true; }

# shows HOST POLICY: whether what is in force at a host is this one, at its every replica for all we see;
# with no policy: nothing.
shows() { [ "$(ask "$1" 20 "$probe" | count "^... ${2:+hfi-e2e-}${2:-}\$")" -eq 20 ]; }

# admin POD REQUEST...: what the admin interface of a pod's Envoy answers.
admin() { kubectl exec -n "$namespace" "$1" --container istio-proxy -- pilot-agent request "${@:2}"; }

# counter SERVICE NAME: the sum of a counter over the proxies of a service.
counter() {
    local pod sum=0 value
    for pod in $(proxies "$1"); do
        value=$(admin "$pod" GET "stats?filter=$2" | sed -n "s/^[^;]*$2: \([0-9]*\)\$/\1/p" | sed -n 1p)
        sum=$((sum + ${value:-0}))
    done
    echo "$sum"
}

# New pods, and with them new proxies.
restart() {
    kubectl rollout restart -n "$namespace" deployment >/dev/null
    rolled_out "$namespace"
}
