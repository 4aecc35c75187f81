# SPDX-License-Identifier: Apache-2.0
"""Which columns a list of each kind of thing has, and which properties are shown of one."""

from datetime import timedelta
from typing import Any

from howdah.cli.output import Columns, age, name, size, span, time

__all__ = [
    "ALERTS",
    "BRANCH",
    "BRANCHES",
    "CHECKS",
    "COMMIT",
    "COMMITS",
    "COMMIT_SETS",
    "CONTEXT",
    "CONTEXTS",
    "DATUM",
    "DATUMS",
    "DIFFERENCES",
    "FILE",
    "FILES",
    "JOB",
    "JOBS",
    "PIPELINE",
    "PIPELINES",
    "PROJECT",
    "PROJECTS",
    "PROVENANCE",
    "REMOVED",
    "REPO",
    "REPOS",
    "TRANSACTION",
    "TRANSACTIONS",
    "TRIED",
    "VERSIONS",
    "pretty",
]


def _files(inputs: Any) -> list[str]:
    return [f"{each.name + ' ' if each.name else ''}{each.file}" for each in inputs]


def _labels(thing: Any) -> list[str]:
    return [f"{key}={value}" for key, value in sorted(thing.metadata.items())]


def _trigger(branch: Any) -> str:
    """What a trigger waits for, as it is typed."""
    trigger = branch.trigger
    if trigger is None:
        return ""
    conditions = {
        "commits": trigger.commits,
        "size": trigger.size,
        "rate limit": trigger.rate_limit_spec,
        "cron": trigger.cron_spec,
    }
    given = [f"{name} {value}" for name, value in conditions.items() if value]
    return f"{trigger.branch} by {(' and ' if trigger.all else ' or ').join(given) or 'nothing'}"


def _depends(branch: Any) -> list[str]:
    return [f"{each} (not followed)" if each in branch.never else str(each) for each in branch.direct_provenance]


def _progress(job: Any) -> str:
    """Datums that are done of all, and how."""
    parts = [f"{job.processed} ran", f"{job.carried_over} carried over"]
    parts += [f"{job.failed} failed"] if job.failed else []
    parts += [f"{job.recovered} recovered"] if job.recovered else []
    return f"{', '.join(parts)} of {job.datums}"


def _took(job: Any) -> str:
    return span(job.took)


def _cpu(thing: Any) -> str:
    """CPU time of user code; `-` where nothing is known of what it cost."""
    stats = thing.stats
    return span(stats.cpu_time) if stats.cpu_time or stats.memory_max_bytes else "-"


def _memory(thing: Any) -> str:
    """The most memory of a process of user code; `-` where it is not known."""
    return size(thing.stats.memory_max_bytes or None)


def _difference(pair: Any) -> str:
    return "+" if pair.old is None else "-" if pair.new is None else "~"


_NO_IMAGE = ("", "ubuntu:20.04")  # `model.spec.rules.DEFAULT_IMAGE`, whose import every command would wait for


def _runs(thing: Any) -> str:
    """How user code runs, where there is more to say than that it is a process."""
    how = thing.execution
    named = getattr(thing, "image", "") not in _NO_IMAGE  # shown beside it, so it would seem to be used
    return "" if how is None or not (how.image or how.note or named) else f"as a {how.execution}"


def _exactly(thing: Any) -> str:
    """The image in which user code runs, exactly."""
    how = thing.execution
    if how is None or how.execution != "container":
        return ""
    return how.digest or "not known yet"


def _note(thing: Any) -> str:
    return thing.execution.note if thing.execution is not None else ""


