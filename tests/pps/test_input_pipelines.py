# SPDX-License-Identifier: Apache-2.0
"""Pipelines over each kind of input, from commit to output: what runs again, what goes, and what people are told."""

import pytest

from howdah.errors import BadRequest, ErrorKind, NotFound, Unsupported
from howdah.model.infos import Trigger
from howdah.model.refs import File
from howdah.model.spec import parse_input
from howdah.model.states import DatumState, JobState
from howdah.pps.log_query import LogQuery
from tests.pps.lakes import branch, master, pipe

LEFT = {"repo": "left", "glob": "/(*)-*", "joinOn": "$1"}
RIGHT = {"repo": "right", "glob": "/(*)-*", "joinOn": "$1"}


def two_repos(lake, left, right):
    for repo, paths in (("left", left), ("right", right)):
        lake.repo(repo)
        if paths:
            lake.commit(repo, {path: path.encode() for path in paths})


def names(parts):
    """User code: one file, named after all that it reads, which says it."""
    read = sorted(f"{name}{path}" for name, files in parts.items() for path in files)
    return {"/" + "+".join(each.replace("/", ".") for each in read): b"x"}


def test_a_join_runs_only_what_is_new(lake):
    """One more file on a side is as many datums as it has partners."""
    two_repos(lake, ["/a-1", "/b-1"], ["/a-2"])
    lake.pipeline("up", input={"join": [{"pfs": LEFT}, {"pfs": RIGHT}]})
    lake.run(names)
    first = lake.taken()

    lake.commit("right", {"/b-2": b"", "/a-3": b"", "/c-3": b""})
    lake.run(names)

    assert (["/a-1 /a-2"], ["/a-1 /a-3", "/b-1 /b-2"]) == (first, lake.taken())
    assert {"/left.a-1+right.a-2", "/left.a-1+right.a-3", "/left.b-1+right.b-2"} == set(lake.files("up"))


def test_an_outer_join_gives_what_has_no_partner_until_it_has_one(lake):
    """Then the datum with both takes its place, and its output goes."""
    two_repos(lake, ["/a-1", "/b-1"], ["/a-2", "/c-2"])
    lake.pipeline("up", input={"join": [{"pfs": {**LEFT, "outerJoin": True}}, {"pfs": RIGHT}]})
    lake.run(names)
    before = set(lake.files("up"))

    lake.commit("right", {"/b-2": b""})
    lake.run(names)

    assert {"/left.a-1+right.a-2", "/left.b-1"} == before
    assert {"/left.a-1+right.a-2", "/left.b-1+right.b-2"} == set(lake.files("up"))


def test_a_group_is_one_datum_with_all_its_files(lake):
    """Of every member; one file more makes it another datum, the others stay."""
    two_repos(lake, ["/a-1", "/a-2", "/b-1"], ["/a-9"])
    members = [{"pfs": {"repo": repo, "glob": "/(*)-*", "groupBy": "$1"}} for repo in ("left", "right")]
    lake.pipeline("up", input={"group": members})
    lake.run(names)
    before = set(lake.files("up"))
    lake.taken()

    lake.commit("right", {"/b-9": b""})
    lake.run(names)
    [datum] = [each for each in lake.pps.datums.list(lake.job("up").job) if each.state is DatumState.SUCCESS]

    assert {"/left.a-1+left.a-2+right.a-9", "/left.b-1"} == before
    assert ["/b-1 /b-9"] == lake.taken()
    assert [("left", "/b-1"), ("right", "/b-9")] == [(part.name, part.file.path) for part in datum.inputs]
    assert {"/left.a-1+left.a-2+right.a-9", "/left.b-1+right.b-9"} == set(lake.files("up"))


def test_members_of_a_union_may_share_a_name(lake):
    """Each datum reads its own repo, and says so, also where the paths are the same."""
    two_repos(lake, ["/same"], ["/same", "/other"])
    members = [{"pfs": {"name": "in", "repo": repo, "glob": "/*"}} for repo in ("left", "right")]
    lake.pipeline("up", input={"union": members})

    def code(parts):
        return {"/" + data.decode().replace("/", "_"): data for data in parts["in"].values()}

    lake.commit("left", {"/same": b"from left"})
    lake.commit("right", {"/same": b"from right", "/other": b"other"})
    lake.run(code)
    right = lake.pfs.catalog.commits.resolve(master("right"))
    made = lake.pps.datums.provenance(File(master("up"), "/from right"))

    assert {"/from left", "/from right", "/other"} == set(lake.files("up"))
    assert [("in", right, "/same")] == [(part.name, part.commit, part.file.path) for part in made.inputs]
    commits = {part.commit.repo.name for each in lake.pps.datums.list(lake.job("up").job) for part in each.inputs}
    read = {data for path, data in lake.files("up", "meta").items() if path.endswith("/in/same")}
    assert {"left", "right"} == commits
    assert {b"from left", b"from right"} == read


