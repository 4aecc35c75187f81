# SPDX-License-Identifier: Apache-2.0
"""Which image a pipeline runs in: chosen, named exactly, fetched, lost and found again. The engine is scripted."""

import pytest

from howdah.errors import BadRequest, Conflict, ErrorKind, NotFound, Refused, Unavailable
from howdah.kit import fail
from howdah.model.operations import CreatePipeline
from howdah.model.refs import File
from howdah.model.secrets import Secret
from howdah.model.spec import parse_spec
from howdah.model.states import JobState, PipelineState
from howdah.pps import pipeline_rows
from howdah.pps.executions import ALWAYS, AUTO, CONTAINER, NEVER, PROCESS, Execution, ExecutionRules
from howdah.transactions.running import Runner
from tests.pps.lakes import Lake, master, new_id, pipe
from tests.pps.shelf import Shelf, image

NAME = "reg.example/tool:1"
REPOSITORY = "reg.example/tool"
ONE, TWO = image(1, REPOSITORY), image(2, REPOSITORY)
EXACT_ONE, EXACT_TWO = ONE.digests[0], TWO.digests[0]
NOT_FOUND = NotFound(ErrorKind.IMAGE_NOT_FOUND, f"image {NAME} cannot be pulled: manifest unknown; push it")


@pytest.fixture
def lakes():
    """Makes lakes with an engine that has nothing."""
    made = []

    def make(execution=AUTO, **rules):
        made.append(Lake(rules=ExecutionRules(execution, **rules), engine=Shelf()))
        made[-1].repo("in")
        return made[-1]

    yield make
    for each in made:
        each.close()


@pytest.fixture
def lake(lakes):
    return lakes()


def using(lake, name=NAME, **fields):
    """The pipeline `up`, made or updated to run in an image."""
    transform = {"cmd": ["run"], **({"image": name} if name else {}), **fields.pop("transform", {})}
    return lake.pipeline("up", "in", transform=transform, **fields)


def waiting(lake, **fields):
    """The same, with a job whose datum waits for its image."""
    info = using(lake, **fields)
    lake.commit("in", {"/a": b"a"})
    lake.pps.scheduler.settle()
    return info


def inspected(lake):
    return lake.pps.pipelines.inspect(pipe("up"))


def claimed(lake):
    claim = lake.pps.claims.claim("w1")
    return None if claim is None else claim.image


@pytest.mark.parametrize(
    ("execution", "name", "kind"),
    [
        (AUTO, NAME, CONTAINER),
        (AUTO, "", PROCESS),
        (AUTO, "ubuntu:20.04", CONTAINER),
        (PROCESS, NAME, PROCESS),
        (CONTAINER, "", CONTAINER),
    ],
)
def test_what_runs_in_a_container_is_decided_by_the_rules(lakes, execution, name, kind):
    """The image that stands for none is one if somebody writes it."""
    lake = lakes(execution)

    info = using(lake, name)

    expected = Execution(kind, (name or "ubuntu:20.04") if kind == CONTAINER else "")
    assert expected == info.execution


def test_an_image_of_the_defaults_is_named(lake):
    """They are as good as the spec's own."""
    lake.engine.here[NAME] = ONE
    lake.pps.defaults.set(f'{{"createPipelineRequest": {{"transform": {{"image": "{NAME}"}}}}}}')
    text = '{"pipeline": {"name": "up"}, "transform": {"cmd": ["a"]}, "input": {"pfs": {"repo": "in", "glob": "/"}}}'

    info = lake.pps.pipelines.create(lake.pps.defaults.effective(text), text)

    assert Execution(CONTAINER, NAME, EXACT_ONE) == info.execution


def test_without_an_engine_an_image_is_refused(lakes):
    """By creation, update and dry run; the text says which image, why, and what to do."""
    lake = lakes()
    lake.engine.silent = "no such file or directory"
    spec = parse_spec(
        {
            "pipeline": {"name": "up"},
            "transform": {"cmd": ["a"], "image": NAME},
            "input": {"pfs": {"repo": "in", "glob": "/"}},
        }
    )

    texts = []
    for call in (lake.pps.pipelines.create, lake.pps.pipelines.check):
        with pytest.raises(Refused) as error:
            call(spec, "")
        assert ErrorKind.NO_ENGINE == error.value.kind
        texts.append(error.value.message)

    assert texts[0] == texts[1]
    for part in (NAME, "unix:///run/shelf.sock (no such file or directory)", "--missing-engine process"):
        assert part in texts[0]
    with pytest.raises(NotFound):
        inspected(lake)


