# SPDX-License-Identifier: Apache-2.0
"""What the commands about retention rules share: how rules are shown, and what they removed or would remove."""

from collections.abc import Iterable
from typing import Any, Final

from howdah.cli.output import Columns, size, time
from howdah.cli.session import Session

__all__ = ["RETENTION", "RETENTIONS", "show_applied", "shown"]

RETENTIONS: Final[Columns] = [
    ("OF", lambda r: r["target"]),
    ("RULE", lambda r: r["rule"]),
]
RETENTION: Final[Columns] = [
    ("of", lambda r: r["target"]),
    ("rule", lambda r: r["rule"]),
    ("made", lambda r: time(r["created_at"])),
]


def shown(retention: Any) -> dict[str, Any]:
    """A rule as it is printed: its parts are texts that are read back."""
    return {
        "target": str(retention.target),
        "rule": str(retention.rule),
        "created_at": retention.created_at,
    }


def show_applied(session: Session, answers: Iterable[Any]) -> None:
    """Print what went or would go, what stays against a rule and why, each as it comes, and a summary."""
    if session.json:
        session.stream(answers, str)
        return
    from howdah.model.retention import Retired, Summary

    dry_run = False
    for answer in answers:
        if isinstance(answer, Summary):
            dry_run = answer.dry_run
            session.line(_summary(answer))
        elif isinstance(answer, Retired):
            session.line(f"- {answer.what} (rule of {answer.rule})")
        else:
            session.line(f"  {answer.what} is kept because {answer.because} (rule of {answer.rule})")
    if dry_run:
        session.note("this was a dry run: nothing was removed")


def _summary(summary: Any) -> str:
    verb = "would go" if summary.dry_run else "went"
    freed = f"; garbage collection would give back {size(summary.freed_bytes)}" if summary.dry_run else ""
    return f"{summary.retired} {verb}, {summary.kept} kept because they are needed{freed}"
