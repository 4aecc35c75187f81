# SPDX-License-Identifier: Apache-2.0
"""User code in a container that goes to work on what is around it: `docs/isolation.md` lists what is tried here.

What else it cannot do is in `test_container` (other datums' files, capabilities, what is shared with the worker).
"""

import subprocess
import sys
from pathlib import Path

import pytest

from howdah.engine import Limits, Settings
from howdah.errors import BadRequest
from howdah.worker.nest import Command
from howdah.worker.outputs import outputs
from tools import engines

PATH = {"PATH": "/usr/bin:/bin"}
PATIENCE_SECONDS = 10
pytestmark = pytest.mark.skipif(sys.platform != "linux", reason="containers are Linux's")


def _prepare(folder: Path) -> Path:
    (folder / "in").mkdir(parents=True)
    (folder / "out").mkdir()
    (folder / "in" / "a").write_text("hello\n")
    return folder


def _run(container, folder, script, timeout=PATIENCE_SECONDS):
    lines: list[bytes] = []
    command = Command(("sh", "-c", script), folder, PATH, cwd="/", timeout=timeout, on_output=lines.append)
    return container.run(command), lines


@pytest.fixture
def pfs(tmp_path) -> Path:
    """A folder prepared for a command."""
    return _prepare(tmp_path / "datum")


@pytest.fixture
def other(tmp_path) -> Path:
    """A folder prepared for the command after it."""
    return _prepare(tmp_path / "other")


# What the worker and the first process say to each other, by the pipes' names and by open descriptors.
PLACES = "/.howdah/{name} /proc/[0-9]*/fd/*"


@pytest.mark.parametrize(
    ("name", "line"), [("requests", "$n"), ("results", "$n 0"), ("cancels", "$n")], ids=["run", "done", "kill"]
)
def test_user_code_cannot_speak_for_the_next_command(container, pfs, other, name, line):
    """Neither have it run unasked, nor say how it ended, nor have it killed."""
    places = PLACES.format(name=name)
    script = f"""
        for place in {places}; do
            case $(readlink $place) in /dev/null|pipe:*) continue ;; esac
            [ -p $place ] && for n in $(seq 1 300); do echo "{line}"; done 1<>$place
        done 2>/dev/null
        exit 0
        """

    _run(container, pfs, script)
    outcome, lines = _run(container, other, "echo mine > /pfs/out/b; cat /pfs/in/a; exit 3")

    assert (3, None, [b"hello"]) == (outcome.exit_code, outcome.signal, lines)
    assert "mine\n" == (other / "out" / "b").read_text()


def test_a_command_that_says_that_it_has_ended_has_not(container, pfs, other):
    """Or what it started would be there beside the next datum's files."""
    script = """
        for n in $(seq 1 300); do echo "$n 0"; done 2>/dev/null 1<>/.howdah/results
        sleep 0.3
        exit 3
        """

    outcome, _ = _run(container, pfs, script)

    assert 3 == outcome.exit_code
    assert outcome.seconds > 0.25


LOOKS = """
for name in environ auxv maps fd/3 fd/4; do head -c 1 /proc/1/$name && echo read $name; done
for name in root cwd exe fd/3; do readlink /proc/1/$name && echo seen $name; done
true 3<>/proc/1/mem && echo opened
cat /.howdah/busybox > /tmp/copy && echo copied
"""


def test_the_first_process_cannot_be_looked_into(container, pfs):
    """It has the user of the commands, and yet they find neither its memory, its variables nor what it has open.

    Nor do they as root of a user namespace of their own, which Podman lets them make.
    """
    script = f"echo '{LOOKS}' > /pfs/out/looks; sh /pfs/out/looks; unshare -U -r sh /pfs/out/looks"

    _, lines = _run(container, pfs, f"({script}) 2>/dev/null")

    assert [] == lines


def test_nothing_of_a_command_lives_on(container, pfs, other):
    """Whatever it did to be overlooked."""
    script = """
        trap '' TERM INT HUP CHLD
        (setsid sh -c 'trap "" TERM HUP; while :; do ls /pfs/* > /tmp/seen; done' &)
        (sleep 1000 < /pfs/in/a > /pfs/out/b &)
        (unshare -U -p -f sleep 1000 2>/dev/null &)
        sleep 0.1
        """

    _run(container, pfs, script)
    _, lines = _run(container, other, "ps -o pid,args | grep -c -e '[s]leep 1000' -e '[w]hile'")

    assert [b"0"] == lines


