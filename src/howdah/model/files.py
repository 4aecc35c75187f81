# SPDX-License-Identifier: Apache-2.0
"""What is known of one file or directory without reading it."""

from dataclasses import dataclass

from howdah.model.paths import basename

__all__ = ["FileInfo"]


@dataclass(frozen=True, slots=True)
class FileInfo:
    """A file or a directory of a commit, as it is listed."""

    path: str  # clean; a directory's ends with `/`, and the root is `/`
    is_dir: bool
    size_bytes: int  # of a directory: of all files below it
    hash: bytes  # of a file: of its bytes alone, so that equal bytes have equal hashes everywhere

    @property
    def name(self) -> str:
        """The last component of the path, without a slash; empty for the root."""
        return basename(self.path)
