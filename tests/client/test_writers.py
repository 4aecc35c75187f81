# SPDX-License-Identifier: Apache-2.0
"""A few files or many, by one writer: the same result, and what was stored before is not stored again."""

import random
import subprocess
import sys

import pytest

from howdah.client import Client
from howdah.errors import BadRequest, Unsupported
from howdah.storage import changes, rows
from howdah.storage.changes import Layer
from howdah.storage.entries import Entry, encode_change, encode_entries
from howdah.storage.extents import Extents

MiB = 1 << 20


@pytest.fixture
def direct(server):
    with Client(server.grpc_address, direct=True) as client:
        yield client


@pytest.fixture
def master(direct, request):
    """A branch of a repo of this test alone, with a file."""
    name = f"w{abs(hash(request.node.nodeid)) % 10**12}"
    direct.create_repo(name)
    direct.put_file(f"{name}@master", "/old", b"old")
    return f"{name}@master"


def chunks(server):
    return {info.key for info in server.pfs.storage.store.list("chunk/")}


def entries():
    """Entries of every shape, in order of path."""
    shapes = [Extents(), Extents.one(b"n" * 32, 0, 5), Extents.of([(b"m" * 32, 7, 9), (b"k" * 32, 0, 1 << 31)])]
    return [
        Entry(path, datum, extents.total, bytes([n]) * 32, b"p" * 32 * n, extents)
        for n, (path, datum, extents) in enumerate(zip(["/a", "/ü", "/𝄞"], ["", "d", ""], shapes, strict=True))
    ]


def test_a_few_entries_have_the_bytes_of_columns():
    """Whoever reads a change cannot tell how it was written."""
    assert rows.encode(rows.from_entries(entries())) == encode_entries(entries())
    assert rows.encode(rows.EMPTY) == encode_entries([])


@pytest.mark.parametrize("puts", [[], entries()])
@pytest.mark.parametrize("appends", [[], entries()[:1]])
@pytest.mark.parametrize("deletes", [[], ["/z", "/y"]])
def test_a_small_change_has_the_bytes_of_any_change(puts, appends, deletes):
    """Each of its parts may be missing, and all of them."""
    source = [rows.from_entries(some) if some else None for some in (puts, appends)]
    layer = Layer(deletes=tuple((path, None) for path in sorted(deletes)), puts=source[0], appends=source[1])

    expected = changes.encode((layer,) if puts or appends or deletes else ())

    assert expected == encode_change(deletes, list(reversed(puts)), appends)


@pytest.mark.parametrize(
    "more",
    [
        lambda writer, _: None,
        lambda writer, _: writer.put("/a", b"again"),
        lambda writer, _: writer.put("/a", b"+", append=True),
        lambda writer, _: writer.delete("/a"),
        lambda writer, _: writer.delete("/", recursive=True),
        lambda writer, master: writer.copy(f"{master}:/old", "/copy"),
        lambda writer, _: [writer.put(f"/more/{n}", b"%d" % n) for n in range(40)],
    ],
    ids=["nothing", "twice", "append", "delete", "delete-all", "copy", "many"],
)
def test_a_writer_that_takes_over_goes_on_in_order(server, direct, master, more):
    """A put, an append and a delete, and then what they cannot be handed in with: as through the server."""
    results = []
    for way in (True, False):
        with Client(server.grpc_address, direct=way) as client:
            branch = master.replace("master", f"direct-{way}")
            client.create_branch(branch, head=master)
            with client.modify(branch) as writer:
                writer.put("/a", b"a")
                writer.put("/old", b" and new", append=True)
                writer.put("/gone", b"")
                writer.delete("/nothing")
                more(writer, master)
            results.append({path: b"".join(pieces) for path, _, pieces in client.read_files(branch, "/")})

    assert results[1] == results[0]


def test_a_small_file_of_a_pack_is_not_stored_again(server, direct, master):
    """A writer of one file knows what the branch has, without reading its fileset."""
    with direct.modify(master) as writer:
        writer.put_files((f"/f{n}", b"content %d" % n) for n in range(50))
    before = chunks(server)

    with direct.modify(master) as writer:
        writer.put("/f7", b"content 7")

    assert before == chunks(server)
    assert (1, 9, 1) == writer.written


