# SPDX-License-Identifier: Apache-2.0
"""Keys of joins and groups: templates over what a pattern captured of a path."""

import pytest

from howdah.model.spec.keys import key_of, refers, without_groups


@pytest.mark.parametrize(
    ("path", "glob", "text", "key"),
    [
        ("/store-12.txt", "/store-(*).txt", "$1", "12"),
        ("/a/b.txt", "/(*)/(*).txt", "$2-${1}", "b-a"),
        ("/a/", "/(*)", "$1", "a"),  # a folder's key has no slash
        ("/", "/", "all", "all"),
        ("/a", "/*", "$1", ""),
        ("/a", "/*", "x$1$$", "x$"),
        ("/a", "/(*)", "$$1", "$1"),
        ("/a", "/b(*)", "$1", None),
    ],
)
def test_a_key_is_a_template_that_is_filled(path, glob, text, key):
    """What is not captured is empty; what does not match has none."""
    assert key == key_of(path, glob, text)


def test_a_template_refers_to_groups_or_does_not():
    """Two dollar signs are one."""
    assert [True, True, False, False] == [refers(text) for text in ("$1", "a${12}", "$$1", "plain")]
    assert "a-$1" == without_groups("a-$2$$1")
