# SPDX-License-Identifier: Apache-2.0
"""Files as clients write and see them. Pages, differences and addresses are in `test_pfs_files`, patterns in full in
`tests/model/test_globs`, file sets by the official client in `tests/clients`.
"""

import threading

import grpc
import pytest

from howdah.apis.grpc.options import PAYLOAD_BYTES_MAX
from howdah.wire.stubs import pfs_v2_pb2 as pb
from howdah.wire.stubs import storage_pb2, taskapi_pb2
from tests.apis.wired import WAIT, add, at, copy, delete, failure, head_of, members, of_set

CODE = grpc.StatusCode


@pytest.fixture
def branch(wire):
    return wire.branch()


def names(tar):
    return [each.name + ("/" if each.isdir() and each.name != "/" else "") for each in members(tar)]


def test_operations_apply_in_the_order_of_the_stream(wire, branch):
    """A delete takes away what was added before it and nothing that comes after."""
    commit = wire.put(branch, {"/a": b"1"}, delete("/a"), add("/a", b"2"), add("/b", b"3"), delete("/b"))

    assert (["/a"], b"2") == (wire.paths(commit), wire.read(commit, "/a"))


def test_nothing_shows_before_a_stream_has_ended(wire, branch):
    """Nor if it is broken off."""
    commit = wire.start(branch)
    sent, ended = threading.Event(), threading.Event()

    def messages():
        yield pb.ModifyFileRequest(set_commit=commit)
        yield add("/a", b"1")
        sent.set()
        ended.wait(WAIT)

    call = wire.pfs.ModifyFile.future(messages())
    assert sent.wait(WAIT)
    during = wire.paths(commit)
    call.cancel()
    ended.set()

    assert ([], []) == (during, wire.paths(wire.finish(commit)))


def test_streams_into_one_open_commit_run_beside_each_other(wire, branch):
    """Clients open one for each file."""
    commit = wire.start(branch)
    calls = [
        wire.pfs.ModifyFile.future(iter([pb.ModifyFileRequest(set_commit=commit), add(f"/{number}", b"1")]))
        for number in range(8)
    ]

    for call in calls:
        call.result(WAIT)

    assert [f"/{number}" for number in range(8)] == wire.paths(commit)


def test_a_write_to_a_branch_goes_into_its_open_head(wire, branch):
    """No commit is made."""
    commit = wire.start(branch)

    wire.modify(head_of(branch), add("/a", b"1"))

    assert ([commit], ["/a"]) == (wire.commits(branch.repo), wire.paths(commit))


def test_a_write_to_a_branch_with_a_finished_head_is_a_commit_of_its_own(wire, branch):
    """Started, written and finished by the one call; with all that follows from it."""
    first = wire.put(branch, {"/a": b"1"})
    output = wire.output(branch)

    wire.modify(head_of(branch), add("/b", b"2"))

    info = wire.commit(head_of(branch))
    assert (first, True) == (info.parent_commit, info.HasField("finished"))
    assert info.commit.id == wire.head(output).id
    assert ["/a", "/b"] == wire.paths(info.commit)


def test_a_finished_commit_is_not_written(wire, branch):
    """When it is named by its id."""
    commit = wire.put(branch)

    assert CODE.FAILED_PRECONDITION is failure(lambda: wire.modify(commit, add("/a", b"1")))[0]


def test_what_is_added_is_appended_to_what_the_parent_has(wire, branch):
    """To overwrite is to delete before."""
    wire.put(branch, {"/a": b"1", "/b": b"1"})

    commit = wire.put(branch, {}, add("/a", b"2"), delete("/b"), add("/b", b"2"))

    assert (b"12", b"2") == (wire.read(commit, "/a"), wire.read(commit, "/b"))


def test_a_file_comes_in_many_messages(wire, branch):
    """It begins with one that is empty, or that has no source at all."""
    first = wire.put(branch, {}, add("/a", b""), add("/a", b"1"), add("/a", b"2"), add("/none"))

    assert (b"12", b"") == (wire.read(first, "/a"), wire.read(first, "/none"))


