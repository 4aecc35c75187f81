# SPDX-License-Identifier: Apache-2.0
"""What a new commit makes a pipeline do: exactly the work that is needed, and one output commit."""

from howdah.model.states import JobState
from tests.pps.lakes import Failure, branch, copy, job_of, pipe


def failing(path):
    """Code that ends badly where it reads that path."""

    def code(parts):
        if any(path in files for files in parts.values()):
            raise Failure("cannot")
        return copy(parts)

    return code


def by_content(parts):
    """Name the outputs after what is read."""
    return {"/" + data.decode(): b"x" for data in parts["in"].values()}


def count(parts):
    """How many files there are."""
    return {"/count": b"%d" % len(parts["in"])}


def join(parts):
    """One file of all parts, named after all of them."""
    files = [each for part in parts.values() for each in part.items()]
    return {"/" + "".join(path[1:] for path, _ in files): b"".join(data for _, data in files)}


def test_a_commit_becomes_an_output_commit(lake):
    """Each file is a datum, and what all datums wrote is the output commit of the same set."""
    lake.repo("in")
    lake.pipeline("up", "in")
    commit = lake.commit("in", {"/a": b"one", "/b": b"two"})

    lake.run()

    assert {"/a": b"ONE", "/b": b"TWO"} == lake.files("up")
    job = lake.pps.jobs.inspect(job_of("up", commit))
    assert (JobState.SUCCESS, 2, 2, 0) == (job.state, job.datums_total, job.datums_processed, job.datums_skipped)
    assert 14 == job.stats.process_ms


def test_only_what_is_new_runs(lake):
    """Datums of an earlier job are carried over."""
    lake.repo("in")
    lake.pipeline("up", "in")
    lake.commit("in", {"/a": b"one", "/b": b"two"})
    lake.run()
    lake.taken()

    lake.commit("in", {"/c": b"three"})
    lake.run()

    assert ["/c"] == lake.taken()
    assert {"/a": b"ONE", "/b": b"TWO", "/c": b"THREE"} == lake.files("up")
    assert 2 == lake.job("up").datums_skipped


def test_the_outputs_of_vanished_datums_vanish(lake):
    """A file that is deleted or changed takes with it what was made of it."""
    lake.repo("in")
    lake.pipeline("up", "in")
    lake.commit("in", {"/a": b"one", "/b": b"two"})
    lake.run()

    lake.commit("in", {"/a": None})
    lake.run()

    assert {"/b": b"TWO"} == lake.files("up")


def test_a_changed_datum_replaces_what_it_wrote(lake):
    """Also where it writes other paths than before."""
    lake.repo("in")
    lake.pipeline("up", "in")
    lake.commit("in", {"/a": b"one"})
    lake.run(by_content)

    lake.commit("in", {"/a": b"two"})
    lake.run(by_content)

    assert {"/two": b"x"} == lake.files("up")


def test_what_succeeded_in_a_failed_job_is_not_run_again(lake):
    """After the mend only the failed datum runs."""
    lake.repo("in")
    lake.pipeline("up", "in")
    lake.commit("in", {"/a": b"one", "/b": b"two", "/c": b"three"})
    lake.run(failing("/b"))
    assert JobState.FAILURE is lake.job("up").state
    lake.taken()

    lake.pipeline("up", "in", update=True, description="mended")
    lake.run()

    assert ["/b"] == lake.taken()
    assert {"/a": b"ONE", "/b": b"TWO", "/c": b"THREE"} == lake.files("up")


def test_a_failed_job_names_the_datum_and_its_log(lake):
    """The reason says which datum, why, and how to see what it printed; the counts say how many."""
    lake.repo("in")
    lake.pipeline("up", "in")
    commit = lake.commit("in", {"/a": b"one", "/b": b"two"})

    lake.run(failing("/b"))

    job = lake.job("up")
    [bad] = [datum for datum in lake.pps.datums.list(job.job) if datum.reason]
    logs = f"howdah logs -j default/up@{commit.id} --datum {bad.id}"
    assert f"datum {bad.id} failed: cannot; see what it printed: {logs}" == job.reason
    assert (1, 1) == (job.datums_processed, job.datums_failed)
    assert job.reason == lake.pfs.catalog.commits.inspect(job.output_commit).error


