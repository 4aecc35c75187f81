# SPDX-License-Identifier: Apache-2.0
"""Images on real engines and in a real registry with a password: found, fetched, asked for, refused."""

import tempfile
from pathlib import Path

import pytest

from howdah.engine import Credentials, EngineAt, Progress
from howdah.errors import ErrorKind, HowdahError, NotFound, Refused, Unavailable
from tools import engines
from tools.image_registry import PASSWORD, USER

ANA = Credentials(USER, PASSWORD)
CONFIG = {"Cmd": ["/tool"]}

pytestmark = pytest.mark.slow


def files(name, number):
    """Two layers, which no other test has."""
    return [{f"{name}-{number}-{layer}": b"%d" % layer * 100_000} for layer in range(2)]


@pytest.fixture
def at(host):
    """The engine as a server has it."""
    engine = EngineAt(host.address)
    yield engine
    engine.close()


@pytest.fixture
def name(request, registry):
    """The name of an image of this test alone, without its registry."""
    return f"t{abs(hash(request.node.nodeid))}"


def test_an_image_is_fetched_and_named_exactly(at, registry, name):
    """With how far that is; then the engine has it, by tag and by digest, and the registry says the same."""
    exact = registry.push(name, "1", files(name, 1), CONFIG)
    tag = f"{registry.address}/{name}:1"
    told = []

    before = at.find(tag)
    at.pull(tag, ANA, told.append, lambda: False)
    found = at.find(tag)

    assert None is before
    assert exact == found.exact(tag)
    assert found.is_called(exact)
    assert found == at.find(exact)
    assert 2 <= told[-1].layers == told[-1].layers_done  # Podman counts what describes the image too
    assert all(isinstance(each, Progress) for each in told)
    assert at.registry_digest(tag, ANA) in (exact, "")


def test_an_image_is_fetched_by_its_digest(at, registry, name):
    """Also when its tag is another image by now."""
    exact = registry.push(name, "1", files(name, 1), CONFIG)
    other = registry.push(name, "1", files(name, 2), CONFIG)

    at.pull(exact, ANA, lambda _: None, lambda: False)

    assert exact != other
    assert exact == at.find(exact).exact(exact)
    assert None is at.find(other)


def test_an_image_that_was_made_here_has_an_exact_name_too(at, host, name):
    """Whatever registry does not have it."""
    tag = host.build(name, {"tool": b"#!"})

    found = at.find(tag)

    assert found == at.find(found.exact(tag))


@pytest.mark.parametrize(
    ("tag", "credentials", "group", "way_out"),
    [
        ("1", None, Refused, "transform.imagePullSecrets"),
        ("1", Credentials(USER, "wrong-password"), Refused, "transform.imagePullSecrets"),
        ("none", ANA, NotFound, "see that name and tag are right"),
    ],
)
def test_what_a_registry_refuses_is_explained(at, registry, name, tag, credentials, group, way_out):
    """No text has a password; asking for the digest alone fails in the same way, where an engine can."""
    registry.push(name, "1", files(name, 1), CONFIG)
    wanted = f"{registry.address}/{name}:{tag}"
    errors = []
    for call in (
        lambda: at.pull(wanted, credentials, lambda _: None, lambda: False),
        lambda: at.registry_digest(wanted, credentials),
    ):
        try:
            call()
        except HowdahError as error:
            errors.append(error)

    assert errors
    for error in errors:
        assert group is type(error), error.message
        assert error.message.startswith(f"image {wanted} cannot be pulled: ")
        assert way_out in error.message
        assert "wrong-password" not in error.message


def test_a_registry_that_does_not_answer_is_told_from_an_engine_that_does_not(at, tmp_path):
    """Both may answer later."""
    with pytest.raises(Unavailable, match=r"image 127\.0\.0\.1:9/x:1 cannot be pulled") as registry_gone:
        at.pull("127.0.0.1:9/x:1", None, lambda _: None, lambda: False)
    with pytest.raises(Unavailable, match=f"no container engine answers at unix://{tmp_path}/none") as engine_gone:
        EngineAt(f"unix://{tmp_path}/none").find("x:1")

    assert ErrorKind.UNREACHABLE == registry_gone.value.kind == engine_gone.value.kind
    assert "" == at.silence()


@pytest.mark.parametrize("kind", ["docker", pytest.param("podman", marks=pytest.mark.full)])
def test_an_engine_that_was_stopped_answers_again_when_it_is_back(hosts, kind):
    """The same connection is asked before, meanwhile and after."""
    hosts(kind)  # it can run here
    folder = Path(tempfile.mkdtemp(prefix="again-"))
    with engines.running(kind, folder) as address:
        at = EngineAt(address)
        before = at.find("none:1")
    with pytest.raises(Unavailable) as error:
        at.find("none:1")
    folder.mkdir()
    with engines.running(kind, folder):
        after = at.find("none:1")
    at.close()

    text = f"no container engine answers at {address}: no such file or directory; start it, or name another"
    assert (None, None, text) == (before, after, error.value.message)