def test_a_delete_without_a_slash_takes_a_file_alone(wire, branch):
    """With one a directory; the root is everything; what is missing is no error."""
    wire.put(branch, {"/d/a": b"1", "/f": b"1"})

    file = wire.put(branch, {}, delete("/d"), delete("/f/"), delete("/none"), delete("/none/"))
    directory = wire.put(branch, {}, delete("/d/"))
    everything = wire.put(branch, {}, delete("/"))

    assert [["/d/", "/f"], ["/f"], []] == [wire.paths(each) for each in (file, directory, everything)]


def test_a_copy_is_of_a_file_or_a_directory_of_any_commit(wire, branch):
    """Of another repo, of a file set; it replaces what is there, or is appended."""
    source = wire.put(wire.branch(), {"/d/a": b"1", "/d/e/b": b"2"})
    file_set = of_set(wire.file_set(add("/s", b"3")))
    wire.put(branch, {"/new/a": b"old", "/log": b"old"})

    commit = wire.put(
        branch,
        {},
        copy(at(source, "/d"), "/new"),
        copy(at(source, "/d/a"), "/log", append=True),
        copy(at(file_set, "/s"), "/s"),
    )

    found = {path: wire.read(commit, path) for path in wire.walk(commit) if not path.endswith("/")}
    assert {"/log": b"old1", "/new/a": b"1", "/new/e/b": b"2", "/s": b"3"} == found


def test_a_path_of_two_datums_makes_a_bad_commit(wire, branch):
    """Of one datum it is one file."""
    good = wire.put(branch, {}, add("/a", b"1", "x"), add("/a", b"2", "x"))
    bad = wire.put(branch, {}, add("/b", b"1", "x"), add("/b", b"2", "y"))

    assert ["", "duplicate path output by different datums (/b from x and y)"] == [
        wire.commit(each).error for each in (good, bad)
    ]


def test_a_datum_is_taken_away_alone(wire, branch):
    """What another wrote stays."""
    wire.put(branch, {}, add("/a", b"1", "x"), add("/b", b"1", "y"))

    commit = wire.put(branch, {}, delete("/a", "y"), delete("/b", "y"))

    assert ["/a"] == wire.paths(commit)


@pytest.mark.parametrize("path", ["a", "/a", "//a", "a/", "/a//"])
def test_a_path_is_cleaned(wire, branch, path):
    """One slash in front, none at the end."""
    commit = wire.put(branch, {path: b"1"})

    assert (["/a"], b"1") == (wire.paths(commit), wire.read(commit, path))


def test_an_empty_path_is_the_root(wire, branch):
    """For all that read."""
    commit = wire.put(branch, {"/a": b"1"})

    assert ["/a"] == wire.paths(commit, "")
    assert "/" == wire.file(commit, "").file.path
    assert ["/", "/a"] == wire.walk(commit, "")


@pytest.mark.parametrize("path", ["/a/../b", "/./a", "/..", "/a\n", "/a\x7f", "/"])
def test_a_bad_path_is_refused(wire, branch, path):
    """Nothing of the stream is applied."""
    commit = wire.start(branch)

    code, text = failure(lambda: wire.modify(commit, add("/good", b"1"), add(path, b"1")))

    assert (CODE.INVALID_ARGUMENT, []) == (code, wire.paths(commit))
    assert text.startswith("path ")


def test_a_path_has_any_letters_and_the_signs_of_patterns(wire, branch):
    """More than others take; each file is read by its name, escaped where that is a pattern."""
    found = ["/ü/名", "/a b", "/x@y=z:1"]
    signs = "/[a]*{b}"

    commit = wire.put(branch, dict.fromkeys([*found, signs], b"1"))

    assert [b"1"] * 3 == [wire.read(commit, path) for path in found]
    assert signs == wire.file(commit, signs).file.path
    assert b"1" == wire.read(commit, r"/\[a\]\*\{b\}")


def test_a_file_and_a_directory_of_one_path_make_a_bad_commit(wire, branch):
    """The files of its parent are read instead."""
    good = wire.put(branch, {"/a": b"1"})
    bad = wire.put(branch, {"/a/b": b"2"})

    assert "file / directory path collision (/a)" == wire.commit(bad).error
    assert wire.paths(good) == wire.paths(bad)


