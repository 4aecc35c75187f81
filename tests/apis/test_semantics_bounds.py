# SPDX-License-Identifier: Apache-2.0
"""No answer is a message that a client cannot take: 20 MiB each, of which 19 are ours to fill."""

import grpc
import pytest

from howdah.apis.grpc.options import PAYLOAD_BYTES_MAX
from howdah.apis.grpc.requests import WORDS_BYTES_MAX
from howdah.pfs.labels import LABELS_BYTES_MAX
from howdah.wire.stubs import metadata_pb2
from howdah.wire.stubs import pfs_v2_pb2 as pb
from tests.apis.wired import add, at, failure

CODE = grpc.StatusCode
LONG = "/" + "/".join(["n" * 250] * 15)  # nearly the longest path that there is


def biggest(answers):
    """The size of the biggest message of a stream."""
    return max(each.ByteSize() for each in answers)


@pytest.mark.parametrize("field", ["description", "error"])
def test_texts_about_a_commit_have_a_bound(wire, field):
    """It comes with every answer about the commit."""
    branch = wire.branch()
    commit = wire.finish(wire.start(branch), **{field: "x" * WORDS_BYTES_MAX})
    opened = wire.start(branch)

    refused = failure(lambda: wire.finish(opened, **{field: "x" * (WORDS_BYTES_MAX + 1)}))

    assert WORDS_BYTES_MAX == len(getattr(wire.commit(commit), field))
    assert CODE.INVALID_ARGUMENT is refused[0]


def test_descriptions_of_repos_and_projects_have_a_bound(wire):
    """In bytes, not in letters."""
    words = "ü" * WORDS_BYTES_MAX
    calls = [
        lambda: wire.pfs.CreateRepo(pb.CreateRepoRequest(repo=pb.Repo(name=wire.name()), description=words)),
        lambda: wire.pfs.CreateProject(pb.CreateProjectRequest(project=pb.Project(name="p"), description=words)),
        lambda: wire.start(wire.branch(), description=words),
    ]

    assert [CODE.INVALID_ARGUMENT] * 3 == [failure(call)[0] for call in calls]


def test_labels_of_a_thing_have_a_bound(wire):
    """All together, however they came."""
    name = wire.repo().name
    picker = {"name": {"name": name, "project": {"name": "default"}}}

    def edit(**op):
        wire.metadata.EditMetadata(metadata_pb2.EditMetadataRequest(edits=[{"repo": picker, **op}]))

    edit(replace={"replacement": {"k": "x" * (LABELS_BYTES_MAX - 1)}})
    more = failure(lambda: edit(add_key={"key": "l", "value": "x"}))
    edit(replace={"replacement": {"k": "x"}})

    assert CODE.INVALID_ARGUMENT is more[0]
    assert {"k": "x"} == dict(wire.pfs.InspectRepo(pb.InspectRepoRequest(repo=pb.Repo(name=name))).metadata)


def test_answers_about_files_of_the_longest_paths_are_small(wire):
    """Each file is a message of its own."""
    commit = wire.put(wire.branch(), {f"{LONG}/{number}": b"1" for number in range(100)})
    everything = [
        wire.pfs.ListFile(pb.ListFileRequest(file=at(commit, LONG))),
        wire.pfs.WalkFile(pb.WalkFileRequest(file=at(commit))),
        wire.pfs.GlobFile(pb.GlobFileRequest(commit=commit, pattern="/**")),
        wire.pfs.DiffFile(pb.DiffFileRequest(new_file=at(commit))),
    ]

    assert max(map(biggest, everything)) < 10_000 < PAYLOAD_BYTES_MAX


@pytest.mark.slow
def test_the_intervals_of_a_file_set_fit_into_one_answer(wire):
    """Of many files with long names fewer are given than asked for; together they are everything."""
    file_set = wire.file_set(*(add(f"{LONG}/{number:04}", b"1") for number in range(2_000)))

    answer = wire.pfs.ShardFileSet(pb.ShardFileSetRequest(file_set_id=file_set, num_files=1))

    bounds = [(each.lower, each.upper) for each in answer.shards]
    assert answer.ByteSize() < PAYLOAD_BYTES_MAX
    assert ("", "") == (bounds[0][0], bounds[-1][1])
    assert [upper for _, upper in bounds[:-1]] == [lower for lower, _ in bounds[1:]]
    assert 500 < len(bounds) < 2_000
