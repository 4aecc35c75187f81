# SPDX-License-Identifier: Apache-2.0
"""Tars that go in; tars and zips that come out."""

import io
import random
import tarfile
import zipfile

import pytest
import zstandard

from howdah.errors import BadRequest, NotFound

MiB = 1 << 20
FILES = {"a.txt": b"aaa", "deep/b": random.Random(5).randbytes(MiB + 7), "deep/empty": b"", "z": b"z" * 1000}


def tar_of(files, mode="w"):
    out = io.BytesIO()
    with tarfile.open(fileobj=out, mode=mode) as tar:
        tar.addfile(folder_entry("deep"))
        for name, data in files.items():
            info = tarfile.TarInfo(name)
            info.size = len(data)
            tar.addfile(info, io.BytesIO(data))
    return out.getvalue()


def folder_entry(name):
    info = tarfile.TarInfo(name)
    info.type = tarfile.DIRTYPE
    return info


def in_commit(client, repo, path):
    return {name[len(path) + 1 :]: b"".join(pieces) for name, _, pieces in client.read_files(f"{repo}@master", path)}


@pytest.mark.parametrize("mode", ["w", "w:gz", "w:bz2", "w:xz", "zst"])
def test_the_files_of_a_tar_are_put(client, repo, mode):
    """However it is compressed; folders leave no trace."""
    data = zstandard.ZstdCompressor().compress(tar_of(FILES)) if mode == "zst" else tar_of(FILES, mode)

    done = client.put_tar(f"{repo}@master", "/in", io.BytesIO(data))

    assert (4, sum(map(len, FILES.values()))) == done[:2]
    assert FILES == in_commit(client, repo, "/in")


def test_a_tar_may_name_its_files_from_its_own_folder(client, repo):
    """`./a` is `a`."""
    client.put_tar(f"{repo}@master", "/", tar_of({"./a": b"1"}))

    assert b"1" == client.get_file(f"{repo}@master", "/a")


@pytest.mark.parametrize(
    "data",
    [
        tar_of({"../a": b"1"}),
        tar_of(FILES)[:2000],
        tar_of({"a": b"1"})[:1536],
        b"no tar at all",
        tar_of(FILES, "w:gz")[:-2000],
    ],
    ids=["leads-out", "cut-off", "without-end", "no-tar", "cut-off-gzip"],
)
def test_a_tar_that_is_not_whole_or_leads_out_changes_nothing(client, repo, data):
    """None of its files is put."""
    client.put_file(f"{repo}@master", "/old", b"")

    with pytest.raises(BadRequest):
        client.put_tar(f"{repo}@master", "/", data)

    assert ["/old"] == [info.path for info in client.list_files(f"{repo}@master")]


@pytest.mark.parametrize("path", ["/in", "/in/**"])
def test_a_tar_of_a_directory_or_pattern_is_written(client, repo, path):
    """Its names are told from the directory on; the same files make the same tar."""
    client.put_tar(f"{repo}@master", "/in", tar_of(FILES))
    out, again = io.BytesIO(), io.BytesIO()

    client.get_tar(f"{repo}@master", path, out)
    client.get_tar(f"{repo}@master", path, again)

    with tarfile.open(fileobj=io.BytesIO(out.getvalue())) as tar:
        assert FILES == {member.name: tar.extractfile(member).read() for member in tar}
    assert out.getvalue() == again.getvalue()


def test_a_zip_is_written(client, repo):
    """As the tar."""
    client.put_tar(f"{repo}@master", "/in", tar_of(FILES))
    out = io.BytesIO()

    done = client.get_zip(f"{repo}@master", "/in", out)

    with zipfile.ZipFile(out) as archive:
        assert FILES == {name: archive.read(name) for name in archive.namelist()}
    assert 4 == done.files


def test_an_archive_of_one_file_or_of_none(client, repo):
    """A file by its name; what is not there is not found."""
    client.put_tar(f"{repo}@master", "/in", tar_of(FILES))
    out = io.BytesIO()

    client.get_zip(f"{repo}@master", "/in/deep/empty", out)

    assert ["empty"] == zipfile.ZipFile(out).namelist()
    for path in ("/no", "/no*"):
        with pytest.raises(NotFound):
            client.get_tar(f"{repo}@master", path, io.BytesIO())