def test_a_cross_of_joins_and_unions_runs(lake):
    """They nest as the protocol has it."""
    two_repos(lake, ["/a-1", "/b-1"], ["/a-2"])
    lake.repo("model")
    lake.commit("model", {"/m": b"", "/n": b""})
    union = {"union": [{"pfs": {"repo": "model", "name": n, "glob": f"/{n}"}} for n in "mn"]}
    lake.pipeline("up", input={"cross": [{"join": [{"pfs": LEFT}, {"pfs": RIGHT}]}, union]})

    lake.run(names)

    assert ["/a-1 /a-2 /m", "/a-1 /a-2 /n"] == lake.taken()
    assert JobState.SUCCESS is lake.job("up").state


def test_a_change_of_a_reference_runs_nothing_again(lake):
    """What comes new does run, with the reference as it is then."""
    two_repos(lake, ["/a"], ["/ref"])
    lake.pipeline("up", {"repo": "left", "glob": "/*"}, {"repo": "right", "glob": "/", "reference": True})

    def code(parts):
        [[name], [reference]] = parts["left"], parts["right"].values()
        return {name: reference}

    lake.run(code)
    lake.taken()
    lake.commit("right", {"/ref": b"other"})
    lake.run(code)
    quiet = lake.taken()
    lake.commit("left", {"/b": b"b"})
    lake.run(code)

    assert ([], ["/b /"]) == (quiet, lake.taken())
    assert {"/a": b"/ref", "/b": b"other"} == lake.files("up")


def test_an_input_that_never_propagates_starts_no_job(lake):
    """Its newest commit is read when another input starts one."""
    two_repos(lake, ["/a"], ["/x"])
    lake.pipeline(
        "up", {"repo": "left", "glob": "/*"}, {"repo": "right", "glob": "/", "propagationSpec": {"never": True}}
    )
    lake.run(names)
    before = len(lake.jobs("up"))

    lake.commit("right", {"/y": b"y"})
    after = len(lake.jobs("up"))
    lake.commit("left", {"/b": b"b"})
    lake.run(names)

    assert (before, before + 1) == (after, len(lake.jobs("up")))
    assert "/left.b+right.x+right.y" in lake.files("up")


def test_a_pipeline_reads_what_another_one_did(lake):
    """The meta repo of a pipeline is an input like any other."""
    lake.repo("in")
    lake.pipeline("up", "in")
    lake.pipeline("stats", {"repo": "up", "repoType": "meta", "name": "meta", "glob": "/"})

    lake.commit("in", {"/a": b"one"})
    lake.run(lambda parts: {"/" + name: str(len(files)).encode() for name, files in parts.items()})

    assert JobState.SUCCESS is lake.job("stats").state
    assert ["/meta"] == list(lake.files("stats"))


def trigger_of(lake, name):
    return lake.pfs.catalog.branches.inspect(branch("in", name)).trigger


TRIGGERED = {"repo": "in", "glob": "/*", "trigger": {"commits": 2}}


def test_an_input_with_a_trigger_reads_a_branch_of_its_own(lake):
    """A job comes with every second commit, not with each."""
    lake.repo("in")
    lake.commit("in", {"/first": b"x"})
    lake.pipeline("up", TRIGGERED)
    lake.run()
    seen = []
    for number in range(4):
        lake.commit("in", {f"/{number}": b"x"})
        lake.pfs.triggers.step()
        lake.run()
        seen.append(lake.taken())

    assert Trigger("master", commits=2) == trigger_of(lake, "up-trigger-1")
    assert [["/0", "/first"], [], ["/1", "/2"], []] == seen
    assert ["default/in@up-trigger-1", "default/up.spec@master"] == [
        str(each) for each in lake.pfs.catalog.branches.inspect(branch("up")).direct_provenance
    ]


def test_the_branch_of_a_trigger_goes_with_its_use(lake):
    """An update changes it or takes it away; so does deletion. One that somebody else follows stays."""
    lake.repo("in")
    lake.pipeline("up", TRIGGERED)
    lake.pipeline("up", {**TRIGGERED, "trigger": {"size": "1KB"}}, update=True)
    changed = trigger_of(lake, "up-trigger-1")
    lake.pipeline("up", "in", update=True)

    with pytest.raises(NotFound):
        trigger_of(lake, "up-trigger-1")
    assert Trigger("master", size="1KB") == changed

    lake.pipeline("up", TRIGGERED, update=True)
    lake.pipeline("other", {"repo": "in", "branch": "up-trigger-1", "glob": "/"})
    lake.pps.pipelines.delete(pipe("up"))
    assert Trigger("master", commits=2) == trigger_of(lake, "up-trigger-1")


