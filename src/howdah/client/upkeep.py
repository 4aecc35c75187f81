# SPDX-License-Identifier: Apache-2.0
"""Calls that look after a lake: garbage collection, usage, checks."""

from collections.abc import Iterator
from datetime import timedelta

from howdah.client.caller import Caller
from howdah.client.coerce import CommitLike, a_commit
from howdah.model.refs import HEAD, Commit, Repo, parse_repo
from howdah.model.upkeep import Collected, Fault, Held, Proved, Tally
from howdah.wire.convert import commit_message, repo_message
from howdah.wire.stubs import howdah_v1_pb2 as hd
from howdah.wire.stubs import pfs_v2_pb2 as pb

__all__ = ["UpkeepCalls"]


class UpkeepCalls(Caller):
    """What is done for a lake as a whole."""

    def collect_garbage(
        self, *, dry_run: bool = False, undelete: bool = False, keep: timedelta | None = None
    ) -> Collected:
        """Put what nothing names into the trash, and remove what has been there for as long as it is kept (a day).

        With `dry_run` nothing is done; with `undelete` all that is in the trash comes back, and nothing else is done.

        Raises:
            Unavailable: BUSY: garbage is being collected.
            Damaged: what is named cannot be read; nothing was removed.
        """
        request = hd.CollectGarbageRequest(dry_run=dry_run, undelete=undelete)
        if keep is not None:
            request.keep.FromTimedelta(keep)
        return _collected(self._wire.call(self._wire.upkeep.CollectGarbage, request))

    def usage(self, *targets: str | Repo | CommitLike) -> list[Held]:
        """What repos, branches (`repo@branch`) and commits hold; every repo when none is given.

        Raises:
            NotFound: one does not exist.
        """
        request = hd.GetUsageRequest(targets=[self._held_by(each) for each in targets])
        return [
            Held(each.name, each.commits, each.size_bytes, each.stored_bytes, each.exclusive_bytes)
            for each in self._wire.call(self._wire.upkeep.GetUsage, request).usage
        ]

    def check(
        self,
        *,
        repair: bool = False,
        metadata_only: bool = False,
        part: tuple[int, int] | None = None,
        after: str = "",
        bytes_per_second: int = 0,
    ) -> Iterator[Fault | Proved]:
        """Faults of metadata and of stored bytes as they are found, and how far the proof of bytes has come.

        `part` is (number, count), counted from 1; `after` is where another check of that part was broken off.

        Raises:
            BadRequest: there is no such part, or no check gave that `after`.
        """
        number, count = part or (0, 0)
        request = hd.CheckRequest(
            repair=repair,
            metadata_only=metadata_only,
            part=number,
            parts=count,
            after=after,
            bytes_per_second=bytes_per_second,
        )
        return map(_answer, self._wire.stream(self._wire.upkeep.Check, request))

    def _held_by(self, value: str | Repo | CommitLike) -> pb.Commit:
        if isinstance(value, str) and "@" not in value:
            value = parse_repo(value, self.project)
        if isinstance(value, Repo):
            return pb.Commit(repo=repo_message(value))
        ref = a_commit(value, self.project)
        message = commit_message(ref)
        if not isinstance(ref, Commit) and ref.ancestry == HEAD and not ref.branch and not ref.id:
            message.repo.CopyFrom(repo_message(ref.repo))
        return message


def _collected(message: hd.CollectGarbageResponse) -> Collected:
    return Collected(
        dry_run=message.dry_run,
        named=_tally(message.named),
        young=_tally(message.young),
        thrown_away=_tally(message.thrown_away),
        waiting=_tally(message.waiting),
        put_back=_tally(message.put_back),
        removed=_tally(message.removed),
        missing=message.missing,
    )


def _tally(message: hd.Tally) -> Tally:
    return Tally(message.objects, message.size_bytes)


def _answer(message: hd.CheckResponse) -> Fault | Proved:
    if message.HasField("fault"):
        fault = message.fault
        return Fault(fault.what, fault.hurt, fault.advice, fault.repaired)
    progress = message.progress
    return Proved(progress.ranges, progress.ranges_total, progress.size_bytes, progress.after)
