# SPDX-License-Identifier: Apache-2.0
"""What images are called: a folder's tag says what is in it, and names are fit for registries."""

import os
import tarfile

import pytest

from howdah.cli.image_names import built_name, pushed_name, registry_prefix
from howdah.engine.context import packed
from howdah.engine.images import digest_name, kept_name
from howdah.errors import BadRequest, ErrorKind


@pytest.fixture
def folder(tmp_path):
    """A folder with a Dockerfile."""
    place = tmp_path / "code"
    (place / "src").mkdir(parents=True)
    (place / "Dockerfile").write_text("FROM scratch\nCOPY src /src\n")
    (place / "src" / "run.py").write_text("print(1)\n")
    return place


def tag(folder, dockerfile=""):
    with packed(str(folder), dockerfile) as context:
        return context.tag


def names(folder):
    with packed(str(folder)) as context, tarfile.open(fileobj=context.archive) as tar:
        return sorted(tar.getnames())


def test_an_equal_folder_has_the_same_tag(folder, tmp_path):
    """Neither place, times nor the rights of others count; a copy of a checkout builds the same image name."""
    before = tag(folder)
    folder.rename(tmp_path / "elsewhere")
    os.utime(tmp_path / "elsewhere" / "src" / "run.py", (1, 1))
    os.chmod(tmp_path / "elsewhere" / "src" / "run.py", 0o600)

    assert before == tag(tmp_path / "elsewhere")
    assert 16 == len(before)


@pytest.mark.parametrize(
    "edit",
    [
        lambda folder: (folder / "src" / "run.py").write_text("print(2)\n"),
        lambda folder: (folder / "src" / "run.py").rename(folder / "src" / "go.py"),
        lambda folder: (folder / "src" / "run.py").chmod(0o755),
        lambda folder: (folder / "empty").mkdir(),
        lambda folder: (folder / "link").symlink_to("src"),
    ],
    ids=["content", "name", "executable", "folder", "link"],
)
def test_every_edit_gives_another_tag(folder, edit):
    """Else an update would change nothing."""
    before = tag(folder)

    edit(folder)

    assert before != tag(folder)


def test_what_is_ignored_is_neither_sent_nor_counted(folder):
    """As Docker's own program reads `.dockerignore`; the Dockerfile is sent in any case."""
    (folder / ".dockerignore").write_text("# not these\n\n*.log\nDockerfile\n")
    before = tag(folder)
    (folder / "big.log").write_text("x" * 1000)

    assert before == tag(folder)
    assert [".dockerignore", "Dockerfile", "src", "src/run.py"] == names(folder)


def test_which_dockerfile_it_is_counts(folder):
    """Two of one folder are two images; one that is not there, or not below the folder, is named."""
    (folder / "src" / "Other").write_text("FROM scratch\n")

    assert tag(folder) != tag(folder, "src/Other") == tag(folder, "./src/Other")
    for absent in ("Third", "../code/Dockerfile", "/etc/passwd"):
        with pytest.raises(BadRequest) as error:
            tag(folder, absent)
        assert (ErrorKind.BAD_ARGUMENT, True) == (error.value.kind, absent in error.value.message)


def test_a_folder_that_cannot_be_packed_is_named(folder):
    """No folder, or one without a Dockerfile."""
    for place in (folder / "none", folder / "src"):
        with pytest.raises(BadRequest) as error:
            tag(place)
        assert str(place) in error.value.message


@pytest.mark.parametrize(
    ("made", "expected"),
    [
        (lambda: built_name("", "default", "edges", "1f"), "localhost/edges:1f"),
        (
            lambda: built_name("127.0.0.1:5000/team", "vision", "Big__Edges-", "1f"),
            "127.0.0.1:5000/team/vision/big-edges:1f",
        ),
        (lambda: pushed_name("reg.example.org", "docker.io/library/alpine:3", "1f"), "reg.example.org/alpine:1f"),
        (lambda: pushed_name("reg.example.org/a", "localhost/edges@sha256:00", "1f"), "reg.example.org/a/edges:1f"),
        (lambda: registry_prefix("reg.example.org:5000/"), "reg.example.org:5000"),
        (lambda: registry_prefix("reg.example.org", "Ana"), "reg.example.org/ana"),
        (lambda: registry_prefix("reg.example.org/team", "ana"), "reg.example.org/team"),
        (lambda: kept_name("reg:5000/a/b@sha256:00ff"), "reg:5000/a/b:sha256-00ff"),
        (lambda: kept_name("sha256:00ff"), ""),
        (lambda: digest_name(kept_name(f"reg:5000/a@sha256:{'0f' * 32}")), f"reg:5000/a@sha256:{'0f' * 32}"),
        (lambda: digest_name("reg:5000/a:sha256-0f"), ""),
    ],
)
def test_names_are_fit_for_registries(made, expected):
    """Small letters, digits and single marks; with the prefix that was asked for."""
    assert expected == made()


@pytest.mark.parametrize("registry", ["", "https://reg.example.org", "reg.example.org/Team", "a b"])
def test_what_is_no_registry_is_refused(registry):
    """Before anything is built."""
    with pytest.raises(BadRequest):
        registry_prefix(registry)
