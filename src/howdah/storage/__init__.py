# SPDX-License-Identifier: Apache-2.0
"""Bytes and filesets in an object store. Knows no database and no commit.

From below to above: `objects` (the store), `chunks`, `packs`, `cutting`, `content` (bytes of files), `rows`,
`nodes`, `filesets` (sorted maps of paths), `merge`, `changes`, `edits`, `writer` (how they change), `reader`,
`listing`, `diff` (how they are asked). `storage.Storage` puts them together.
"""

__all__ = ["changes", "lake", "listing", "reader", "storage", "writer"]
