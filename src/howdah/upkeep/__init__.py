# SPDX-License-Identifier: Apache-2.0
"""Looking after a lake: giving back space, seeing where it went, proving what is stored.

    roots       every fileset and chunk that the database names, and what names it
    collector   garbage collection: mark, sweep into the trash, and away
    keeper      the same in the background
    usage       what repos, branches and commits hold, and what they hold alone
    metadata    what must hold between the rows of the database
    proving     every reachable byte, proved
    fsck        both together, and what to do about each fault

It stands above `pfs` and `pps`, since it reads the tables of both, and below the APIs.
"""

__all__ = ["Upkeep"]

from howdah.upkeep.upkeep import Upkeep
