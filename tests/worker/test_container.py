# SPDX-License-Identifier: Apache-2.0
"""Images of every kind run, and user code that attacks from within a container finds nothing.

What holds for every way to run a command is in `test_nest`, which runs for containers too.
"""

import itertools
import os
import subprocess
import sys
import threading
from pathlib import Path

import pytest

from howdah.engine import LABEL, Credentials, Engine, Limits, Settings
from howdah.errors import ErrorKind, NotFound, Refused, Unavailable, Unsupported
from howdah.worker.container import Container, find_shell
from howdah.worker.container.rooms import remove_leftovers
from howdah.worker.meter import Meter
from howdah.worker.nest import Command, ModeName, Mount
from tools import engines
from tools.image_registry import PASSWORD, USER

PATH = {"PATH": "/usr/bin:/bin"}
PATIENCE_SECONDS = 10
pytestmark = pytest.mark.skipif(sys.platform != "linux", reason="containers are Linux's")


def _prepare(folder: Path) -> Path:
    (folder / "in").mkdir(parents=True)
    (folder / "out").mkdir()
    (folder / "in" / "a").write_text("hello\n")
    return folder


def _run(container, folder, *words, env=PATH, cwd="/", timeout=PATIENCE_SECONDS):
    lines: list[bytes] = []
    outcome = container.run(Command(words, folder, env, cwd=cwd, timeout=timeout, on_output=lines.append))
    return outcome, lines


def _shell(container, folder, script):
    return _run(container, folder, "sh", "-c", script)


@pytest.fixture
def pfs(tmp_path) -> Path:
    """A folder prepared for a command."""
    return _prepare(tmp_path / "datum")


def test_the_mode_says_container(container):
    """Whoever looks at a job learns it."""
    assert ModeName.CONTAINER == container.mode.name


def test_what_runs_in_a_container_is_measured_from_outside(container, pfs):
    """While it runs, and each container for itself; its first process is one of this machine."""
    meter = Meter(container.pid, monotonic=itertools.count().__next__)
    script = "while :; do i=$((i + 1)); [ $i -lt 300000 ] || { echo spun; sleep 1000; }; done"
    spun = threading.Event()
    command = Command(("sh", "-c", script), pfs, PATH, on_output=lambda line: spun.set())
    running = threading.Thread(target=container.run, args=(command,))

    running.start()
    said = spun.wait(PATIENCE_SECONDS)
    cost = meter.read()
    container.cancel()
    running.join(PATIENCE_SECONDS)

    assert said
    assert 0.01 < cost.cpu_seconds < PATIENCE_SECONDS
    assert 1 << 18 < cost.memory_max_bytes < 1 << 28
    meter.close()


def test_an_image_without_a_shell_runs(host, tmp_path, pfs):
    """One static program and nothing else, not even /tmp; it is found by the image's own PATH."""
    image = host.build("scratch", {"tools/odd/cp": engines.SHELL.read_bytes()}, "ENV PATH=/nowhere:/tools/odd")

    with host.start(tmp_path, image) as container:
        outcome, lines = _run(container, pfs, "cp", "/pfs/in/a", "/pfs/out/b", env={})

    assert (0, []) == (outcome.exit_code, lines)
    assert "hello\n" == (pfs / "out" / "b").read_text()


def test_an_images_own_settings_are_kept_but_for_its_entrypoint(host, tmp_path, pfs):
    """ENV and WORKDIR are seen unless the pipeline says otherwise; ENTRYPOINT and CMD are not run."""
    changes = ('ENTRYPOINT ["/bin/false"]', 'CMD ["no"]', "ENV GREETING=hi", "ENV OTHER=image", "WORKDIR /tmp")
    image = host.build("settled", engines.with_shell(), *changes)

    with host.start(tmp_path, image) as container:
        script = "echo $GREETING $OTHER; pwd"
        _, lines = _run(container, pfs, "sh", "-c", script, env={**PATH, "OTHER": "pipeline"}, cwd="")

    assert [b"hi pipeline", b"/tmp"] == lines


