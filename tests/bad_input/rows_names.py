# SPDX-License-Identifier: Apache-2.0
"""Wrong calls: names of what is not there, and names that can never be."""

from howdah.errors import ErrorKind
from howdah.wire.stubs import pfs_v2_pb2 as pfs
from howdah.wire.stubs import pps_v2_pb2 as pps
from tests.bad_input.row import Row, branch, commit, file, pipeline, repo
from tests.bad_input.world import NO_DATUM, NO_ID

UNKNOWN = {
    "unknown project": Row(
        ErrorKind.PROJECT_NOT_FOUND,
        ("project nope not found",),
        cli=lambda w: ("inspect", "project", "nope"),
        client=lambda w: w.client.inspect_project("nope"),
        grpc=lambda w: w.pfs.InspectProject(pfs.InspectProjectRequest(project=pfs.Project(name="nope"))),
    ),
    "repo in an unknown project": Row(
        ErrorKind.PROJECT_NOT_FOUND,
        ("project nope not found",),
        cli=lambda w: ("create", "repo", "r", "--project", "nope"),
        client=lambda w: w.client.create_repo("nope/r"),
        grpc=lambda w: w.pfs.CreateRepo(pfs.CreateRepoRequest(repo=repo("r", project="nope"))),
    ),
    "unknown repo": Row(
        ErrorKind.REPO_NOT_FOUND,
        ("repo default/nope not found",),
        cli=lambda w: ("inspect", "repo", "nope"),
        client=lambda w: w.client.inspect_repo("nope"),
        grpc=lambda w: w.pfs.InspectRepo(pfs.InspectRepoRequest(repo=repo("nope"))),
    ),
    "put into an unknown repo": Row(
        ErrorKind.REPO_NOT_FOUND,
        ("repo default/nope not found",),
        cli=lambda w: ("put", "file", "nope@master:/x", "-f", w.file("x", "x")),
        client=lambda w: w.client.put_file("nope@master", "/x", b"x"),
        grpc=lambda w: w.pfs.ModifyFile(
            iter([pfs.ModifyFileRequest(set_commit=commit("nope", "master"))]),
        ),
    ),
    "unknown branch": Row(
        ErrorKind.BRANCH_NOT_FOUND,
        ("branch", "nope", "not found in repo default/images"),
        cli=lambda w: ("inspect", "branch", "images@nope"),
        client=lambda w: w.client.inspect_branch("images@nope"),
        grpc=lambda w: w.pfs.InspectBranch(pfs.InspectBranchRequest(branch=branch("images", "nope"))),
    ),
    "file of an unknown branch": Row(
        ErrorKind.BRANCH_NOT_FOUND,
        ("branch", "nope", "not found in repo default/images"),
        cli=lambda w: ("get", "file", "images@nope:/a"),
        client=lambda w: w.client.get_file("images@nope", "/a"),
        grpc=lambda w: w.pfs.GetFile(pfs.GetFileRequest(file=file("images", "nope", "/a"))),
    ),
    "unknown commit": Row(
        ErrorKind.COMMIT_NOT_FOUND,
        (f"commit default/images@{NO_ID} not found",),
        cli=lambda w: ("inspect", "commit", f"images@{NO_ID}"),
        client=lambda w: w.client.inspect_commit(f"images@{NO_ID}"),
        grpc=lambda w: w.pfs.InspectCommit(
            pfs.InspectCommitRequest(commit=pfs.Commit(repo=repo("images"), id=NO_ID)),
        ),
    ),
    "more steps back than there are commits": Row(
        ErrorKind.COMMIT_NOT_FOUND,
        ("images@master^7", "not found"),
        cli=lambda w: ("inspect", "commit", "images@master^7"),
        client=lambda w: w.client.inspect_commit("images@master^7"),
        grpc=lambda w: w.pfs.InspectCommit(pfs.InspectCommitRequest(commit=commit("images", "master", "^7"))),
    ),
    "unknown commit set": Row(
        ErrorKind.COMMIT_SET_NOT_FOUND,
        (f"no commits found for commitset {NO_ID}",),
        cli=lambda w: ("wait", "commit", NO_ID),
        client=lambda w: w.client.inspect_commit_set(NO_ID),
        grpc=lambda w: w.pfs.InspectCommitSet(pfs.InspectCommitSetRequest(commit_set=pfs.CommitSet(id=NO_ID))),
    ),
    "unknown file": Row(
        ErrorKind.FILE_NOT_FOUND,
        ("file /nope not found in repo default/images at commit ",),
        cli=lambda w: ("get", "file", "images@master:/nope"),
        client=lambda w: w.client.get_file("images@master", "/nope"),
        grpc=lambda w: w.pfs.GetFile(pfs.GetFileRequest(file=file("images", "master", "/nope"))),
    ),
    "inspection of an unknown file": Row(
        ErrorKind.FILE_NOT_FOUND,
        ("file /dir/nope not found in repo default/images at commit ",),
        cli=lambda w: ("inspect", "file", "images@master:/dir/nope"),
        client=lambda w: w.client.inspect_file("images@master", "/dir/nope"),
        grpc=lambda w: w.pfs.InspectFile(pfs.InspectFileRequest(file=file("images", "master", "/dir/nope"))),
    ),
    "copy of an unknown file": Row(
        ErrorKind.FILE_NOT_FOUND,
        ("file /nope not found in repo default/images at commit ",),
        cli=lambda w: ("copy", "file", "images@master:/nope", "images@master:/x"),
        client=lambda w: w.client.copy_file("images@master:/nope", "images@master", "/x"),
        grpc=lambda w: w.pfs.ModifyFile(
            iter(
                [
                    pfs.ModifyFileRequest(set_commit=commit("images", "master")),
                    pfs.ModifyFileRequest(copy_file=pfs.CopyFile(src=file("images", "master", "/nope"), dst="/x")),
                ]
            ),
        ),
    ),
    "unknown pipeline": Row(
        ErrorKind.PIPELINE_NOT_FOUND,
        ("pipeline", "default/nope", "not found"),
        cli=lambda w: ("inspect", "pipeline", "nope"),
        client=lambda w: w.client.inspect_pipeline("nope"),
        grpc=lambda w: w.pps.InspectPipeline(pps.InspectPipelineRequest(pipeline=pipeline("nope"))),
    ),
    "start of an unknown pipeline": Row(
        ErrorKind.PIPELINE_NOT_FOUND,
        ("pipeline", "default/nope", "not found"),
        cli=lambda w: ("start", "pipeline", "nope"),
        client=lambda w: w.client.start_pipeline("nope"),
        grpc=lambda w: w.pps.StartPipeline(pps.StartPipelineRequest(pipeline=pipeline("nope"))),
    ),
    "logs of an unknown pipeline": Row(
        ErrorKind.PIPELINE_NOT_FOUND,
        ("pipeline", "default/nope", "not found"),
        cli=lambda w: ("logs", "-p", "nope"),
        client=lambda w: w.client.logs(pipeline="nope"),
        grpc=lambda w: w.pps.GetLogs(pps.GetLogsRequest(pipeline=pipeline("nope"))),
    ),
    "unknown job": Row(
        ErrorKind.JOB_NOT_FOUND,
        (f"job default/edges@{NO_ID} not found",),
        cli=lambda w: ("inspect", "job", f"edges@{NO_ID}"),
        client=lambda w: w.client.inspect_job(f"edges@{NO_ID}"),
        grpc=lambda w: w.pps.InspectJob(pps.InspectJobRequest(job=pps.Job(pipeline=pipeline("edges"), id=NO_ID))),
    ),
    "stop of an unknown job": Row(
        ErrorKind.JOB_NOT_FOUND,
        (f"job default/edges@{NO_ID} not found",),
        cli=lambda w: ("stop", "job", f"edges@{NO_ID}"),
        client=lambda w: w.client.stop_job(f"edges@{NO_ID}"),
        grpc=lambda w: w.pps.StopJob(pps.StopJobRequest(job=pps.Job(pipeline=pipeline("edges"), id=NO_ID))),
    ),
    "unknown datum": Row(
        ErrorKind.DATUM_NOT_FOUND,
        (f"datum {NO_DATUM} not found",),
        cli=lambda w: ("inspect", "datum", w.job, NO_DATUM),
        client=lambda w: w.client.inspect_datum(w.job, NO_DATUM),
        grpc=lambda w: w.pps.InspectDatum(
            pps.InspectDatumRequest(
                datum=pps.Datum(job=pps.Job(pipeline=pipeline("edges"), id=w.job.partition("@")[2]), id=NO_DATUM)
            )
        ),
    ),
}

