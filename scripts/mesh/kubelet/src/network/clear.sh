# clear.sh RUN: waits until its input ends, as it does when the process that started it ends in whatever way. Then
# takes away what the run has made: processes, network namespaces and links.
set -u
cat >/dev/null
status=0
for file in /var/run/netns/"$1"*; do
    [ -e "$file" ] || continue
    name=${file##*/}
    # Those too that start meanwhile.
    while processes=$(ip netns pids "$name") && [ -n "$processes" ]; do
        # shellcheck disable=SC2086
        kill -9 $processes
    done
    ip netns delete "$name" || status=1
done
for link in $(ip -oneline link show | sed -n 's/^[0-9]*: \([^:@]*\).*/\1/p'); do
    case $link in
        # The end of a pair may have gone with the other one.
        "$1"*) ip link delete "$link" || ! ip link show "$link" || status=1 ;;
    esac
done
exit $status
