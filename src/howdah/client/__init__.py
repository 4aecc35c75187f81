# SPDX-License-Identifier: Apache-2.0
"""The Python client of a howdah server.

    import howdah

    with howdah.Client() as client:
        client.put_file("images@master", "/a.png", "photos/a.png")

`client` puts the groups of calls together: `projects`, `repos`, `branches`, `commits`, `history` (what is taken out of
it), `searches`, `labels`, `files`, `pipelines`, `specs`, `running` (what sets them going), `jobs`, `logs`,
`transactions`. `values` has the answers that are not in `howdah.model`. Arrow and the storage library are loaded with
the first call that touches a file.
"""

from howdah.client.client import Client
from howdah.client.split import Split
from howdah.client.transactions import Transaction
from howdah.client.values import (
    CommitSetInfo,
    DatumInfo,
    DroppedLines,
    ExecutionInfo,
    FileDiff,
    FileVersion,
    InputFile,
    JobInfo,
    LogLine,
    MetadataEdit,
    PipelineAlert,
    PipelineInfo,
    ProcessStats,
    Progress,
    Provenance,
    ServerVersion,
    Sighting,
    TransactionInfo,
    Transferred,
    Written,
)
from howdah.client.writing import CommitWriter

__all__ = [
    "Client",
    "CommitSetInfo",
    "CommitWriter",
    "DatumInfo",
    "DroppedLines",
    "ExecutionInfo",
    "FileDiff",
    "FileVersion",
    "InputFile",
    "JobInfo",
    "LogLine",
    "MetadataEdit",
    "PipelineAlert",
    "PipelineInfo",
    "ProcessStats",
    "Progress",
    "Provenance",
    "ServerVersion",
    "Sighting",
    "Split",
    "Transaction",
    "TransactionInfo",
    "Transferred",
    "Written",
]
