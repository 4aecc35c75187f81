# SPDX-License-Identifier: Apache-2.0
"""Images from a folder to a pipeline, through registries and files: real engines, a real registry, no network."""

import base64
import io
import json
import os
import subprocess
import sys
import tempfile
import time
import urllib.request
from pathlib import Path

import pytest

from howdah.engine.images import kept_name
from howdah.errors import NotFound
from howdah.server.executions import ExecutionSettings
from howdah.testing.server import running_server
from howdah.worker.nest import Command
from tools import engines
from tools.image_registry import PASSWORD, USER

SCRATCH = "FROM scratch\nCOPY busybox /bin/busybox\nENV PATH=/bin\n"
BASIC = "Basic " + base64.b64encode(f"{USER}:{PASSWORD}".encode()).decode()


@pytest.fixture(scope="module")
def server(tmp_path_factory):
    with running_server(tmp_path_factory.mktemp("lake"), workers=1) as running:
        yield running


@pytest.fixture
def folder(tmp_path):
    """A folder from which an image with one static program is built; it needs no other image."""
    place = tmp_path / "code"
    place.mkdir()
    (place / "Dockerfile").write_text(SCRATCH)
    (place / "busybox").write_bytes(engines.SHELL.read_bytes())
    (place / "busybox").chmod(0o755)
    return place


@pytest.fixture
def spec(howdah, repo, tmp_path):
    """Writes the spec of a pipeline of this test alone; its name and path."""
    name = f"p{repo[1:]}"
    path = tmp_path / "spec.yaml"

    def write(**transform):
        transform = {"cmd": ["busybox", "cp", "/pfs/texts/a", "/pfs/out/b"], **transform}
        tree = {"pipeline": {"name": name}, "input": {"pfs": {"repo": repo, "name": "texts", "glob": "/*"}}}
        path.write_text(json.dumps({**tree, "transform": transform, "datumTries": 1}))
        return name, str(path)

    return write


def image_of(howdah, pipeline):
    return howdah("inspect", "pipeline", pipeline, "-o", "json").json["image"]


def tags(address, repository):
    request = urllib.request.Request(f"http://{address}/v2/{repository}/tags/list", headers={"Authorization": BASIC})
    with urllib.request.urlopen(request, timeout=10) as answer:
        return json.load(answer)["tags"]


@pytest.fixture
def logged_in(registry, tmp_path, monkeypatch):
    """This process has what `docker login` keeps for the registry."""
    kept = {"auths": {registry.address: {"auth": BASIC.removeprefix("Basic ")}}}
    (tmp_path / "docker").mkdir()
    (tmp_path / "docker" / "config.json").write_text(json.dumps(kept))
    monkeypatch.setenv("DOCKER_CONFIG", str(tmp_path / "docker"))


@pytest.mark.slow
def test_a_folder_becomes_the_image_of_a_pipeline(howdah, host, folder, spec):
    """Edit, update, look: the same folder changes nothing, an edit is another image; a dry run builds none."""
    name, path = spec()
    build = ("-f", path, "--build", str(folder), "--engine", host.address)

    dry = howdah("create", "pipeline", *build, "--dry-run")
    wanted = json.loads(dry.out)["transform"]["image"]
    assert (0, None) == (dry.code, absent_id(host, wanted))
    made = howdah("create", "pipeline", *build)
    assert 0 == made.code, made.err
    assert wanted == image_of(howdah, name) == f"localhost/{name}:{wanted[-16:]}"
    assert "FROM scratch" in made.err
    assert f"image {wanted} stays on this engine" in made.err
    assert host.engine.image_id(wanted).startswith("sha256:")

    assert 0 == howdah("update", "pipeline", *build).code
    assert 1 == howdah("inspect", "pipeline", name, "-o", "json").json["version"]
    (folder / "new").write_text("edited")
    updated = howdah("update", "pipeline", *build)
    assert (0, True) == (updated.code, f"{name} runs in another image now; what had succeeded" in updated.err)
    assert 2 == howdah("inspect", "pipeline", name, "-o", "json").json["version"]
    assert wanted != image_of(howdah, name)


