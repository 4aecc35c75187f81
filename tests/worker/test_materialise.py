# SPDX-License-Identifier: Apache-2.0
"""A datum finds its inputs as files, and its folder as empty as the first datum did."""

import os
import random
from dataclasses import replace

import pytest

from howdah.errors import Damaged, ErrorKind
from howdah.storage.rows import Entry
from howdah.storage.storage import Storage
from howdah.storage.writer import ChangeWriter
from howdah.worker.folders import Folders
from howdah.worker.materialise import Materialiser
from howdah.worker.prefetch import prefetched
from howdah.worker.todo import datums
from howdah.worker.values import Datum, Match
from howdah.worker.volumes import left_in_memory
from tests.worker.scripted import Lake, datum_id

FILES = {"/a": b"one", "/b/c": b"two", "/b/d/e": b"three", "/b-f": b"four", "/empty": b""}


@pytest.fixture
def lake(tmp_path):
    lake = Lake(tmp_path)
    yield lake
    lake.storage.close()


@pytest.fixture
def folders(tmp_path):
    folders = Folders(tmp_path / "work", reuse=True)
    yield folders
    folders.close()


def seen(folder):
    """Path to content of all files below a folder; None for an empty folder."""
    found = {}
    for base, directories, files in os.walk(folder):
        for name in files:
            path = os.path.join(base, name)
            with open(path, "rb") as file:
                found[os.path.relpath(path, folder)] = file.read()
        if not files and not directories:
            found[os.path.relpath(base, folder)] = None
    return found


def prepared(lake, folders, claim, *matches):
    """The folder of a datum with these matches."""
    datum = Datum("d", tuple(Match(*match) for match in matches))
    folder = folders.new([match.name for match in datum.inputs])
    size = Materialiser(lake.storage, claim).prepare(datum, folder)
    assert size == sum(len(data or b"") for data in seen(folder).values())
    return folder


@pytest.mark.parametrize(
    ("path", "expected"),
    [
        ("/a", {"a": b"one"}),
        ("/b/d/e", {"b/d/e": b"three"}),
        ("/empty", {"empty": b""}),
        ("/b/", {"b/c": b"two", "b/d/e": b"three"}),
        ("/b", {"b/c": b"two", "b/d/e": b"three"}),
        ("/", {path[1:]: data for path, data in FILES.items()}),
    ],
)
def test_a_match_lies_below_its_inputs_name(lake, folders, path, expected):
    """A file at its own path; a directory with all below it, with or without a slash; the root is everything."""
    claim = lake.value({"in": FILES}, [])

    folder = prepared(lake, folders, claim, ("in", path))

    assert {"out": None, **{f"in/{name}": data for name, data in expected.items()}} == seen(folder)


def test_each_input_has_a_folder(lake, folders):
    """Two inputs may match the same path."""
    claim = lake.value({"left": {"/a": b"L"}, "right": {"/a": b"R"}}, [])

    folder = prepared(lake, folders, claim, ("left", "/a"), ("right", "/a"))

    assert {"left/a": b"L", "right/a": b"R", "out": None} == seen(folder)


def test_big_files_come_whole(lake, folders):
    """Files that are cut into chunks are put together again, alone and in a directory."""
    data = random.Random(4).randbytes(3 << 20)
    claim = lake.value({"in": {"/d/big": data, "/d/small": b"x"}}, [])

    alone = prepared(lake, folders, claim, ("in", "/d/big"))
    below = prepared(lake, folders, claim, ("in", "/d/"))

    assert {"in/d/big": data, "out": None} == seen(alone)
    assert {"in/d/big": data, "in/d/small": b"x", "out": None} == seen(below)


def test_parts_of_one_file_are_put_together(lake, folders):
    """What several datums wrote to one path is one file, in the order of its parts."""
    storage = lake.storage
    with ChangeWriter(storage, storage.fileset(None, "nothing")) as writer:
        for datum in ("1", "2"):
            writer.put("/d/f", [datum.encode() * 3], datum=datum, append=True)
        parts = writer.finish()
    root = storage.apply(None, parts, "test").root
    claim = lake.value({"in": {"/x": b""}}, [])
    claim = replace(claim, inputs={"in": replace(claim.inputs["in"], root=root)})

    alone = prepared(lake, folders, claim, ("in", "/d/f"))
    below = prepared(lake, folders, claim, ("in", "/"))

    assert {"in/d/f": b"111222", "out": None} == seen(alone) == seen(below)


def test_a_damaged_input_is_never_shown(lake, folders, tmp_path):
    """Bytes are proved before they are written; the error names the file and the job."""
    claim = lake.value({"in": {"/a": b"one"}}, [])
    entry: Entry = lake.entries(claim.inputs["in"].root)[0]
    name = entry.extents.names.hex()
    chunk = tmp_path / "lake" / "chunk" / name[:2] / name
    chunk.chmod(0o600)
    chunk.write_bytes(chunk.read_bytes()[:-1] + b"X")

    with Storage(lake.store) as fresh, pytest.raises(Damaged) as error:
        Materialiser(fresh, claim).prepare(Datum("d", (Match("in", "/a"),)), folders.new(["in"]))

    assert ErrorKind.OBJECT_CORRUPT == error.value.kind
    assert "file /a of input in of job default/edges@" in error.value.message


def test_an_input_that_the_job_does_not_read_is_refused(lake, folders):
    """A plan that names what the claim has not is no reason to run with less."""
    claim = lake.value({"in": FILES}, [])

    with pytest.raises(Damaged, match="'other'"):
        prepared(lake, folders, claim, ("other", "/a"))


