# SPDX-License-Identifier: Apache-2.0
"""`put file`: its sources, where they go, and what it says."""

import contextlib
import http.server
import io
import os
import random
import signal
import subprocess
import sys
import tarfile
import threading
from types import SimpleNamespace

import pytest


@pytest.fixture
def photos(tmp_path, monkeypatch):
    """A folder of files in the working folder."""
    for name in ("photos/a.png", "photos/b.tmp", "photos/deep/c.png"):
        (tmp_path / name).parent.mkdir(parents=True, exist_ok=True)
        (tmp_path / name).write_bytes(name.encode())
    monkeypatch.chdir(tmp_path)
    return tmp_path / "photos"


@pytest.fixture
def found(howdah, repo):
    """The paths of all files on the branch."""

    def paths():
        ran = howdah("glob", "file", f"{repo}@master:/**", "-o", "json")
        return [each["path"] for each in ran.json if not each["is_dir"]]

    return paths


def stdin(monkeypatch, data):
    monkeypatch.setattr(sys, "stdin", SimpleNamespace(buffer=io.BytesIO(data)))


def test_patterns_and_several_sources_go_below_the_path(howdah, repo, photos, found):
    """A pattern that no shell has seen; each file under its own name."""
    assert 0 == howdah("put", "file", f"{repo}@master:/in", "-f", "photos/*.png", "-f", "photos/b.tmp").code
    assert 0 == howdah("put", "file", f"{repo}@master:/one", "-f", "photos/d*/*.png").code

    assert ["/in/a.png", "/in/b.tmp", "/one/c.png"] == found()
    assert 3 == howdah("put", "file", f"{repo}@master", "-f", "photos/*.gif").code


def test_a_full_path_is_kept(howdah, repo, photos, found):
    """As it was given, from the path of the target on."""
    howdah("put", "file", f"{repo}@master", "--full-path", "-f", "./photos/deep/c.png")
    howdah("put", "file", f"{repo}@master:/x/", "--full-path", "-r", "-f", "photos/deep")

    assert ["/photos/deep/c.png", "/x/photos/deep/c.png"] == found()
    assert 2 == howdah("put", "file", f"{repo}@master", "--full-path", "-f", "../a").code


def test_excluded_files_stay_out(howdah, repo, photos, found):
    """By patterns of a .gitignore; without a folder they mean nothing."""
    howdah("put", "file", "-r", f"{repo}@master:/", "-f", "photos", "--exclude", "*.tmp", "--exclude", "deep/")

    assert ["/a.png"] == found()
    assert 2 == howdah("put", "file", f"{repo}@master", "-f", "photos/a.png", "--exclude", "*").code


def test_sources_are_read_from_a_list(howdah, repo, photos, found, monkeypatch):
    """A file or standard input, with one on each line; empty lines do not count."""
    (photos / "list").write_text("photos/a.png\n\nphotos/d*/c.png\n")
    stdin(monkeypatch, b"photos/b.tmp\n")

    assert 0 == howdah("put", "file", f"{repo}@master:/in", "-i", "photos/list", "-i", "-").code

    assert ["/in/a.png", "/in/b.tmp", "/in/c.png"] == found()
    assert 3 == howdah("put", "file", f"{repo}@master", "-i", "absent").code
    assert 2 == howdah("put", "file", f"{repo}@master").code


def test_a_list_is_fetched(howdah, repo, photos, found):
    """By http, from here; one that does not come is told."""
    (photos / "list").write_text("photos/a.png\n")
    handler = type("Quiet", (http.server.SimpleHTTPRequestHandler,), {"log_message": lambda *_: None})
    with http.server.ThreadingHTTPServer(("127.0.0.1", 0), handler) as server:
        threading.Thread(target=server.serve_forever).start()
        address = f"http://127.0.0.1:{server.server_port}"
        codes = [
            howdah("put", "file", f"{repo}@master", "-i", f"{address}/photos/{name}").code for name in ("list", "no")
        ]
        server.shutdown()

    assert [0, 7] == codes
    assert ["/a.png"] == found()


def test_the_files_of_a_tar_are_put(howdah, repo, photos, found, monkeypatch):
    """From a file or standard input, compressed or not; without a path at the root."""
    with tarfile.open("photos.tgz", "w:gz") as tar:
        tar.add("photos")
    with open("photos.tgz", "rb") as file:
        stdin(monkeypatch, file.read())

    assert 0 == howdah("put", "file", f"{repo}@master", "--untar", "-f", "photos.tgz").code
    assert 0 == howdah("put", "file", f"{repo}@master:/in", "--untar", "-f", "-").code

    files = ["/photos/a.png", "/photos/b.tmp", "/photos/deep/c.png"]
    assert ["/in" + path for path in files] + files == found()
    assert 2 == howdah("put", "file", f"{repo}@master", "--untar", "-f", "photos/a.png").code