def absent_id(host, image):
    """The id of an image; None if the engine has it not."""
    try:
        return host.engine.image_id(image)
    except NotFound:
        return None


@pytest.mark.slow
def test_a_build_that_fails_names_its_step(howdah, host, folder, spec):
    """And makes no pipeline."""
    name, path = spec(dockerfile="Broken")
    (folder / "Broken").write_text(f"FROM {host.image}\nCOPY busybox /x\nCOPY nothing /y\n")

    failed = howdah("create", "pipeline", "-f", path, "--build", str(folder), "--engine", host.address)

    assert 6 == failed.code
    last = failed.err.splitlines()[-1]
    assert "was not built: step 3/3" in last.lower()
    assert "nothing" in last
    assert 3 == howdah("inspect", "pipeline", name).code


def test_a_spec_that_is_refused_is_not_built(howdah, spec, tmp_path):
    """The server is asked first: no engine is needed to hear of it."""
    _, path = spec(wrong="field")

    refused = howdah("create", "pipeline", "-f", path, "--build", str(tmp_path), "--engine", "unix:///nowhere")

    assert (2, True) == (refused.code, "transform.wrong" in refused.err)


@pytest.mark.slow
def test_several_pipelines_of_a_file_are_built_together(howdah, host, folder, spec, tmp_path):
    """Each by its own Dockerfile; one of an image that the engine has."""
    name, path = spec()
    (folder / "Second").write_text(f"FROM {host.image}\nRUN echo 1 > /made\nENV SECOND=1\n")
    first = json.loads(Path(path).read_text())
    second = {**first, "pipeline": {"name": f"{name}-2"}, "transform": {"cmd": ["true"], "dockerfile": "Second"}}
    both = tmp_path / "both.yaml"
    both.write_text(f"{json.dumps(first)}\n---\n{json.dumps(second)}\n")

    made = howdah(
        "create", "pipeline", "-f", str(both), "--build", str(folder), "--engine", host.address, "--all-or-nothing"
    )

    assert 0 == made.code, made.err
    images = [image_of(howdah, each) for each in (name, f"{name}-2")]
    assert [f"localhost/{name}", f"localhost/{name}-2"] == [each.partition(":")[0] for each in images]
    assert "1" == host.engine.variables(images[1])["SECOND"]


@pytest.mark.slow
def test_what_is_built_is_pushed(howdah, host, folder, spec, registry, monkeypatch):
    """To the registry of the option, the environment or the context, with a password that is on no command line."""
    name, path = spec()
    build = ("-f", path, "--build", str(folder), "--engine", host.address)
    assert 0 == howdah("config", "set", "context", "here", "--registry", f"{registry.address}/team").code

    refused = howdah("create", "pipeline", *build)
    assert (6, 3) == (refused.code, howdah("inspect", "pipeline", name).code)
    assert "docker login" in refused.err
    monkeypatch.setenv("HOWDAH_REGISTRY_PASSWORD", PASSWORD)
    made = howdah("create", "pipeline", *build, "--username", USER)
    assert 0 == made.code, made.err
    assert PASSWORD not in made.err
    image = image_of(howdah, name)
    assert f"{registry.address}/team/{name}" == image.rpartition(":")[0]
    assert [image[-16:]] == tags(registry.address, f"team/{name}")

    monkeypatch.setenv("HOWDAH_REGISTRY", registry.address)
    monkeypatch.setattr("sys.stdin", io.StringIO(f"{PASSWORD}\n"))
    assert 0 == howdah("update", "pipeline", *build, "--username", USER, "--password-stdin").code
    assert image_of(howdah, name).startswith(f"{registry.address}/{USER}/{name}:")


@pytest.mark.slow
def test_images_made_elsewhere_are_pushed(howdah, host, spec, registry, logged_in):
    """Under a tag of their own, with the credentials that `docker login` keeps; a second time nothing changes."""
    image = host.build("elsewhere", {"bin/busybox": engines.SHELL.read_bytes()})
    name, path = spec(image=image)
    push = ("-f", path, "--push-images", "--registry", f"{registry.address}/x", "--engine", host.address)

    made = howdah("create", "pipeline", *push)

    assert 0 == made.code, made.err
    pushed = image_of(howdah, name)
    assert f"{registry.address}/x/elsewhere" == pushed.rpartition(":")[0]
    assert pushed.rpartition(":")[2] in tags(registry.address, "x/elsewhere")
    assert 0 == howdah("update", "pipeline", *push).code
    assert 1 == howdah("inspect", "pipeline", name, "-o", "json").json["version"]


