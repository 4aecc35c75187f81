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
        ({"network": "elsewhere"}, "elsewhere", "start the server with another (--container-network)"),
    ],
)
def test_a_refusal_to_start_has_a_way_out(host, asked, said, way_out):
    """By whichever call the engine says it."""
    settings = Settings(host.image, **{"network": "none", **asked})

    with pytest.raises(Refused) as raised:
        started(host.engine, settings)

    assert ErrorKind.ENGINE_REFUSED == raised.value.kind
    assert said in raised.value.message
    assert way_out in raised.value.message.partition("; ")[2]


def test_a_docker_without_a_bridge_gives_no_network(hosts, monkeypatch):
    """The network that is usual cannot be a reason to run nothing; one that was named is."""
    engine = hosts("docker").engine
    monkeypatch.setattr(engine._api, "networks", lambda: [{"Name": "host"}, {"Name": "none"}])

    made = engine.create(Settings(hosts("docker").image), {}, ("/bin/sleep", "9"), cwd="/")
    mode = engine._api.inspect_container(made)["HostConfig"]["NetworkMode"]
    engine.remove(made)

    assert "none" == mode


def started(engine, settings):
    """Make a container and start it; it is removed again."""
    made = engine.create(settings, {}, ("/bin/sleep", "9"), cwd="/")
    try:
        engine.start(made)
    finally:
        engine.remove(made)