def test_a_directory_ends_with_a_slash_and_is_the_sum_of_what_it_has(wire, branch):
    """Its hash depends on what is below it."""
    first = wire.put(branch, {"/d/a": b"12", "/d/e/b": b"345"})
    second = wire.put(branch, {"/x": b"1"})
    third = wire.put(branch, {"/d/a": b"more"})

    before, same, after = (wire.file(each, "/d") for each in (first, second, third))

    assert ("/d/", pb.DIR, 5) == (before.file.path, before.file_type, before.size_bytes)
    assert (True, False) == (before.hash == same.hash, before.hash == after.hash)


def test_the_root_is_there_if_the_commit_has_a_file(wire, branch):
    """Otherwise it is not found."""
    empty = wire.put(branch)
    full = wire.put(branch, {"/a": b"1"})

    assert CODE.NOT_FOUND is failure(lambda: wire.file(empty, "/"))[0]
    assert ("/", pb.DIR, 1) == ((root := wire.file(full, "/")).file.path, root.file_type, root.size_bytes)


def test_equal_contents_have_equal_hashes(wire, branch):
    """Whatever the path, and in how many pieces they came."""
    commit = wire.put(branch, {}, add("/a", b"12"), add("/b", b"1"), add("/b", b"2"), add("/c", b"21"))

    first, second, third = (wire.file(commit, path).hash for path in ("/a", "/b", "/c"))

    assert (True, False, 32) == (first == second, first == third, len(first))


def test_a_file_says_where_it_is_and_since_when(wire, branch):
    """It was committed when its commit was closed; in an open one it was not."""
    commit = wire.start(branch)
    wire.modify(commit, add("/a", b"1"))
    opened = wire.file(commit, "/a")
    wire.finish(commit)
    info = wire.file(commit, "/a")

    assert (commit, "/a", pb.FILE, 1) == (info.file.commit, info.file.path, info.file_type, info.size_bytes)
    assert not opened.HasField("committed")
    assert wire.commit(commit).finishing == info.committed


def test_paths_are_ordered_by_their_bytes_with_the_slash_of_directories(wire, branch):
    """In listings, walks, patterns, tars and differences alike."""
    commit = wire.put(branch, {"/a/x": b"1", "/a-b": b"1", "/a.b": b"1", "/a0": b"1", "/B": b"1", "/é": b"1"})
    expected = ["/B", "/a-b", "/a.b", "/a/", "/a/x", "/a0", "/é"]

    assert [each for each in expected if each != "/a/x"] == wire.paths(commit) == wire.glob(commit, "/*")
    assert ["/", *expected] == wire.walk(commit) == names(wire.tar(commit))
    assert [(each, "") for each in ["/", *expected]] == wire.diff(at(commit))


def test_a_listing_has_what_lies_directly_in_a_directory(wire, branch):
    """Of a file, itself; a walk has everything, and the directory too."""
    commit = wire.put(branch, {"/d/a": b"1", "/d/e/b": b"1", "/f": b"1"})

    assert ["/d/a", "/d/e/"] == wire.paths(commit, "/d") == wire.paths(commit, "/d/")
    assert ["/f"] == wire.paths(commit, "/f") == wire.walk(commit, "/f")
    assert ["/d/", "/d/a", "/d/e/", "/d/e/b"] == wire.walk(commit, "/d")
    assert CODE.NOT_FOUND is failure(lambda: wire.walk(commit, "/none"))[0]