ATTEMPTS = """
echo 1 > /proc/sys/kernel/panic && echo sysctl
echo b > /proc/sysrq-trigger && echo sysrq
echo max > /sys/fs/cgroup/pids.max && echo cgroup
mkdir /sys/fs/cgroup/own && echo cgroup
ulimit -H -n 99999999 && echo limit
chroot / true && echo chroot
mknod /tmp/null c 1 3 && echo device
dd if=/dev/mem bs=1 count=1 && echo memory
find /dev -type b | grep . && echo disks
mount -o bind / /tmp && echo bound
ln /.howdah/run /pfs/out/tools && echo linked
ln /etc/passwd /pfs/out/root && echo linked
ls /proc/1/root/ && echo root
ls -d /proc/[0-9]* | grep -q -v -E '^/proc/[0-9]{1,4}$' && echo processes
[ -e /sys/class/net/eth0 ] && echo network
"""


def test_root_in_a_container_reaches_nothing_of_the_host(container, pfs):
    """Settings of the kernel, devices, memory, limits, other processes, files by way of hard links: each is tried."""
    _, lines = _run(container, pfs, f"({ATTEMPTS}) 2>/dev/null")

    assert [] == lines


def test_an_ordinary_user_reaches_no_more_and_has_all_that_is_usual(host, tmp_path, pfs):
    """The same attempts; and output by the names that programs use for it."""
    usual = "echo one > /dev/stdout; echo two > /dev/stderr; echo three > /proc/self/fd/1; touch /pfs/out/b"

    with host.start(tmp_path, user="1234:1234") as container:
        _, found = _run(container, pfs, f"({LOOKS} {ATTEMPTS}) 2>/dev/null")
        outcome, lines = _run(container, pfs, usual)

    assert [] == found
    assert (0, [b"one", b"two", b"three"]) == (outcome.exit_code, lines)


def test_no_other_process_of_the_machine_is_seen(container, pfs):
    """Nor are environment, files or credentials of one; what is seen is the command and what it runs under."""
    _, lines = _run(container, pfs, "cat /proc/[0-9]*/cmdline | tr '\\0' ' '")

    assert b"keeper.sh" in lines[0]
    assert not [word for word in (b"python", b"dockerd", b"podman", b"pytest") if word in b"".join(lines)]


@pytest.mark.parametrize("place", ["/tmp", "/dev/shm"])
def test_what_a_datum_leaves_in_passing_is_gone_for_the_next(container, pfs, other, place):
    """Whatever its name and rights."""
    script = (
        f"mkdir -p {place}/d {place}/.e; cp /pfs/in/a {place}/d; touch {place}/..f; chmod 0 {place}/d; ls -A {place}"
    )

    _, before = _run(container, pfs, script)
    _, after = _run(container, other, f"ls -A {place}")

    assert ([b"..f", b".e", b"d"], []) == (sorted(before), after)


def test_what_an_image_has_in_passing_stays(host, tmp_path, pfs, other):
    """Or its second datum would not find what the first one did."""
    image = host.build("temporary", engines.with_shell(**{"tmp/model": b"weights"}))

    with host.start(tmp_path, image) as container:
        _run(container, pfs, "true")
        _, lines = _run(container, other, "cat /tmp/model")

    assert [b"weights"] == lines


def test_shared_memory_is_limited(container, pfs):
    """A datum that fills it sees an end, and the next one has all of it."""
    fill = "dd if=/dev/zero of=/dev/shm/all bs=1048576 count=200 2>/dev/null || echo full"

    lines = [_run(container, pfs, f"{fill}; wc -c < /dev/shm/all")[1] for _ in range(2)]

    assert [[b"full", b"%d" % (64 << 20)]] * 2 == lines


def test_a_program_with_its_owners_rights_gives_none(host, tmp_path, pfs):
    """An ordinary user's command stays that user's."""
    script = "cp /bin/busybox /pfs/out; chmod 4755 /pfs/out/busybox; /pfs/out/busybox id -u; /setuid/busybox id -u"
    raised = engines.with_shell(**{"setuid/busybox": engines.SHELL.read_bytes()})
    image = host.build("raised", raised, "USER 1234")

    with host.start(tmp_path, image) as container:
        _, lines = _run(container, pfs, script)

    assert [b"1234", b"1234"] == lines


def test_the_next_command_is_well_after_a_fork_bomb(host, tmp_path, pfs, other):
    """It ends at the limit of its container."""
    bomb = "bomb() { bomb | bomb & }; bomb; sleep 0.2; exit 5"

    with host.start(tmp_path, limits=Limits(pids=60)) as container:
        first, _ = _run(container, pfs, bomb)
        second, lines = _run(container, other, "cat /pfs/in/a")

    assert first.exit_code != 0
    assert (0, [b"hello"]) == (second.exit_code, lines)


