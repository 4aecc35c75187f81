# SPDX-License-Identifier: Apache-2.0
"""Run `test_nest` and `test_nest_death` again as an ordinary user, and where the system gives no namespaces.

Another user needs files that it may read: the nest and its tests are copied to a folder of their own,
without the rest of howdah, which also shows that the nest needs nothing of it.
"""

import os
import shutil
import subprocess
import sys
import tempfile
from collections.abc import Iterator
from pathlib import Path

import pytest

import howdah.errors
from howdah.worker.nest import ModeName

HERE = Path(__file__).parent
USER = 54_321  # a number without a name: nothing is added to the machine's list of users
TESTS = ("test_nest.py", "test_nest_death.py")
INTERPRETERS = (sys.executable, "/usr/bin/python3", "/usr/local/bin/python3")

pytestmark = pytest.mark.skipif(sys.platform != "linux", reason="namespaces are Linux's")

# Closes the door behind itself: a user namespace in which no further one may be made, and no capability to do
# without. What Ubuntu 24.04 does to ordinary users looks the same from inside.
DENY = """
import os, sys
from howdah.worker.nest.inside import kernel
user, group = os.geteuid(), os.getegid()
kernel.unshare(kernel.CLONE_NEWUSER)
for name, text in [("setgroups", "deny"), ("uid_map", f"{user} {user} 1"), ("gid_map", f"{group} {group} 1")]:
    open(f"/proc/self/{name}", "w").write(text)
open("/proc/sys/user/max_user_namespaces", "w").write("0")
kernel.keep_capabilities(())
os.execv(sys.executable, [sys.executable, "-m", "pytest", *sys.argv[1:]])
"""


def _absent(reason: str) -> None:
    pytest.fail(reason) if os.environ.get("CI") else pytest.skip(reason)


@pytest.fixture
def home() -> Iterator[Path]:
    """A folder of the ordinary user with a copy of what is tested."""
    if os.geteuid() != 0:
        _absent("only root can become another user; run the tests as root")
    folder = Path(tempfile.mkdtemp(prefix="nest-"))
    try:
        package = folder / "src" / "howdah"
        shutil.copytree(HERE.parents[1] / "src/howdah/worker/nest", package / "worker" / "nest")
        shutil.copy(howdah.errors.__file__, package)
        for name in TESTS:
            shutil.copy(HERE / name, folder)
        (folder / "tmp").mkdir()
        for path in (folder, *folder.rglob("*")):
            path.chmod(0o755 if path.is_dir() else 0o644)
            os.chown(path, USER, USER)
        yield folder
    finally:
        shutil.rmtree(folder)


def _run_tests(home: Path, mode: ModeName, *before: str) -> "subprocess.CompletedProcess[str]":
    """Run the copied tests as the ordinary user, in the mode that they must find."""
    libraries = Path(pytest.__file__).parents[1]
    environment = {
        "PATH": os.environ["PATH"],
        "PYTHONPATH": f"{home / 'src'}:{libraries}",
        "PYTHONDONTWRITEBYTECODE": "1",
        "HOWDAH_TEST_NEST_MODE": mode,
        "TMPDIR": str(home / "tmp"),
    }

    def run(*words: str) -> "subprocess.CompletedProcess[str]":
        return subprocess.run(
            words,
            user=USER,
            group=USER,
            extra_groups=[],
            cwd=home,
            env=environment,
            capture_output=True,
            text=True,
            timeout=100,
            check=False,
        )

    for interpreter in INTERPRETERS:
        try:
            if run(interpreter, "-c", "import enum, pytest; enum.StrEnum").returncode == 0:
                options = ["-q", "-p", "no:cacheprovider", "--import-mode=importlib", "--rootdir", str(home), *TESTS]
                return run(interpreter, *(before or ("-m", "pytest")), *options)
        except OSError:
            continue  # absent, or in a folder that this user may not enter
    _absent(f"none of {', '.join(INTERPRETERS)} can be executed by an ordinary user")
    raise AssertionError("unreachable")


@pytest.mark.slow
def test_an_ordinary_user_has_namespaces(home):
    """Where the kernel gives user namespaces, everything holds for a user without any right."""
    if Path("/proc/sys/user/max_user_namespaces").read_text().strip() == "0":
        pytest.skip("this system gives ordinary users no namespaces")

    done = _run_tests(home, ModeName.NAMESPACES)

    assert 0 == done.returncode, done.stdout + done.stderr
    assert "passed" in done.stdout


@pytest.mark.slow
def test_pipelines_run_where_no_namespace_can_be_made(home):
    """The nest finds out by itself, says why, and commands run in a folder."""
    done = _run_tests(home, ModeName.FOLDER, "-c", DENY)

    assert 0 == done.returncode, done.stdout + done.stderr
    assert "passed" in done.stdout