def test_the_branch_that_a_trigger_follows_is_made_if_need_be(lake):
    """As every branch that an input names."""
    lake.repo("in")

    lake.pipeline("up", {**TRIGGERED, "trigger": {"branch": "staging", "cronSpec": "@daily"}})

    assert lake.pfs.catalog.branches.inspect(branch("in", "staging")).head is not None
    assert Trigger("staging", cron_spec="@daily") == trigger_of(lake, "up-trigger-1")


@pytest.mark.parametrize(
    ("node", "words"),
    [
        ({"pfs": {**TRIGGERED, "trigger": {"size": "much"}}}, "input.pfs.trigger.size"),
        ({"pfs": {**TRIGGERED, "branch": "master"}}, "would follow itself"),
        ({"pfs": {**TRIGGERED, "trigger": {"cronSpec": "@daily", "commits": 1}}}, "no other condition"),
        ({"pfs": {"repo": "in", "glob": "/", "commit": "c"}}, "input cannot come from a commit"),
        ({"pfs": {"repo": "in", "glob": "/", "name": "out"}}, "cannot be named out"),
        ({"pfs": {"repo": "in", "glob": "/", "name": ".env"}}, "cannot be named .env"),
        ({"join": [{"cross": [{"pfs": {"repo": "in", "glob": "/"}}]}]}, "takes pfs inputs alone"),
        ({"join": [{"pfs": {"repo": "in", "glob": "/"}}]}, "input.join[0].pfs.joinOn"),
        ({"group": [{"pfs": {"repo": "in", "glob": "/"}}]}, "input.group[0].pfs.groupBy"),
        (
            {"union": [{"pfs": {"repo": "in", "glob": "/", "lazy": lazy}} for lazy in (True, False)]},
            "give one of them another name",
        ),
    ],
)
def test_what_is_surely_wrong_is_refused(node, words):
    """The field is named, and the way out."""
    with pytest.raises(BadRequest) as error:
        parse_input(node, pipeline="up")

    assert words in error.value.message
    assert ErrorKind.BAD_SPEC is error.value.kind


def test_inputs_over_s3_are_refused(lake):
    """Until there is an endpoint for them."""
    lake.repo("in")

    with pytest.raises(Unsupported) as error:
        lake.pipeline("up", {"repo": "in", "glob": "/", "s3": True})

    assert "s3" in error.value.message


def test_a_warning_stands_in_the_pipeline_and_in_its_jobs_log_until_it_is_mended(lake):
    """It is known when the pipeline is made, and again whenever a job is planned."""
    two_repos(lake, ["/a-1"], ["/b-1"])
    info = lake.pipeline("up", input={"join": [{"pfs": LEFT}, {"pfs": RIGHT}]})
    lake.run(names)
    said = [line.message for line in lake.pps.logs.find(LogQuery(job=lake.job("up").job)).lines()]

    lake.commit("right", {"/a-2": b""})
    lake.run(names)

    text = "warning: join of left, right: no key is in all of them, so it gives no datum; left has a, right has b"
    assert text == info.reason
    assert text in said
    assert "" == lake.pps.pipelines.inspect(pipe("up")).reason
    assert JobState.SUCCESS is lake.job("up").state


def test_an_input_is_tried_out_at_once_and_each_datum_once(lake):
    """In its own order; what two members of a union have alike comes once; nothing is stored."""
    two_repos(lake, ["/a-1", "/b-1"], [])
    stored = len(list(lake.store.list("")))
    globs = ("/a*", "/*")

    found = lake.pps.datums.preview(
        parse_input({"union": [{"pfs": {"repo": "left", "name": "in", "glob": glob}} for glob in globs]})
    )

    assert ["/a-1", "/b-1"] == [datum.inputs[0].file.path for datum in found]
    assert stored == len(list(lake.store.list("")))


def test_an_input_that_would_follow_a_trigger_is_tried_out_on_what_it_would_follow(lake):
    """The branch of its own is not there yet."""
    two_repos(lake, ["/a-1"], [])

    [datum] = lake.pps.datums.preview(parse_input({"pfs": {"repo": "left", "glob": "/*", "trigger": {"commits": 1}}}))

    assert "/a-1" == datum.inputs[0].file.path


def test_a_cron_input_cannot_be_tried_out(lake):
    """Its ticks come when its pipeline is there."""
    with pytest.raises(BadRequest) as error:
        lake.pps.datums.preview(parse_input({"cron": {"name": "tick", "spec": "@daily"}}, pipeline="p"))

    assert error.value.message.startswith("can't list datums with a cron input")


def test_an_update_may_read_another_branch_of_the_same_repo(lake):
    """One job comes of it, over what that branch holds."""
    lake.repo("in")
    lake.commit("in", {"/a": b"one"})
    lake.pfs.catalog.branches.create(branch("in", "dev"))
    lake.pipeline("up", "in")
    lake.run()

    lake.pipeline("up", {"repo": "in", "branch": "dev", "glob": "/*"}, update=True)
    lake.run()

    assert [JobState.SUCCESS] * 2 == [job.state for job in lake.jobs("up")]
    assert {} == lake.files("up")
