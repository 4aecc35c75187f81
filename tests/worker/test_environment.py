# SPDX-License-Identifier: Apache-2.0
"""What a datum's variables say of joins, groups, and inputs that share a name."""

from howdah.wire.stubs import howdah_v1_pb2 as wire
from howdah.wire.stubs import pfs_v2_pb2 as pfs
from howdah.worker.environment import datum_variables
from howdah.worker.link import claim_of
from howdah.worker.materialise import Materialiser
from howdah.worker.values import Datum, Match
from tests.worker.scripted import COMMIT_ID, Lake


def test_a_join_says_by_which_key(tmp_path):
    """Of each part that is there; what lacks a partner has none for it."""
    spec = {
        "join": [
            {"pfs": {"repo": "in", "glob": "/(*)-*", "joinOn": "$1", "outerJoin": True}},
            {"pfs": {"repo": "other", "glob": "/*-(*)", "joinOn": "x$1"}},
        ]
    }
    claim = Lake(tmp_path).value({"in": {"/a-1": b""}, "other": {"/1-a": b""}}, [], input=spec)

    both = datum_variables(claim, Datum("d", (Match("in", "/a-1"), Match("other", "/1-a"))))
    alone = datum_variables(claim, Datum("d", (Match("in", "/a-1"),)))

    assert ("a", "xa") == (both["PACH_DATUM_in_JOIN_ON"], both["PACH_DATUM_other_JOIN_ON"])
    assert {
        "PACH_DATUM_ID": "d",
        "in": "/pfs/in/a-1",
        "in_COMMIT": COMMIT_ID,
        "PACH_DATUM_in_JOIN_ON": "a",
    } == alone


def test_a_group_says_its_key_and_the_last_of_its_files(tmp_path):
    """A variable can hold one."""
    spec = {"group": [{"pfs": {"repo": "in", "glob": "/(*)-*", "groupBy": "$1"}}]}
    claim = Lake(tmp_path).value({"in": {"/a-1": b"", "/a-2": b""}}, [], input=spec)

    variables = datum_variables(claim, Datum("d", (Match("in", "/a-1"), Match("in", "/a-2"))))

    assert ("a", "/pfs/in/a-2") == (variables["PACH_DATUM_in_GROUP_BY"], variables["in"])


def test_inputs_that_share_a_name_are_told_apart_by_their_branches(tmp_path):
    """Each datum gets the files of its own, and the commit."""
    lake = Lake(tmp_path)
    pipes = [{"pfs": {"name": "in", "repo": repo, "glob": "/*"}} for repo in ("left", "in")]
    message = lake.claim({}, [], input={"union": pipes})
    for repo, data in (("left", b"from left"), ("in", b"from in")):
        named = pfs.Repo(project=pfs.Project(name="default"), name=repo, type="user")
        commit = pfs.Commit(repo=named, id=repo * 2)
        root = lake.commit({"/a": data})
        message.inputs.append(wire.ClaimInput(name="in", commit=commit, branch="master", root=root))
    claim = claim_of(message)
    read = []

    for match in (Match("in", "/a", "default/left@master"), Match("in", "/a")):
        folder = tmp_path / str(len(read))
        (folder / "in").mkdir(parents=True)
        datum = Datum("d", (match,))
        Materialiser(lake.storage, claim).prepare(datum, str(folder))
        read.append(((folder / "in" / "a").read_bytes(), datum_variables(claim, datum)["in_COMMIT"]))

    assert [(b"from left", "leftleft"), (b"from in", "inin")] == read
