# SPDX-License-Identifier: Apache-2.0
"""What an engine says when it starts no container, and what can be done about it."""

import pytest

from howdah.engine import Settings
from howdah.errors import ErrorKind, Refused


@pytest.mark.slow
@pytest.mark.parametrize(
    ("asked", "said", "way_out"),
    [
        ({"user": "nobody-of-this-name"}, "nobody-of-this-name", "name a user that the image has"),
        ({"network": "no-such-network"}, "no-such-network", "start the server with another (--container-network)"),
    ],
)
def test_a_refusal_to_start_has_a_way_out(host, asked, said, way_out):
    """By whichever call the engine says it."""
    settings = Settings(host.image, **{"network": "none", **asked})

    with pytest.raises(Refused) as raised:
        started(host.engine, settings)

    assert ErrorKind.ENGINE_REFUSED == raised.value.kind
    assert said in raised.value.message
    assert raised.value.message.endswith(way_out) or f"; {way_out}" in raised.value.message


def started(engine, settings):
    """Make a container and start it; it is removed again."""
    made = engine.create(settings, {}, ("/bin/sleep", "9"), cwd="/")
    try:
        engine.start(made)
    finally:
        engine.remove(made)