def test_options_that_do_not_go_together_are_told(howdah, spec, tmp_path):
    """Before anything is read or built."""
    _, path = spec()
    calls = {
        ("--registry", "r.example.org"): "give it with --build",
        ("--build", ".", "--push-images"): "leave out --push-images",
        ("--push-images",): "--registry HOST",
        ("--build", ".", "--registry", "r.example.org", "--password-stdin"): "--username NAME",
        ("--build", ".", "--registry", "r.example.org", "--username", "ana"): "no password of ana",
        ("--build", "."): "has no Dockerfile",
        ("--build", str(tmp_path / "none")): "is no folder",
        ("--build", ".", "--engine", "pigeon://x"): "",
    }

    answers = {words: howdah("create", "pipeline", "-f", path, *words) for words in calls}

    assert {2} == {each.code for each in answers.values()}
    assert [] == [words for words, text in calls.items() if text not in answers[words].err]


@pytest.mark.slow
@pytest.mark.parametrize(("one", "other"), [("docker", "podman"), ("podman", "docker")])
def test_images_are_carried_in_a_file(one, other, howdah, hosts, spec, registry, logged_in, tmp_path):
    """From one engine to another kind of engine: by tag, by the digest of a registry, and by the pipeline's name."""
    here, there = hosts(one), hosts(other)
    image = here.build(f"carried-by-{one}", {"bin/busybox": engines.SHELL.read_bytes()})
    name, path = spec(image=image)
    push = ("--push-images", "--registry", registry.address, "--engine", here.address)
    assert 0 == howdah("create", "pipeline", "-f", path, *push).code
    pushed = image_of(howdah, name)
    file = str(tmp_path / "images.tar")

    saved = howdah("image", "save", name, here.image, "-o", file, "--engine", here.address)
    loaded = howdah("image", "load", file, "--engine", there.address)

    assert (0, 0) == (saved.code, loaded.code), saved.err + loaded.err
    assert f"saved {pushed} of pipeline default/{name}" in saved.err
    assert here.engine.image_id(pushed) == there.engine.image_id(pushed)
    exact = here.engine.find(pushed).exact(pushed)
    assert f"{registry.address}/carried-by-{one}@sha256:" in exact
    found = there.engine.find(exact)
    assert (exact, True) == (found.exact(pushed), found.is_called(exact))
    assert kept_name(exact) in loaded.out
    with there.start(tmp_path, exact) as container:
        (tmp_path / "pfs").mkdir()
        assert 0 == container.run(Command(("/bin/busybox", "true"), tmp_path / "pfs")).exit_code
    assert 3 == howdah("image", "save", "localhost/nothing:1", "-o", file, "--engine", here.address).code


@pytest.mark.slow
def test_what_is_no_file_of_images_is_refused(howdah, host, tmp_path):
    """And a file is written whole or not at all."""
    (tmp_path / "text").write_text("no tar")

    assert 6 == howdah("image", "load", str(tmp_path / "text"), "--engine", host.address).code
    assert 3 == howdah("image", "save", "nothing:1", "-o", str(tmp_path / "out"), "--engine", host.address).code
    assert ["contexts.json", "text"] == sorted({*os.listdir(tmp_path), "contexts.json"})


