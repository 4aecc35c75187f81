# SPDX-License-Identifier: Apache-2.0
"""Programs of others that keep versions of a folder: how each is got, and how it is told to keep the next version.

Three come as Debian packages, one from the package index into an environment of its own. They are used as their manuals
say, with nothing turned on or off but encryption and questions.
"""

import os
import shutil
import subprocess
import sys
from collections.abc import Callable
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from typing import Final

__all__ = ["PEERS", "Peer", "debian", "environment", "folder_bytes", "found", "labelled", "run"]

REPOSITORY: Final = Path(__file__).resolve().parents[1]
_OWN: Final = REPOSITORY / "build" / "peers"


@dataclass(frozen=True, slots=True)
class Peer:
    """A program. `prepare` makes its store, `keep` adds the folder as it is now; both get the store and the folder."""

    name: str
    command: str
    install: Callable[[], None]
    prepare: Callable[[str, Path, Path], None]
    keep: Callable[[str, Path, Path, int], None]
    version: tuple[str, ...] = ("--version",)

    def found(self) -> str | None:
        """The path of the program; None if it is not on this machine."""
        return found(self.command)

    def label(self, program: str) -> str:
        """Its name with the version that is measured."""
        return labelled(self.name, program, *self.version)


def found(command: str) -> str | None:
    """The path of a program, that of its own environment if it has one; None if it is not on this machine."""
    own = _OWN / command / "bin" / command
    return str(own) if own.exists() else shutil.which(command)


def labelled(name: str, program: str, *version: str) -> str:
    """The name of a program with the version that it says it has."""
    done = subprocess.run([program, *(version or ("--version",))], capture_output=True, text=True)
    words = done.stdout.replace("git-lfs/", "").split()
    return f"{name} {next((word for word in words if word[:1].isdigit()), '')}".strip()


def folder_bytes(folder: Path) -> int:
    """The bytes of all files below a folder."""
    return sum(each.lstat().st_size for each in folder.rglob("*") if each.is_file() and not each.is_symlink())


def run(*command: str | Path, at: Path | None = None, **environment: str) -> None:
    """Run a command.

    Raises:
        RuntimeError: it ended badly; with what it said.
    """
    words = [str(word) for word in command]
    done = subprocess.run(words, cwd=at, env=os.environ | environment, capture_output=True, text=True)
    if done.returncode:
        raise RuntimeError(f"{' '.join(words)}: {(done.stderr or done.stdout).strip()[-600:]}")


def debian(package: str) -> None:
    """Install a package of the system."""
    run("apt-get", "install", "--yes", "--no-install-recommends", package, DEBIAN_FRONTEND="noninteractive")


def environment(package: str) -> None:
    """Install a package of the index into an environment of its own."""
    folder = _OWN / package
    run(sys.executable, "-m", "venv", folder)
    run(folder / "bin" / "python", "-m", "pip", "--quiet", "--disable-pip-version-check", "install", package)


def _git(store: Path, folder: Path) -> dict[str, str]:
    name = {"GIT_AUTHOR_NAME": "bench", "GIT_AUTHOR_EMAIL": "bench@localhost"}
    committer = {"GIT_COMMITTER_NAME": "bench", "GIT_COMMITTER_EMAIL": "bench@localhost"}
    return {"GIT_DIR": str(store), "GIT_WORK_TREE": str(folder), "HOME": str(store.parent), **name, **committer}


def _lfs_prepare(_: str, store: Path, folder: Path) -> None:
    run("git", "init", "--quiet", at=folder, **_git(store, folder))
    run("git", "lfs", "install", "--local", at=folder, **_git(store, folder))
    (store / "info").mkdir(exist_ok=True)
    (store / "info" / "attributes").write_text("* filter=lfs diff=lfs merge=lfs -text\n")


def _lfs_keep(_: str, store: Path, folder: Path, number: int) -> None:
    run("git", "add", "--all", at=folder, **_git(store, folder))
    run("git", "commit", "--quiet", "-m", f"version {number}", at=folder, **_git(store, folder))


def _dvc_prepare(program: str, store: Path, _: Path) -> None:
    store.mkdir()
    run(program, "init", "--no-scm", at=store, DVC_NO_ANALYTICS="1")


def _dvc_keep(program: str, store: Path, folder: Path, _: int) -> None:
    # It keeps what is in its own folder: the data are there while it looks, and are copied, not linked, into its cache.
    run(program, "config", "cache.type", "copy", at=store, DVC_NO_ANALYTICS="1")
    inside = store / "data"
    folder.rename(inside)
    try:
        run(program, "add", "data", at=store, DVC_NO_ANALYTICS="1")
    finally:
        inside.rename(folder)


def _borg_environment(store: Path) -> dict[str, str]:
    return {"BORG_BASE_DIR": str(store.parent), "BORG_UNKNOWN_UNENCRYPTED_REPO_ACCESS_IS_OK": "yes"}


def _borg_prepare(program: str, store: Path, _: Path) -> None:
    run(program, "init", "--encryption=none", store, **_borg_environment(store))


def _borg_keep(program: str, store: Path, folder: Path, number: int) -> None:
    run(program, "create", f"{store}::{number}", ".", at=folder, **_borg_environment(store))


def _restic_environment(store: Path) -> dict[str, str]:
    return {
        "RESTIC_PASSWORD": "bench",
        "RESTIC_REPOSITORY": str(store),
        "RESTIC_CACHE_DIR": str(store.parent / "cache"),
    }


def _restic_prepare(program: str, store: Path, _: Path) -> None:
    run(program, "init", **_restic_environment(store))


def _restic_keep(program: str, store: Path, folder: Path, _: int) -> None:
    run(program, "backup", ".", at=folder, **_restic_environment(store))


PEERS: Final = (
    Peer("git-lfs", "git-lfs", partial(debian, "git-lfs"), _lfs_prepare, _lfs_keep),
    Peer("DVC", "dvc", partial(environment, "dvc"), _dvc_prepare, _dvc_keep),
    Peer("Borg", "borg", partial(debian, "borgbackup"), _borg_prepare, _borg_keep),
    Peer("restic", "restic", partial(debian, "restic"), _restic_prepare, _restic_keep, ("version",)),
)
