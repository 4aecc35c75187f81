# SPDX-License-Identifier: Apache-2.0
"""Plans: ids and keys as they have always been, and a plan made of changes equals one made from nothing."""

import json
from itertools import count

import pytest
from blake3 import blake3
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from howdah.errors import Damaged
from howdah.model.spec import parse_input
from howdah.pps import replan as replanning
from howdah.pps.inputs import Page, Slot, Source, pages
from howdah.pps.plan import build_plan, identify, parts_of, paths_of
from howdah.pps.records import encode, read_records
from howdah.pps.replan import Earlier, fingerprint, replan
from howdah.storage.filesets import EMPTY_ROOT
from howdah.storage.memory_store import MemoryStore
from howdah.storage.storage import Storage
from howdah.storage.writer import ChangeWriter
from tests.pps.lakes import branch

PATHS = st.sampled_from(["/a", "/b", '/q"{,}', "/d/x", "/d/y", "/d/z/1", "/ä\\"])
FILES = st.dictionaries(PATHS, st.sampled_from([b"one", b"two", b""]), max_size=6)
GLOBS = st.sampled_from(["/", "/*", "/*/*", "/**", "/d", "/{a,d/x}", "/q*"])
QUICK = settings(max_examples=40, deadline=None, suppress_health_check=list(HealthCheck))
NAMES = count()

IN = branch("in")


@pytest.fixture(scope="module")
def storage():
    with Storage(MemoryStore("plans")) as made:
        yield made


def fileset(storage, files):
    with ChangeWriter(storage, storage.fileset(None, "a test")) as writer:
        for path, data in files.items():
            writer.put(path, [data])
        return storage.fileset(storage.apply(None, writer.finish(), "a test").root, "a test")


def planned(storage, root):
    return [(path, key, record) for path, key, record in read_records(storage, storage.fileset(root, "").batches(), "")]


def digest_of(storage, root):
    return storage.fileset(root, "").total.digest


def sized(text):
    data = text.encode() if isinstance(text, str) else text
    return len(data).to_bytes(4, "little") + data


def pfs(name, glob, **more):
    return {"pfs": {"repo": name, "branch": "master", "name": name, "glob": glob, **more}}


def test_ids_and_keys_are_those_of_the_paper():
    """Names and paths make the id; id, contents and salt make the key; the content of a reference does not count."""
    left = Source("l", "p", "r", "b", False)
    right = Source("r", "p", "r2", "b", True)
    page = Page(
        (Slot(left, ["/ä", "/b"], [b"1" * 32, b"2" * 32], [1, 2]), Slot(right, ["/c/"] * 2, [b"3" * 32] * 2, [3] * 2))
    )

    ids, keys = identify(page, "salt")

    for number, path in enumerate(["/ä", "/b"]):
        name = b"".join(map(sized, ["l", "p", "r", "b", path, "r", "p", "r2", "b", "/c/"]))
        assert blake3(name).hexdigest(length=16) == ids[number]
        content = sized(ids[number]) + page.slots[0].hashes[number] + sized("salt")
        assert blake3(content).hexdigest() == keys[number]


def test_a_record_is_what_it_always_was(storage):
    """The bytes of the JSON object, whatever is in a path; and its text can be taken apart."""
    files = {'/q","path":"},{"name":"x': b"1", "/ü\\": b"2"}
    node = parse_input({"cross": [pfs("l", "/*"), pfs("r", "/")]})
    filesets = {branch(name): fileset(storage, files) for name in ("l", "r")}

    found = planned(storage, build_plan(storage, EMPTY_ROOT, pages(node, filesets), "", "a test"))

    assert 2 == len(found)
    for _, _, record in found:
        text = encode(record).decode()
        assert ["key", "inputs"] == list(record)
        assert ["name", "path", "hash", "size"] == list(record["inputs"][0])
        assert record["inputs"] == [json.loads(part + "}") for _, part in parts_of(text)]
        assert ["l", "r"] == [json.loads(name) for name, _ in parts_of(text)]
        assert [(part["name"], part["path"], "") for part in record["inputs"]] == paths_of(text)


def test_the_bytes_of_records_are_those_of_the_encoder(storage):
    """What is made quickly is what the encoder makes."""
    node = parse_input(pfs("l", "/*"))
    root = build_plan(storage, EMPTY_ROOT, pages(node, {branch("l"): fileset(storage, {'/ü"': b"1"})}), "", "a test")

    [entry] = storage.fileset(root, "").find(planned(storage, root)[0][0])

    assert blake3(encode(planned(storage, root)[0][2])).digest() == entry.hash


@QUICK
@given(FILES, FILES, GLOBS, st.booleans())
def test_a_plan_of_what_changed_equals_one_of_everything(storage, before, after, glob, reference):
    """Digest for digest, and record for record, for any pattern; also where contents do not count."""
    node = parse_input(pfs("in", glob, reference=reference))
    old, new = fileset(storage, before), fileset(storage, after)
    first = build_plan(storage, EMPTY_ROOT, pages(node, {IN: old}), "s", "a test")
    earlier = Earlier(first, fingerprint(node, "s"), {IN: old.root})

    updated = replan(storage, earlier, node, {IN: new}, "s", "a test")

    full = build_plan(storage, EMPTY_ROOT, pages(node, {IN: new}), "s", "a test")
    over = build_plan(storage, first, pages(node, {IN: new}), "s", "a test")
    assert planned(storage, full) == planned(storage, updated) == planned(storage, over)
    digests = {storage.fileset(root, "").total.digest for root in (full, updated, over)}
    assert 1 == len(digests)