def test_a_file_is_split(howdah, repo, tmp_path, found):
    """Below its path, or its name; each piece with the header."""
    (tmp_path / "people.csv").write_bytes(b'id,name\n1,"a\nb"\n2,c\n3,d\n')
    source = str(tmp_path / "people.csv")

    ran = howdah("put", "file", f"{repo}@master", "--split", "csv", "--header-records", "1", "-f", source, "-o", "json")
    howdah("put", "file", f"{repo}@master:/t", "--split", "line", "--target-file-datums", "3", "-f", source)

    assert {"files": 3, "bytes": 40, "known": 0} == ran.json
    assert [*(f"/people.csv/{n:016x}" for n in range(3)), "/t/" + "0" * 16, "/t/" + "0" * 15 + "1"] == found()
    assert 'id,name\n1,"a\nb"\n' == howdah("get", "file", f"{repo}@master:/people.csv/{0:016x}").out


@pytest.mark.parametrize(
    "words",
    [
        ["--header-records", "1", "-f", "photos/a.png"],
        ["--split", "line", "--untar", "-f", "photos/a.png"],
        ["--split", "line", "-r", "-f", "photos"],
        ["--split", "sql", "--header-records", "1", "-f", "photos/a.png"],
        ["--split", "xml", "-f", "photos/a.png"],
        ["--untar", "-f", "https://example.org/a.tar"],
        ["-f", "photos"],
        ["-f", "-", "-f", "photos/a.png"],
    ],
    ids=" ".join,
)
def test_what_does_not_go_together_is_refused(howdah, repo, photos, found, words):
    """Before anything is put."""
    assert 2 == howdah("put", "file", f"{repo}@master", *words).code

    assert 3 == howdah("inspect", "branch", f"{repo}@master").code


def test_what_was_there_is_told(howdah, repo, tmp_path):
    """A second put of a folder stores nothing; `-q` is silent."""
    for n in range(3):
        (tmp_path / f"f{n}").write_bytes(random.Random(n).randbytes(1 << 20))
    words = ("put", "file", "-r", f"{repo}@master:/", "-f", str(tmp_path))

    first, again, quiet = howdah(*words), howdah(*words), howdah(*words, "-q")

    assert ("", "") == (first.err, quiet.err)
    assert "3 of 3 files were there already and were not stored again\n" == again.err
    assert {"files": 3, "bytes": 3 << 20, "known": 3} == howdah(*words, "-o", "json").json


def test_a_put_that_is_interrupted_changes_nothing_and_says_how_to_go_on(server, howdah, repo):
    """Ctrl-C while it waits for more: exit code 130, and no commit."""
    reading, writing = os.pipe()
    ran = subprocess.Popen(
        [sys.executable, "-m", "howdah.cli", "put", "file", f"{repo}@master:/in", "-f", "-"],
        env={"HOWDAH_ADDRESS": server.grpc_address, "PYTHONPATH": ":".join(sys.path)},
        stdin=reading,
        stderr=subprocess.PIPE,
        text=True,
    )
    os.close(reading)
    fill(writing)  # returns when the command has begun to read

    err = interrupted(ran)
    os.close(writing)

    assert (130, True) == (ran.returncode, "nothing has changed" in err)
    assert 3 == howdah("inspect", "branch", f"{repo}@master").code


def interrupted(ran):
    """End a command by Ctrl-C, and once more if it came in the instant before the command began to wait."""
    for _ in range(10):
        ran.send_signal(signal.SIGINT)
        with contextlib.suppress(subprocess.TimeoutExpired):
            return ran.communicate(timeout=10)[1]
    raise AssertionError("it goes on")


def fill(pipe):
    """Write more than a pipe holds: the rest goes in only when somebody reads."""
    data = bytes(3 << 20)
    while data:
        data = data[os.write(pipe, data) :]


def test_a_url_goes_through_the_server(howdah, repo):
    """Which fetches it, or says that it does not; nothing is put without it."""
    ran = howdah("put", "file", f"{repo}@master:/a", "-f", "http://127.0.0.1:1/a")

    assert 0 != ran.code
    assert ran.err.startswith("howdah: ")
