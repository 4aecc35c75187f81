# SPDX-License-Identifier: Apache-2.0
"""Links to chunks: good for what they were made for, for a while."""

from urllib.parse import parse_qs, urlsplit

import pytest

from howdah.apis.chunk_links import LINK_SECONDS, ChunkLinks
from howdah.testing.manual_clock import ManualClock

NAME = bytes(range(32))
OTHER = bytes(32)


def parts(url):
    query = parse_qs(urlsplit(url).query)
    return query["until"][0], query["signature"][0]


@pytest.fixture
def clock():
    return ManualClock()


def test_a_link_opens_its_chunk_for_half_an_hour(clock):
    """And a little more, but not for ever."""
    links = ChunkLinks(lambda: "http://here:1", clock)
    url = links.url(NAME)
    clock.advance(LINK_SECONDS)

    assert url.startswith(f"http://here:1/chunk/{NAME.hex()}?")
    assert links.allows(NAME, *parts(url))
    clock.advance(60)
    assert not links.allows(NAME, *parts(url))


def test_a_link_opens_nothing_else(clock):
    """Neither another chunk, nor at another server, nor with another time."""
    links, others = ChunkLinks(str, clock), ChunkLinks(str, clock)
    until, signature = parts(links.url(NAME))

    assert not links.allows(OTHER, until, signature)
    assert not others.allows(NAME, until, signature)
    assert not links.allows(NAME, str(int(until) + 1), signature)


@pytest.mark.parametrize(("until", "signature"), [("", ""), ("x", "y"), ("1" * 30, "0"), ("\u0661", "0"), ("1", "é")])
def test_nonsense_opens_nothing(clock, until, signature):
    """Whatever strangers send is answered by no."""
    assert not ChunkLinks(str, clock).allows(NAME, until, signature)


def test_links_of_one_minute_are_equal(clock):
    """So that what caches by URL finds them again."""
    links = ChunkLinks(str, clock, key=bytes(32))
    first = links.url(NAME)
    clock.advance(59)

    assert first == links.url(NAME)
