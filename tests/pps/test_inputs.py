# SPDX-License-Identifier: Apache-2.0
"""Every kind of input gives the datums that plain Python finds in dictionaries, whatever the files and the tree."""

from itertools import count, product

import pyarrow as pa
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from howdah.errors import BadRequest, Unsupported
from howdah.model.globs import Glob
from howdah.model.spec import CrossInput, JoinInput, PfsInput, UnionInput, parse_input
from howdah.model.spec.keys import key_of
from howdah.pps import input_joins, input_pages, inputs
from howdah.pps.input_keys import branch_of, keys_of
from howdah.pps.plan import identify
from howdah.storage.memory_store import MemoryStore
from howdah.storage.storage import Storage
from howdah.storage.writer import ChangeWriter

REPOS = ("r0", "r1", "r2")
# Keys that meet and some that do not, empty ones, files in a folder that is matched itself.
PATHS = st.sampled_from(["/a-1", "/a-2", "/b-1", "/b-2", "/c-9", "/-1", "/-2", "/d-1/x", "/d-1/y", "/e/z", "/plain"])
KEYED = st.sampled_from(
    [("/(*)-(*)", "$1"), ("/(*)-(*)", "$2"), ("/(*)-(*)", "${2}.$1"), ("/*-(*)", "$1"), ("/*", "$1"), ("/*", "all")]
)
LAKES = st.fixed_dictionaries({repo: st.sets(PATHS, max_size=7) for repo in REPOS})


@pytest.fixture(scope="module")
def storage():
    made = Storage(MemoryStore("inputs"))
    yield made
    made.close()


@st.composite
def trees(draw, depth=2, numbers=None):
    """A tree of inputs whose leaves have names of their own."""
    numbers = numbers or count()

    def leaf(glob="/*", **more):
        return {"pfs": {"name": f"i{next(numbers)}", "repo": draw(st.sampled_from(REPOS)), "glob": glob, **more}}

    kind = draw(st.sampled_from(["pfs", "join", "group", "cross", "union"] if depth else ["pfs", "join", "group"]))
    if kind in ("cross", "union"):
        return {kind: [draw(trees(depth - 1, numbers)) for _ in range(draw(st.integers(1, 2)))]}
    if kind == "pfs":
        return leaf(draw(st.sampled_from(["/*", "/", "/*-1", "/**", "/nothing", "/plain"])))
    members = []
    for _ in range(draw(st.integers(1, 3))):
        glob, key = draw(KEYED)
        fields = {"joinOn": key, "outerJoin": draw(st.booleans())} if kind == "join" else {"groupBy": key}
        members.append(leaf(glob, **fields))
    return {kind: members}


def filled(storage, files):
    """The filesets of some repos, for `pages`."""
    found = {}
    for repo, paths in files.items():
        with ChangeWriter(storage, storage.fileset(None, "a test")) as writer:
            for path in sorted(paths):
                writer.put(path, [path.encode()])
            change = writer.finish()
        found[repo] = storage.fileset(storage.apply(None, change, "a test").root, "a test")
    return found


def made(storage, root, files, **options):
    """The datums that pages give: of each the names and paths of its parts."""
    filesets = filled(storage, files)
    nodes = [node for node in inputs.walk_inputs(root) if isinstance(node, PfsInput)]
    given = {branch_of(node): filesets[node.repo] for node in nodes}
    return [
        tuple((slot.source.name, slot.paths[at]) for slot in page.slots for at in slot.parts(number))
        for page in inputs.pages(root, given, **options)
        for number in range(len(page))
    ]


def matches(node, files):
    """What a pattern matches among files and the folders that they imply, with the captures."""
    paths = files[node.repo]
    folders = {path[: at + 1] for path in paths for at, c in enumerate(path) if c == "/"}
    pattern = Glob.parse(node.glob)
    found = {path: pattern.captures(path.rstrip("/") or "/") for path in sorted(paths | folders)}
    return {path: captured for path, captured in found.items() if captured is not None}


def by_key(node, text, files):
    """The matches of a member by their keys."""
    found = {}
    for path, captured in matches(node, files).items():
        key = text
        for number in (1, 2):
            part = captured[number - 1] if number <= len(captured) else ""
            key = key.replace(f"${{{number}}}", part).replace(f"${number}", part)
        found.setdefault(key, []).append((node.name, path))
    return found


def joined(members, files):
    found = [by_key(node, node.join_on, files) for node in members]
    for key in {key for each in found for key in each}:
        sides = [each.get(key, []) for each in found]
        if key == "":
            yield from ((part,) for side, node in zip(sides, members, strict=True) if node.outer_join for part in side)
            continue
        if not all(sides):
            sides = [side for side, node in zip(sides, members, strict=True) if side and node.outer_join]
        yield from product(*sides) if sides else ()


def grouped(members, files):
    found = [by_key(node, node.group_by, files) for node in members]
    for key in {key for each in found for key in each}:
        yield tuple(part for each in found for part in each.get(key, []))


def expected(node, files):
    """The datums of a tree, from dictionaries."""
    match node:
        case PfsInput():
            return [((node.name, path),) for path in matches(node, files)]
        case UnionInput(members):
            return [datum for member in members for datum in expected(member, files)]
        case CrossInput(members):
            return [sum(each, ()) for each in product(*[expected(member, files) for member in members])]
        case JoinInput(members):
            return list(joined(members, files))
    return list(grouped(node.inputs, files))