@pytest.mark.slow
def test_a_datum_runs_here_in_an_image(server, howdah, host, spec, repo, tmp_path, monkeypatch):
    """In a container that sees what the worker's would; and a shell in an image that has none."""
    monkeypatch.setattr(tempfile, "tempdir", str(tmp_path))  # where scratch folders lie
    name, path = spec(cmd=["true"])
    (tmp_path / "a").write_text("hello\n")
    assert 0 == howdah("put", "file", f"{repo}@master:/a", "-f", str(tmp_path / "a")).code
    assert 0 == howdah("create", "pipeline", "-f", path).code
    assert 0 == howdah("wait", "commit", f"{name}@master", "--timeout", "60").code
    image = host.build(
        "local", {"bin/busybox": engines.SHELL.read_bytes()}, "ENV PATH=/bin", "ENV OF=image", "USER 1234"
    )
    words = ("run", "--local", name, "--file", f"{repo}:/a", "--image", image, "--network", "none")
    more = ("--engine", host.address, "--out", str(tmp_path / "out"))

    script = "busybox sh -c 'echo $OF $PACH_JOB_ID $texts; busybox id -u; busybox cp /pfs/texts/a /pfs/out/b'"
    ran = howdah(*words, *more, "--cmd", script, "-o", "json")

    assert (0, "container", image) == (ran.code, ran.json["execution"].split(":")[0], ran.json["image"]), ran.err
    job = ran.json["job"].partition("@")[2]
    assert [f"image {job} /pfs/texts/a", "1234"] == ran.err.splitlines()
    assert "hello\n" == (tmp_path / "out" / "b").read_text()

    typed = "cat /pfs/texts/a > /pfs/out/c; test -t 0 && echo of $OF; chmod 0 /pfs/out/c; exit 5\n"
    command = [sys.executable, "-m", "howdah.cli", *words, "--engine", host.address, "--shell"]
    env = {**os.environ, "HOWDAH_ADDRESS": server.grpc_address}
    shell = subprocess.run(
        [*command, "--out", str(tmp_path / "typed")],
        input=typed, capture_output=True, text=True, timeout=60, env=env, check=False,
    )  # fmt: skip
    assert 5 == shell.returncode, shell.stderr
    assert "of image" in shell.stdout
    assert "hello\n" == (tmp_path / "typed" / "c").read_text()


@pytest.mark.slow
def test_a_datum_runs_here_in_the_image_of_its_job(howdah, hosts, tmp_path, monkeypatch):
    """Exactly in the one that was recorded, though its tag has moved; and as a process if that is asked for."""
    docker = hosts("docker")
    image = docker.build("recorded", {"bin/busybox": engines.SHELL.read_bytes()}, "ENV PATH=/bin", "ENV OF=before")
    before = docker.engine.image_id(image)
    spec = {
        "pipeline": {"name": "recorded"},
        "input": {"pfs": {"repo": "texts", "glob": "/*"}},
        "transform": {"image": image, "cmd": ["busybox", "sh", "-c", "echo $OF; id -u"]},
    }
    (tmp_path / "spec.json").write_text(json.dumps(spec))
    monkeypatch.setattr(tempfile, "tempdir", str(tmp_path))
    with running_server(tmp_path / "lake", execution=ExecutionSettings(engine=docker.address)) as server:
        monkeypatch.setenv("HOWDAH_ADDRESS", server.grpc_address)
        howdah("create", "repo", "texts")
        howdah("put", "file", "texts@master:/a", "-f", str(tmp_path / "spec.json"))
        assert 0 == howdah("create", "pipeline", "-f", str(tmp_path / "spec.json")).code
        until = time.monotonic() + 30
        while not any(each["datums"] for each in howdah("list", "job", "-o", "json").json):
            assert time.monotonic() < until
        docker.build("recorded", {"bin/busybox": engines.SHELL.read_bytes()}, "ENV PATH=/bin", "ENV OF=after")
        words = ("run", "--local", "recorded", "--file", "texts:/a", "--engine", docker.address, "--network", "none")

        there = howdah(*words, "-o", "json")
        moved = howdah(*words, "--image", image, "-o", "json")
        here = howdah(*words, "--execution", "process", "--cmd", "true", "-o", "json")
        saved = howdah("image", "save", "recorded", "-o", str(tmp_path / "tar"), "--engine", docker.address)

    assert (0, ["before", "0"], before) == (there.code, there.err.splitlines(), there.json["image"]), there.err
    assert ["after", "0"] == moved.err.splitlines()
    assert ("process", "") == (here.json["execution"], here.json["image"])
    assert (0, f"saved {image} of pipeline default/recorded: {before}\n") == (saved.code, saved.err)
