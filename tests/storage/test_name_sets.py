# SPDX-License-Identifier: Apache-2.0
"""Sets of names as sorted vectors: against Python's own sets."""

from hypothesis import given
from hypothesis import strategies as st

from howdah.storage.name_sets import NameSet, as_names, name_at

# Many end in zero bytes, which NumPy takes for the end of a shorter value.
NAMES = st.lists(st.binary(max_size=2).map(lambda end: end.rjust(3, b"a").ljust(32, b"\0")), max_size=30)


@given(NAMES, NAMES)
def test_it_holds_what_was_added_one_by_one(added, asked):
    """Each new name once."""
    names = NameSet()

    fresh = [name for name in added if names.add(name)]

    assert sorted(set(added)) == sorted(fresh) == list(names)
    assert [name in set(added) for name in asked] == list(names.contains(as_names(asked)))


@given(st.lists(NAMES, max_size=5), NAMES)
def test_it_holds_what_was_added_together(vectors, asked):
    """Whatever the order, and however often."""
    names = NameSet()
    for vector in vectors:
        names.update(as_names(vector))
    expected = {name for vector in vectors for name in vector}

    assert sorted(expected) == [name_at(names.names(), index) for index in range(len(names))]
    assert [name in expected for name in asked] == list(names.contains(as_names(asked)))
