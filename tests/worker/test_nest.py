# SPDX-License-Identifier: Apache-2.0
"""What a command in a nest sees, what it leaves, and what its outcome says: with namespaces, without, in containers.

`test_nest_users` runs this file again as an ordinary user, and where no namespaces can be made.
"""

import os
import shutil
import tempfile
import threading
from collections.abc import Iterator
from pathlib import Path

import pytest

from howdah.errors import BadRequest, ErrorKind, Unavailable
from howdah.worker.nest import LINE_BYTES_MAX, Command, ModeName, Mount, Nest, Outcome

PATH = {"PATH": "/usr/local/bin:/usr/bin:/bin"}
# Set when a run of this file is there to try one mode: then that mode is not chosen by us but by the system.
ONLY = os.environ.get("HOWDAH_TEST_NEST_MODE")
PATIENCE_SECONDS = 10
MODES = (ModeName.NAMESPACES, ModeName.FOLDER)
ENGINES = ("docker", "podman")
EXECUTIONS = (*MODES, "docker", pytest.param("podman", marks=pytest.mark.full))


def _start(work: Path, mode: ModeName, hidden: tuple[Path, ...] = ()) -> Nest:
    if ONLY is not None and mode != ONLY:
        pytest.skip(f"this run is about {ONLY}")
    nest = Nest.start(work, hidden, refuse_namespaces=mode is ModeName.FOLDER and ONLY is None)
    if nest.mode.name is not mode:
        nest.close()
        text = f"no namespaces here: {nest.mode.reason}"
        pytest.fail(text) if ONLY or os.environ.get("CI") else pytest.skip(text)
    return nest


