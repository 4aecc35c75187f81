# SPDX-License-Identifier: Apache-2.0
"""A stand-in for `pachctl`, which is on no registry of Python: it sends what that sends, and reads what that reads.

Each command is a connection of its own, dialled until it stands, asks for the cluster before all else, and has the
command line in every call's headers. What `pachctl` takes for granted in an answer is checked: where a field is absent
that it follows a pointer to, the real one ends in a panic. The commands themselves are in the tests.
"""

from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field

import grpc
from google.protobuf.message import Message
from google.protobuf.message_factory import GetMessageClass

from howdah.apis.protocol import PROTOCOL
from howdah.wire.stubs import admin_v2_pb2, pfs_v2_pb2, versionpb_v2_pb2

MIB = 1 << 20
DIAL_SECONDS = 30
CALL_SECONDS = 60  # reached only when a call hangs
PIECE_BYTES = 2 * MIB

# As its Go library has them: 20 MiB messages, and a ping every so often even when no call is open. The real one pings
# every 20 s; this one as often as the protocol's server allows.
OPTIONS = (
    ("grpc.max_receive_message_length", 20 * MIB),
    ("grpc.max_send_message_length", 20 * MIB),
    ("grpc.keepalive_time_ms", 5_000),
    ("grpc.keepalive_timeout_ms", 20_000),
    ("grpc.keepalive_permit_without_calls", 1),
    ("grpc.http2.max_pings_without_data", 0),
    ("grpc.use_local_subchannel_pool", 1),  # a connection of its own, as another process has
)

# What is followed without a look whether it is there, for each message wherever it stands in an answer.
FOLLOWED = {
    "pfs_v2.CommitInfo": ["commit.repo", "origin"],
    "pfs_v2.BranchInfo": ["branch", "head.repo"],
    "pfs_v2.RepoInfo": ["repo"],
    "pfs_v2.ProjectInfo": ["project"],
    "pfs_v2.CommitSetInfo": ["commit_set"],
    "pfs_v2.FileInfo": ["file"],
    "pps_v2.JobInfo": ["job.pipeline.project", "stats"],
    "pps_v2.JobInfo.Details": ["transform"],
    "pps_v2.JobSetInfo": ["job_set"],
    "pps_v2.PipelineInfo": ["pipeline.project"],
    "pps_v2.PipelineInfo.Details": ["transform", "input"],
    "pps_v2.DatumInfo": ["datum.job", "stats"],
    "pps_v2.SecretInfo": ["secret"],
    "transaction_v2.TransactionInfo": ["transaction"],
}
# The same, but only of what some calls answer.
FOLLOWED_OF = {
    "pps_v2.API/ListPipeline": ["details.transform", "details.input"],
    "pps_v2.API/InspectPipeline": ["details.transform", "details.input"],
    "pps_v2.API/InspectDatum": ["pfs_state.commit"],
}


class NilPointer(AssertionError):
    """`pachctl` would have ended in a panic."""


@dataclass
class Pachctl:
    """A user's `pachctl` with its context: an address, a project, and the transaction that was started last."""

    address: str
    project: str = "default"
    transaction: str = ""
    deployment_id: str = ""  # kept in the context from the first answer on
    warnings: list[str] = field(default_factory=list)

    def run(self, command: str, method: str, request: Message, **how) -> Message | list[Message]:
        """A command of one call; see `Command.call`."""
        with self.command(command) as begun:
            return begun.call(method, request, **how)

    @contextmanager
    def command(self, line: str) -> Iterator["Command"]:
        """Dial, wait until the connection stands, and ask for the cluster, as every command does."""
        with grpc.insecure_channel(self.address, OPTIONS) as channel:
            grpc.channel_ready_future(channel).result(DIAL_SECONDS)
            begun = Command(self, channel, f"pachctl {line}")
            self._greet(begun)
            yield begun

    def _greet(self, begun: "Command") -> None:
        version = versionpb_v2_pb2.Version(major=2, minor=12, micro=2)
        project = pfs_v2_pb2.Project(name=self.project)
        asked = admin_v2_pb2.InspectClusterRequest(client_version=version, current_project=project)
        info = begun.call("admin_v2.API/InspectCluster", asked)
        assert info.warnings_ok
        assert self.deployment_id in ("", info.deployment_id), "BadClusterDeploymentID"
        self.deployment_id = info.deployment_id
        self.warnings = list(info.warnings)


