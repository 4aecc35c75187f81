# SPDX-License-Identifier: Apache-2.0
"""Inputs tried out: the datums that an input would give now, without a pipeline, as they are found.

Nothing is stored and nothing is sorted, so the first datums are there at once, however many there will be. They come
in the order of the input, each once. Those of jobs, which are kept by their ids, are in `pps.datums`.
"""

from collections.abc import Iterator, Mapping
from contextlib import suppress

from howdah.db.engine import Database
from howdah.db.transaction import Transaction
from howdah.errors import BadRequest, ErrorKind, HowdahError
from howdah.model.files import FileInfo
from howdah.model.refs import Branch, Commit
from howdah.model.spec import CronInput, Input, PfsInput, UnionInput, pfs_inputs, walk_inputs
from howdah.model.states import DatumState
from howdah.pfs import closing, resolve
from howdah.pps.infos import DatumInfo, DatumInput
from howdah.pps.input_pages import Page, Slot
from howdah.pps.input_warnings import of_spec
from howdah.pps.inputs import Filesets, Warn, branch_of, pages, warnings_of
from howdah.pps.plan import identify
from howdah.storage.filesets import EMPTY_ROOT
from howdah.storage.storage import Storage

__all__ = ["Trial", "open_trial", "warnings_now"]


class Trial:
    """The datums of an input, from what its branches held at one moment. For one thread at a time."""

    def __init__(self, root: Input, filesets: Filesets, commits: Mapping[Branch, Commit]) -> None:
        self._root = root
        self._filesets = filesets
        self._commits = commits

    def datums(self, warn: Warn = lambda _text: None) -> Iterator[DatumInfo]:
        """All datums, in state UNKNOWN; `warn` is told what is odd about the input.

        Raises:
            Unsupported: a kind of input that cannot be tried out.
        """
        # Only the alternatives of a union can give one datum twice.
        can_repeat = any(isinstance(node, UnionInput) for node in walk_inputs(self._root))
        seen: set[bytes] = set()
        for page in pages(self._root, self._filesets, warn):
            ids, keys = identify(page, "")
            for number, (datum, key) in enumerate(zip(ids, keys, strict=True)):
                if can_repeat:
                    if (digest := bytes.fromhex(datum)) in seen:
                        continue
                    seen.add(digest)
                yield DatumInfo(datum, None, DatumState.UNKNOWN, self._parts(page, number), key)

    def _parts(self, page: Page, number: int) -> tuple[DatumInput, ...]:
        return tuple(self._part(slot, at) for slot in page.slots for at in slot.parts(number))

    def _part(self, slot: Slot, at: int) -> DatumInput:
        path = slot.paths[at]
        file = FileInfo(path, path.endswith("/"), slot.sizes[at], slot.hashes[at])
        return DatumInput(slot.source.name, self._commits.get(slot.source.at), file)


def open_trial(db: Database, storage: Storage, root: Input) -> Trial:
    """What an input would read now: its branches at their heads.

    An input with a trigger reads the branch that it would follow. A branch that is not there holds nothing: a
    pipeline would make it.

    Raises:
        NotFound: a repo.
        Unavailable: BUSY: a head has never been finished.
        Refused: COMMIT_FORGOTTEN.
        BadRequest: BAD_ARGUMENT: a cron input, which has no files before its pipeline.
    """
    if any(isinstance(node, CronInput) for node in walk_inputs(root)):
        text = "can't list datums with a cron input, there will be no datums until the pipeline is created"
        raise BadRequest(ErrorKind.BAD_ARGUMENT, f"{text}; leave the cron input out")
    roots: dict[Branch, bytes] = {}
    commits: dict[Branch, Commit] = {}
    with db.read() as tx:
        for node in pfs_inputs(root):
            roots[branch_of(node)] = _read(tx, node, commits)
    return Trial(root, {branch: storage.fileset(files, f"branch {branch}") for branch, files in roots.items()}, commits)


def warnings_now(db: Database, storage: Storage, root: Input) -> tuple[str, ...]:
    """What is odd about an input as its branches are now. What cannot be read is left out: whoever needs it says so."""
    roots: dict[Branch, bytes] = {}
    with db.read() as tx:
        for node in pfs_inputs(root):
            with suppress(HowdahError):
                roots[branch_of(node)] = _read(tx, node, {})
    filesets = {branch: storage.fileset(files, f"branch {branch}") for branch, files in roots.items()}
    try:
        return warnings_of(root, filesets)
    except HowdahError:
        return tuple(of_spec(root))


def _read(tx: Transaction, node: PfsInput, commits: dict[Branch, Commit]) -> bytes:
    """The files that an input reads; its commit is noted in `commits`."""
    branch = branch_of(node)
    read = branch if node.trigger is None else Branch(branch.repo, node.trigger.branch)
    head = resolve.head_of(tx, read)
    if head is None:
        return EMPTY_ROOT
    commits[branch] = head.commit
    return closing.good_root(tx, head)
