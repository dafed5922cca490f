# enter.sh SCRATCH HOSTNAME [STEP WORDS]... start COMMAND...
#
# Makes the root file system of a container in SCRATCH/root, step by step, and becomes the command. It runs in
# namespaces of its own, so that nothing of this is seen elsewhere, and all of it ends with the command.
set -eu
scratch=$1
printf %s "$2" >/proc/sys/kernel/hostname
shift 2
mount -t tmpfs -o mode=0755 tmpfs "$scratch"
root=$scratch/root
mkdir "$root"
mount --bind "$root" "$root"
layers=0
while :; do
    step=$1
    shift
    case $step in
        # A directory of the machine with a layer of the container's own: overlay DIRECTORY AT
        overlay)
            layers=$((layers + 1))
            mkdir -p "$scratch/$layers/upper" "$scratch/$layers/work" "$root$2"
            mount -t overlay overlay "$root$2" \
                -o "lowerdir=$1,upperdir=$scratch/$layers/upper,workdir=$scratch/$layers/work"
            shift 2
            ;;
        # A file or directory of the machine: bind ro|rw FILE AT
        bind)
            at=$root$3
            if [ -L "$at" ]; then
                echo "enter.sh: $3 is a symbolic link" >&2
                exit 128
            fi
            if [ -d "$2" ]; then
                mkdir -p "$at"
            else
                mkdir -p "${at%/*}"
                [ -e "$at" ] || : >"$at"
            fi
            mount --bind "$2" "$at"
            [ "$1" = rw ] || mount -o remount,bind,ro "$at"
            shift 3
            ;;
        # A file system of the kernel: kernel TYPE OPTIONS AT
        kernel)
            mkdir -p "$root$3"
            mount -t "$1" -o "$2" "$1" "$root$3"
            shift 3
            ;;
        # directory MODE AT
        directory)
            [ -d "$root$2" ] || mkdir -p -m "$1" "$root$2"
            shift 2
            ;;
        # link TARGET AT
        link)
            ln -s "$1" "$root$2"
            shift 2
            ;;
        # readonly AT
        readonly)
            mount -o remount,bind,ro "$root$1"
            shift
            ;;
        start) exec "$@" ;;
        *)
            echo "enter.sh: there is no step $step" >&2
            exit 128
            ;;
    esac
done