def test_the_output_of_a_failed_job_is_not_read(lake):
    """Readers see the last good output, or by an option what succeeded."""
    lake.repo("in")
    lake.pipeline("up", "in")
    lake.commit("in", {"/a": b"one"})
    lake.run()
    lake.commit("in", {"/b": b"two", "/c": b"three"})

    lake.run(failing("/c"))

    assert {"/a": b"ONE"} == lake.files("up")
    partial = lake.pfs.files.view(lake.job("up").output_commit, partial=True)
    assert ["/a", "/b"] == [entry.path for entry in partial.files("/")]


def test_going_back_to_an_older_input_runs_nothing(lake):
    """What ever succeeded under a key is found again, also when other data came between."""
    lake.repo("in")
    lake.pipeline("up", "in")
    first = lake.commit("in", {"/a": b"one"})
    lake.run()
    lake.commit("in", {"/a": b"two"})
    lake.run()
    lake.taken()

    lake.pfs.catalog.branches.create(branch("in"), head=first)
    lake.run()

    assert [] == lake.taken()
    assert {"/a": b"ONE"} == lake.files("up")


def test_no_datums_are_a_success(lake):
    """A pipeline over an empty repo ends at once with an empty commit."""
    lake.repo("in")

    lake.pipeline("up", "in")
    lake.run()

    assert (JobState.SUCCESS, 0) == (lake.job("up").state, lake.job("up").datums_total)
    assert {} == lake.files("up")


def test_a_cross_has_a_datum_for_each_pair(lake):
    """Each datum reads one entry of each input; a new entry adds as many datums as the other has."""
    lake.repo("left")
    lake.repo("right")
    lake.pipeline("pairs", "left", "right")
    lake.commit("left", {"/a": b"1", "/b": b"2"})
    lake.commit("right", {"/x": b"3"})
    lake.run(join)
    lake.taken()

    lake.commit("right", {"/y": b"4"})
    lake.run(join)

    assert ["/a /y", "/b /y"] == lake.taken()
    assert {"/ax": b"13", "/bx": b"23", "/ay": b"14", "/by": b"24"} == lake.files("pairs")


def test_a_folder_is_one_datum(lake):
    """The pattern `/` is all files at once; a change of any of them runs it again."""
    lake.repo("in")
    lake.pipeline("all", {"repo": "in", "glob": "/"})
    lake.commit("in", {"/a/b": b"1", "/c": b"2"})
    lake.run(count)

    lake.commit("in", {"/d": b"3"})
    lake.run(count)

    assert {"/count": b"3"} == lake.files("all")
    assert ["/", "/"] == lake.taken()


def test_two_datums_that_write_one_path_fail_the_job(lake):
    """The error names the path and both datums; nothing of theirs is seen."""
    lake.repo("in")
    lake.pipeline("up", "in")
    lake.commit("in", {"/a": b"one", "/b": b"two"})

    lake.run(lambda parts: {"/same": b"".join(parts["in"].values())})

    job = lake.job("up")
    first, second = [datum.id for datum in lake.pps.datums.list(job.job)]
    assert JobState.FAILURE is job.state
    assert f"file /same was written by two datums, {first} and {second}; let each datum write" in job.reason
    assert {} == lake.files("up")


def test_datums_that_clashed_run_again_when_the_code_is_mended(lake):
    """They count as done only when their job is."""
    lake.repo("in")
    lake.pipeline("up", "in")
    lake.commit("in", {"/a": b"one", "/b": b"two"})
    lake.run(lambda parts: {"/same": b"".join(parts["in"].values())})
    lake.taken()

    lake.pipeline("up", "in", update=True, description="mended")
    lake.run()

    assert ["/a", "/b"] == lake.taken()
    assert {"/a": b"ONE", "/b": b"TWO"} == lake.files("up")


