# SPDX-License-Identifier: Apache-2.0
"""Each API maps the whole error tree in one table, so no error reaches a caller as a surprise."""

import importlib
from collections.abc import Iterator
from importlib.util import find_spec

import pytest

from howdah.errors import ErrorKind, HowdahError

# The table, and the package from whose birth on it must be there.
TABLES = [
    ("howdah.apis.grpc.errors", "GRPC_CODES", "howdah.server"),
    ("howdah.cli.exits", "EXIT_CODES", "howdah.cli"),
]
DUE = [(module, name) for module, name, born in TABLES if find_spec(born)]


def groups(base: type[HowdahError] = HowdahError) -> Iterator[type[HowdahError]]:
    for group in base.__subclasses__():
        if group.__module__ == HowdahError.__module__:
            yield group
            yield from groups(group)


def missing_from(table: dict[object, object]) -> set[object]:
    """What a table leaves out: groups if it maps groups, kinds if it maps kinds alone."""
    by_group = any(isinstance(key, type) for key in table)
    return set(groups() if by_group else ErrorKind) - set(table)


@pytest.mark.parametrize(("module", "name"), DUE)
def test_every_error_is_mapped(module, name):
    """A table has a row for every group of the tree, or one for every kind."""
    table = getattr(importlib.import_module(module), name)

    assert set() == missing_from(table)


def test_a_table_that_leaves_something_out_is_noticed():
    """By group or by kind, one row too few is seen."""
    by_kind = dict.fromkeys(ErrorKind, 0)
    by_group = dict.fromkeys(groups(), 0)
    kind, group = next(iter(by_kind)), next(iter(by_group))
    del by_kind[kind], by_group[group]

    assert {kind} == missing_from(by_kind)
    assert {group} == missing_from(by_group)