@pytest.fixture(params=EXECUTIONS)
def nest(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[Nest]:
    """A nest in each mode, and a container of each engine in place of one; `tmp_path` lies in its work folder."""
    if request.param in ENGINES:
        if ONLY is not None:
            pytest.skip(f"this run is about {ONLY}")
        yield request.getfixturevalue("containers")(request.param)
        return
    with _start(tmp_path, request.param) as nest:
        yield nest


@pytest.fixture
def contained(tmp_path: Path) -> Iterator[Nest]:
    """A nest with namespaces, from which the folder `lake` beside its work folder is hidden."""
    (tmp_path / "work").mkdir()
    (tmp_path / "lake").mkdir()
    (tmp_path / "lake" / "secret").write_text("treasure")
    with _start(tmp_path / "work", ModeName.NAMESPACES, (tmp_path / "lake",)) as nest:
        yield nest


@pytest.fixture
def pfs(tmp_path: Path) -> Path:
    """A folder prepared for a command of `nest`."""
    return _prepare(tmp_path / "datum")


def _prepare(folder: Path, content: str = "hello\n") -> Path:
    (folder / "in").mkdir(parents=True)
    (folder / "out").mkdir()
    (folder / "in" / "a").write_text(content)
    return folder


def _shell(nest: Nest, pfs: Path, script: str, **others: object) -> tuple[Outcome, list[bytes]]:
    lines: list[bytes] = []
    values = {"env": PATH, "timeout": PATIENCE_SECONDS, **others}
    return nest.run(Command(("sh", "-c", script), pfs, on_output=lines.append, **values)), lines


def test_a_command_reads_its_inputs_and_writes_its_output(nest, pfs):
    """Both are folders below /pfs, as named in the command."""
    outcome, _ = _shell(nest, pfs, "wc -c < /pfs/in/a > /pfs/out/b")

    assert (0, None, "") == (outcome.exit_code, outcome.signal, outcome.error)
    assert "6\n" == (pfs / "out" / "b").read_text()


def test_what_a_command_leaves_can_be_read_and_removed(nest, pfs):
    """Files of user code belong to the worker's user."""
    _shell(nest, pfs, "mkdir -p /pfs/out/x/y && echo 1 > /pfs/out/x/y/z")

    assert "1\n" == (pfs / "out/x/y/z").read_text()
    assert os.geteuid() == (pfs / "out/x/y/z").stat().st_uid
    shutil.rmtree(pfs)


def test_a_command_after_another_sees_its_own_folder(nest, tmp_path):
    """/pfs changes with every command; nothing of the last one is left in it."""
    first, second = _prepare(tmp_path / "1", "first"), _prepare(tmp_path / "2", "second")

    assert [b"first"] == _shell(nest, first, "cat /pfs/in/a; touch /pfs/out/mine")[1]
    assert [b"second"] == _shell(nest, second, "cat /pfs/in/a; ls /pfs/out")[1]


@pytest.mark.parametrize("mode", [*MODES, *ENGINES])
def test_two_nests_at_once_each_see_their_own_pfs(mode, tmp_path, request):
    """Both commands are running before either reads: each reads the file prepared for it."""
    both_run = threading.Barrier(2, timeout=PATIENCE_SECONDS)
    read: dict[str, list[bytes]] = {"left": [], "right": []}

    def run(name: str) -> None:
        folder = _prepare(tmp_path / name / "datum", name)
        os.mkfifo(folder / "in" / "gate")
        gate = os.open(folder / "in" / "gate", os.O_RDWR)  # while it runs, a container has it elsewhere

        def on_output(line: bytes) -> None:
            if line == b"up":
                both_run.wait()
                os.write(gate, b"go\n")
            else:
                read[name].append(line)

        with start(tmp_path / name) as nest:
            script = "echo up; read go < /pfs/in/gate; cat /pfs/in/a"
            nest.run(Command(("sh", "-c", script), folder, PATH, timeout=PATIENCE_SECONDS, on_output=on_output))
        os.close(gate)

    def start(work: Path) -> Nest:
        return host.start(work) if host else _start(work, mode)

    (tmp_path / "left").mkdir()
    (tmp_path / "right").mkdir()
    if mode in ENGINES and ONLY is not None:
        pytest.skip(f"this run is about {ONLY}")
    host = request.getfixturevalue("hosts")(mode) if mode in ENGINES else None
    start(tmp_path).close()  # skips in this thread
    threads = [threading.Thread(target=run, args=(name,)) for name in read]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()

    assert {"left": [b"left"], "right": [b"right"]} == read


def test_a_command_has_the_environment_it_was_given_and_no_other(nest, pfs, monkeypatch):
    """Nothing of the worker's own environment is seen; PFS names the folder."""
    monkeypatch.setenv("STORE_PASSWORD", "treasure")

    _, lines = _shell(nest, pfs, "env", env={**PATH, "GREETING": "a=b c", "input": "/pfs/in/a"})

    names = {line.partition(b"=")[0] for line in lines} - {b"PWD", b"SHLVL", b"_", b"OLDPWD", b"HOME"}
    assert {b"PATH", b"GREETING", b"input", b"PFS"} == names
    assert b"GREETING=a=b c" in lines


def test_pfs_variable_leads_to_the_folder(nest, pfs):
    """A script that uses $PFS runs in both modes."""
    assert [b"hello"] == _shell(nest, pfs, 'cat "$PFS/in/a"')[1]


def test_a_script_on_stdin_runs(nest, pfs):
    """The words of stdin are words of the command too."""
    lines: list[bytes] = []

    nest.run(Command(("sh",), pfs, PATH, stdin=b"cat /pfs/in/a\necho done", on_output=lines.append))

    assert [b"hello", b"done"] == lines


def test_stdin_is_passed_whole_and_then_ends(nest, pfs):
    """A megabyte arrives to the byte; there is no terminal and no waiting behind it."""
    outcome, lines = _shell(nest, pfs, "wc -c", stdin=b"\xff" * 1_000_000)

    assert (0, [b"1000000"]) == (outcome.exit_code, lines)


def test_stdin_is_empty_unless_given(nest, pfs):
    """A command that reads stdin does not wait for ever."""
    assert [b"0"] == _shell(nest, pfs, "wc -c")[1]


def test_a_command_starts_in_the_root_folder(nest, pfs):
    """`/` is the one folder that every host has."""
    assert [b"/"] == _shell(nest, pfs, "pwd")[1]


def test_a_command_starts_in_the_folder_given(nest, pfs):
    """A working directory may lie in /pfs."""
    assert [b"a"] == _shell(nest, pfs, "ls", cwd="/pfs/in")[1]


def test_a_missing_working_directory_is_an_outcome(nest, pfs):
    """It is named, and the command is not run."""
    outcome, lines = _shell(nest, pfs, "echo no", cwd="/no/such/folder")

    assert (126, []) == (outcome.exit_code, lines)
    assert "working directory /no/such/folder: no such file or directory" == outcome.error


def test_the_exit_code_is_the_commands(nest, pfs):
    """An outcome, not an error: whoever ran it decides."""
    assert 7 == _shell(nest, pfs, "exit 7")[0].exit_code


def test_a_command_killed_by_a_signal_says_which(nest, pfs):
    """The exit code is that of a shell: 128 + signal."""
    outcome, _ = _shell(nest, pfs, "kill -TERM $$")

    assert (143, 15, False) == (outcome.exit_code, outcome.signal, outcome.timed_out)


def test_signals_are_as_a_command_expects_them(nest, pfs):
    """What a Python process ignores is not ignored in a command: a writer whose reader is gone ends."""
    lines: list[bytes] = []

    # No shell between: some ignore signals themselves.
    nest.run(Command(("grep", "-E", "^Sig(Ign|Blk)", "/proc/self/status"), pfs, PATH, on_output=lines.append))

    # Only those that have names: the C library ignores two of its own, 32 and 33, in what it starts.
    assert [0, 0] == [int(line.split()[1], 16) & 0x7FFF_FFFF for line in lines]


@pytest.mark.parametrize("word", ["no-such-command", "/no/such/command"])
def test_a_missing_command_is_an_outcome(nest, pfs, word):
    """It has a shell's exit code and a text that names it."""
    outcome = nest.run(Command((word,), pfs, PATH))

    assert (127, f"command not found: {word}") == (outcome.exit_code, outcome.error)


def test_a_command_that_may_not_be_executed_is_an_outcome(nest, pfs):
    """It has a shell's exit code and a text that names it."""
    outcome = nest.run(Command(("/etc/passwd",), pfs, PATH))

    assert (126, "command not executable: /etc/passwd") == (outcome.exit_code, outcome.error)


def test_a_script_without_its_interpreter_is_an_outcome(nest, pfs):
    """The file is there, so the text says what is not."""
    script = pfs / "in" / "script"
    script.write_text("#!/no/such/interpreter\n")
    script.chmod(0o755)

    outcome = nest.run(Command(("/pfs/in/script",), pfs, PATH))

    assert 127 == outcome.exit_code
    assert outcome.error.endswith("the interpreter that it names is missing")


def test_a_nest_goes_on_after_a_command_that_could_not_start(nest, pfs):
    """The next command runs as if nothing had been."""
    nest.run(Command(("no-such-command",), pfs, PATH))

    assert [b"hello"] == _shell(nest, pfs, "cat /pfs/in/a")[1]


def test_output_need_not_be_text(nest, pfs):
    """Bytes that are not UTF-8 arrive as they are."""
    assert [b"\xff\xfe", b"\x80"] == _shell(nest, pfs, r"printf '\377\376\n\200'")[1]


def test_stdout_and_stderr_come_in_their_order(nest, pfs):
    """Both go into one pipe, so what was said first comes first."""
    assert [b"1", b"2", b"3"] == _shell(nest, pfs, "echo 1; echo 2 >&2; echo 3")[1]


def test_big_output_blocks_nobody(nest, pfs):
    """A line of 5 MB comes in pieces that can be held."""
    outcome, lines = _shell(nest, pfs, "head -c 5000000 /dev/zero; echo; echo end")

    assert (0, 5_000_000, b"end") == (outcome.exit_code, sum(map(len, lines[:-1])), lines[-1])
    assert LINE_BYTES_MAX == max(map(len, lines))


def test_a_command_holds_no_descriptor_of_ours(nest, pfs):
    """Only stdin, stdout and stderr; the fourth is the listing's own."""
    assert [b"0", b"1", b"2", b"3"] == _shell(nest, pfs, "exec ls /proc/self/fd")[1]


def test_a_daemon_is_dead_after_the_command(nest, pfs):
    """In a session of its own, its parents gone, it holds a lock; once `run` has returned, the lock is free."""
    script = """
        (setsid sh -c 'flock 8; echo 1 > /pfs/out/ready; sleep 1000' 8> /pfs/out/lock &)
        until [ -s /pfs/out/ready ]; do :; done
    """

    outcome, _ = _shell(nest, pfs, script)

    assert 0 == outcome.exit_code
    assert [b"free"] == _shell(nest, pfs, "flock -n /pfs/out/lock echo free")[1]


# A tree with a branch in a session of its own, which holds a lock as long as it lives.
TREE = """
    setsid sh -c 'flock 8; echo up; sleep 1000' 8> /pfs/out/lock &
    sh -c 'sleep 1000'
"""


def test_a_timeout_kills_the_whole_tree(nest, pfs):
    """Also what ran in a session of its own; the outcome tells a timeout from other deaths."""
    outcome, _ = _shell(nest, pfs, TREE, timeout=0.2)

    assert (True, False, 9) == (outcome.timed_out, outcome.cancelled, outcome.signal)
    assert 0.2 <= outcome.seconds < PATIENCE_SECONDS
    assert [b"free"] == _shell(nest, pfs, "flock -n /pfs/out/lock echo free")[1]


def test_cancel_kills_the_whole_tree(nest, pfs):
    """Called while the command runs (here: by the listener to its output), it ends the run at once."""
    answers: list[bool] = []

    outcome = nest.run(Command(("sh", "-c", TREE), pfs, PATH, on_output=lambda _: answers.append(nest.cancel())))

    assert [True] == answers
    assert (True, False, 9) == (outcome.cancelled, outcome.timed_out, outcome.signal)
    assert [b"free"] == _shell(nest, pfs, "flock -n /pfs/out/lock echo free")[1]


def test_cancel_between_commands_does_nothing(nest, pfs):
    """It says so, and the next command is not hit."""
    assert nest.cancel() is False

    assert [b"hello"] == _shell(nest, pfs, "cat /pfs/in/a")[1]


def test_an_exception_of_the_listener_kills_the_command(nest, pfs):
    """It goes on to whoever ran the command, and the nest is good for the next."""

    def on_output(line: bytes) -> None:
        raise LookupError(line)

    with pytest.raises(LookupError):
        nest.run(Command(("sh", "-c", "echo up; sleep 1000"), pfs, PATH, on_output=on_output))

    assert [b"hello"] == _shell(nest, pfs, "cat /pfs/in/a")[1]


def test_time_and_memory_are_counted(nest, pfs):
    """A process that fills 100 MB is told from one that does not."""
    outcome, _ = _shell(nest, pfs, "exec dd if=/dev/zero of=/dev/null bs=100000000 count=1")

    assert 0 < outcome.cpu_seconds < outcome.seconds * (os.cpu_count() or 1) + 1
    assert outcome.memory_max_bytes > 100_000_000


def test_a_folder_outside_the_work_folder_is_refused(nest, tmp_path):
    """/pfs is never anything but what was prepared for this nest."""
    with pytest.raises(BadRequest) as error:
        nest.run(Command(("true",), Path("/usr"), PATH))

    assert ErrorKind.BAD_ARGUMENT == error.value.kind


@pytest.mark.parametrize(("argv", "env"), [((), {}), (("a\0b",), {}), (("true",), {"A": "\0"}), (("true",), {"": "x"})])
def test_words_that_no_system_can_pass_are_refused(nest, pfs, argv, env):
    """Before anything is started."""
    with pytest.raises(BadRequest) as error:
        nest.run(Command(argv, pfs, env))

    assert ErrorKind.BAD_ARGUMENT == error.value.kind


def test_a_closed_nest_runs_nothing(nest, pfs):
    """It says so, and may be closed again."""
    nest.close()

    with pytest.raises(Unavailable) as error:
        nest.run(Command(("true",), pfs, PATH))

    assert ErrorKind.UNREACHABLE == error.value.kind
    nest.close()


def test_close_ends_the_command_that_runs(nest, pfs):
    """The thread that waits for it learns that the nest is gone."""
    with pytest.raises(Unavailable):
        nest.run(
            Command(
                ("sh", "-c", "echo up; sleep 1000"),
                pfs,
                PATH,
                on_output=lambda _: threading.Thread(target=nest.close).start(),
            )
        )


def test_folders_that_do_not_exist_are_refused(tmp_path):
    """A typing error in what is to be hidden would show it."""
    with pytest.raises(BadRequest):
        Nest.start(tmp_path, [tmp_path / "typing error"])


def test_the_mode_says_why_it_is_not_better(tmp_path):
    """Whoever looks at a job learns the reason."""
    with Nest.start(tmp_path, refuse_namespaces=True) as nest:
        assert (ModeName.FOLDER, "namespaces were refused by the caller") == (nest.mode.name, nest.mode.reason)


def test_a_work_folder_that_shells_would_misread_is_refused_without_namespaces(tmp_path):
    """Its path would stand unquoted in scripts."""
    folder = tmp_path / "my lake"
    folder.mkdir()

    with pytest.raises(BadRequest) as error:
        Nest.start(folder, refuse_namespaces=True)

    assert ErrorKind.BAD_ARGUMENT == error.value.kind


def test_the_lake_is_hidden(contained, tmp_path):
    """Its folder is an empty one, which cannot be written, uncovered, or walked around by /proc."""
    secret = tmp_path / "lake" / "secret"
    script = f"""
        umount {secret.parent}; umount -l {secret.parent}; echo x > {secret.parent}/new
        unshare -Urm sh -c 'umount {secret.parent}; cat {secret}'
        cat {secret} /proc/[0-9]*/root{secret} /proc/[0-9]*/cwd{secret} /proc/[0-9]*/cwd/../../lake/secret
        ls -A {secret.parent} > /pfs/out/listing
    """

    outcome, lines = _shell(contained, pfs := _prepare(tmp_path / "work" / "datum"), script)

    assert (0, "") == (outcome.exit_code, (pfs / "out" / "listing").read_text())
    assert b"treasure" not in b"".join(lines)
    assert ["secret"] == os.listdir(secret.parent)


def test_memory_of_the_host_is_hidden(contained, tmp_path):
    """Secrets and files of other workers' datums lie there; each command has a place in memory of its own."""
    pfs = _prepare(tmp_path / "work" / "datum")
    with tempfile.TemporaryDirectory(dir="/dev/shm") as folder:
        script = f"ls -A /dev/shm; ls {folder}; echo kept > /dev/shm/mine; cat /dev/shm/mine"

        outcome, lines = _shell(contained, pfs, script)
        again, left = _shell(contained, pfs, "ls -A /dev/shm; touch /dev/shm/new")

    assert (0, b"kept") == (outcome.exit_code, lines[-1])
    assert 2 == len(lines)  # and one says that the folder is not there
    assert (0, []) == (again.exit_code, left)
    assert not os.path.exists("/dev/shm/mine")


def test_folders_within_hidden_folders_are_hidden(tmp_path):
    """The work folder may lie in the lake, and what is hidden may be named twice."""
    work, cellar = tmp_path / "lake" / "work", tmp_path / "lake" / "cellar"
    work.mkdir(parents=True)
    cellar.mkdir()
    pfs = _prepare(work / "datum")

    with _start(work, ModeName.NAMESPACES, (tmp_path / "lake", cellar, cellar)) as nest:
        outcome, lines = _shell(nest, pfs, f"cat /pfs/in/a; ls -A {tmp_path / 'lake'}; ls {cellar}")

    assert 2 == outcome.exit_code
    assert [b"hello"] == lines[:-1]


def test_other_commands_folders_are_hidden(contained, tmp_path):
    """The work folder cannot be seen at its own path, around /pfs, or through the nest's own descriptors."""
    mine, other = _prepare(tmp_path / "work" / "mine"), _prepare(tmp_path / "work" / "other", "treasure")
    script = f"""
        cat {other}/in/a /pfs/../other/in/a
        for number in 0 1 2 3 4 5 6 7 8 9; do cat /proc/1/fd/$number/other/in/a; ls /proc/1/fd/$number/; done
        umount /pfs; ls /pfs; cat /pfs/other/in/a
    """

    _, lines = _shell(contained, mine, script)

    assert b"treasure" not in b"".join(lines)
    assert b"other" not in [line.strip() for line in lines]


def test_only_the_commands_own_processes_are_seen(contained, tmp_path):
    """The worker cannot be seen, and so not be signalled."""
    _, lines = _shell(contained, _prepare(tmp_path / "work" / "datum"), "cd /proc; echo [0-9]*")

    assert 3 >= len(lines[0].split())


def test_the_hosts_root_is_gone(contained, tmp_path):
    """There is one root and one way to /pfs; the host's own root is not below either."""
    _, lines = _shell(contained, _prepare(tmp_path / "work" / "datum"), "cat /proc/self/mountinfo")

    points = [line.split()[4] for line in lines]
    assert (1, 2) == (points.count(b"/"), points.count(b"/pfs"))  # /pfs: the work folder, and over it the datum's


def test_the_worlds_files_are_there(contained, tmp_path):
    """Whatever the host has at its root a command has too; only /pfs is added."""
    _, lines = _shell(contained, _prepare(tmp_path / "work" / "datum"), "ls -A /")

    assert {*os.listdir(b"/"), b"pfs"} == set(lines)


def test_nothing_is_left_on_the_host(tmp_path):
    """Neither /pfs nor a mount, not while a command runs and not afterwards."""
    had_pfs = os.path.exists("/pfs")
    during: list[list[str]] = []
    pfs = _prepare(tmp_path / "datum")

    def mounts() -> list[str]:
        """Those of ours: others of this machine come and go."""
        lines = Path("/proc/self/mountinfo").read_text().splitlines()
        return [line for line in lines if str(tmp_path) in line or " /pfs" in line]

    before = mounts()
    with _start(tmp_path, ModeName.NAMESPACES) as nest:
        nest.run(Command(("echo", "up"), pfs, PATH, on_output=lambda _: during.append(mounts())))

    assert [before, before] == [*during, mounts()]
    assert had_pfs == os.path.exists("/pfs")


def _mounted(nest: Nest, pfs: Path, script: str, *mounts: Mount) -> tuple[Outcome, list[bytes]]:
    return _shell(nest, pfs, script, mounts=mounts)


def test_files_are_mounted_for_one_command(contained, tmp_path):
    """In a new folder and over an old one, any bytes, readable alone; the next command and the host have neither."""
    pfs, old = _prepare(tmp_path / "work" / "datum"), tmp_path / "old"
    old.mkdir()
    (old / "own").write_text("the host's")
    mounts = (Mount("/new-secrets/deep", {"a": b"1\0\n2", "b": b""}), Mount(str(old), {"c": b"three"}))

    script = f"cd /new-secrets/deep; wc -c < a; ls; stat -c %a a; ls {old}; cat {old}/c; echo; echo x > a; echo y > new"
    _, lines = _mounted(contained, pfs, script, *mounts)
    _, after = _mounted(contained, pfs, f"ls -A / {old}")

    assert [b"4", b"a", b"b", b"400", b"c", b"three"] == [line.strip() for line in lines[:6]]
    assert b"Read-only file system" in lines[-1]
    assert b"own" in after
    assert b"new-secrets" not in after
    assert ["own"] == os.listdir(old)
    assert not os.path.exists("/new-secrets")


def test_files_are_mounted_below_a_folder_of_the_host_without_touching_it(contained, tmp_path):
    """What is in that folder is there as before, and can be written."""
    pfs, above = _prepare(tmp_path / "work" / "datum"), tmp_path / "above"
    (above / "folder").mkdir(parents=True)
    (above / "file").write_text("the host's")
    (above / "link").symlink_to("file")
    mounts = (Mount(str(above / "x" / "y"), {"a": b"1"}), Mount(str(above / "x" / "z"), {"a": b"2"}))

    script = f"cd {above}; ls; cat file link x/y/a x/z/a; echo more > folder/made"
    outcome, lines = _mounted(contained, pfs, script, *mounts)

    assert [b"file", b"folder", b"link", b"x", b"the host'sthe host's12"] == lines
    assert 0 == outcome.exit_code
    assert {"file", "folder", "link"} == set(os.listdir(above))
    assert "more\n" == (above / "folder" / "made").read_text()


def test_what_cannot_be_mounted_is_said(contained, tmp_path):
    """The text names the folder; the command is not begun, and the next one is as ever."""
    pfs = _prepare(tmp_path / "work" / "datum")

    outcome, lines = _mounted(contained, pfs, "echo ran", Mount("/etc/passwd/below", {"a": b"1"}))
    _, after = _mounted(contained, pfs, "ls -A / | grep -c pfs")

    assert (126, []) == (outcome.exit_code, lines)
    assert "files cannot be mounted on /etc/passwd/below" in outcome.error
    assert [b"1"] == after


def test_a_hidden_file_is_empty(tmp_path):
    """Whoever reads it finds nothing; the folder that it is in is there."""
    (tmp_path / "work").mkdir()
    (tmp_path / "beside").write_text("seen")
    (tmp_path / "key").write_text("treasure")
    pfs = _prepare(tmp_path / "work" / "datum")

    with _start(tmp_path / "work", ModeName.NAMESPACES, (tmp_path / "key",)) as nest:
        _, lines = _shell(nest, pfs, f"cat {tmp_path}/key {tmp_path}/beside")

    assert [b"seen"] == lines
    assert "treasure" == (tmp_path / "key").read_text()


def test_files_are_not_mounted_without_namespaces(tmp_path):
    """Everybody on this machine could read them there."""
    pfs = _prepare(tmp_path / "datum")

    with _start(tmp_path, ModeName.FOLDER) as nest, pytest.raises(BadRequest) as error:
        _mounted(nest, pfs, "true", Mount("/secrets", {"a": b"1"}))

    assert ErrorKind.BAD_ARGUMENT == error.value.kind
    assert "without namespaces" in error.value.message