@dataclass
class Command:
    """One run of the program: its connection and its headers."""

    user: Pachctl
    channel: grpc.Channel
    line: str

    def call(
        self,
        method: str,
        request: Message | Iterable[Message],
        *,
        transacted: bool = False,
        gzip: bool = False,
        number: int | None = None,
        seconds: float = CALL_SECONDS,
    ) -> Message | list[Message]:
        """The answer, or all of them; of an endless stream the first `number`. Each is looked through.

        `transacted` are the calls that carry the id of the user's transaction.
        """
        service, name = method.split("/")
        described = PROTOCOL[service].methods_by_name[name]
        kinds = ["unary", "stream"]
        make = getattr(self.channel, f"{kinds[described.client_streaming]}_{kinds[described.server_streaming]}")
        stub = make(
            f"/{method}",
            request_serializer=lambda message: message.SerializeToString(),
            response_deserializer=GetMessageClass(described.output_type).FromString,
        )
        headers = [("command", self.line), ("userid", "0123456789abcdef"), ("prefix", "user")]
        if transacted and self.user.transaction:
            headers.append(("pach-transaction", self.user.transaction))
        compression = grpc.Compression.Gzip if gzip else None
        answer = stub(request, timeout=seconds, metadata=headers, compression=compression)
        if not described.server_streaming:
            return looked_through(answer, method)
        found = []
        for each in answer:
            found.append(looked_through(each, method))
            if len(found) == number:
                answer.cancel()
                break
        return found


def looked_through(message: Message, method: str) -> Message:
    """The message, if all is there that `pachctl` follows.

    Raises:
        NilPointer: it is not.
    """
    for path in FOLLOWED_OF.get(method, []):
        follow(message, path)
    look_through(message)
    return message


def look_through(message: Message) -> None:
    name = message.DESCRIPTOR.full_name
    for path in FOLLOWED.get(name, []):
        # A datum of an input that is only tried is of no job.
        if (name, path) != ("pps_v2.DatumInfo", "datum.job") or message.state:
            follow(message, path)
    if name == "pps_v2.JobInfo" and not message.state:
        raise NilPointer("a job's state is unknown, and whether it has ended cannot be said")
    for descriptor, value in message.ListFields():
        if descriptor.message_type is None or descriptor.message_type.GetOptions().map_entry:
            continue
        for each in value if descriptor.is_repeated else [value]:
            look_through(each)


def follow(message: Message, path: str) -> None:
    """Go from field to field."""
    at = message
    for name in path.split("."):
        if not at.HasField(name):
            raise NilPointer(f"{message.DESCRIPTOR.full_name} has no {path}: {message}")
        at = getattr(at, name)


def repo(name: str, kind: str = "user", project: str = "default") -> pfs_v2_pb2.Repo:
    """As `pachctl` writes it: complete."""
    return pfs_v2_pb2.Repo(name=name, type=kind, project=pfs_v2_pb2.Project(name=project))


def branch(of: str, name: str = "master") -> pfs_v2_pb2.Branch:
    return pfs_v2_pb2.Branch(repo=repo(of), name=name)


def commit(of: str, id: str = "", name: str = "") -> pfs_v2_pb2.Commit:
    """A commit has its repo, also beside a branch; the branch's repo is said again."""
    return pfs_v2_pb2.Commit(repo=repo(of), id=id, branch=branch(of, name) if name else None)


def file(of: str, path: str, name: str = "master") -> pfs_v2_pb2.File:
    return pfs_v2_pb2.File(commit=commit(of, name=name), path=path)


def put_file(
    begun: Command,
    to: pfs_v2_pb2.Commit,
    files: dict[str, bytes | pfs_v2_pb2.AddFile.URLSource],
    *,
    append: bool = False,
    gzip: bool = False,
) -> None:
    """`put file`: the repo is looked at, then one stream has all files, in pieces of 2 MiB."""

    def messages() -> Iterator[Message]:
        yield pfs_v2_pb2.ModifyFileRequest(set_commit=to)
        for path, source in files.items():
            if not append:
                yield pfs_v2_pb2.ModifyFileRequest(delete_file=pfs_v2_pb2.DeleteFile(path=path))
            yield from (pfs_v2_pb2.ModifyFileRequest(add_file=each) for each in added(path, source))

    begun.call("pfs_v2.API/InspectRepo", pfs_v2_pb2.InspectRepoRequest(repo=to.repo))
    begun.call("pfs_v2.API/ModifyFile", messages(), gzip=gzip)


def added(path: str, source: bytes | pfs_v2_pb2.AddFile.URLSource) -> Iterator[pfs_v2_pb2.AddFile]:
    """The pieces of a file, at least one; or where the server finds it."""
    if isinstance(source, pfs_v2_pb2.AddFile.URLSource):
        yield pfs_v2_pb2.AddFile(path=path, url=source)
        return
    for at in range(0, max(1, len(source)), PIECE_BYTES):
        yield pfs_v2_pb2.AddFile(path=path, raw={"value": source[at : at + PIECE_BYTES]})
