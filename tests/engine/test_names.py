# SPDX-License-Identifier: Apache-2.0
"""Names of images, where engines are looked for, and what a pull tells: without an engine."""

import socket
import threading

import pytest

from howdah.engine.address import DOCKER_SOCKET, candidates, checked, choose, silence
from howdah.engine.images import Credentials, Image, Progress, is_name, registry_of, repository_of, split_tag
from howdah.engine.pulling import followed, unpulled
from howdah.errors import BadRequest, ErrorKind, NotFound, Refused, Unavailable

DIGEST = "sha256:" + "ab" * 32


@pytest.mark.parametrize(
    ("name", "parts", "registry", "repository"),
    [
        ("alpine", ("alpine", "latest"), "docker.io", "docker.io/library/alpine"),
        ("ana/tool:1", ("ana/tool", "1"), "docker.io", "docker.io/ana/tool"),
        ("docker.io/library/alpine:3", ("docker.io/library/alpine", "3"), "docker.io", "docker.io/library/alpine"),
        ("index.docker.io/alpine", ("index.docker.io/alpine", "latest"), "docker.io", "docker.io/library/alpine"),
        ("reg.example:5000/a/b", ("reg.example:5000/a/b", "latest"), "reg.example:5000", "reg.example:5000/a/b"),
        ("localhost/tool:x", ("localhost/tool", "x"), "localhost", "localhost/tool"),
        (f"alpine@{DIGEST}", ("alpine", DIGEST), "docker.io", "docker.io/library/alpine"),
        (f"reg.example:5000/a:1@{DIGEST}", ("reg.example:5000/a", DIGEST), "reg.example:5000", "reg.example:5000/a"),
    ],
)
def test_a_name_is_taken_apart_as_engines_do(name, parts, registry, repository):
    """A colon before a slash is a port; what names no registry is in Docker's."""
    assert (parts, registry, repository) == (split_tag(name), registry_of(name), repository_of(name))


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("alpine", True),
        ("reg.example:5000/a-b/c_d:V1.2-x", True),
        ("Reg.Example/a", True),
        (f"a@{DIGEST}", True),
        (f"a:1@{DIGEST}", True),
        (DIGEST, True),
        ("", False),
        ("Alpine", False),
        ("a b", False),
        ("../containers/x", False),
        ("https://reg.example/a", False),
        ("a:", False),
        ("a?x=1", False),
        ("a@sha256:12", False),
    ],
)
def test_what_no_image_can_be_called_is_known(text, expected):
    """It never becomes a part of an address by which an engine is asked."""
    assert expected is is_name(text)


def test_an_image_is_named_exactly_by_its_own_repository():
    """Not by another one that has it too; by its id if it is in none, and by what was already exact."""
    image = Image("sha256:1d", (f"reg.example/other@{DIGEST}", f"alpine@{DIGEST}"))

    assert f"alpine@{DIGEST}" == image.exact("docker.io/library/alpine:3")
    assert "sha256:1d" == image.exact("mine:1")
    assert f"mine@{DIGEST}" == image.exact(f"mine@{DIGEST}")
    assert [True, True, False] == [image.is_called(name) for name in ("sha256:1d", f"alpine@{DIGEST}", "alpine")]


def test_an_engine_is_looked_for_in_the_usual_places():
    """In the order of how plainly somebody asked for it; what is for other programs is passed over."""
    environ = {"DOCKER_HOST": "tcp://127.0.0.1:2375", "XDG_RUNTIME_DIR": "/run/user/7"}
    podman = ("unix:///run/user/7/podman/podman.sock", "unix:///run/podman/podman.sock")

    assert ("unix:///x",) == candidates("unix:///x", environ)
    assert ("tcp://127.0.0.1:2375", DOCKER_SOCKET, *podman) == candidates(None, environ)
    assert (DOCKER_SOCKET, podman[1]) == candidates(None, {"DOCKER_HOST": "ssh://ana@host"})


@pytest.mark.parametrize("url", ["", "ssh://host", "/var/run/docker.sock", "unix://relative", "tcp://", "tcp://h:x"])
def test_an_address_that_is_not_understood_is_refused(url):
    """The text says how to write one."""
    with pytest.raises(BadRequest, match=r"unix:///var/run/docker\.sock") as error:
        checked(url)

    assert ErrorKind.BAD_ARGUMENT == error.value.kind


