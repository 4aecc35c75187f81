# SPDX-License-Identifier: Apache-2.0
# The first process of a worker's container: run by a static shell from outside, as the user of the image. It takes the
# number of a command from the pipe `requests`, runs the script `run`, has nothing of it left alive, and answers by the
# pipe `results`. `cancels` ends the command that runs. The worker holds the other ends of all pipes open, so when it is
# gone, whatever the reason, both reads end and with them the container.
#
# What runs here has the same user as this shell, and means no good. So the names of those pipes are removed as soon as
# all are open here; and the shell's file can be executed but not read, whereby the system lets nobody look into a
# process of it, nor at what it has open, who has no more rights than it has.
busybox=/.howdah/busybox
# An engine may be set up to show containers all processes of the machine. Nothing must be killed there.
[ "$$" -lt 100 ] || exit 1

# To open a pipe waits for its other end; if the worker has died meanwhile, this opens it, so that all can end.
(
    "$busybox" sleep 2
    exec 3<>requests 4<>results 5<>cancels 6<>output
    "$busybox" sleep 1
) &
exec 3<requests 4>results 5<cancels 6>output
kill -9 -1
wait
echo "0 0" >&4 # all are open

# Where programs leave what is for a moment; not where the image itself has something.
left() {
    for each in "$1"/* "$1"/.[!.]* "$1"/..?*; do
        if [ -e "$each" ] || [ -L "$each" ]; then return 0; fi
    done
    return 1
}
passing=
for folder in /tmp /var/tmp /dev/shm; do
    [ -d "$folder" ] && [ ! -L "$folder" ] && ! left "$folder" && passing="$passing $folder"
done

# How often the system has killed something in here for want of memory; cgroups of version 2, or of version 1.
kills() {
    killed=0
    for file in /sys/fs/cgroup/memory.events /sys/fs/cgroup/memory/memory.oom_control; do
        [ -r "$file" ] && while read -r name count; do
            [ "$name" = oom_kill ] && killed=$count
        done <"$file"
    done
}
kills

# Microseconds of CPU time that all in here have had until now, those that have ended too; cgroups as above.
used() {
    used=0
    for file in /sys/fs/cgroup/cpu.stat /sys/fs/cgroup/cpuacct/cpuacct.usage; do
        [ -r "$file" ] && read -r name count <"$file" || continue
        case $name in
        usage_usec) used=$count ;;
        *) used=$((name / 1000)) ;;
        esac
    done
}

watch() {
    while read -r ended <&5; do
        [ "$ended" = "$number" ] && kill -9 -1 # all but this shell and the first process
    done
    kill -9 -1
}

while read -r number <&3; do
    watch &
    used
    earlier=$used
    # Not in the background: a shell has what runs there ignore interrupts. In parentheses: what this shell itself
    # says of a killed command is no output of that.
    (exec "$busybox" time -o notes -f 'stats %U %S %M' "$busybox" sh run >&6 2>&1 <stdin 3<&- 4>&- 5<&- 6>&-)
    code=$?
    kill -9 -1
    wait
    # What is not dead yet, as it may be in the middle of a long write, or not waited for, as each command here does.
    while kill -0 -1 2>/dev/null; do "$busybox" true; done
    used
    # Opened for both, since to open a pipe for writing waits for who reads it, and the worker may be dead.
    [ "$used" = 0 ] || echo "cpu $((used - earlier))" 1<>notes
    before=$killed
    kills
    [ "$killed" = "$before" ] || echo oom 1<>notes
    [ "$code" = 127 ] && "$busybox" sh why 3<&- 4>&- 5<&- 6>&- 2>/dev/null
    # What another user made must be read and removed by the worker; what is the worker's own stays as it is.
    [ -O /.howdah ] || for folder in /pfs /pfs/out; do
        "$busybox" find "$folder" -mindepth 1 -maxdepth 1 -exec "$busybox" chmod -R a+rwX,-t {} + 2>/dev/null
    done
    for folder in $passing; do
        [ ! -L "$folder" ] && left "$folder" || continue
        "$busybox" find "$folder" -mindepth 1 -maxdepth 1 -exec "$busybox" chmod -R u+rwX {} + 2>/dev/null
        "$busybox" find "$folder" -mindepth 1 -maxdepth 1 -exec "$busybox" rm -rf {} + 2>/dev/null
    done
    echo "$number $code" >&4
done