def test_an_image_that_names_no_path_has_the_usual_one(container, pfs):
    """The same by which its programs are found; a shell of its own would take another one."""
    _, lines = _run(container, pfs, "sh", "-c", "echo $PATH", env={})

    assert [b"/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin"] == lines


def test_what_an_ordinary_user_leaves_can_be_read_and_removed(host, tmp_path, pfs):
    """USER of the image is who runs; even what it closed to others can be read afterwards."""
    image = host.build("ordinary", engines.with_shell(), "USER 1234")
    script = "id -u; mkdir /pfs/out/x; echo 1 > /pfs/out/x/y; chmod 0 /pfs/out/x/y /pfs/out/x"

    with host.start(tmp_path, image) as container:
        _, lines = _shell(container, pfs, script)

    assert [b"1234"] == lines
    assert ("1\n", 0o777) == ((pfs / "out/x/y").read_text(), (pfs / "out/x").stat().st_mode & 0o777)


def test_two_commands_of_an_ordinary_user_run_one_after_another(host, tmp_path):
    """What the first one leaves does not stand in the second one's way."""
    image = host.build("ordinary", engines.with_shell(), "USER 1234")

    with host.start(tmp_path, image) as container:
        both = [_shell(container, _prepare(tmp_path / name), f"echo {name} > /pfs/out/b")[0] for name in ("x", "y")]

    assert [0, 0] == [outcome.exit_code for outcome in both]
    assert ["x\n", "y\n"] == [(tmp_path / name / "out" / "b").read_text() for name in ("x", "y")]


def test_an_image_that_is_not_there_is_named(host, tmp_path):
    """Before anything is started, and nothing is left in the work folder."""
    with pytest.raises(NotFound) as error:
        host.start(tmp_path, "localhost/nobody:7")

    assert ErrorKind.IMAGE_NOT_FOUND == error.value.kind
    assert "localhost/nobody:7" in error.value.message
    assert [] == os.listdir(tmp_path)


def test_what_an_engine_refuses_is_told(host, tmp_path):
    """A network that it does not have, for one; no container is left."""
    before = host.engine.leftovers("refused")

    with pytest.raises((Refused, Unavailable)) as error:
        host.start(tmp_path, labels={LABEL: "refused"}, network="no-such-network")

    assert "\n" not in error.value.message
    assert before == host.engine.leftovers("refused") == []


def test_an_engine_that_does_not_answer_is_named(tmp_path):
    """With its address, and the way out."""
    with pytest.raises(Unavailable) as error:
        Engine(f"unix://{tmp_path}/no.sock")

    assert ErrorKind.UNREACHABLE == error.value.kind
    assert f"{tmp_path}/no.sock" in error.value.message


def test_the_shell_is_a_file_of_this_machine():
    """One that can be executed, wherever the system has it."""
    if not engines.SHELL.exists():
        pytest.skip("no busybox here")

    assert os.access(find_shell(), os.X_OK)


def test_the_shell_may_come_from_an_image(host, registry, tmp_path, pfs):
    """By its digest, fetched from a registry with the first container; asked for again it is there."""
    exact = registry.push("shell", "1", [{"bin/busybox": engines.SHELL.read_bytes()}], {})
    engine = host.engine
    engine.pull(exact, Credentials(USER, PASSWORD), lambda _: None)

    first = find_shell(exact, engine, tmp_path)
    with Container.start(engine, Settings(host.image, network="none"), tmp_path, exact) as container:
        outcome = container.run(Command(("true",), pfs, PATH, timeout=PATIENCE_SECONDS))

    assert (0, engines.SHELL.read_bytes()) == (outcome.exit_code, first.read_bytes())
    assert first == find_shell(exact, engine, tmp_path)
    with pytest.raises(NotFound, match="has no /etc/none"):
        engine.file(exact, "/etc/none")


