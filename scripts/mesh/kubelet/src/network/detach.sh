# detach.sh NAMESPACE LINK: ends the processes of a Pod, and takes its network namespace and its link away.
set -eu
# Those too that start meanwhile.
while processes=$(ip netns pids "$1") && [ -n "$processes" ]; do
    # shellcheck disable=SC2086
    kill -9 $processes 2>/dev/null || true
done
ip netns delete "$1"
# It goes with its other end, but not at once.
ip link delete "$2" 2>/dev/null || true