@pytest.mark.parametrize(
    ("pattern", "expected"),
    [
        ("/*", ["/a", "/d/"]),
        ("*", ["/a", "/d/"]),
        ("/", ["/"]),
        ("/d/*", ["/d/b.txt", "/d/e/"]),
        ("/**", ["/a", "/d/", "/d/b.txt", "/d/e/", "/d/e/c.txt"]),
        ("/**.txt", ["/d/b.txt", "/d/e/c.txt"]),
        ("/?", ["/a", "/d/"]),
        ("/[^a]", ["/d/"]),
        ("/d/{b,x}.txt", ["/d/b.txt"]),
        ("/d/@(b|x).txt", ["/d/b.txt"]),
        ("/d", ["/d/"]),
        ("/none*", []),
    ],
)
def test_a_pattern_matches_paths_without_the_slash_at_their_end(wire, branch, pattern, expected):
    """One star stays within a directory, two cross them; nothing matched is an empty answer."""
    commit = wire.put(branch, {"/a": b"1", "/d/b.txt": b"1", "/d/e/c.txt": b"1"})

    assert expected == wire.glob(commit, pattern)


@pytest.mark.slow
def test_a_big_file_comes_in_several_messages(wire, branch):
    """None is over the bound; an empty one comes in one empty message."""
    data = bytes(range(256)) * (21 << 12)  # 21 MiB
    cut = len(data) // 2
    commit = wire.put(branch, {}, add("/big", data[:cut]), add("/big", data[cut:]), add("/empty", b""))

    pieces, tar = wire.pieces(commit, "/big"), wire.tar(commit)

    assert (data, True) == (b"".join(pieces), len(pieces) > 1)
    assert max(map(len, [*pieces, *tar])) <= PAYLOAD_BYTES_MAX
    assert ([b""], True) == (wire.pieces(commit, "/empty"), all(tar))


def test_a_get_may_be_by_a_pattern_of_one_file(wire, branch):
    """And from an offset on."""
    commit = wire.put(branch, {"/d/a": b"12345", "/d/b": b"1"})

    assert b"345" == wire.read(commit, "/d/[a]", offset=2)


def test_a_tar_has_directories_absolute_names_and_no_owner(wire, branch):
    """By path or by pattern, within a range of paths; it ends with two empty blocks."""
    long = "/d/" + "n" * 120
    commit = wire.put(branch, {long: b"1", "/d/a": b"22", "/f": b"1"})
    bounds = pb.PathRange(lower="/d/b", upper="/e")

    tar = wire.tar(commit, "/d")

    assert ["/d/", "/d/a", long] == names(tar)
    assert {("", "", 0, 0, 0)} == {(each.uname, each.gname, each.uid, each.gid, each.mode) for each in members(tar)}
    assert bytes(1024) == b"".join(tar)[-1024:]
    assert ["/d/a"] == names(wire.tar(commit, "/*/a"))
    assert ["/", "/d/", long] == names(wire.tar(commit, path_range=bounds))
    assert CODE.NOT_FOUND is failure(lambda: wire.tar(commit, "/none"))[0]


def test_a_difference_has_both_sides_where_they_are_not_equal(wire, branch):
    """Without an old file, from the parent."""
    first = wire.put(branch, {"/a": b"1", "/same": b"1", "/gone": b"1"})
    second = wire.put(branch, {"/a": b"2", "/new": b"1"}, delete("/gone"))

    expected = [("/", "/"), ("/a", "/a"), ("", "/gone"), ("/new", "")]

    assert expected == wire.diff(at(second)) == wire.diff(at(second), at(first))
    assert [("/a", "/a")] == wire.diff(at(second, "/a"))


@pytest.mark.parametrize("difference", [False, True])
def test_a_file_set_is_made_of_a_commit(wire, branch, difference):
    """All of it, or what it changed."""
    wire.put(branch, {"/a": b"1"})
    commit = wire.put(branch, {"/b": b"2"})
    kind = pb.GetFileSetRequest.DIFF if difference else pb.GetFileSetRequest.TOTAL

    made = wire.pfs.GetFileSet(pb.GetFileSetRequest(commit=commit, type=kind)).file_set_id

    assert (["/b"] if difference else ["/a", "/b"]) == wire.paths(of_set(made))


def test_file_sets_are_added_and_composed(wire, branch):
    """To a commit; of each other."""
    first, second = wire.file_set(add("/a", b"1")), wire.file_set(add("/b", b"2"))
    commit = wire.start(branch)

    both = wire.pfs.ComposeFileSet(pb.ComposeFileSetRequest(file_set_ids=[first, second])).file_set_id
    wire.pfs.AddFileSet(pb.AddFileSetRequest(commit=commit, file_set_id=both))

    assert ["/a", "/b"] == wire.paths(of_set(both)) == wire.paths(commit)


