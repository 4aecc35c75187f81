# SPDX-License-Identifier: Apache-2.0
"""`pfs_v2.API`, put together from its groups of calls: one module for each.

`pfs_names` has projects, repos and branches, `pfs_commits` commits and commit sets, `pfs_removal` what takes commits
away, `pfs_reads` and `pfs_tar` what is read of files, `pfs_walks` searches and walks, `pfs_writes` what changes files,
`pfs_file_sets` what is put together beside commits, `pfs_cache` what callers remember, `pfs_upkeep` the checks,
`pfs_whole` what is about all of it. A method that none of them has is answered by `unimplemented`.
"""

from howdah.apis.grpc.pfs_cache import CacheCalls
from howdah.apis.grpc.pfs_commits import CommitCalls
from howdah.apis.grpc.pfs_file_sets import FileSetCalls
from howdah.apis.grpc.pfs_names import NameCalls
from howdah.apis.grpc.pfs_reads import ReadCalls
from howdah.apis.grpc.pfs_removal import RemovalCalls
from howdah.apis.grpc.pfs_upkeep import UpkeepCalls
from howdah.apis.grpc.pfs_walks import WalkCalls
from howdah.apis.grpc.pfs_whole import WholeCalls
from howdah.apis.grpc.pfs_writes import WriteCalls

__all__ = ["PfsService"]


class PfsService(
    NameCalls,
    CommitCalls,
    RemovalCalls,
    ReadCalls,
    WalkCalls,
    WriteCalls,
    FileSetCalls,
    CacheCalls,
    UpkeepCalls,
    WholeCalls,
):
    """The servicer of `pfs_v2.API`."""
