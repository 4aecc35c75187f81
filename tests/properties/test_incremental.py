# SPDX-License-Identifier: Apache-2.0
"""What a pipeline made step by step, through failures and mends, is digest for digest what one full run makes."""

import random

import pytest

from howdah.client import Client
from howdah.model.refs import CommitRef, Repo
from howdah.model.states import JobState
from howdah.testing.server import running_server

SEEDS = (1, 2)
COMMITS = 6
NAMES = ("a", "b", "c", "d/x", "d/y", "e/f/z")

# Two files of each datum, one of them in a folder that datums share; what holds "bad" fails.
SCRIPT = """
cd /pfs/$INPUT
for top in *; do
  if grep -rq bad "$top"; then exit 3; fi
  find "$top" -type f | LC_ALL=C sort | xargs cat > "/pfs/out/$top.all"
  mkdir -p /pfs/out/shared
  tr a-z A-Z < "/pfs/out/$top.all" > "/pfs/out/shared/$top"
done
"""


@pytest.fixture(scope="module")
def server(tmp_path_factory):
    with running_server(tmp_path_factory.mktemp("lake"), workers=2) as running:
        yield running


@pytest.mark.slow
@pytest.mark.parametrize("seed", SEEDS)
def test_incremental_output_equals_that_of_a_full_run(server, seed):
    """After any history of changes, failed jobs among them; and unchanged datums did not run again."""
    repo, steps, full = f"in{seed}", f"steps{seed}", f"full{seed}"
    with Client(server.grpc_address) as client:
        client.create_repo(repo)
        client.create_pipeline(spec(steps, repo))
        states = [change(client, repo, steps, random.Random(100 * seed + number)) for number in range(COMMITS)]
        client.create_pipeline(spec(full, repo))
        [job] = client.list_jobs(full)
        last = client.wait_job(job.job, timeout=60)
        mended = next(iter(client.list_jobs(steps)))

    assert JobState.SUCCESS is last.state is mended.state
    assert JobState.FAILURE in states
    assert last.datums == last.processed == mended.processed + mended.carried_over
    assert total(server, full) == total(server, steps)


def change(client, repo, pipeline, chance):
    """Commit random changes, a bad file sometimes, and mend it afterwards; how the first job ended."""
    bad = chance.random() < 0.5
    with client.modify(f"{repo}@master") as stream:
        for name in chance.sample(NAMES, 3):
            if chance.random() < 0.3:
                stream.delete(f"/{name}")
            else:
                stream.put(f"/{name}", f"{name} {chance.randrange(3)}\n".encode())
        stream.put("/a", b"bad\n" if bad else f"a {chance.randrange(3)}\n".encode())
    state = newest(client, pipeline)
    if bad:
        client.put_file(f"{repo}@master", "/a", b"a mended\n")
        assert JobState.SUCCESS is newest(client, pipeline)
    return state


def newest(client, pipeline):
    """How the newest job of a pipeline ends."""
    job = next(iter(client.list_jobs(pipeline, number=1)))
    return client.wait_job(job.job, timeout=60).state


def total(server, pipeline):
    """Files, bytes and digest of a pipeline's output, as the server has them."""
    commit = CommitRef(Repo("default", pipeline, "user"), "master")
    return server.pfs.files.view(commit).fileset.total


def spec(name, repo):
    return {
        "pipeline": {"name": name},
        "transform": {"cmd": ["sh"], "stdin": SCRIPT.strip().splitlines(), "env": {"INPUT": repo}},
        "input": {"pfs": {"repo": repo, "glob": "/*"}},
    }
