# SPDX-License-Identifier: Apache-2.0
"""Versioned files: projects, repos, branches, commits and what is in them.

    catalog      `Catalog`: all of the metadata in one object
    projects, repos, branches, commits, commit_sets, leases   what may be done, and what is answered
    work         one change from outside: a transaction, a commit set, one propagation at its end
    propagation  makes commits follow branches; `provenance` is the graph of both
    starting, closing, resolve, waiting   the parts of `commits`
    histories, walks   searches for what changed a path, and walks through provenance
    triggers, trigger_watch   when a branch moves by itself, and who sees to it
    labels       the user's own keys and values
    *_rows, commit_changes, touched, provenance, leases   owners of one table each; `infos` makes answers of rows
    subjects     what events are about

It stands on `howdah.db` for metadata and on `howdah.storage` for bytes, and knows no protocol and no pipeline.
"""

__all__ = ["catalog", "subjects", "work"]

from howdah.pfs import catalog, subjects, work