def test_without_an_engine_it_runs_as_a_process_if_that_is_allowed(lakes):
    """With a warning, which is told at once and kept; a later version is a container when an engine answers."""
    lake = lakes(missing_engine=PROCESS)
    lake.engine.silent = "connection refused"
    told = []
    spec = {"pipeline": {"name": "up"}, "transform": {"cmd": ["a"], "image": NAME}}
    spec["input"] = {"pfs": {"repo": "in", "glob": "/*"}}

    first = lake.pps.pipelines.create(parse_spec(spec), warn=told.append)
    lake.commit("in", {"/a": b"a"})
    lake.run()
    job = lake.job("up")
    lake.engine.silent = ""
    lake.engine.here[NAME] = ONE
    second = lake.pps.pipelines.create(parse_spec(spec), update=True, warn=told.append)

    assert [first.execution.note] == told
    assert first.execution == Execution(PROCESS, NAME, note=told[0])
    assert NAME in told[0]
    assert "connection refused" in told[0]
    assert (JobState.SUCCESS, told[0]) == (job.state, job.execution.note)
    assert (2, Execution(CONTAINER, NAME, EXACT_ONE)) == (second.version, second.execution)


def test_an_image_that_is_there_is_known_at_once(lake):
    """Workers get it when the keeper has seen it; its exact name goes into claim, job, datum, record and provenance."""
    lake.engine.here[NAME] = ONE

    info = waiting(lake)
    before = claimed(lake)
    lake.pps.images.step()
    claim = lake.pps.claims.claim("w1")
    lake.hand_in(claim, 0)
    lake.run()

    assert Execution(CONTAINER, NAME, EXACT_ONE) == info.execution
    assert (None, EXACT_ONE, []) == (before, claim.image, lake.engine.pulled)
    job = lake.job("up")
    [datum] = lake.pps.datums.list(job.job)
    assert (EXACT_ONE, EXACT_ONE) == (job.execution.digest, datum.image)
    made = lake.pps.datums.provenance(File(master("up"), "/a"))
    assert EXACT_ONE == made.image
    assert f'"image":"{EXACT_ONE}"'.encode() in lake.files("up", "meta")[f"/meta/{datum.id}/meta"]


def test_a_datum_that_is_carried_over_keeps_the_image_that_made_it(lake):
    """Its record knows it, whatever the pipeline runs in now."""
    lake.engine.here |= {NAME: ONE, "reg.example/other:1": image(3, "reg.example/other")}
    waiting(lake)
    lake.pps.images.step()
    lake.run()
    using(lake, "reg.example/other:1", update=True)
    lake.run()

    job = lake.job("up")
    [datum] = lake.pps.datums.list(job.job)

    assert EXACT_ONE == lake.pps.datums.inspect(job.job, datum.id).image
    assert "reg.example/other@" in job.execution.digest


def test_an_image_is_fetched_before_workers_get_datums(lake):
    """Meanwhile the job says how far that is; afterwards the version knows what it is."""
    lake.engine.registry[NAME] = ONE
    waiting(lake)
    reasons = []
    lake.engine.seen = lambda: reasons.append(lake.job("up").reason)

    before = (inspected(lake).execution.digest, claimed(lake))
    lake.pps.images.step()

    assert ("", None) == before
    assert [f"pulling image {NAME}: 3 of 7 layers, 41 MB of 120 MB"] == reasons
    assert ([NAME], EXACT_ONE, "") == (lake.engine.pulled, inspected(lake).execution.digest, lake.job("up").reason)
    assert EXACT_ONE == claimed(lake)


def test_what_cannot_be_fetched_is_said_and_tried_again(lake):
    """The pipeline is CRASHING, ever less often tried, at once after an update; and it goes on by itself."""
    lake.engine.registry[NAME] = NOT_FOUND
    waiting(lake)

    tries = [lake.pps.images.step() for _ in range(2)]
    lake.pps.scheduler.settle()
    crashed, job = inspected(lake), lake.job("up")
    lake.clock.advance(2)
    tries.append(lake.pps.images.step())
    lake.clock.advance(2)
    tries.append(lake.pps.images.step())
    using(lake, update=True)
    tries.append(lake.pps.images.step())
    lake.engine.registry[NAME] = ONE
    lake.clock.advance(60)
    lake.pps.images.step()
    lake.pps.scheduler.settle()

    assert [True, False, True, False, True] == tries
    assert (PipelineState.CRASHING, NOT_FOUND.message) == (crashed.state, crashed.reason)
    assert (JobState.RUNNING, NOT_FOUND.message) == (job.state, job.reason)
    well = inspected(lake)
    assert (PipelineState.RUNNING, "", 1) == (well.state, well.reason, well.version)
    assert ("", EXACT_ONE) == (lake.job("up").reason, claimed(lake))