def test_containers_are_found_by_label_until_they_are_closed(host, tmp_path):
    """So what a killed server left can be removed."""
    with host.start(tmp_path, labels={LABEL: "lake"}) as container:
        assert [container.id] == host.engine.leftovers("lake")

    assert [] == host.engine.leftovers("lake")


@pytest.mark.slow
def test_a_container_removed_from_outside_says_so(host, tmp_path, pfs):
    """The command that ran in it is not taken for ended, and what it had of the inputs is back in its folder."""
    container = host.start(tmp_path)

    with pytest.raises(Unavailable) as error:
        container.run(
            Command(
                ("sh", "-c", "echo up; sleep 1000"),
                pfs,
                PATH,
                on_output=lambda _: host.engine.remove(container.id),
            )
        )

    assert "the container that runs user code is gone" in error.value.message
    assert container.closed
    assert ["in", "out"] == sorted(os.listdir(pfs))
    container.close()


DYING = """
import os, sys
from pathlib import Path
from howdah.engine import Engine, Settings
from howdah.worker.container import Container
def die(engine, container):
    print(container, flush=True)
    os.kill(os.getpid(), 9)
if sys.argv[4] == "before":
    Engine.start = die
die(None, Container.start(Engine(sys.argv[1]), Settings(sys.argv[2], network="none"), Path(sys.argv[3])).id)
"""


@pytest.mark.slow
@pytest.mark.parametrize("moment", ["before", "after"])
def test_a_container_ends_with_its_worker(host, tmp_path, moment):
    """However that ends, and also if it died while the engine was about to start the container."""
    words = [sys.executable, "-c", DYING, host.address, host.image, str(tmp_path), moment]

    died = subprocess.run(words, capture_output=True, text=True, check=False)

    assert -9 == died.returncode, died.stderr
    container = died.stdout.strip()
    if moment == "before":
        host.engine.start(container)
    host.engine.wait(container, 3 * PATIENCE_SECONDS)
    assert host.engine.state(container)["Running"] is False
    host.engine.remove(container)
    remove_leftovers(tmp_path)  # as the next worker of this folder does: some of it lies in memory
    assert [] == list(tmp_path.glob("container-*"))


def test_other_datums_and_the_hosts_files_are_not_there(container, pfs, tmp_path):
    """Neither by their paths on the host, nor around /pfs, nor by /proc."""
    other = _prepare(tmp_path / "other")
    (other / "in" / "a").write_text("treasure")
    script = f"""
        cat {other}/in/a /pfs/../other/in/a /proc/1/root{other}/in/a /proc/[0-9]*/cwd/../other/in/a
        find / -name a -exec cat {{}} +
        ls {tmp_path} {os.getcwd()}
        """

    _, lines = _shell(container, pfs, script)

    assert b"treasure" not in b"".join(lines)
    assert [b"hello"] == [line for line in lines if line == b"hello"]


def test_no_socket_and_no_environment_of_the_worker_is_there(container, pfs, monkeypatch):
    """The engine cannot be reached from inside, and credentials of the store cannot be read in any process."""
    monkeypatch.setenv("AWS_SECRET_ACCESS_KEY", "treasure")

    _, lines = _shell(container, pfs, "find / -xdev -type s; cat /proc/[0-9]*/environ; ls /var/run /run")

    assert b"treasure" not in b"".join(lines)
    assert not [line for line in lines if line.endswith(b".sock") or b"docker" in line]


def test_root_in_a_container_has_no_capabilities_and_gets_none(container, pfs):
    """Nothing can be mounted, made a device of, or given to somebody else."""
    script = """
        grep -E '^(Cap(Inh|Prm|Eff|Bnd|Amb)|NoNewPrivs)' /proc/self/status
        mount -t tmpfs none /tmp 2>/dev/null && echo mounted
        umount /pfs 2>/dev/null && echo unmounted
        mknod /tmp/disk b 8 0 2>/dev/null && echo device
        chown 1234 /pfs/in/a 2>/dev/null && echo owned
        unshare -m true 2>/dev/null && echo unshared
        """

    _, lines = _shell(container, pfs, script)

    words = [line.split() for line in lines]
    assert [0, 0, 0, 0, 0, 1] == [int(value, 16) for _, value in words]


