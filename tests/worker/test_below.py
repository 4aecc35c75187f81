# SPDX-License-Identifier: Apache-2.0
"""What user code leaves is read and removed without a link being followed, also one that was put there just now."""

import os
import subprocess
import sys

import pytest

from howdah.errors import BadRequest, ErrorKind
from howdah.worker import below as module
from howdah.worker import collect as collecting
from howdah.worker import outputs as outputs_module
from howdah.worker.below import Below, open_to_all, remove
from howdah.worker.folders import Folders
from tests.worker.test_collect import claim, collected, folder, lake

__all__ = ["claim", "folder", "lake"]
pytestmark = pytest.mark.skipif(sys.platform == "win32", reason="folders are opened")
DEEP = 1_200


@pytest.fixture
def victim(tmp_path):
    """A folder of the host's, of which user code shall learn nothing."""
    folder = tmp_path / "host"
    folder.mkdir(mode=0o700)
    (folder / "key").write_text("treasure")
    return folder


@pytest.fixture
def deepen(tmp_path):
    """Makes folders in each other. What a test leaves of them is removed: pytest cannot do that."""
    yield _deepen
    subprocess.run(["rm", "-rf", "--", *tmp_path.iterdir()], check=True)


def _deepen(folder, levels=DEEP):
    """Deeper than a path may be long."""
    here = os.open(folder, os.O_RDONLY)
    for _ in range(levels):
        os.mkdir("d", dir_fd=here)
        inner = os.open("d", os.O_RDONLY, dir_fd=here)
        os.close(here)
        here = inner
    os.close(here)


def test_a_file_is_found_by_its_folders_alone(tmp_path, victim):
    """Neither over a link on the way, nor through one in its place; and nobody waits for a pipe."""
    base = tmp_path / "base"
    (base / "d").mkdir(parents=True)
    (base / "d/a").write_text("one")
    (base / "way").symlink_to(victim)
    (base / "d/link").symlink_to(victim / "key")
    os.mkfifo(base / "d/pipe")

    with Below(str(base)) as place:
        with place.file("d/a") as file:
            found = os.read(file, 10)
        for path in ("way/key", "d/link", "d/pipe", "d", "d/none"):
            with pytest.raises(OSError), place.file(path):
                pass

    assert b"one" == found


def test_rights_are_given_to_a_folder_and_through_no_link(tmp_path, victim):
    """What has the name of an output folder may be a link by then, or nothing."""
    (tmp_path / "out").symlink_to(victim)

    open_to_all(str(tmp_path), "out")
    open_to_all(str(tmp_path), "none")

    assert 0o700 == victim.stat().st_mode & 0o777


def test_what_is_very_deep_is_removed(tmp_path, deepen):
    """And what has no rights; Python itself would give up."""
    (tmp_path / "x/y").mkdir(parents=True)
    deepen(tmp_path / "x/y")
    (tmp_path / "x/y/file").touch(mode=0)
    os.chmod(tmp_path / "x/y", 0)

    remove(str(tmp_path / "x"))

    assert [] == os.listdir(tmp_path)


def test_a_folder_that_becomes_a_link_while_it_is_removed_costs_the_host_nothing(tmp_path, victim, monkeypatch):
    """As it can where a process that stays up holds the folder above it."""
    (tmp_path / "datum/out/d").mkdir(parents=True)
    unlink = os.unlink

    def unlinked(name, **options):
        try:
            unlink(name, **options)
        finally:
            if name == "d" and (tmp_path / "datum/out/d").is_dir():  # it was seen to be a folder
                os.rename(tmp_path / "datum/out/d", tmp_path / "datum/out/e")
                (tmp_path / "datum/out/d").symlink_to(victim)

    monkeypatch.setattr(module.os, "unlink", unlinked)
    with pytest.raises(OSError):
        remove(str(tmp_path / "datum"))

    assert "treasure" == (victim / "key").read_text()


def test_an_output_that_becomes_a_link_before_it_is_read_is_no_output(lake, claim, folder, victim, monkeypatch):
    """Nor one that lies behind such a link: the datum fails, and says which it was."""
    (folder / "out/d").mkdir()
    (folder / "out/d/key").write_text("mine")
    checked = collecting._checked

    def swapped(datum):
        found = list(checked(datum))
        os.rename(folder / "out/d", folder / "out/e")
        (folder / "out/d").symlink_to(victim)
        return found

    monkeypatch.setattr(collecting, "_checked", swapped)
    with pytest.raises(BadRequest) as error:
        collected(lake, claim, folder)

    assert ErrorKind.BAD_PATH == error.value.kind
    assert "/pfs/out/d/key was removed or replaced while it was read" in error.value.message


def test_an_output_may_not_be_deeper_than_a_walk_can_go(lake, claim, folder, deepen):
    """It is the datum that fails, and not the worker."""
    deepen(folder / "out", 410)

    with pytest.raises(BadRequest) as error:
        collected(lake, claim, folder)

    assert "folders deep; leave fewer" in error.value.message


def test_a_folder_is_clean_again_whatever_was_left_in_it(tmp_path, deepen):
    """Deep, closed, or with links to elsewhere."""
    folders = Folders(tmp_path / "work", reuse=True)
    given = folders.new(["in"])
    deepen(f"{given}/out")
    os.symlink(tmp_path, f"{given}/in/link")

    folders.discard(given)
    folders.close()

    assert {"in": [], "out": []} == {name: os.listdir(f"{given}/{name}") for name in os.listdir(given)}
    remove(given)


@pytest.mark.parametrize("gone", ["out/d", "out/d/key"])
def test_an_output_that_is_removed_before_it_is_read_costs_its_datum_alone(lake, claim, folder, monkeypatch, gone):
    """The worker goes on, and does not give the whole set of datums to another."""
    (folder / "out/d").mkdir()
    (folder / "out/d/key").write_text("mine")
    listed = outputs_module._listed

    def removed(place, below):
        found = listed(place, below)
        if below == os.path.dirname(gone):
            subprocess.run(["rm", "-r", folder / gone], check=True)
        return found

    monkeypatch.setattr(outputs_module, "_listed", removed)
    with pytest.raises(BadRequest) as error:
        collected(lake, claim, folder)

    assert f"/pfs/{gone} was removed or replaced" in error.value.message