def test_an_output_commit_that_was_forced_to_an_end_ends_its_job(lake):
    """The job does not wait for ever for a commit that it cannot close."""
    lake.repo("in")
    lake.pipeline("up", "in")
    lake.commit("in", {"/a": b"one"})
    lake.pps.scheduler.settle()
    lake.pfs.finisher.finish(lake.job("up").output_commit, error="enough", force=True)

    lake.run()

    assert (JobState.KILLED, "its output commit was finished by somebody else") == (
        lake.job("up").state,
        lake.job("up").reason,
    )
    lake.commit("in", {"/b": b"two"})
    lake.run()
    assert {"/a": b"ONE", "/b": b"TWO"} == lake.files("up")


def test_a_new_datum_that_writes_an_old_ones_path_fails_the_job(lake):
    """A collision is seen also where one of the two ran in an earlier job."""
    lake.repo("in")
    lake.pipeline("up", "in")
    lake.commit("in", {"/a": b"one"})
    lake.run(lambda parts: {"/same": b"x"})

    lake.commit("in", {"/b": b"two"})
    lake.run(lambda parts: {"/same": b"x"})

    assert JobState.FAILURE is lake.job("up").state
    assert {"/same": b"x"} == lake.files("up")


def test_a_file_that_is_a_directory_too_fails_the_job(lake):
    """One datum writes /x, the other /x/y: the error names both."""
    lake.repo("in")
    lake.pipeline("up", "in")
    lake.commit("in", {"/a": b"/x", "/b": b"/x/y"})

    lake.run(lambda parts: {data.decode(): b"!" for data in parts["in"].values()})

    by_path = {datum.inputs[0].file.path: datum.id for datum in lake.pps.datums.list(lake.job("up").job)}
    expected = f"/x was written as a file by datum {by_path['/a']} and as a directory by datum {by_path['/b']}"
    assert expected in lake.job("up").reason


def test_downstream_of_a_failure_is_unrunnable(lake):
    """The reason names the pipeline that failed."""
    lake.repo("in")
    lake.pipeline("first", "in")
    lake.pipeline("second", "first")
    lake.commit("in", {"/a": b"one"})

    lake.run(failing("/a"))

    job = lake.job("second")
    reason = "unrunnable because the following upstream pipelines failed: default/first"
    assert (JobState.UNRUNNABLE, reason) == (job.state, job.reason)


def test_a_diamond_has_one_job_for_each_pipeline(lake):
    """A commit at the top reaches the bottom once, when both sides are done."""
    lake.repo("in")
    lake.pipeline("left", "in")
    lake.pipeline("right", "in")
    lake.pipeline("bottom", "left", "right")
    lake.run()
    before = len(lake.jobs("bottom"))

    commit = lake.commit("in", {"/a": b"one"})
    lake.run()

    assert 1 == len(lake.jobs("bottom")) - before
    assert ["left", "right", "bottom"] == [info.job.pipeline.name for info in lake.pps.jobs.of_set(commit.id)]
    assert {"/a": b"ONE"} == lake.files("bottom")


def test_jobs_run_in_the_order_in_which_they_were_made(lake):
    """A second commit waits for the job of the first."""
    lake.repo("in")
    lake.pipeline("up", "in")
    lake.run()
    lake.commit("in", {"/a": b"one"})
    lake.commit("in", {"/b": b"two"})

    lake.pps.scheduler.settle()

    assert [JobState.SUCCESS, JobState.RUNNING, JobState.CREATED] == [job.state for job in lake.jobs("up")]


def test_a_job_exists_before_its_input_is_finished(lake):
    """Starting a commit makes the job, CREATED; finishing it lets the job run."""
    lake.repo("in")
    lake.pipeline("up", "in")
    lake.run()

    commit = lake.pfs.catalog.commits.start(branch("in"))
    lake.run()

    assert JobState.CREATED is lake.pps.jobs.inspect(job_of("up", commit)).state
    lake.pfs.finisher.finish(commit)
    lake.run()
    assert JobState.SUCCESS is lake.pps.jobs.inspect(job_of("up", commit)).state


