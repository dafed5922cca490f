# attach.sh NAMESPACE LINK BRIDGE ADDRESS LENGTH GATEWAY [PARAMETER VALUE]...: makes the network namespace of a Pod,
# with a link to the bridge and these kernel parameters.
set -eu
namespace=$1 link=$2 bridge=$3 address=$4 length=$5 gateway=$6
shift 6
ip netns add "$namespace"
ip link add "$link" type veth peer name eth0 netns "$namespace"
ip link set "$link" master "$bridge" up
ip -n "$namespace" link set lo up
ip -n "$namespace" address add "$address/$length" dev eth0
ip -n "$namespace" link set eth0 up
ip -n "$namespace" route add default via "$gateway"
while [ $# -gt 0 ]; do
    file=/proc/sys/$(echo "$1" | tr . /)
    # shellcheck disable=SC2016
    nsenter --net="/var/run/netns/$namespace" sh -c 'printf %s "$2" >"$1"' sh "$file" "$2"
    shift 2
done