def test_a_file_set_lives_for_thirty_minutes_at_most(wire):
    """Longer is refused, and a lost one is not found."""
    file_set = wire.file_set(add("/a", b"1"))
    wire.pfs.RenewFileSet(pb.RenewFileSetRequest(file_set_id=file_set, ttl_seconds=1800))

    def renewed(id, seconds):
        return failure(lambda: wire.pfs.RenewFileSet(pb.RenewFileSetRequest(file_set_id=id, ttl_seconds=seconds)))[0]

    assert CODE.INVALID_ARGUMENT is renewed(file_set, 1801)
    assert CODE.NOT_FOUND is renewed("0" * 32, 60)


def test_a_file_set_is_cut_into_intervals(wire):
    """Together they are everything."""
    file_set = wire.file_set(*(add(f"/{number}", b"1") for number in range(5)))

    answer = wire.pfs.ShardFileSet(pb.ShardFileSetRequest(file_set_id=file_set, num_files=2))

    bounds = [(each.lower, each.upper) for each in answer.shards]
    assert ("", "") == (bounds[0][0], bounds[-1][1])
    assert [upper for _, upper in bounds[:-1]] == [lower for lower, _ in bounds[1:]]
    assert 3 == len(bounds)


def test_a_file_set_is_read_with_path_and_data(wire):
    """In pieces, by the service of file sets; an empty file has an empty piece."""
    file_set = wire.file_set(add("/a", b"12"), add("/b", b""))

    answers = wire.storage.ReadFileset(storage_pb2.ReadFilesetRequest(fileset_id=file_set))

    assert [("/a", b"12"), ("/b", b"")] == [(each.path, each.data.value) for each in answers]


def test_a_reference_tells_where_the_bytes_are_and_their_hash(wire):
    """A slice of what an address has; the hash is of what is fetched."""
    file_set = wire.file_set(add("/a", b"12"))

    [answer] = wire.storage.ReadFilesetCDR(storage_pb2.ReadFilesetRequest(fileset_id=file_set))

    told = str(answer.ref)
    assert all(word in told for word in ("slice {", "content_hash {", "http {", "url: "))


def test_what_a_caller_remembers_is_kept_with_its_file_sets(wire):
    """A value of any type, under a key; forgotten by its tag."""
    file_set = wire.file_set(add("/a", b"1"))
    key, tag = wire.name("key"), wire.name("tag")
    request = pb.PutCacheRequest(key=key, file_set_ids=[file_set], tag=f"{tag}/1")
    request.value.Pack(pb.Repo(name="remembered"))

    wire.pfs.PutCache(request)
    got = wire.pfs.GetCache(pb.GetCacheRequest(key=key))
    wire.pfs.ClearCache(pb.ClearCacheRequest(tag_prefix=tag))

    assert request.value == got.value
    assert CODE.NOT_FOUND is failure(lambda: wire.pfs.GetCache(pb.GetCacheRequest(key=key)))[0]


def test_a_check_counts_the_chunks_and_reads_them_if_asked(wire, branch):
    """Within an interval of their names; metadata have no fault."""
    wire.put(branch, {"/a": b"checked"})

    def count(**fields):
        return wire.pfs.CheckStorage(pb.CheckStorageRequest(**fields)).chunk_object_count

    middle = bytes([128]) + bytes(31)
    assert count(read_chunk_data=True) == count(chunk_end=middle) + count(chunk_begin=middle) > 0
    assert [] == list(wire.pfs.Fsck(pb.FsckRequest()))
    assert [] == list(wire.pfs.Fsck(pb.FsckRequest(fix=True)))
    assert [] == list(wire.pfs.Fsck(pb.FsckRequest(zombie_all=True)))


def test_no_task_waits(wire):
    """Whatever the group."""
    assert [] == list(wire.pfs.ListTask(taskapi_pb2.ListTaskRequest(group=taskapi_pb2.Group(namespace="x"))))
