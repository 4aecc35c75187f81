# SPDX-License-Identifier: Apache-2.0
"""What every group of calls about versioned files stands on: the bridge, the lake, and views of commits."""

from howdah.apis.grpc.bridge import Bridge, Context
from howdah.errors import ErrorKind, Unavailable
from howdah.model.refs import Commit, Commitish
from howdah.model.states import CommitState
from howdah.pfs.files import View
from howdah.pfs.lake import Pfs
from howdah.pfs.subjects import commit_subject

__all__ = ["PfsCalls"]


class PfsCalls:
    """A group of calls over one lake's versioned files."""

    def __init__(self, bridge: Bridge, pfs: Pfs) -> None:
        self._bridge = bridge
        self._pfs = pfs
        self._catalog = pfs.catalog

    async def _view(self, context: Context, ref: Commitish, *, partial: bool = False) -> View:
        """The files of a commit; waits, without a thread, while it is being closed."""
        found = await self._bridge.unary(context, self._view_now, ref, partial)
        if isinstance(found, View):
            return found
        closing = found

        def closed() -> View | None:
            again = self._view_now(closing, partial)
            return again if isinstance(again, View) else None

        return await self._bridge.wait(context, [commit_subject(closing)], closed)

    def _view_now(self, ref: Commitish, partial: bool) -> View | Commit:
        """The view, or the commit that must be waited for."""
        try:
            return self._pfs.files.view(ref, partial=partial)
        except Unavailable as error:
            if error.kind is not ErrorKind.COMMIT_OPEN:
                raise
            info = self._catalog.commits.inspect(ref)
            if info.state is not CommitState.FINISHING:
                raise
            return info.commit
