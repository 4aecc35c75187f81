# SPDX-License-Identifier: Apache-2.0
"""Calls of the protocol by raw messages, for tests of what goes over the wire."""

import io
import itertools
import tarfile

import grpc
import pytest
from google.protobuf.wrappers_pb2 import BytesValue

from howdah.apis.grpc.options import CHANNEL_OPTIONS
from howdah.wire.stubs import (
    admin_v2_pb2_grpc,
    metadata_pb2_grpc,
    pfs_v2_pb2_grpc,
    pps_v2_pb2_grpc,
    storage_pb2_grpc,
    transaction_v2_pb2_grpc,
)
from howdah.wire.stubs import pfs_v2_pb2 as pb
from howdah.wire.stubs import pps_v2_pb2 as pps
from howdah.wire.stubs import transaction_v2_pb2 as transaction

WAIT = 20.0  # seconds; reached only by a failing test
NO_ID = "0123456789ab4000a000000000000000"  # of nothing

_numbers = itertools.count(1)


class Wire:
    """Stubs of a running server, and the steps that most tests begin with. Messages in, messages out."""

    def __init__(self, server):
        self.server = server
        self.channel = grpc.insecure_channel(server.grpc_address, options=CHANNEL_OPTIONS)
        self.pfs = pfs_v2_pb2_grpc.APIStub(self.channel)
        self.pps = pps_v2_pb2_grpc.APIStub(self.channel)
        self.admin = admin_v2_pb2_grpc.APIStub(self.channel)
        self.metadata = metadata_pb2_grpc.APIStub(self.channel)
        self.storage = storage_pb2_grpc.FilesetStub(self.channel)
        self.transactions = transaction_v2_pb2_grpc.APIStub(self.channel)

    def name(self, kind="repo"):
        """A name that nothing has yet."""
        return f"{kind}-{next(_numbers)}"

    def project(self):
        made = pb.Project(name=self.name("project"))
        self.pfs.CreateProject(pb.CreateProjectRequest(project=made))
        return made

    def repo(self, project="default"):
        made = pb.Repo(name=self.name(), type="user", project=pb.Project(name=project))
        self.pfs.CreateRepo(pb.CreateRepoRequest(repo=made))
        return made

    def branch(self, repo=None, name="master"):
        """A branch that may not exist; of a new repo unless one is given."""
        return pb.Branch(repo=repo or self.repo(), name=name)

    def start(self, branch, **fields):
        return self.pfs.StartCommit(pb.StartCommitRequest(branch=branch, **fields))

    def finish(self, commit, **fields):
        self.pfs.FinishCommit(pb.FinishCommitRequest(commit=commit, **fields))
        return commit

    def modify(self, commit, *operations):
        self.pfs.ModifyFile(iter([pb.ModifyFileRequest(set_commit=commit), *operations]), timeout=WAIT)

    def put(self, branch, files=(), *operations, **fields):
        """A finished commit with these files added to what its parent has."""
        commit = self.start(branch)
        self.modify(commit, *(add(path, data) for path, data in dict(files).items()), *operations)
        return self.finish(commit, **fields)

    def output(self, *provenance, repo=None):
        """A new branch that follows others."""
        made = self.branch(repo)
        self.pfs.CreateBranch(pb.CreateBranchRequest(branch=made, provenance=provenance))
        return made

    def pipeline(self, repo):
        """A pipeline that reads a repo and that nobody runs."""
        made = pps.Pipeline(name=self.name("pipeline"), project=repo.project)
        transform = pps.Transform(image="x", cmd=["true"])
        source = pps.Input(pfs=pps.PFSInput(repo=repo.name, glob="/*"))
        self.pps.CreatePipeline(pps.CreatePipelineRequest(pipeline=made, transform=transform, input=source))
        return made

    def commit(self, commit, **fields):
        return self.pfs.InspectCommit(pb.InspectCommitRequest(commit=commit, **fields), timeout=WAIT)

    def commits(self, repo=None, **fields):
        if (start := fields.pop("from_", None)) is not None:
            fields["from"] = start
        return [info.commit for info in self.pfs.ListCommit(pb.ListCommitRequest(repo=repo, **fields))]

    def head(self, branch):
        return self.pfs.InspectBranch(pb.InspectBranchRequest(branch=branch)).head

    def branches(self, repo):
        return [info.branch.name for info in self.pfs.ListBranch(pb.ListBranchRequest(repo=repo))]

    def in_set(self, id, **fields):
        """The commits of a commit set."""
        request = pb.InspectCommitSetRequest(commit_set=pb.CommitSet(id=id), **fields)
        return [info.commit for info in self.pfs.InspectCommitSet(request, timeout=WAIT)]

    def paths(self, commit, path="/", **fields):
        """What a listing of a directory shows."""
        answers = self.pfs.ListFile(pb.ListFileRequest(file=at(commit, path), **fields))
        return [info.file.path for info in answers]

    def walk(self, commit, path="/"):
        return [info.file.path for info in self.pfs.WalkFile(pb.WalkFileRequest(file=at(commit, path)))]

    def glob(self, commit, pattern):
        answers = self.pfs.GlobFile(pb.GlobFileRequest(commit=commit, pattern=pattern))
        return [info.file.path for info in answers]

    def file(self, commit, path):
        return self.pfs.InspectFile(pb.InspectFileRequest(file=at(commit, path)))

    def pieces(self, commit, path, **fields):
        """The messages by which a file is read."""
        request = pb.GetFileRequest(file=at(commit, path), **fields)
        return [message.value for message in self.pfs.GetFile(request, timeout=WAIT)]

    def read(self, commit, path, **fields):
        return b"".join(self.pieces(commit, path, **fields))

    def tar(self, commit, path="/", **fields):
        request = pb.GetFileRequest(file=at(commit, path), **fields)
        return [message.value for message in self.pfs.GetFileTAR(request, timeout=WAIT)]

    def diff(self, new, old=None):
        request = pb.DiffFileRequest(new_file=new, old_file=old)
        return [(each.new_file.file.path, each.old_file.file.path) for each in self.pfs.DiffFile(request)]

    def file_set(self, *operations):
        return self.pfs.CreateFileSet(iter(operations)).file_set_id

    def transaction(self):
        """A new transaction, and the metadata by which calls are part of it."""
        made = self.transactions.StartTransaction(transaction.StartTransactionRequest())
        return made, (("pach-transaction", made.id),)

    def finish_transaction(self, made):
        return self.transactions.FinishTransaction(transaction.FinishTransactionRequest(transaction=made))


def of_set(file_set):
    """The commit that a file set is read as."""
    return pb.Commit(repo=pb.Repo(name="__filesets__"), id=file_set)


def head_of(branch):
    return pb.Commit(branch=branch)


def at(commit, path="/"):
    return pb.File(commit=commit, path=path)


def add(path, data=None, datum=""):
    raw = None if data is None else BytesValue(value=data)
    return pb.ModifyFileRequest(add_file=pb.AddFile(path=path, datum=datum, raw=raw))


def delete(path, datum=""):
    return pb.ModifyFileRequest(delete_file=pb.DeleteFile(path=path, datum=datum))


def copy(source, path, **fields):
    return pb.ModifyFileRequest(copy_file=pb.CopyFile(src=source, dst=path, **fields))


def members(pieces):
    """The entries of a tar."""
    with tarfile.open(fileobj=io.BytesIO(b"".join(pieces))) as tar:
        return tar.getmembers()


def failure(call):
    """Code and text by which a call fails; a stream fails when it is read."""
    with pytest.raises(grpc.RpcError) as caught:
        _whole(call())
    return caught.value.code(), caught.value.details()


def _whole(answer):
    return list(answer) if hasattr(answer, "__iter__") else answer