def test_a_claims_datums_are_a_slice_of_the_plan(lake):
    """First and count are numbers of files in the order of datum ids."""
    every = [[("in", path)] for path in FILES]
    ids = sorted(datum_id(*each) for each in every)

    claim = lake.value({"in": FILES}, every, first=1, count=3)
    found = list(datums(lake.storage, claim))

    assert ids[1:4] == [datum.id for datum in found]
    assert all(datum.id == datum_id(*((m.name, m.path) for m in datum.inputs)) for datum in found)


def test_a_plan_that_is_no_plan_is_damaged(lake):
    """It is said which file cannot be understood."""
    claim = lake.value({"in": {"/x": b"not JSON"}}, [])
    claim = replace(claim, todo_root=claim.inputs["in"].root, count=1)

    with pytest.raises(Damaged, match="/x cannot be understood"):
        list(datums(lake.storage, claim))


def test_a_folder_is_given_out_again_empty(tmp_path):
    """Whatever a datum did in its folder, the next one finds its inputs' folders and `out` with nothing in them."""
    folders = Folders(tmp_path, reuse=True)
    first = folders.new(["in"])
    for path in ("in/a", "out/b"):
        with open(f"{first}/{path}", "w") as file:
            file.write("x")
    os.makedirs(f"{first}/out/locked/below")
    os.chmod(f"{first}/out/locked", 0)
    os.symlink("/etc", f"{first}/out/link")

    folders.discard(first)
    folders.close()
    second = folders.new(["in"])

    assert first == second
    assert {"in": None, "out": None} == seen(second)
    assert os.path.isdir("/etc")


@pytest.mark.parametrize("change", ["rights", "more", "less", "link"])
def test_a_folder_that_is_not_as_it_was_made_is_not_given_out_again(tmp_path, change):
    """Rights, new names, missing or replaced folders would be seen by the next datum."""
    folders = Folders(tmp_path, reuse=True)
    first = folders.new(["in"])
    if change == "rights":
        os.chmod(f"{first}/out", 0o500)
    elif change == "more":
        os.mkdir(f"{first}/more")
    else:
        os.rmdir(f"{first}/in")
        if change == "link":
            os.symlink("/tmp", f"{first}/in")

    folders.discard(first)
    folders.close()

    assert first != folders.new(["in"])
    assert not os.path.exists(first)


@pytest.mark.parametrize("reuse", [True, False])
def test_a_folder_is_not_given_out_for_other_inputs(tmp_path, reuse):
    """A datum of another pipeline sees the folders of its own inputs alone; without reuse all folders are new."""
    folders = Folders(tmp_path, reuse=reuse)
    first = folders.new(["in"])
    folders.discard(first)
    folders.close()

    other = folders.new(["left", "right"])

    assert first != other
    assert {"left": None, "right": None, "out": None} == seen(other)


def test_what_an_earlier_worker_left_is_removed(tmp_path):
    """A worker that was killed leaves its folders; the next one in the same place takes them away."""
    left = Folders(tmp_path, reuse=True)
    old = left.new(["in"])
    left.close()

    folders = Folders(tmp_path, reuse=True)
    new = folders.new(["in"])
    folders.close()

    assert old != new
    assert [os.path.basename(new)] == os.listdir(os.path.dirname(new))


def test_what_an_earlier_worker_left_in_memory_is_removed(tmp_path):
    """It is found by the work folder; what other workers have there stays."""
    other = Folders(tmp_path / "other", reuse=True)
    others = other.new(["in"], in_memory=True)
    left = Folders(tmp_path / "work", reuse=True).new(["in"], in_memory=True)  # as of one that was killed

    folders = Folders(tmp_path / "work", reuse=True)
    new = folders.new(["in"], in_memory=True)
    folders.settle()

    assert left != new
    assert (False, True, True) == (os.path.exists(left), os.path.exists(new), os.path.exists(others))
    for each in (folders, other):
        each.close()
    assert [] == left_in_memory(tmp_path / "work") + left_in_memory(tmp_path / "other")


def test_prefetching_keeps_the_order_and_a_few_ahead(lake, folders):
    """Datums come in order, and no more than some lie ready before they are asked for."""
    files = {f"/{number:02}": b"x" for number in range(20)}
    claim = lake.value({"in": files}, [])
    wanted = [Datum(path, (Match("in", path),)) for path in sorted(files)]
    asked = []

    def one_by_one():
        for datum in wanted:
            asked.append(datum)
            yield datum

    ready = prefetched(one_by_one(), folders, Materialiser(lake.storage, claim))
    first = next(ready)
    most = len(asked)
    rest = list(ready)

    assert wanted == [first.datum, *(each.datum for each in rest)]
    assert most <= 6


def test_prefetching_given_up_leaves_nothing(lake, folders, tmp_path):
    """What was made ready and not taken is cleaned away."""
    files = {f"/{number:02}": b"x" for number in range(9)}
    claim = lake.value({"in": files}, [])
    ready = prefetched([Datum(p, (Match("in", p),)) for p in files], folders, Materialiser(lake.storage, claim))
    taken = next(ready)

    ready.close()
    folders.discard(taken.folder)
    folders.close()

    assert [] == [p for p in (tmp_path / "work").rglob("*") if p.is_file()]


def test_an_error_of_the_plan_comes_out(lake, folders):
    """The thread's error is raised where datums are asked for."""
    claim = lake.value({"in": FILES}, [])

    def broken():
        yield Datum("d", (Match("in", "/a"),))
        raise Damaged(ErrorKind.OBJECT_MISSING, "no plan")

    ready = prefetched(broken(), folders, Materialiser(lake.storage, claim))

    with pytest.raises(Damaged, match="no plan"):
        list(ready)
