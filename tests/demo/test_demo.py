# SPDX-License-Identifier: Apache-2.0
"""The demo, run as `make demo` runs it. What its text says is checked by the demo itself."""

import os
import signal
import subprocess
import sys
from importlib.util import find_spec

import pytest

from tests.house.house import ROOT

RUN = ROOT / "examples" / "demo" / "run.py"
PGM_16_TILES = b"P5 1064 1064 255\n"

pytestmark = [pytest.mark.slow]


@pytest.fixture(autouse=True)
def needs_scikit_image():
    """Absent, it skips at home and fails in CI, where `make test` has installed it."""
    if find_spec("skimage") is None:
        text = "scikit-image is not installed: make demo installs it"
        pytest.fail(text) if os.environ.get("CI") else pytest.skip(text)


def start(folder, *options, **variables):
    return subprocess.Popen(
        [sys.executable, "-u", RUN, folder, *options],
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
        env={**os.environ, **variables},
    )


def running_in(folder):
    """The processes that work in a folder or were told of it, by /proc."""
    if not os.path.isdir("/proc/self"):
        pytest.skip("processes are told by /proc")
    return [pid for pid in os.listdir("/proc") if pid.isdecimal() and mentions(pid, str(folder))]


def mentions(pid, folder):
    try:
        with open(f"/proc/{pid}/cmdline", "rb") as cmdline:
            return os.readlink(f"/proc/{pid}/cwd").startswith(folder) or folder in os.fsdecode(cmdline.read())
    except OSError:
        return False


def test_the_demo_runs_from_end_to_end(tmp_path):
    """It ends with 0, leaves the montage as PGM and PNG, and nothing of it runs on."""
    folder = tmp_path / "demo"

    with start(folder) as demo:
        output, _ = demo.communicate(timeout=170)

    assert (0, "") == (demo.returncode, "" if demo.returncode == 0 else output)
    assert (folder / "montage.pgm").read_bytes().startswith(PGM_16_TILES)
    assert (folder / "montage.png").read_bytes().startswith(b"\x89PNG")
    assert [] == running_in(folder)


@pytest.mark.full
def test_the_demo_runs_in_containers(tmp_path, hosts):
    """Each pipeline in an image of its own, made on the spot; nothing of it runs on, in the engine neither."""
    folder, host = tmp_path / "demo", hosts("docker")

    variables = {"DOCKER_HOST": host.address, "HOWDAH_CONTAINER_NETWORK": "none"}
    with start(folder, "--execution", "container", **variables) as demo:
        output, _ = demo.communicate(timeout=300)

    assert (0, "") == (demo.returncode, "" if demo.returncode == 0 else output)
    assert (folder / "montage.pgm").read_bytes().startswith(PGM_16_TILES)
    assert [] == running_in(folder)
    assert {} == host.engine.owners()


def test_ctrl_c_ends_the_demo_and_its_server(tmp_path):
    """Interrupted while its server runs, the demo ends it, says so, and ends as interrupted programs do."""
    folder = tmp_path / "demo"

    with start(folder) as demo:
        while "howdah is ready" not in demo.stdout.readline():
            assert demo.poll() is None
        demo.send_signal(signal.SIGINT)
        output, _ = demo.communicate(timeout=60)

    assert 130 == demo.returncode
    assert "interrupted; the server has ended" in output
    assert [] == running_in(folder)


def test_a_folder_that_is_there_is_not_touched(tmp_path):
    """An earlier demo's lake is somebody's by now: the demo says so and ends with 1."""
    with start(tmp_path) as demo:
        output, _ = demo.communicate(timeout=60)

    assert 1 == demo.returncode
    assert f"{tmp_path} is there already" in output
    assert [] == list(tmp_path.iterdir())