@settings(max_examples=60, deadline=None)
@given(tree=trees(), files=LAKES, page=st.sampled_from([1, 3, 8_192]))
def test_any_tree_gives_the_datums_of_dictionaries(storage, tree, files, page):
    """Pages small and large, files that meet and files that do not, nested as the protocol allows."""
    root = parse_input(tree)

    with pytest.MonkeyPatch.context() as patch:
        for module in (inputs, input_joins):
            patch.setattr(module, "PAGE_DATUMS", page)
        found = made(storage, root, files)

    assert sorted(expected(root, files)) == sorted(found)


@settings(max_examples=30, deadline=None)
@given(files=LAKES, keyed=KEYED)
def test_keys_of_columns_are_those_of_single_paths(storage, files, keyed):
    """The planner makes them for whole columns, workers one by one."""
    glob, text = keyed
    found = sorted(matches(PfsInput(repo="r0", glob=glob), files))

    columns = keys_of(pa.array(found, pa.string()), Glob.parse(glob), text).to_pylist()

    assert [key_of(path, glob, text) for path in found] == columns


def test_same_keys_cross_and_three_inputs_join(storage):
    """Two of one key on one side are two datums with each of the other sides."""
    node = parse_input({"join": [{"pfs": {"repo": r, "glob": "/(*)-*", "joinOn": "$1"}} for r in REPOS]})
    files = {"r0": {"/a-1", "/a-2"}, "r1": {"/a-3", "/b-4"}, "r2": {"/a-5", "/b-6"}}

    found = made(storage, node, files)

    assert [("/a-1", "/a-3", "/a-5"), ("/a-2", "/a-3", "/a-5")] == [tuple(path for _, path in each) for each in found]


def test_the_first_datum_of_a_huge_cross_is_there_at_once(storage):
    """Of 10^12 datums only what is asked for is made."""
    files = {repo: {f"/{n}" for n in range(10_000)} for repo in REPOS}
    filesets = filled(storage, files)
    root = parse_input({"cross": [{"pfs": {"repo": repo, "glob": "/*"}} for repo in REPOS]})
    given = {branch_of(node): filesets[node.repo] for node in inputs.pfs_inputs(root)}

    first = next(inputs.pages(root, given))

    assert 3 == len(first.slots)
    assert 0 < len(first) <= input_pages.PAGE_DATUMS


def test_the_id_of_a_group_covers_every_file(storage):
    """One file more is another datum; the order of members is that of the spec, which is sorted."""
    root = parse_input({"group": [{"pfs": {"repo": r, "glob": "/(*)-*", "groupBy": "$1"}} for r in ("r1", "r0")]})
    ids = []
    for files in ({"/a-1", "/a-2"}, {"/a-1", "/a-2", "/a-3"}):
        filesets = filled(storage, {"r0": files, "r1": {"/a-9"}})
        [page] = inputs.pages(root, {branch_of(node): filesets[node.repo] for node in inputs.pfs_inputs(root)})
        ids += identify(page, "salt")[0]

    assert 2 == len(set(ids))
    assert [["/a-1", "/a-2", "/a-3"], ["/a-9"]] == [slot.paths for slot in page.slots]


def test_a_reference_to_a_group_that_is_not_there_is_refused():
    """The field is named; without any group it is a warning."""
    with pytest.raises(BadRequest) as error:
        parse_input({"join": [{"pfs": {"repo": "r0", "glob": "/(*)-(*)", "joinOn": "$3"}}]})

    assert "input.join[0].pfs.joinOn" in error.value.message
    assert "$3" in error.value.message


def test_a_kind_that_does_not_run_is_named(storage):
    """Until it has a repo, a clock gives no datums."""
    root = parse_input({"cron": {"name": "tick", "spec": "@daily"}}, pipeline="p")

    with pytest.raises((Unsupported, KeyError)):
        list(inputs.pages(root, {}))


def warned(storage, tree, files):
    texts = []
    made(storage, parse_input(tree), files, warn=texts.append)
    return texts


def join(*members):
    return {"join": [{"pfs": {"repo": repo, **fields}} for repo, fields in zip(REPOS, members, strict=False)]}


ON = {"glob": "/(*)-*", "joinOn": "$1"}


@pytest.mark.parametrize(
    ("tree", "files", "words"),
    [
        (join(ON, {"glob": "/*", "joinOn": "$1"}), {"r0": {"/a-1"}, "r1": {"/a-1"}}, "glob /* has no parentheses"),
        (join(ON, ON), {"r0": {"/-1"}, "r1": {"/a-1"}}, "is empty for each of its 1 files"),
        (join(ON, ON), {"r0": {"/a-1"}, "r1": {"/b-1"}}, "so it gives no datum; r0 has a, r1 has b"),
        (
            join(ON, {**ON, "outerJoin": True}),
            {"r0": {"/a-1"}, "r1": {"/b-1"}},
            "each file of r1 is without partner",
        ),
        ({"pfs": {"repo": "r0", "glob": "/*", "outerJoin": True}}, {"r0": {"/a-1"}}, "outside of a join"),
        ({"group": [{"pfs": {"repo": "r0", "glob": "/(*)-*", "groupBy": "$1"}}]}, {"r0": {"/-1"}}, "is one group"),
    ],
)
def test_what_can_hardly_be_meant_is_warned_about(storage, tree, files, words):
    """Once, in one line that names the input."""
    [text] = warned(storage, tree, files)

    assert words in text
    assert "\n" not in text


@pytest.mark.parametrize(
    "files", [{"r0": {"/a-1"}, "r1": {"/a-2", "/b-1"}}, {"r0": set(), "r1": {"/a-1"}}, {"r0": set(), "r1": set()}]
)
def test_what_is_well_is_not_warned_about(storage, files):
    """Something that meets, and sides that have no files yet."""
    assert [] == warned(storage, join(ON, ON), files)
