# SPDX-License-Identifier: Apache-2.0
"""The official Python client, unmodified: a pipeline over each kind of input, and inputs tried out before."""

import pytest
from pachyderm_sdk import Client
from pachyderm_sdk.api import pfs, pps

from howdah.testing.server import running_server

FILES = {
    "stores": {"/1.txt": b"one", "/2.txt": b"two"},
    "sales": {"/jan-1.txt": b"10", "/feb-1.txt": b"20", "/jan-3.txt": b"30"},
}
# What a datum has below /pfs, and by which keys, as one file of the output.
LIST = """
name=$(echo "$PACH_DATUM_ID")
{
    (cd /pfs; find . -type f ! -path './out/*' | sort)
    env | grep -E '^PACH_DATUM_.*(JOIN_ON|GROUP_BY)=|^(stores|sales)=' | sort
} > /pfs/out/$name
"""


def leaf(repo: str, glob: str = "", **fields: object) -> pps.Input:
    globs = {"stores": "/(*).txt", "sales": "/*-(*).txt"}
    return pps.Input(pfs=pps.PfsInput(repo=repo, glob=glob or globs[repo], **fields))


JOINED = [leaf("stores", join_on="$1"), leaf("sales", join_on="$1")]
KINDS = {
    "cross": (pps.Input(cross=[leaf("stores", "/*"), leaf("sales", "/")]), 2),
    "union": (pps.Input(union=[leaf("stores", "/*"), leaf("sales", "/*")]), 5),
    "join": (pps.Input(join=JOINED), 2),
    "outer": (pps.Input(join=[leaf("stores", join_on="$1", outer_join=True), JOINED[1]]), 3),
    "group": (pps.Input(group=[leaf("stores", group_by="$1"), leaf("sales", group_by="$1")]), 3),
    "nested": (pps.Input(cross=[pps.Input(join=JOINED), pps.Input(union=[leaf("stores", "/1*", name="one")])]), 2),
}


@pytest.fixture(scope="module")
def client(tmp_path_factory):
    """A server with two repos; its tests only add pipelines."""
    with running_server(tmp_path_factory.mktemp("lake"), workers=2) as server:
        connected = Client(host=server.host, port=server.grpc_port)
        for name, files in FILES.items():
            repo = pfs.Repo(name=name, type="user")
            connected.pfs.create_repo(repo=repo)
            with connected.pfs.commit(branch=pfs.Branch(repo=repo, name="master")) as commit:
                for path, data in files.items():
                    commit.put_file_from_bytes(path=path, data=data)
        yield connected


def outputs(client: Client, name: str, spec: pps.Input) -> list[list[str]]:
    """What a pipeline over that input wrote: of each datum its lines."""
    pipeline = pps.Pipeline(name=name)
    client.pps.create_pipeline(
        pipeline=pipeline, transform=pps.Transform(cmd=["sh"], stdin=LIST.splitlines()), input=spec
    )
    job = next(client.pps.list_job(pipeline=pipeline)).job
    assert pps.JobState.JOB_SUCCESS == client.pps.inspect_job(job=job, wait=True).state
    found = []
    for info in client.pfs.list_file(file=pfs.File.from_uri(f"{name}@master:/")):
        with client.pfs.pfs_file(pfs.File.from_uri(f"{name}@master:{info.file.path}")) as file:
            found.append(file.read().decode().splitlines())
    return sorted(found)


@pytest.mark.slow
@pytest.mark.parametrize("kind", KINDS)
def test_a_kind_of_input_gives_its_datums(client, kind):
    """Before the pipeline is there, and by it."""
    spec, count = KINDS[kind]

    tried = list(client.pps.list_datum(input=spec))
    found = outputs(client, f"of-{kind}", spec)

    assert count == len(tried) == len(found)
    paths = sorted(sorted(f"./{part.file.commit.repo.name}{part.file.path}" for part in each.data) for each in tried)
    if kind not in ("cross", "nested"):
        assert paths == sorted([line for line in lines if line.startswith("./")] for lines in found)


@pytest.mark.slow
def test_user_code_sees_its_keys(client):
    """Of a join that of each part; of a group that of all."""
    joined = outputs(client, "keys-of-join", KINDS["outer"][0])
    grouped = outputs(client, "keys-of-group", KINDS["group"][0])

    assert [
        "./stores/2.txt",
        "PACH_DATUM_stores_JOIN_ON=2",
        "stores=/pfs/stores/2.txt",
    ] in joined
    [both] = [lines for lines in grouped if len([line for line in lines if line.startswith("./")]) == 3]
    assert ["PACH_DATUM_sales_GROUP_BY=1", "PACH_DATUM_stores_GROUP_BY=1"] == [
        line for line in both if "GROUP_BY" in line
    ]


def test_datums_are_handed_out_as_they_are_asked_for(client):
    """Batch after batch until the end; each says the commit that it is of."""
    head = client.pfs.inspect_branch(branch=pfs.Branch.from_uri("sales@master")).head.id

    batches = list(client.pps.generate_datums(leaf("sales", "/*"), 2))

    assert [2, 1] == [len(batch) for batch in batches]
    parts = [part.file for batch in batches for datum in batch for part in datum.data]
    assert {"/jan-1.txt", "/feb-1.txt", "/jan-3.txt"} == {file.path for file in parts}
    assert {head} == {file.commit.id for file in parts}


def test_an_input_that_is_used_up_at_once_ends_the_stream(client):
    """Nobody has to ask again for nothing."""
    batches = client.pps.generate_datums(leaf("sales", "/*"), 100)

    assert 3 == len(next(batches))
    with pytest.raises(StopIteration):
        next(batches)


def test_datums_of_an_input_are_listed_in_pages(client):
    """In the order of the input; the marker is the last one seen."""
    spec = leaf("sales", "/*")
    everything = [datum.datum.id for datum in client.pps.list_datum(input=spec)]

    first = [datum.datum.id for datum in client.pps.list_datum(input=spec, number=2)]
    rest = [datum.datum.id for datum in client.pps.list_datum(input=spec, pagination_marker=first[-1])]
    backwards = [datum.datum.id for datum in client.pps.list_datum(input=spec, reverse=True, number=1)]

    assert everything == [*first, *rest]
    assert everything[-1:] == backwards


def test_an_odd_input_is_warned_about(client):
    """In what `inspect pipeline` shows."""
    spec = pps.Input(join=[leaf("stores", "/*", join_on="$1"), JOINED[1]])
    pipeline = pps.Pipeline(name="odd")

    client.pps.create_pipeline(pipeline=pipeline, transform=pps.Transform(cmd=["true"]), input=spec)

    reason = client.pps.inspect_pipeline(pipeline=pipeline, details=True).reason
    assert reason.startswith("warning: input stores: joinOn $1 refers to a group")
