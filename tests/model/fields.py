# SPDX-License-Identifier: Apache-2.0
"""Every field of a pipeline's spec with a value that is good, one that is bad, and what is said to that."""

import copy
from dataclasses import dataclass
from typing import Any

__all__ = ["FIELDS", "Field", "sample", "spec_with"]


@dataclass(frozen=True)
class Field:
    """A field by its path. What a version cannot do is refused by name, and is kept all the same once it can."""

    path: str
    good: Any
    bad: Any
    text: str

    def __str__(self) -> str:
        return self.path


def sample() -> dict[str, Any]:
    """A small good spec."""
    return {
        "pipeline": {"name": "sample", "project": {"name": "default"}},
        "transform": {"image": "img:1", "cmd": ["true"]},
        "input": {"pfs": {"repo": "words", "glob": "/*"}},
    }


def spec_with(path: str, value: Any) -> dict[str, Any]:
    """The sample with a field set."""
    tree = copy.deepcopy(sample())
    *above, last = path.split(".")
    at = tree
    for key in above:
        at = at.setdefault(key, {})
    at[last] = value
    if path.startswith("spout"):
        del tree["input"]
    if path.startswith("input.cron"):
        del tree["input"]["pfs"]
    return tree


def _resources(name: str) -> list[Field]:
    return [
        Field(f"{name}.cpu", 1.5, "much", f"{name}.cpu: expected a number"),
        Field(f"{name}.memory", "256Mi", "much", f"{name}.memory: size (much) invalid"),
        Field(f"{name}.disk", "1Gi", 5, f"{name}.disk: expected a text"),
        Field(f"{name}.gpu", {"type": "x", "number": "1"}, {"numbr": 1}, f"{name}.gpu.numbr: unknown field"),
    ]


