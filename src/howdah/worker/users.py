# SPDX-License-Identifier: Apache-2.0
"""The user that a pipeline's commands run as (`transform.user`): by name or number, with a group if one is given.

Only a worker of root can be somebody else. Where the pipeline asks for another user than the worker's and that cannot
be, its datums fail and say so, rather than to run with other rights than were asked for.
"""

import grp
import os
import pwd
from dataclasses import dataclass

from howdah.errors import BadRequest, ErrorKind
from howdah.model.texts import one_line

__all__ = ["Owner", "give", "owner_of"]


@dataclass(frozen=True, slots=True)
class Owner:
    """A user of this machine: numbers of user, group and all groups, and the home folder, if it has one."""

    uid: int
    gid: int
    groups: tuple[int, ...]
    home: str


def owner_of(user: str) -> Owner | None:
    """Who `name`, `number` or either with `:group` is; None for nobody, and for the worker's own user.

    Raises:
        BadRequest: there is no such user or group, or this worker may not be anybody else.
    """
    name, colon, group = user.partition(":")
    if not name:
        return None
    entry = _entry(name)
    if entry is None and not name.isdecimal():
        raise _bad(user, "is no user of this machine", "give its number, or leave it out")
    uid = int(name) if entry is None else entry.pw_uid
    gid = _group(user, group) if colon else entry.pw_gid if entry is not None else 0
    if uid == os.geteuid() and (not colon or gid == os.getegid()):
        return None
    if os.geteuid() != 0:
        why = f"only a worker of root can run commands as another user, and this one is user {os.geteuid()}"
        raise _bad(user, f"cannot be had: {why}", "leave it out")
    groups = tuple(os.getgrouplist(entry.pw_name, gid)) if entry is not None else (gid,)
    return Owner(uid, gid, groups, entry.pw_dir if entry is not None else "/")


def give(folder: str, owner: Owner) -> None:
    """Make a folder and all that is in it that user's; links are not followed.

    Raises:
        OSError: it cannot be done.
    """
    os.chown(folder, owner.uid, owner.gid)
    for here, folders, files in os.walk(folder):
        for name in (*folders, *files):
            os.chown(f"{here}/{name}", owner.uid, owner.gid, follow_symlinks=False)


def _entry(name: str) -> pwd.struct_passwd | None:
    try:
        return pwd.getpwuid(int(name)) if name.isdecimal() else pwd.getpwnam(name)
    except (KeyError, OverflowError):
        return None


def _group(user: str, group: str) -> int:
    if group.isdecimal():
        return int(group)
    try:
        return grp.getgrnam(group).gr_gid
    except KeyError as error:
        raise _bad(user, "names no group of this machine", "give its number, or leave it out") from error


def _bad(user: str, what: str, way_out: str) -> BadRequest:
    return BadRequest(ErrorKind.BAD_ARGUMENT, f"transform.user {one_line(user)} {what}; {way_out}")