def test_a_link_in_the_output_leads_nowhere_on_the_host(container, pfs, tmp_path):
    """By whatever way: what it leads to in the container is not what is there outside."""
    (tmp_path / "key").write_text("treasure")

    for target in (tmp_path / "key", "/etc/passwd", "../../key", "/pfs/../../key", "/proc/1/root/etc/passwd"):
        _run(container, pfs, f"ln -sfn {target} /pfs/out/b")
        with pytest.raises(BadRequest):
            list(outputs(str(pfs)))


def test_a_link_in_place_of_the_output_is_given_no_rights(container, pfs, tmp_path):
    """A recovery command runs where the command was, which may have put one there."""
    (tmp_path / "host").mkdir(mode=0o700)

    _run(container, pfs, f"rmdir /pfs/out; ln -s {tmp_path}/host /pfs/out; exit 1")
    _run(container, pfs, "true")

    assert 0o700 == (tmp_path / "host").stat().st_mode & 0o777
    with pytest.raises(BadRequest):
        list(outputs(str(pfs)))


def test_an_image_can_be_closed_for_writing(host, tmp_path, pfs):
    """Then the datum's folder and /tmp are left."""
    script = "for each in / /bin /etc /tmp /pfs /pfs/out; do touch $each/new && echo $each; done"

    with host.start(tmp_path, read_only=True) as container:
        _, lines = _run(container, pfs, f"({script}) 2>/dev/null")

    assert [b"/tmp", b"/pfs", b"/pfs/out"] == lines


ORDINARY = """
import os, sys
from pathlib import Path
from howdah.engine import Engine, Settings
from howdah.worker.container import Container
from howdah.worker.folders import Folders
from howdah.worker.nest import Command
from howdah.worker.outputs import outputs
address, image, user, script, work = *sys.argv[1:5], Path(sys.argv[5])
folders = Folders(work, reuse=True)
with Container.start(Engine(address), Settings(image, user=user, network="none"), work) as container:
    for number in range(2):
        folder = folders.new(["in"])
        outcome = container.run(Command(("sh", "-c", script), Path(folder), {"PATH": "/bin"}, timeout=10))
        print(outcome.exit_code, *(each.path for each in outputs(folder)))
        folders.discard(folder)
folders.close()
print(sum(len(files) for _, _, files in os.walk(work / "datums")))
"""


# Root without its powers is to files as any other user is, and can read the interpreter wherever that lies.
POWERLESS = ("setpriv", "--bounding-set=-all", "--inh-caps=-all")


@pytest.mark.slow
@pytest.mark.parametrize("user", ["0", "1234"], ids=["same", "other"])
def test_a_worker_without_powers_has_all_back(host, tmp_path, user):
    """Whoever ran in the container, and however it closed what it left: nothing stays on the disk."""
    script = """
        mkdir -m 1777 /pfs/out/d && echo 1 > /pfs/out/d/a && chmod 0 /pfs/out/d/a
        mkdir -m 0 /pfs/out/e; mkdir -m 0 /pfs/f
        chmod 0500 /pfs/out /pfs/in /pfs 2>/dev/null
        exit 4
        """
    words = [*POWERLESS, sys.executable, "-c", ORDINARY, host.address, host.image, user, script, str(tmp_path)]

    ran = subprocess.run(words, capture_output=True, text=True, check=False)

    assert ["4 /d/a", "4 /d/a", "0"] == ran.stdout.splitlines(), ran.stderr


def test_limits_and_namespaces_are_what_the_engine_holds(host, tmp_path):
    """As it tells them: what a container may use, and that it shares nothing with the machine."""
    with host.start(tmp_path, limits=Limits(cpus=0.5, memory_bytes=64 << 20)) as container:
        found = host.engine._api.inspect_container(container.id)["HostConfig"]

    used = (found["NanoCpus"], found["Memory"], found["MemorySwap"], found["PidsLimit"], found["ShmSize"])
    assert (500_000_000, 64 << 20, 64 << 20, 4_096, 64 << 20) == used
    assert (False, False) == (found["Privileged"], found["PublishAllPorts"])
    assert "host" not in {found["PidMode"], found["IpcMode"], found["NetworkMode"], found["UTSMode"]}
    assert found["CapDrop"]
    assert not found["CapAdd"]
    assert any("no-new-privileges" in each for each in found["SecurityOpt"])
    assert "unconfined" not in str(found["SecurityOpt"])
    assert not [each for each in found["Binds"] if each.endswith(":rw") and ":/pfs" not in each]


def test_processors_for_graphics_are_asked_of_the_engine(hosts):
    """There is none here to be given; that the engine was asked is seen in what it made."""
    engine = hosts("docker").engine

    container = engine.create(Settings(hosts("docker").image, limits=Limits(gpus=2)), {}, ("true",))
    [asked] = engine._api.inspect_container(container)["HostConfig"]["DeviceRequests"]
    engine.remove(container)

    assert (2, [["gpu"]]) == (asked["Count"], asked["Capabilities"])