@QUICK
@given(st.lists(FILES, min_size=2, max_size=2), st.lists(FILES, min_size=2, max_size=2), GLOBS, GLOBS)
def test_so_does_one_of_a_cross(storage, before, after, left, right):
    """Whatever changed of which member; one of them may be there twice, under two names."""
    again = {"pfs": {**pfs("l", "/*")["pfs"], "name": "again"}}
    node = parse_input({"cross": [pfs("l", left), pfs("r", right), again]})
    old, new = (
        {branch(n): fileset(storage, each) for n, each in zip("lr", some, strict=True)} for some in (before, after)
    )
    first = build_plan(storage, EMPTY_ROOT, pages(node, old), "s", "a test")
    earlier = Earlier(first, fingerprint(node, "s"), {at: files.root for at, files in old.items()})

    updated = replan(storage, earlier, node, new, "s", "a test")

    full = build_plan(storage, EMPTY_ROOT, pages(node, new), "s", "a test")
    assert planned(storage, full) == planned(storage, updated)
    assert digest_of(storage, full) == digest_of(storage, updated)


def test_of_a_cross_only_datums_with_a_part_that_changed_are_made(storage, monkeypatch):
    """Unless much has changed: then all of them are."""
    node = parse_input({"cross": [pfs("l", "/*"), pfs("r", "/*")]})
    files = {f"/{number}": b"1" for number in range(20)}
    old = {branch(name): fileset(storage, files) for name in "lr"}
    new = old | {branch("r"): fileset(storage, files | {"/7": b"2"})}
    root = build_plan(storage, EMPTY_ROOT, pages(node, old), "s", "a test")
    earlier = Earlier(root, fingerprint(node, "s"), {at: files.root for at, files in old.items()})
    full = build_plan(storage, EMPTY_ROOT, pages(node, new), "s", "a test")
    made = []
    monkeypatch.setattr(replanning, "pages", lambda *given: made.append(given) or pages(*given))

    updated = replan(storage, earlier, node, new, "s", "a test")
    assert (0, digest_of(storage, full)) == (len(made), digest_of(storage, updated))

    monkeypatch.setattr(replanning, "_CHANGED_MIN", 10)
    monkeypatch.setattr(replanning, "_CHANGED_PART", 20)
    over = replan(storage, earlier, node, new, "s", "a test")
    assert (1, digest_of(storage, full)) == (len(made), digest_of(storage, over))


def earlier_of(storage, node, files, salt="s"):
    root = build_plan(storage, EMPTY_ROOT, pages(node, {IN: files}), salt, "a test")
    return Earlier(root, fingerprint(node, salt), {IN: files.root})


def test_the_same_files_are_not_looked_at(storage, monkeypatch):
    """Whatever kind of input it is; another salt or pattern is another plan."""
    node, files = parse_input(pfs("in", "/*")), fileset(storage, {"/a": b"1"})
    earlier = earlier_of(storage, node, files)
    monkeypatch.setattr(replanning, "pages", lambda *_: pytest.fail("datums were looked for"))

    assert earlier.plan == replan(storage, earlier, node, {IN: files}, "s", "a test")

    monkeypatch.undo()
    assert earlier.plan != replan(storage, earlier, node, {IN: files}, "other", "a test")


def test_an_earlier_input_that_is_gone_is_no_fault(storage):
    """Then all datums are found again; the new input must be readable."""
    node = parse_input(pfs("in", "/*"))
    old, new = fileset(storage, {"/a": b"1"}), fileset(storage, {"/a": b"2"})
    earlier = earlier_of(storage, node, old)
    lost = Earlier(earlier.plan, earlier.fingerprint, {IN: b"\1" * 32})

    assert replan(storage, earlier, node, {IN: new}, "s", "a test") == replan(
        storage, lost, node, {IN: new}, "s", "a test"
    )
    with pytest.raises(Damaged):
        replan(storage, earlier, node, {IN: storage.fileset(b"\2" * 32, "a test")}, "s", "a test")


def test_many_changed_directories_are_planned_at_once(storage):
    """Where it is less to list everything, that is what happens."""
    node = parse_input(pfs("in", "/*"))
    old = fileset(storage, {f"/{n}/x": b"1" for n in range(2_500)})
    new = fileset(storage, {f"/{n}/x": b"2" for n in range(2_500)})

    updated = replan(storage, earlier_of(storage, node, old), node, {IN: new}, "s", "a test")

    full = build_plan(storage, EMPTY_ROOT, pages(node, {IN: new}), "s", "a test")
    assert storage.fileset(full, "").total == storage.fileset(updated, "").total
