# SPDX-License-Identifier: Apache-2.0
"""What the house tests look at: the repository's files, modules and packages."""

import os
from collections.abc import Iterator
from pathlib import Path

ROOT = Path(__file__).resolve().parents[2]
SRC = ROOT / "src"
PACKAGE = SRC / "howdah"
STUBS = PACKAGE / "wire" / "stubs"  # generated: bound by no rule of style

NOT_OURS = {"build", "dist", "__pycache__"}  # and everything hidden but .ci


def repository_files() -> Iterator[Path]:
    """Every file of the repository, whether committed yet or not; nothing that a tool made."""
    for folder, folders, files in os.walk(ROOT):
        folders[:] = [name for name in folders if is_ours(name)]
        yield from (Path(folder, name) for name in files)


def is_ours(folder: str) -> bool:
    hidden = folder.startswith(".") and folder != ".ci"
    return not hidden and folder not in NOT_OURS and not folder.endswith(".egg-info")


def python_files(*, of: Path = ROOT) -> list[Path]:
    """All hand-written modules and scripts below a folder, in order."""
    return sorted(
        path for path in repository_files() if path.suffix == ".py" and of in path.parents and STUBS not in path.parents
    )


def module_name(path: Path) -> str:
    """`howdah.model.refs` for its file; a package's `__init__` has the package's name."""
    parts = path.relative_to(SRC).with_suffix("").parts
    return ".".join(parts[:-1] if parts[-1] == "__init__" else parts)


def packages() -> list[str]:
    """The dotted names of all packages of howdah, generated ones included."""
    return sorted(
        module_name(path) for path in repository_files() if path.name == "__init__.py" and SRC in path.parents
    )


def shown(path: Path) -> str:
    return str(path.relative_to(ROOT))