BAD = {
    "repo name with a space": Row(
        ErrorKind.BAD_NAME,
        ("name (my repo) invalid: only alphanumeric characters",),
        cli=lambda w: ("create", "repo", "my repo"),
        client=lambda w: w.client.create_repo("my repo"),
        grpc=lambda w: w.pfs.CreateRepo(pfs.CreateRepoRequest(repo=repo("my repo"))),
    ),
    "no repo name": Row(
        ErrorKind.BAD_REFERENCE,
        ("no repo is named; write [project/]repo",),
        cli=lambda w: ("create", "repo", ""),
        client=lambda w: w.client.create_repo(""),
    ),
    "empty repo name": Row(
        ErrorKind.BAD_ARGUMENT,
        ("repo cannot be nil; name a repo",),
        grpc=lambda w: w.pfs.CreateRepo(pfs.CreateRepoRequest(repo=repo(""))),
    ),
    "repo name of 300 characters": Row(
        ErrorKind.BAD_NAME,
        ("invalid: it has 300 characters; at most 255 are allowed",),
        cli=lambda w: ("create", "repo", "r" * 300),
        client=lambda w: w.client.create_repo("r" * 300),
        grpc=lambda w: w.pfs.CreateRepo(pfs.CreateRepoRequest(repo=repo("r" * 300))),
    ),
    "reserved repo name": Row(
        ErrorKind.BAD_NAME,
        ("repo name __filesets__ is reserved; choose another name",),
        cli=lambda w: ("create", "repo", "__filesets__"),
        client=lambda w: w.client.create_repo("__filesets__"),
        grpc=lambda w: w.pfs.CreateRepo(pfs.CreateRepoRequest(repo=repo("__filesets__"))),
    ),
    "project name that begins with a dash": Row(
        ErrorKind.BAD_NAME,
        ("name (-p) invalid: the name of a project must start with",),
        cli=lambda w: ("create", "project", "--", "-p"),
        client=lambda w: w.client.create_project("-p"),
        grpc=lambda w: w.pfs.CreateProject(pfs.CreateProjectRequest(project=pfs.Project(name="-p"))),
    ),
    "branch name that looks like a commit": Row(
        ErrorKind.BAD_NAME,
        (f"branch name {NO_ID} looks like a commit id; choose another name",),
        cli=lambda w: ("create", "branch", f"images@{NO_ID}"),
        client=lambda w: w.client.create_branch(f"images@{NO_ID}"),
        grpc=lambda w: w.pfs.CreateBranch(pfs.CreateBranchRequest(branch=branch("images", NO_ID))),
    ),
    "repo of an unknown type": Row(
        ErrorKind.BAD_NAME,
        ("repo type (secret) is unknown; use one of user, meta, spec",),
        grpc=lambda w: w.pfs.InspectRepo(pfs.InspectRepoRequest(repo=pfs.Repo(name="images", type="secret"))),
    ),
    "job id that is none": Row(
        ErrorKind.BAD_REFERENCE,
        ("nonsense", "32 lower-case hex digits"),
        client=lambda w: w.client.inspect_job("edges@nonsense"),
    ),
    "job of a branch that is none": Row(
        ErrorKind.BRANCH_NOT_FOUND,
        ("edges@nonsense names no job: branch nonsense not found in repo default/edges; write PIPELINE for its",),
        cli=lambda w: ("inspect", "job", "edges@nonsense"),
    ),
    "name that is taken": Row(
        ErrorKind.REPO_EXISTS,
        ("repo default/images already exists; ",),
        cli=lambda w: ("create", "repo", "images"),
        client=lambda w: w.client.create_repo("images"),
        grpc=lambda w: w.pfs.CreateRepo(pfs.CreateRepoRequest(repo=repo("images"))),
    ),
    "request without a repo": Row(
        ErrorKind.BAD_ARGUMENT,
        ("repo",),
        grpc=lambda w: w.pfs.InspectRepo(pfs.InspectRepoRequest()),
    ),
    "request without a pipeline": Row(
        ErrorKind.BAD_ARGUMENT,
        ("pipeline",),
        grpc=lambda w: w.pps.InspectPipeline(pps.InspectPipelineRequest()),
    ),
    "request without a job": Row(
        ErrorKind.BAD_ARGUMENT,
        ("job",),
        grpc=lambda w: w.pps.InspectJob(pps.InspectJobRequest()),
    ),
}