_TRANSFORM = [
    Field("transform.image", "other:2", 5, "transform.image: expected a text"),
    Field("transform.cmd", ["sh", "-c", "true"], "sh", "transform.cmd: expected a list"),
    Field("transform.stdin", ["a", "b"], [1], "transform.stdin[0]: expected a text"),
    Field("transform.errCmd", ["true"], "true", "transform.errCmd: expected a list"),
    Field("transform.errStdin", ["a"], [None], "transform.errStdin[0]: expected a text"),
    Field("transform.env", {"A": "1"}, {"A": 1}, "transform.env.A: expected a text"),
    Field("transform.secrets", [{"name": "s", "mountPath": "/s"}], [{"nme": "s"}], "transform.secrets[0].nme: unknown"),
    Field("transform.imagePullSecrets", ["s"], "s", "transform.imagePullSecrets: expected a list"),
    Field("transform.acceptReturnCode", ["3"], ["x"], "transform.acceptReturnCode[0]: expected a whole number"),
    Field("transform.debug", True, "yes", "transform.debug: expected true or false"),
    Field("transform.user", "1000", 1000, "transform.user: expected a text"),
    Field("transform.workingDir", "/w", "w", "transform.workingDir: w is relative"),
    Field("transform.dockerfile", "D", [], "transform.dockerfile: expected a text"),
    Field("transform.memoryVolume", True, 1, "transform.memoryVolume: expected true or false"),
    Field("transform.datumBatching", True, 1, "transform.datumBatching: expected true or false"),
]
_WORK = [
    Field("parallelismSpec.constant", "2", -1, "parallelismSpec.constant: -1 is out of range"),
    Field("autoscaling", True, "yes", "autoscaling: expected true or false"),
    Field("maximumExpectedUptime", "90s", "-1s", "maximumExpectedUptime: it is negative"),
    Field("datumSetSpec.number", "5", -1, "datumSetSpec.number: it is negative"),
    Field("datumSetSpec.sizeBytes", "5", "x", "datumSetSpec.sizeBytes: expected a whole number"),
    Field("datumSetSpec.perWorker", "5", 1.5, "datumSetSpec.perWorker: expected a whole number"),
    Field("datumTimeout", "90s", "soon", "datumTimeout: duration (soon) invalid"),
    Field("jobTimeout", "1.500s", 5, "jobTimeout: expected a duration"),
    Field("datumTries", "5", True, "datumTries: expected a whole number"),
    Field("reprocessSpec", "every_job", "never", "reprocessSpec: never is unknown; use until_success or every_job"),
    Field("outputBranch", "out", "a b", "outputBranch: name (a b) invalid"),
    Field("s3Out", True, "yes", "s3Out: expected true or false"),
    Field("egress.URL", "s3://b/f", 5, "egress.URL: expected a text"),
    Field("egress.objectStorage", {"url": "s3://b"}, {"urll": ""}, "egress.objectStorage.urll: unknown field"),
    Field(
        "egress.sqlDatabase",
        {"url": "u", "fileFormat": {"type": "CSV", "columns": ["c"]}, "secret": {"name": "n", "key": "k"}},
        {"fileFormat": {"type": "XLS"}},
        "egress.sqlDatabase.fileFormat.type: expected one of",
    ),
    Field(
        "service", {"internalPort": 80, "externalPort": 30080}, {"internalPort": 2**31}, "service.internalPort: 2147"
    ),
    Field("spout.service", {"internalPort": 80}, {"ipp": ""}, "spout.service.ipp: unknown field"),
    Field("tfJob", {"tfJob": "x"}, {"tfJob": 1}, "tfJob.tfJob: expected a text"),
    Field("determined.workspaces", ["w"], "w", "determined.workspaces: expected a list"),
]
_PLACE = [
    *_resources("resourceRequests"),
    *_resources("resourceLimits"),
    *_resources("sidecarResourceRequests"),
    *_resources("sidecarResourceLimits"),
    Field("schedulingSpec.nodeSelector", {"a": "b"}, {"a": 1}, "schedulingSpec.nodeSelector.a: expected a text"),
    Field("schedulingSpec.priorityClassName", "c", 1, "schedulingSpec.priorityClassName: expected a text"),
    Field(
        "tolerations",
        [{"key": "k", "operator": "EXISTS", "effect": "NO_SCHEDULE", "tolerationSeconds": 5}],
        [{"operator": "Exists"}],
        "tolerations[0].operator: expected one of EMPTY, EXISTS",
    ),
    Field("podSpec", "{}", "{", "podSpec: "),
    Field("podPatch", "[]", "[", "podPatch: "),
    Field("metadata.annotations", {"a": "b"}, [], "metadata.annotations: expected an object"),
    Field("metadata.labels", {"a": "b"}, {"a": 1}, "metadata.labels.a: expected a text"),
]
_SELF = [
    Field("pipeline", {"name": "sample"}, {"nam": "x"}, "pipeline.nam: unknown field; did you mean name"),
    Field("description", "words", 5, "description: expected a text"),
    Field("salt", "s", 5, "salt: expected a text"),
    Field("specCommit", {"id": "x"}, {"idd": "x"}, "specCommit.idd: unknown field"),
    Field("update", False, "yes", "update: expected true or false"),
    Field("reprocess", False, "yes", "reprocess: expected true or false"),
    Field("dryRun", False, "yes", "dryRun: expected true or false"),
    Field("onCodeChange", "rerun", "maybe", "onCodeChange: maybe is unknown; use keep or rerun"),
]
_INPUT = [
    Field("input.pfs.project", "default", "a b", "input.pfs.project: "),
    Field("input.pfs.name", "other", "out", "input.pfs.name: an input cannot be named out"),
    Field("input.pfs.repo", "words", "", "input.pfs.repo: missing"),
    Field("input.pfs.repoType", "user", "x", "input.pfs.repoType: repo type (x) is unknown"),
    Field("input.pfs.branch", "staging", "a b", "input.pfs.branch: name (a b) invalid"),
    Field("input.pfs.commit", "", "c", "input.pfs.commit: input cannot come from a commit; use a branch with head"),
    Field("input.pfs.glob", "/", "", "input.pfs.glob: input must specify a glob"),
    Field("input.pfs.joinOn", "", 1, "input.pfs.joinOn: expected a text"),
    Field("input.pfs.outerJoin", False, 1, "input.pfs.outerJoin: expected true or false"),
    Field("input.pfs.groupBy", "", 1, "input.pfs.groupBy: expected a text"),
    Field("input.pfs.lazy", True, 1, "input.pfs.lazy: expected true or false"),
    Field("input.pfs.emptyFiles", True, 1, "input.pfs.emptyFiles: expected true or false"),
    Field("input.pfs.s3", True, 1, "input.pfs.s3: expected true or false"),
    Field("input.pfs.trigger", {"commits": "2"}, {"comits": 2}, "input.pfs.trigger.comits: unknown field"),
    Field("input.pfs.propagationSpec", {"never": True}, {"never": 1}, "input.pfs.propagationSpec.never: expected true"),
    Field("input.pfs.reference", True, 1, "input.pfs.reference: expected true or false"),
    Field("input.cron", {"name": "tick", "spec": "@never"}, {"name": "tick"}, "input.cron.spec: missing"),
]

FIELDS = [*_SELF, *_TRANSFORM, *_INPUT, *_WORK, *_PLACE]