def test_an_engine_answers_or_it_is_said_why_not(tmp_path):
    """Nobody there, somebody else, and an engine; the first that answers is chosen."""
    said = {"engine": b"HTTP/1.0 200 OK\r\n\r\nOK", "ill": b"HTTP/1.1 503 Busy\r\n\r\n", "other": b"SSH-2.0-x\r\n"}
    urls = {name: f"unix://{tmp_path}/{name}" for name in said}
    servers = {name: socket.socket(socket.AF_UNIX) for name in said}
    for name, server in servers.items():
        server.bind(f"{tmp_path}/{name}")
        server.listen()
        threading.Thread(target=_answer, args=(server, said[name]), daemon=True).start()

    found = {name: silence(url) for name, url in urls.items()} | {"none": silence(f"unix://{tmp_path}/none")}

    assert {
        "engine": "",
        "ill": "it answers with status 503",
        "other": "what listens there is no container engine",
        "none": "no such file or directory",
    } == found
    assert urls["engine"] == choose(None, {"DOCKER_HOST": urls["engine"]})
    assert urls["other"] == choose(urls["other"], {"DOCKER_HOST": urls["engine"]})
    for server in servers.values():
        server.close()


def test_the_progress_of_a_pull_is_counted_by_layer():
    """Layers that are here count as done; sizes are known when downloads begin. Other lines count for nothing."""
    entries = [
        {"status": "Pulling from tool", "id": "1"},
        {"status": "Already exists", "id": "a", "progressDetail": {}},
        {"status": "Pulling fs layer", "id": "b"},
        {"status": "Pulling fs layer", "id": "c"},
        {"status": "Downloading", "id": "b", "progressDetail": {"current": 1_000_000, "total": 4_000_000}},
        {"status": "Downloading", "id": "c", "progressDetail": {"current": 2_000_000, "total": 6_000_000}},
        {"status": "Pull complete", "id": "b"},
        {"status": "Digest: sha256:x"},
    ]
    told = []

    said = followed("tool:1", entries, told.append, lambda: False)

    assert ("", Progress(3, 2, 6_000_000, 10_000_000)) == (said, told[-1])
    assert "asking the registry" == str(told[0])
    assert "1 of 3 layers" == str(told[3])
    assert "2 of 3 layers, 6 MB of 10 MB" == str(told[-1])


def test_a_pull_ends_by_an_error_or_by_the_servers_end():
    """The engine's words are answered; a server that stops waits for no registry."""
    entries = [{"status": "Pulling from tool", "id": "1"}, {"errorDetail": {"message": "no"}, "error": "no"}, {}]

    said = followed("tool:1", entries, lambda _: None, lambda: False)
    with pytest.raises(Unavailable) as error:
        followed("tool:1", entries, lambda _: None, lambda: True)

    assert "no" == said
    assert ErrorKind.CANCELLED == error.value.kind


@pytest.mark.parametrize(
    ("said", "group", "way_out"),
    [
        ('Head "http://r/v2/x/manifests/1": no basic auth credentials', Refused, "transform.imagePullSecrets"),
        ("unauthorized: authentication required", Refused, "transform.imagePullSecrets"),
        ("manifest for x:1 not found: manifest unknown; really", NotFound, "push the image"),
        ("dial tcp 127.0.0.1:1: connect: connection refused", Unavailable, "can reach the registry"),
        ('short-name "x" did not resolve to an alias', Refused, "with its registry"),
    ],
)
def test_what_went_wrong_with_a_pull_has_a_way_out(said, group, way_out):
    """By what engines say in words; one line, one semicolon."""
    error = unpulled("x:1", said, None)

    assert group is type(error)
    assert error.message.startswith("image x:1 cannot be pulled: ")
    assert way_out in error.message.partition("; ")[2]
    assert 1 == error.message.count(";")


def test_credentials_are_in_no_error():
    """Whatever the engine repeats of them."""
    error = unpulled("x:1", "bad user ana with hunter2", Credentials("ana", "hunter2"))

    assert "bad user *** with ***" in error.message


def _answer(server, said):
    while True:
        try:
            connection, _ = server.accept()
        except OSError:
            return
        with connection:
            connection.recv(1000)
            connection.sendall(said)