def test_a_job_that_begins_while_its_image_cannot_be_had_says_so(lake):
    """Not only those that were there when it failed."""
    lake.engine.registry[NAME] = NOT_FOUND
    using(lake)
    lake.pps.images.step()
    lake.commit("in", {"/a": b"a"})
    lake.pps.scheduler.settle()

    lake.pps.images.step()

    assert NOT_FOUND.message == lake.job("up").reason


def test_a_server_that_never_pulls_says_what_is_missing(lakes):
    """And takes what is loaded later."""
    lake = lakes(pull=NEVER)
    waiting(lake)
    lake.pps.images.step()
    reason = lake.job("up").reason
    lake.engine.here[NAME] = ONE
    lake.clock.advance(2)
    lake.pps.images.step()

    assert f"image {NAME} is not on the engine, and this server pulls none (--pull never); load or build it" == reason
    assert ([], EXACT_ONE) == (lake.engine.pulled, claimed(lake))


@pytest.mark.parametrize("can_ask", [True, False])
def test_an_update_takes_what_its_tag_names_now(lakes, can_ask):
    """An equal spec is another version then, and says so; a rerun keeps what there was. Asked of the registry."""
    lake = lakes(pull=ALWAYS)
    lake.engine.can_ask = can_ask
    lake.engine.registry[NAME] = lake.engine.here[NAME] = ONE
    told = []
    spec = {"pipeline": {"name": "up"}, "transform": {"cmd": ["a"], "image": NAME}}
    spec = parse_spec({**spec, "input": {"pfs": {"repo": "in", "glob": "/*"}}})

    def updated():
        info = lake.pps.pipelines.create(spec, update=True, warn=told.append)
        return info.version, info.execution.digest

    lake.pps.pipelines.create(spec)
    same = updated()
    lake.engine.registry[NAME] = TWO
    rerun = lake.pps.pipelines.rerun(pipe("up"))
    moved = updated()
    again = updated()

    assert ((1, EXACT_ONE), (2, EXACT_ONE)) == (same, (rerun.version, rerun.execution.digest))
    assert [(3, EXACT_TWO)] * 2 == [moved, again]
    was, now = (exact.partition("@")[2] for exact in (EXACT_ONE, EXACT_TWO))
    assert [f"image {NAME} moved from {was} to {now}"] == told
    assert told[0] == inspected(lake).execution.note


def test_a_tag_that_was_moved_on_the_engine_is_seen_too(lake):
    """Whoever builds an image anew and updates the pipeline gets it; all runs again if the spec wants that."""
    lake.engine.here["tool:1"] = image(1)
    waiting(lake, name="tool:1", onCodeChange="rerun")
    lake.pps.images.step()
    lake.run()
    lake.taken()
    lake.engine.here["tool:1"] = image(2)

    info = using(lake, "tool:1", update=True, onCodeChange="rerun")
    lake.pps.images.step()
    lake.run()

    assert (2, image(2).id) == (info.version, info.execution.digest)
    assert ["/a"] == lake.taken()


def test_an_image_that_gets_another_name_has_not_moved(lake):
    """One that was built here has an id alone; pushed, it has a digest of the registry too."""
    lake.engine.here[NAME] = image(1)
    using(lake)
    lake.engine.here[NAME] = ONE

    info = using(lake, update=True)

    assert (1, image(1).id) == (info.version, info.execution.digest)


def test_a_registry_that_is_silent_stops_no_update(lakes):
    """What is known stays, and that is said; a new image is asked for again later."""
    lake = lakes(pull=ALWAYS)
    lake.engine.registry[NAME] = lake.engine.here[NAME] = ONE
    using(lake)
    lake.engine.registry[NAME] = Unavailable(ErrorKind.UNREACHABLE, "image x cannot be pulled: no route; wait")
    told = []

    kept = lake.pps.pipelines.create(inspected(lake).spec, update=True, warn=told.append)
    changed = using(lake, transform={"cmd": ["other"]}, update=True)

    assert (1, EXACT_ONE) == (kept.version, kept.execution.digest)
    assert [f"what image {NAME} is now is not known: image x cannot be pulled: no route; it stays {EXACT_ONE}"] == told
    assert (2, EXACT_ONE) == (changed.version, changed.execution.digest)