def test_every_job_mode_runs_all_datums(lake):
    """With reprocess_spec every_job nothing is skipped, and outputs are those of the last run."""
    lake.repo("in")
    lake.pipeline("up", "in", reprocessSpec="every_job")
    lake.commit("in", {"/a": b"one"})
    lake.run(lambda parts: {"/first": b"1"})

    lake.commit("in", {"/b": b"two"})
    lake.run(lambda parts: {"/second" + path: b"2" for path in parts["in"]})

    assert {"/second/a": b"2", "/second/b": b"2"} == lake.files("up")


def test_a_job_that_takes_too_long_is_killed(lake):
    """The limit counts from the start of the run."""
    lake.repo("in")
    lake.pipeline("up", "in", jobTimeout="60s")
    lake.commit("in", {"/a": b"one"})
    lake.pps.scheduler.settle()
    lake.clock.advance(61)

    lake.pps.scheduler.settle()

    assert JobState.KILLED is lake.job("up").state
    assert lake.job("up").reason.startswith("job timed out")


def test_a_stopped_job_keeps_what_succeeded(lake):
    """It is KILLED, its commit has an error, and the next job does only the rest."""
    lake.repo("in")
    lake.pipeline("up", "in", datumSetSpec={"number": 1})
    lake.commit("in", {"/a": b"one", "/b": b"two"})
    lake.pps.scheduler.settle()
    lake.work()
    first = lake.taken()

    lake.pps.jobs.stop(lake.job("up").job)
    lake.pps.jobs.stop(lake.job("up").job)
    assert lake.work() is None
    assert (JobState.KILLED, "job stopped") == (lake.job("up").state, lake.job("up").reason)
    lake.commit("in", {"/c": b"three"})
    lake.run()

    assert sorted({"/a", "/b", "/c"} - set(first)) == lake.taken()
    assert {"/a": b"ONE", "/b": b"TWO", "/c": b"THREE"} == lake.files("up")


def test_the_meta_repo_shows_what_each_datum_read_and_wrote(lake):
    """For each datum its record, its inputs and its outputs, also after it was skipped."""
    lake.repo("in")
    lake.pipeline("up", "in")
    lake.commit("in", {"/a": b"one"})
    lake.run()
    lake.commit("in", {"/b": b"two"})
    lake.run()

    meta = lake.files("up", "meta")
    ids = {datum.inputs[0].file.path: datum.id for datum in lake.pps.datums.list(lake.job("up").job)}
    expected = {f"/meta/{datum}/meta" for datum in ids.values()}
    expected |= {f"/pfs/{datum}/in{path}" for path, datum in ids.items()}
    expected |= {f"/pfs/{datum}/out{path}" for path, datum in ids.items()}
    assert expected == set(meta)
    assert b"ONE" == meta[f"/pfs/{ids['/a']}/out/a"]
    assert b'"image":""' in meta[f"/meta/{ids['/a']}/meta"]


def test_listing_jobs(lake):
    """By pipeline, by input commit, by number, either way round."""
    lake.repo("in")
    lake.repo("other")
    lake.pipeline("up", "in")
    lake.pipeline("more", "other")
    commit = lake.commit("in", {"/a": b"one"})
    lake.run()

    assert 3 == len(list(lake.pps.jobs.list()))
    assert [job_of("up", commit)] == [job.job for job in lake.pps.jobs.list(pipe("up"), number=1)]
    assert [job_of("up", commit)] == [job.job for job in lake.pps.jobs.list(inputs=[commit])]
    assert list(lake.pps.jobs.list())[::-1] == list(lake.pps.jobs.list(reverse=True))
    assert lake.job("up") == lake.pps.jobs.finished(job_of("up", commit))
