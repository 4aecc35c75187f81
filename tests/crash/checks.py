# SPDX-License-Identifier: Apache-2.0
"""What must hold of a lake after any crash: of its files by the writers' ledgers, of its jobs by their inputs."""

import random
from collections.abc import Iterator

from howdah.client import Client
from howdah.errors import NotFound
from howdah.model.infos import CommitInfo
from howdah.model.refs import Commit
from howdah.model.states import JobState, is_terminal
from tests.crash.ledger import Files, Ledger, content_bytes
from tests.crash.pipelines import CHURN, WRITERS, digest_output, sum_output

RELEASE = "release"  # the branch that follows a writer's master by a trigger

OLD_VERSIONS = 2  # of each branch, that are read again after each crash


class Checker:
    """Compares a lake with what was acknowledged. Each check raises AssertionError, naming what differs."""

    def __init__(self, ledgers: dict[str, Ledger], seed: int) -> None:
        self._ledgers = ledgers
        self._random = random.Random(seed)
        # Output commits whose files were compared: they never change again.
        self.right: set[Commit] = set()

    def settle(self, client: Client) -> None:
        """Every branch holds exactly what was acknowledged, and a pending operation wholly or not at all."""
        for repo, ledger in self._ledgers.items():
            ledger.update()
            for branch in list(ledger.histories):
                self._settle_branch(client, repo, ledger, branch)
            self._check_trigger(client, repo)

    def files_of(self, repo: str) -> dict[str, Files]:
        """The files of each finished commit of a writer's repo, by the commit's id."""
        return {
            version.id: version.files
            for history in self._ledgers[repo].histories.values()
            for version in history.versions
            if version.id and not version.is_open
        }

    def outputs(self, client: Client) -> int:
        """Each finished output commit is what its inputs make it; how many were compared for the first time."""
        count = 0
        for pipeline in (*(f"p{repo}" for repo in WRITERS), "sum"):
            for info in client.list_commits(pipeline):
                if info.finished_at is not None and info.commit not in self.right:
                    assert not info.error, f"{info.commit} ended badly: {info.error}"
                    compare(read(client, info.commit), self._wanted(client, info), f"output commit {info.commit}")
                    self.right.add(info.commit)
                    count += 1
        return count

    def jobs(self, client: Client) -> int:
        """Each job that ended succeeded or was killed by a user, each datum counts once; how many are still at work."""
        unfinished = 0
        for job in client.list_jobs():
            if not is_terminal(job.state):
                unfinished += 1
                continue
            if job.state is JobState.KILLED and job.job.pipeline.name == CHURN:
                continue
            assert job.state is JobState.SUCCESS, f"job {job.job} is {job.state.name}: {job.reason}"
            assert job.datums == job.processed + job.carried_over, f"datums of job {job.job} do not add up: {job}"
        return unfinished

    def churned(self, client: Client) -> None:
        """The pipeline that was changed all the time has, once left in peace, the output of its newest input."""
        info = client.inspect_commit(f"{CHURN}@master")
        [commit] = [each for each in info.direct_provenance if each.repo.type == "user"]
        assert not info.error, f"{info.commit} ended badly: {info.error}"
        compare(read(client, info.commit), digest_output(self.files_of(WRITERS[0])[commit.id]), f"commit {info.commit}")

    def everything(self, client: Client) -> None:
        """All old versions too, of each branch."""
        for repo, ledger in self._ledgers.items():
            for history in ledger.histories.values():
                for version in history.versions:
                    if not version.is_open:
                        compare(read(client, f"{repo}@{version.id}"), wanted(version.files), f"{repo}@{version.id}")

    def _settle_branch(self, client: Client, repo: str, ledger: Ledger, branch: str) -> None:
        found = [(info.commit.id, info.finished_at is None) for info in commits_of(client, f"{repo}@{branch}")]
        ids = [id for id, _ in found]
        fitting = [(done, each.named(ids)) for done, each in ledger.possible(branch) if each.fits(found)]
        what = f"{repo}@{branch}, pending {ledger.pending}"
        known = ledger.histories[branch].versions
        assert fitting, f"{what}: commits (id, open) are {found[-3:]}, acknowledged {len(known)}: {known[-3:]}"
        content = read(client, f"{repo}@{branch}") if found else {}
        right = [(done, each) for done, each in fitting if content == wanted(each.files)]
        if not right:
            compare(content, wanted(fitting[0][1].files), what)
        ledger.settle(branch, *right[0])
        finished = [each for each in right[0][1].versions if not each.is_open]
        for version in self._random.sample(finished, min(OLD_VERSIONS, len(finished))):
            compare(read(client, f"{repo}@{version.id}"), wanted(version.files), f"{repo}@{version.id}")

    def _check_trigger(self, client: Client, repo: str) -> None:
        """What follows by a trigger is where it would be had nothing been killed; at first both may differ."""
        commits = client.list_commits(repo, to=f"{repo}@master")
        newest = next(info.commit for info in commits if info.finished_at is not None)
        head = client.inspect_branch(f"{repo}@{RELEASE}").head
        moved = sum(not each.is_open for each in self._ledgers[repo].histories["master"].versions) > 1
        assert not moved or head == newest, f"{repo}@{RELEASE} is at {head}, and its trigger would have it at {newest}"

    def _wanted(self, client: Client, info: CommitInfo) -> dict[str, bytes]:
        """The output that a commit must have, by the commits that it depends on."""
        inputs = {each.repo.name: each for each in info.direct_provenance if each.repo.type == "user"}
        if info.commit.repo.name != "sum":
            [(repo, commit)] = inputs.items()
            return digest_output(self.files_of(repo)[commit.id])
        above = [client.inspect_commit(inputs[f"p{repo}"]) for repo in WRITERS]
        first, second = (self._wanted(client, each) for each in above)
        return sum_output(first, second)


def commits_of(client: Client, branch: str) -> list[CommitInfo]:
    """The commits of a branch, oldest first; none if there is no such branch."""
    try:
        client.inspect_branch(branch)
    except NotFound:
        return []
    return list(client.list_commits(branch.partition("@")[0], to=branch))[::-1]


def read(client: Client, commit: "str | Commit") -> dict[str, bytes]:
    """All files of a commit, and their bytes."""
    found = client.walk_files(commit, "/")
    return {each.path: client.get_file(commit, each.path) for each in found if not each.is_dir}


def wanted(files: Files) -> dict[str, bytes]:
    return {path: content_bytes(content) for path, content in files.items()}


def compare(found: dict[str, bytes], expected: dict[str, bytes], what: str) -> None:
    """Raise AssertionError that says which files are missing, too many, or have other bytes."""
    if found != expected:
        raise AssertionError(f"{what}: {'; '.join(_differences(found, expected))}")


def _differences(found: dict[str, bytes], expected: dict[str, bytes]) -> Iterator[str]:
    for path in sorted({*found, *expected}):
        if path not in found:
            yield f"{path} is missing"
        elif path not in expected:
            yield f"{path} is too many ({len(found[path])} bytes)"
        elif found[path] != expected[path]:
            yield f"{path} has {len(found[path])} bytes where {len(expected[path])} others were expected"