def test_credentials_of_the_registry_come_from_a_secret(lake):
    """They go to the engine, and into no text; without the secret there is no pipeline."""
    lake.engine.registry[NAME] = ONE
    with pytest.raises(NotFound, match='secret "reg" not found'):
        using(lake, transform={"imagePullSecrets": ["reg"]})
    lake.pps.secrets.create(Secret("reg", values={"username": b"ana", "password": b"hunter2-hunter2"}))

    waiting(lake, transform={"imagePullSecrets": ["reg"]})
    lake.pps.images.step()

    [given] = lake.engine.given
    assert ("ana", "hunter2-hunter2") == (given.username, given.password)
    assert "hunter2" not in repr(given)
    assert EXACT_ONE == claimed(lake)


def test_a_secret_that_is_made_is_tried_at_once(lake):
    """Whoever sees the error and mends it need not wait for the next try."""
    lake.pps.secrets.create(Secret("reg", values={"username": b"ana", "password": b"x"}))
    lake.engine.registry[NAME] = NOT_FOUND
    waiting(lake, transform={"imagePullSecrets": ["reg"]})
    lake.pps.images.step()
    lake.pps.secrets.delete("reg")
    lake.clock.advance(60)
    lake.pps.images.step()
    missing = lake.job("up").reason

    lake.engine.registry[NAME] = ONE
    lake.pps.secrets.create(Secret("reg", values={"username": b"ana", "password": b"y"}))
    lake.pps.images.retry(_key(lake))  # what the keeper does when it hears of it
    lake.pps.images.step()

    assert 'secret "reg" not found' in missing
    assert (EXACT_ONE, "y") == (claimed(lake), lake.engine.given[-1].password)


def test_what_a_worker_gives_back_waits(lake):
    """The job says why; nobody gets it until a while has passed, each time a longer one; then it goes on."""
    lake.engine.here[NAME] = ONE
    waiting(lake)
    lake.pps.images.step()
    waits = []

    for _ in range(2):
        claim = lake.pps.claims.claim("w1")
        lake.pps.claims.give_back(claim.set_id, claim.fence, "the engine\nrefused it")
        lake.pps.images.step()
        given = lake.job("up").reason
        seconds = 0
        while claimed_set(lake) is None:
            lake.clock.advance(1)
            seconds += 1
        waits.append((given, seconds))
        _release(lake)

    assert [("the engine refused it", 2), ("the engine refused it", 4)] == waits
    assert "" == lake.job("up").reason
    lake.run()
    assert JobState.SUCCESS is lake.job("up").state


def test_a_claim_is_given_back_once(lake):
    """A second time it is lost, as after any other loss; what was handed in before stays done."""
    lake.engine.here[NAME] = ONE
    using(lake, datumSetSpec={"number": 2})
    lake.commit("in", {"/a": b"a", "/b": b"b"})
    lake.pps.scheduler.settle()
    lake.pps.images.step()
    claim = lake.pps.claims.claim("w1")
    lake.hand_in(claim, 0)

    lake.pps.claims.give_back(claim.set_id, claim.fence, "gone")
    with pytest.raises(Conflict) as error:
        lake.pps.claims.give_back(claim.set_id, claim.fence, "gone")
    lake.clock.advance(60)
    lake.pps.images.step()
    rest = lake.pps.claims.claim("w2")

    assert ErrorKind.CLAIM_LOST == error.value.kind
    assert (claim.first + 1, 1) == (rest.first, rest.count)


def test_an_image_that_was_deleted_is_fetched_again(lake):
    """Exactly the same one, although its tag has moved; the worker gets it as soon as it is there."""
    lake.engine.here[NAME] = ONE
    waiting(lake)
    lake.pps.images.step()
    claim = lake.pps.claims.claim("w1")
    lake.engine.lose()
    lake.engine.registry = {NAME: TWO, EXACT_ONE: ONE}

    lake.pps.claims.give_back(claim.set_id, claim.fence, f"image {EXACT_ONE} is not on this machine")
    nobody = claimed(lake)
    lake.pps.images.step()

    assert (None, [EXACT_ONE], EXACT_ONE) == (nobody, lake.engine.pulled, claimed(lake))


def test_an_image_that_no_registry_has_is_waited_for(lake):
    """Its id is all that is known of it, so nothing else can stand for it."""
    lake.engine.here["tool:1"] = image(1)
    waiting(lake, name="tool:1")
    lake.pps.images.step()
    claim = lake.pps.claims.claim("w1")
    lake.engine.lose()
    lake.pps.claims.give_back(claim.set_id, claim.fence, "gone")
    lake.pps.images.step()
    reason = inspected(lake).reason
    lake.engine.here["tool:1"] = image(1)
    lake.clock.advance(2)
    lake.pps.images.step()

    assert reason.startswith(f"image tool:1 ({image(1).id}) is not on the engine any more")
    assert ([], image(1).id) == (lake.engine.pulled, claimed(lake))