PROJECTS: Columns = [
    ("NAME", lambda p: p.name),
    ("CREATED", lambda p: age(p.created_at)),
    ("DESCRIPTION", lambda p: p.description),
]
PROJECT: Columns = [
    ("name", lambda p: p.name),
    ("description", lambda p: p.description),
    ("created", lambda p: time(p.created_at)),
    ("metadata", _labels),
]
REPOS: Columns = [
    ("NAME", lambda r: r.repo),
    ("CREATED", lambda r: age(r.created_at)),
    ("SIZE", lambda r: size(r.size_bytes)),
    ("DESCRIPTION", lambda r: r.description),
]
REPO: Columns = [
    ("name", lambda r: r.repo),
    ("description", lambda r: r.description),
    ("created", lambda r: time(r.created_at)),
    ("size of master", lambda r: size(r.size_bytes)),
    ("branches", lambda r: [branch.name for branch in r.branches]),
    ("metadata", _labels),
]
CONTEXTS: Columns = [
    ("", lambda c: "*" if c["current"] else " "),
    ("NAME", lambda c: c["name"]),
    ("ADDRESS", lambda c: c["address"] or "-"),
    ("PROJECT", lambda c: c["project"] or "-"),
    ("TRANSACTION", lambda c: c["transaction"] or "-"),
]
CONTEXT: Columns = [
    ("name", lambda c: c["name"]),
    ("address", lambda c: c["address"]),
    ("project", lambda c: c["project"]),
    ("transaction", lambda c: c["transaction"]),
    ("registry", lambda c: c["registry"]),
]
TRANSACTIONS: Columns = [
    ("TRANSACTION", lambda t: t.id),
    ("STARTED", lambda t: age(t.started_at)),
    ("REQUESTS", lambda t: len(t.requests)),
]
TRANSACTION: Columns = [
    ("transaction", lambda t: t.id),
    ("started", lambda t: time(t.started_at)),
    ("requests", lambda t: t.requests),
]
BRANCHES: Columns = [
    ("BRANCH", lambda b: b.branch),
    ("HEAD", lambda b: b.head.id if b.head else "-"),
    ("DEPENDS ON", lambda b: ", ".join(map(str, b.direct_provenance)) or "-"),
]
BRANCH: Columns = [
    ("branch", lambda b: b.branch),
    ("head", lambda b: b.head),
    ("depends on", _depends),
    ("depends on, in all", lambda b: b.provenance),
    ("followed by, in all", lambda b: b.subvenance),
    ("moved by trigger", _trigger),
    ("created", lambda b: time(b.created_at)),
    ("metadata", _labels),
]
COMMIT_SETS: Columns = [
    ("COMMIT SET", lambda s: s.id),
    ("COMMITS", lambda s: len(s.commits)),
    ("FINISHED", lambda s: sum(commit.finished_at is not None for commit in s.commits)),
    ("STARTED", lambda s: age(s.commits[0].started_at)),
]
COMMITS: Columns = [
    ("COMMIT", lambda c: c.commit),
    ("STATE", lambda c: "BAD" if c.error else name(c.state)),
    ("STARTED", lambda c: age(c.started_at)),
    ("SIZE", lambda c: size(c.size_bytes)),
    ("ORIGIN", lambda c: name(c.origin)),
    ("DESCRIPTION", lambda c: c.description),
]
COMMIT: Columns = [
    ("commit", lambda c: c.commit),
    ("state", lambda c: name(c.state)),
    ("error", lambda c: c.error),
    ("description", lambda c: c.description),
    ("origin", lambda c: name(c.origin)),
    ("parent", lambda c: c.parent),
    ("started", lambda c: time(c.started_at)),
    ("finished", lambda c: time(c.finished_at)),
    ("size", lambda c: size(c.size_bytes)),
    ("depends on", lambda c: c.direct_provenance),
    ("followed by", lambda c: c.direct_subvenance),
    ("metadata", _labels),
]
REMOVED: Columns = [
    ("commits", lambda r: r.commits),
    ("jobs", lambda r: r.jobs),
]
FILES: Columns = [
    ("PATH", lambda f: f.path),
    ("TYPE", lambda f: "dir" if f.is_dir else "file"),
    ("SIZE", lambda f: size(f.size_bytes)),
]
VERSIONS: Columns = [
    ("COMMIT", lambda v: v.commit),
    ("FINISHED", lambda v: age(v.finished_at)),
    ("SIZE", lambda v: size(v.info.size_bytes) if v.info else "removed"),
    ("HASH", lambda v: v.info.hash.hex()[:16] if v.info else "-"),
]
FILE: Columns = [
    ("path", lambda f: f.path),
    ("type", lambda f: "directory" if f.is_dir else "file"),
    ("size", lambda f: f"{size(f.size_bytes)} ({f.size_bytes} bytes)"),
    ("hash", lambda f: f.hash.hex()),
]
DIFFERENCES: Columns = [
    ("", _difference),
    ("PATH", lambda d: (d.new or d.old).path),
    ("NEW SIZE", lambda d: size(d.new.size_bytes) if d.new else "-"),
    ("OLD SIZE", lambda d: size(d.old.size_bytes) if d.old else "-"),
]
PIPELINES: Columns = [
    ("NAME", lambda p: p.pipeline),
    ("VERSION", lambda p: p.version),
    ("STATE", lambda p: name(p.state)),
    ("LAST JOB", lambda p: name(p.last_job_state)),
    ("CREATED", lambda p: age(p.created_at)),
    ("DESCRIPTION", lambda p: p.description),
]
PIPELINE: Columns = [
    ("name", lambda p: p.pipeline),
    ("version", lambda p: p.version),
    ("state", lambda p: name(p.state)),
    ("reason", lambda p: p.reason),
    ("description", lambda p: p.description),
    ("last job", lambda p: name(p.last_job_state)),
    ("created", lambda p: time(p.created_at)),
    ("image", lambda p: p.image),
    ("image, exactly", _exactly),
    ("runs", _runs),
    ("note", _note),
    ("command", lambda p: " ".join(p.cmd)),
    ("output branch", lambda p: p.output_branch),
    ("metadata", _labels),
    ("spec", lambda p: pretty(p.spec)),
]
ALERTS: Columns = [
    ("PIPELINE", lambda a: a.pipeline),
    ("ALERT", lambda a: "; ".join(a.alerts)),
]
JOBS: Columns = [
    ("JOB", lambda j: j.job),
    ("STATE", lambda j: name(j.state)),
    ("CREATED", lambda j: age(j.created_at)),
    ("TOOK", _took),
    ("DATUMS", _progress),
    ("REASON", lambda j: j.reason),
]
JOB: Columns = [
    ("job", lambda j: j.job),
    ("pipeline version", lambda j: j.pipeline_version),
    ("state", lambda j: name(j.state)),
    ("reason", lambda j: j.reason),
    ("image", _exactly),
    ("runs", _runs),
    ("note", _note),
    ("datums", _progress),
    ("created", lambda j: time(j.created_at)),
    ("started", lambda j: time(j.started_at)),
    ("finished", lambda j: time(j.finished_at)),
    ("took", _took),
    ("output", lambda j: j.output_commit),
    ("downloaded", lambda j: f"{size(j.stats.download_bytes)} in {span(j.stats.download_time)}"),
    ("user code ran", lambda j: span(j.stats.process_time)),
    ("CPU time", _cpu),
    ("peak memory", _memory),
    ("uploaded", lambda j: f"{size(j.stats.upload_bytes)} in {span(j.stats.upload_time)}"),
]
DATUMS: Columns = [
    ("DATUM", lambda d: d.id),
    ("STATE", lambda d: name(d.state)),
    ("RAN", lambda d: span(d.stats.process_time)),
    ("CPU", _cpu),
    ("MEMORY", _memory),
    ("FILES", lambda d: ", ".join(_files(d.inputs))),
]
TRIED: Columns = [
    ("DATUM", lambda d: d.id),
    ("FILES", lambda d: ", ".join(_files(d.inputs))),
]
DATUM: Columns = [
    ("datum", lambda d: d.id),
    ("job", lambda d: d.job),
    ("state", lambda d: name(d.state)),
    ("reason", lambda d: d.reason),
    ("tries", lambda d: d.tries),
    ("files", lambda d: _files(d.inputs)),
    ("image", lambda d: d.image),
    ("downloaded", lambda d: f"{size(d.stats.download_bytes)} in {span(d.stats.download_time)}"),
    ("user code ran", lambda d: span(d.stats.process_time)),
    ("CPU time", _cpu),
    ("peak memory", _memory),
    ("uploaded", lambda d: f"{size(d.stats.upload_bytes)} in {span(d.stats.upload_time)}"),
]
PROVENANCE: Columns = [
    ("file", lambda p: p.file),
    ("size", lambda p: f"{size(p.size_bytes)} ({p.size_bytes} bytes)"),
    ("hash", lambda p: p.hash.hex()),
    ("made by job", lambda p: p.job or "none: it was put by a user"),
    ("datum", lambda p: p.datum_id),
    ("pipeline version", lambda p: p.pipeline_version or "-"),
    ("command", lambda p: " ".join(p.cmd)),
    ("image", lambda p: p.image),
    ("from files", lambda p: _files(p.inputs)),
]


CHECKS: Columns = [
    ("CHECK", lambda c: c.name),
    ("RESULT", lambda c: "ok" if c.passed else "FAILED"),
    ("TIME", lambda c: span(timedelta(seconds=c.seconds))),
    ("FINDING", lambda c: c.finding),
]


def pretty(text: str) -> str:
    """JSON, indented; what is none is shown as it is."""
    import json

    try:
        return json.dumps(json.loads(text), indent=2, ensure_ascii=False)
    except ValueError:
        return text
