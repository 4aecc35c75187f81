# SPDX-License-Identifier: Apache-2.0
"""What a datum left in `/pfs/out`: its files in the order of their paths, links followed, anything odd refused.

Nothing is read here; `collect` does that. User code may have taken rights from its own files and folders: they
belong to this user, so the rights are given back. It may be at work there still (see `below`).
"""

import errno
import os
import stat
from collections.abc import Container, Iterator
from contextlib import contextmanager
from typing import Final, NamedTuple

from howdah.errors import BadRequest, ErrorKind
from howdah.model.paths import clean
from howdah.model.texts import one_line
from howdah.storage.local_files import explained
from howdah.worker.below import Below, rights_to
from howdah.worker.folders import OUT
from howdah.worker.links import resolve

__all__ = ["Output", "outputs", "settled"]

_DEEPEST: Final = 400  # folders in each other; a walk goes down by calling itself
_CHANGED: Final = {errno.ENOENT, errno.ENOTDIR, errno.EISDIR, errno.ELOOP, errno.ENXIO}
_KINDS: Final = {
    stat.S_IFSOCK: "a socket",
    stat.S_IFIFO: "a named pipe",
    stat.S_IFBLK: "a block device",
    stat.S_IFCHR: "a character device",
}


class Output(NamedTuple):
    """One file of the output: its path in the output repo, where its bytes lie below the datum's folder, its size.

    `changed_ns` is when it was last changed in any way, by the clock of the file system. A `pipe` has no bytes there:
    it is in the folder of an input whose files are pipes, read or not.
    """

    path: str
    below: str
    size: int
    changed_ns: int
    pipe: bool = False


def outputs(folder: str, pipes: Container[str] = ()) -> Iterator[Output]:
    """All files that `<folder>/out` holds, links to files and folders below `<folder>` included.

    `pipes` are the names of folders below `<folder>` whose pipes may be linked to.

    Raises:
        BadRequest: BAD_PATH: something that a repo cannot hold; the text names it and says why.
        Refused, Unavailable: a folder cannot be read.
    """
    try:
        is_folder = stat.S_ISDIR(os.lstat(f"{folder}/{OUT}").st_mode)
    except FileNotFoundError:
        is_folder = False
    if not is_folder:
        text = "/pfs/out is no folder any more; leave it where it is, and put files and folders into it"
        raise BadRequest(ErrorKind.BAD_PATH, text)
    with Below(folder) as place:
        yield from _walk(_Tree(folder, place, pipes), OUT, "", (OUT,))


@contextmanager
def settled(below: str) -> Iterator[None]:
    """Where `below` is looked at, inside the block: an error of it is ours.

    Raises:
        BadRequest: BAD_PATH: it is not what it was a moment ago, so user code is still at it.
        Refused, Unavailable: it cannot be had.
    """
    with explained(f"/pfs/{below}"):
        try:
            yield
        except OSError as error:
            if error.errno not in _CHANGED:
                raise
            text = f"/pfs/{below} was removed or replaced while it was read"
            raise BadRequest(ErrorKind.BAD_PATH, f"{text}; leave it alone once the datum is done") from error


class _Tree(NamedTuple):
    """A datum's folder, what reaches the files below it, and the names of folders there with pipes of ours."""

    folder: str
    place: Below
    pipes: Container[str]


def _walk(tree: _Tree, below: str, path: str, above: tuple[str, ...]) -> Iterator[Output]:
    """The files of one folder, which lies at `below` and whose path in the repo is `path`.

    `above` are the folders that lead here, as they lie: a link to one of them would never end.
    """
    if len(above) > _DEEPEST:
        raise BadRequest(ErrorKind.BAD_PATH, f"/pfs/{below} is more than {_DEEPEST} folders deep; leave fewer")
    with settled(below):
        listed = _listed(tree.place, below)
    found = [_seen(tree, f"{below}/{name}", name, status) for name, status in listed]
    found.sort(key=_order)
    for name, real, status in found:
        file = clean(f"{path}/{name}")
        if stat.S_ISREG(status.st_mode):
            if not status.st_mode & stat.S_IRUSR:
                inside, _, last = real.rpartition("/")
                with settled(real):
                    rights_to(tree.place.folder(inside), last, stat.S_IMODE(status.st_mode) | stat.S_IRUSR)
            yield Output(file, real, status.st_size, status.st_ctime_ns)
        elif not stat.S_ISDIR(status.st_mode):
            yield Output(file, real, 0, status.st_ctime_ns, pipe=True)
        elif real in above or not real:
            text = f"link {_shown(below, name)} leads to a folder that it is in"
            raise BadRequest(ErrorKind.BAD_PATH, f"{text}; remove it")
        else:
            yield from _walk(tree, real, file, (*above, real))


def _listed(place: Below, below: str) -> list[tuple[str, os.stat_result]]:
    """What is in a folder, by name, and what it is."""
    try:
        return _statuses(place.folder(below))
    except PermissionError:  # it may not be listed, or listed but not entered
        above, _, name = below.rpartition("/")
        rights_to(place.folder(above), name, stat.S_IRWXU)
        return _statuses(place.folder(below))


def _statuses(folder: int) -> list[tuple[str, os.stat_result]]:
    return [(name, os.stat(name, dir_fd=folder, follow_symlinks=False)) for name in os.listdir(folder)]


def _seen(tree: _Tree, below: str, name: str, status: os.stat_result) -> tuple[str, str, os.stat_result]:
    """Name, place without links, and status of one entry of a folder."""
    if not name.isprintable():
        _check_name(below)
    if stat.S_ISLNK(status.st_mode):
        below = resolve(tree.folder, below)
        above, _, last = below.rpartition("/")
        with settled(below):
            status = os.stat(last or ".", dir_fd=tree.place.folder(above), follow_symlinks=False)
    kind = _KINDS.get(stat.S_IFMT(status.st_mode))
    if kind is not None and not (_may_be_pipe(status) and below.partition("/")[0] in tree.pipes):
        text = f"/pfs/{below} is {kind}, which no repo can hold; remove it before the command ends"
        raise BadRequest(ErrorKind.BAD_PATH, text)
    return name, below, status


def _order(entry: tuple[str, str, os.stat_result]) -> str:
    """A folder sorts as its name with the slash that follows in its files' paths."""
    name, _, status = entry
    return name + "/" if stat.S_ISDIR(status.st_mode) else name


def _check_name(below: str) -> None:
    try:
        below.encode()
    except UnicodeEncodeError as error:
        text = f"the name of {os.fsencode('/pfs/' + below)!r} is not UTF-8; rename it"
        raise BadRequest(ErrorKind.BAD_PATH, text) from error


def _shown(below: str, name: str) -> str:
    return one_line(f"/pfs/{below}/{name}")


def _may_be_pipe(status: os.stat_result) -> bool:
    """Whether it is a pipe, or what `pipes` puts there when it was read."""
    return stat.S_ISFIFO(status.st_mode) or stat.S_ISSOCK(status.st_mode)