def test_user_code_cannot_write_what_it_shares_with_the_worker(container, pfs, tmp_path):
    """Or a link in place of a file would have the worker write on the host, and read there."""
    script = f"""
        for name in run why stdin notes keeper.sh busybox; do
            ln -sf {tmp_path}/trap /.howdah/$name && echo linked
            rm -f /.howdah/$name && echo removed
        done
        for name in run why stdin keeper.sh busybox; do (echo x > /.howdah/$name) && echo written; done
        """

    _, lines = _shell(container, pfs, f"({script}) 2>/dev/null")

    assert [] == lines
    assert not (tmp_path / "trap").exists()
    assert [b"hello"] == _shell(container, pfs, "cat /pfs/in/a")[1]


def test_lies_in_the_notes_harm_only_their_own_command(container, pfs):
    """Whatever is written there is looked at before it is believed, and the next command is well."""
    script = """
        printf 'stats a b c\\nCommand terminated by signal 99999999999\\n\\377\\n' > /.howdah/notes
        printf 'error \\033[2Jlie%s\\n' "$(yes | head -n 9000 | tr -d '\\n')" > /.howdah/notes
        exit 3
        """

    outcome, _ = _shell(container, pfs, script)

    assert (3, None, "\\x1b[2Jlie" + "y" * 193 + "…") == (outcome.exit_code, outcome.signal, outcome.error)
    assert [b"hello"] == _shell(container, pfs, "cat /pfs/in/a")[1]


def test_a_timeout_holds_though_its_watcher_was_killed(host, tmp_path, pfs, monkeypatch):
    """User code that kills who is to kill it loses its whole container, some seconds after its time is over."""
    monkeypatch.setattr("howdah.worker.container.container._KILL_SECONDS", 0.2)
    script = """
        for each in /proc/[0-9]*; do
            [ $each != /proc/1 ] && grep -q keeper[.]sh $each/cmdline && kill -9 ${each#/proc/} && echo killed
        done
        sleep 1000
        """

    with host.start(tmp_path) as container:
        outcome, lines = _run(container, pfs, "sh", "-c", script, timeout=0.3)

        assert [b"killed"] == lines
        assert (True, 9, 137) == (outcome.timed_out, outcome.signal, outcome.exit_code)
        assert container.closed


def test_processes_are_limited(host, tmp_path, pfs):
    """A fork bomb ends at its container's limit."""
    script = "i=0; while [ $i -lt 40 ]; do sleep 1000 & i=$((i + 1)); done; echo all"

    with host.start(tmp_path, limits=Limits(pids=20)) as container:
        _, lines = _shell(container, pfs, script)

    assert b"all" not in lines


def test_many_threads_may_cancel(container, pfs):
    """All are told that a command ran, and it ends once."""
    answers: list[bool] = []

    def cancel(line: bytes) -> None:
        threads = [threading.Thread(target=lambda: answers.append(container.cancel())) for _ in range(4)]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join()

    outcome = container.run(Command(("sh", "-c", "echo up; sleep 1000"), pfs, PATH, on_output=cancel))

    assert (True, [True] * 4) == (outcome.cancelled, answers)


@pytest.mark.parametrize("others", [{"user": (1, 1, ())}, {"mounts": (Mount("/secret", {"a": b"b"}),)}])
def test_what_a_container_cannot_give_a_command_is_refused(container, pfs, others):
    """Rather than run as another user, or without a secret, and say nothing."""
    with pytest.raises(Unsupported):
        container.run(Command(("true",), pfs, PATH, **others))

    assert [b"hello"] == _shell(container, pfs, "cat /pfs/in/a")[1]
