# SPDX-License-Identifier: Apache-2.0
"""The nest: run one user command after another on this machine, fast and contained.

A worker starts one nest and keeps it. Each command sees the folder prepared for it as `/pfs`, does not see the
lake's folder, and leaves no process behind: not after its end, not after a timeout, not if the worker is
killed. Where the system gives us no namespaces, commands still run, with less: `NestMode` says which and why.

`handle` is the worker's end, `inside` the nest's own process, `words` the pointing of `/pfs` words to a folder,
`lines` the cutting of output, `lifeline` what ends a worker with its server. Paper 0003 has the reasons and figures.
"""

from howdah.worker.nest.handle import Nest
from howdah.worker.nest.lifeline import end_with
from howdah.worker.nest.lines import LINE_BYTES_MAX, LineCutter
from howdah.worker.nest.values import Command, ModeName, Mount, NestMode, Outcome
from howdah.worker.nest.words import point

__all__ = [
    "LINE_BYTES_MAX",
    "Command",
    "LineCutter",
    "ModeName",
    "Mount",
    "Nest",
    "NestMode",
    "Outcome",
    "end_with",
    "point",
]
