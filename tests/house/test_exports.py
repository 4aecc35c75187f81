# SPDX-License-Identifier: Apache-2.0
"""The public face is listed: a package's `__all__` is complete in form and true."""

import importlib
from collections.abc import Iterable
from types import ModuleType

import pytest

import howdah
from tests.house.house import PACKAGE, packages, python_files, shown

PUBLIC = ["__version__"]  # of `howdah` itself; a new name here is a promise


def absent(package: ModuleType, names: Iterable[str]) -> list[str]:
    """The names that are neither in the package nor modules of it."""
    return [name for name in names if not hasattr(package, name) and not is_module(f"{package.__name__}.{name}")]


def is_module(name: str) -> bool:
    try:
        importlib.import_module(name)
    except ModuleNotFoundError as error:
        if error.name != name:
            raise
        return False
    return True


@pytest.mark.parametrize("name", packages())
def test_every_package_lists_names_that_exist(name):
    """Each package has `__all__`, sorted as it is read, and each name in it is there."""
    package = importlib.import_module(name)

    listed = getattr(package, "__all__", None)

    assert listed is not None, f"{name} has no __all__"
    assert [] == absent(package, listed)
    assert len(set(listed)) == len(listed)


def test_every_folder_of_modules_is_a_package():
    """A forgotten `__init__.py` would hide its modules from every check."""
    folders = {path.parent for path in python_files(of=PACKAGE)}

    assert [] == sorted(shown(folder) for folder in folders if not (folder / "__init__.py").exists())


def test_the_top_package_promises_exactly_this():
    """`howdah.__all__` changes only together with this list."""
    assert PUBLIC == howdah.__all__