def test_an_engine_that_stops_and_starts_again_loses_nothing(lake):
    """The job says that it is gone, the pipeline is CRASHING, and both go on when it is back."""
    lake.engine.here[NAME] = ONE
    waiting(lake)
    lake.pps.images.step()
    claim = lake.pps.claims.claim("w1")
    lake.engine.silent = "connection refused"
    lake.pps.claims.give_back(claim.set_id, claim.fence, "no container engine answers")
    lake.pps.images.step()
    crashed = inspected(lake)
    lake.engine.silent = ""
    lake.clock.advance(2)
    lake.pps.images.step()
    lake.pps.scheduler.settle()

    assert (PipelineState.CRASHING, True) == (crashed.state, "connection refused" in crashed.reason)
    assert (PipelineState.RUNNING, "") == (inspected(lake).state, lake.job("up").reason)
    lake.run()
    assert JobState.SUCCESS is lake.job("up").state


def test_a_server_that_starts_looks_before_it_gives_work(lake):
    """What a killed one left in the job's reason goes away when the image is there."""
    lake.engine.here[NAME] = ONE
    waiting(lake)
    lake.pps.images.step()
    claim = lake.pps.claims.claim("w1")
    with fail.during("images.given_back", _stop), pytest.raises(_Stopped):
        lake.pps.claims.give_back(claim.set_id, claim.fence, "gone")
    still = lake.job("up").reason
    lake.pps.claims.give_back(claim.set_id, claim.fence, "gone")

    lake.restart()
    before = (claimed(lake), lake.job("up").reason)
    lake.pps.images.step()

    assert ("", (None, "gone")) == (still, before)
    assert ("", EXACT_ONE) == (lake.job("up").reason, claimed(lake))


def test_a_kill_after_a_pull_pulls_nothing_again(lake):
    """The engine has it, so the next server finds it."""
    lake.engine.registry[NAME] = ONE
    waiting(lake)
    with fail.during("images.fetched", _stop):
        lake.pps.images.step()

    lake.restart()
    lake.pps.images.step()

    assert ([NAME], EXACT_ONE) == (lake.engine.pulled, claimed(lake))


def test_a_server_without_containers_says_what_such_a_pipeline_needs(lake):
    """It was decided when the version was made; that server is told otherwise now."""
    lake.engine.here[NAME] = ONE
    waiting(lake)
    lake.rules, lake.engine = ExecutionRules(PROCESS), None

    lake.restart()
    lake.pps.images.step()

    assert "this server runs user code as processes; start it with --execution auto" in lake.job("up").reason
    assert None is claimed(lake)


def test_in_a_transaction_it_is_refused_at_its_call(lake):
    """As everything that would fail at the end; there the image is named exactly, as by itself."""
    lake.engine.silent = "connection refused"
    spec = {"pipeline": {"name": "up"}, "transform": {"cmd": ["a"], "image": NAME}}
    made = CreatePipeline(parse_spec({**spec, "input": {"pfs": {"repo": "in", "glob": "/"}}}))
    runner = Runner(lake.pfs, lake.pps)

    with pytest.raises(Refused) as error:
        runner.trial(new_id(), [made])
    lake.engine.silent = ""
    lake.engine.here[NAME] = ONE
    runner.run(new_id(), [made], lambda _tx: None)

    assert ErrorKind.NO_ENGINE == error.value.kind
    assert Execution(CONTAINER, NAME, EXACT_ONE) == inspected(lake).execution


def test_a_name_that_no_image_can_have_is_refused(lake):
    """When the pipeline is made; as a process it would have been of no consequence."""
    with pytest.raises(BadRequest, match=r"transform\.image: \.\./x is no name of an image; write one") as error:
        using(lake, "../x")

    assert ErrorKind.BAD_SPEC == error.value.kind


def test_a_secret_that_is_no_credential_is_named(lake):
    """At creation, with its key and without a value."""
    lake.pps.secrets.create(Secret("reg", values={".dockerconfigjson": b"hunter2-hunter2"}))

    with pytest.raises(BadRequest) as error:
        using(lake, transform={"imagePullSecrets": ["reg"]})

    assert "key .dockerconfigjson of secret reg is not what docker login writes" in error.value.message
    assert "hunter2" not in error.value.message


def claimed_set(lake):
    lake.pps.images.step()
    return lake.pps.claims.claim("w1")


def _release(lake):
    lake.pps.claims.release(everything=True)


def _key(lake):
    with lake.db.read() as tx:
        return pipeline_rows.get(tx, pipe("up")).id


class _Stopped(Exception):
    """The process ends here."""


def _stop():
    raise _Stopped
