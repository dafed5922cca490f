# bridge.sh BRIDGE MAC GATEWAY LENGTH: makes a bridge with an address of this machine.
set -eu
# Without an address of its own a bridge takes that of a link, and another one when that link goes.
ip link add "$1" address "$2" type bridge
ip address add "$3/$4" dev "$1"
ip link set "$1" up
# For what is addressed to a Service and comes back to another Pod.
echo 1 >"/proc/sys/net/ipv4/conf/$1/forwarding"