def test_files_that_were_there_are_counted(direct, master, tmp_path):
    """Small ones in packs, big ones, empty ones; of a first put none is."""
    (tmp_path / "empty").write_bytes(b"")
    (tmp_path / "big").write_bytes(random.Random("files that were there").randbytes(2 * MiB))
    for n in range(20):
        (tmp_path / f"s{n}").write_bytes(b"small %d" % n)
    counts = []

    for _ in range(2):
        with direct.modify(master) as writer:
            writer.put_folder("/in", tmp_path)
        counts.append(writer.written)

    assert [0, 22] == [count.known for count in counts]
    assert [(22, 2 * MiB + 150)] * 2 == [count[:2] for count in counts]


def interrupted_after(_):
    raise KeyboardInterrupt


def test_a_put_that_was_broken_off_is_gone_on_with(server, direct, master, tmp_path):
    """Nothing of it can be read, and what it stored is not stored again."""
    for n in range(6):
        (tmp_path / f"big{n}").write_bytes(random.Random(n).randbytes(2 * MiB))

    with pytest.raises(KeyboardInterrupt), direct.modify(master) as writer:
        interrupted_after(writer.put_folder("/in", tmp_path))
    before = chunks(server)
    assert ["/old"] == [info.path for info in direct.list_files(master)]

    with direct.modify(master) as writer:
        writer.put_folder("/in", tmp_path)

    assert (6, 12 * MiB, 6) == writer.written
    assert before == chunks(server)


@pytest.mark.parametrize(
    ("patterns", "expected"),
    [
        (["*.tmp"], ["a", "deep/b", "keep/x.log"]),
        (["deep/"], ["a", "c.tmp", "keep/x.log"]),
        (["/keep", "*.tmp", "!c.tmp"], ["a", "c.tmp", "deep/b"]),
        (["**/x.*"], ["a", "c.tmp", "deep/b"]),
    ],
)
def test_what_is_excluded_stays_out(client, repo, tmp_path, patterns, expected):
    """By patterns as in a .gitignore."""
    for name in ("a", "c.tmp", "deep/b", "keep/x.log"):
        (tmp_path / name).parent.mkdir(exist_ok=True)
        (tmp_path / name).write_bytes(b"1")

    client.put_folder(f"{repo}@master", "/", tmp_path, exclude=patterns)

    assert expected == [path[1:] for path, _, _ in client.read_files(f"{repo}@master", "/")]


def test_a_url_needs_a_write_through_the_server(direct, master):
    """Beside the server nobody fetches; a URL cannot take the place of everything."""
    with pytest.raises(Unsupported, match="through=True"), direct.modify(master) as writer:
        writer.put_url("/a", "https://example.org/a")
    with pytest.raises(BadRequest, match="name a directory"), direct.modify(master, through=True) as writer:
        writer.put_url("/", "s3://bucket/prefix", recursive=True)


def test_many_files_are_put_at_once(client, repo):
    """Of any size, appended or not."""
    files = [(f"/f{n:03}", b"x" * n) for n in range(300)] + [("/z", b"z" * 2 * MiB)]
    with client.modify(f"{repo}@master") as writer:
        writer.put_files(files)
    with client.modify(f"{repo}@master") as writer:
        writer.put_files([("/f001", b"y")], append=True)

    found = {path: b"".join(pieces) for path, _, pieces in client.read_files(f"{repo}@master", "/")}

    assert {**dict(files), "/f001": b"xy"} == found


def test_one_small_file_loads_no_arrow(server, direct, master, tmp_path):
    """Neither to put nor to get it; nor to list repos."""
    code = (
        "import sys, howdah.client; c = howdah.client.Client(); t, f = sys.argv[1:];"
        "list(c.list_repos()); c.put_file(t, '/n', b'new'); c.put_file(t, '/n', f, append=True);"
        "c.get_file(t, '/n'); c.save_file(t, '/n', f); c.close();"
        "sys.exit(' '.join({'pyarrow', 'numpy', 'pathspec', 'tarfile'} & set(sys.modules)) or 0)"
    )
    file = tmp_path / "f"
    file.write_bytes(b"!")

    ran = subprocess.run(
        [sys.executable, "-c", code, master, str(file)],
        env={"HOWDAH_ADDRESS": server.grpc_address, "PYTHONPATH": ":".join(sys.path)},
        capture_output=True,
        text=True,
        check=False,
    )

    assert (0, "") == (ran.returncode, ran.stderr)
    assert b"new!" == file.read_bytes()
