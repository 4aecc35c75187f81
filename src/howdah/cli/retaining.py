# SPDX-License-Identifier: Apache-2.0
"""What the commands about retention rules share: how they are given and shown, and what they remove or would remove."""

from collections.abc import Callable, Iterable, Sequence
from typing import Any, Final, TypeVar

import click

from howdah.cli.output import Columns, size, time
from howdah.cli.session import Session

__all__ = ["RETENTION", "RETENTIONS", "give_rule", "given_rule", "show_applied", "shown"]

F = TypeVar("F", bound=Callable[..., Any])

RETENTIONS: Final[Columns] = [
    ("OF", lambda r: r["target"]),
    ("RULE", lambda r: r["rule"]),
]
RETENTION: Final[Columns] = [
    ("of", lambda r: r["target"]),
    ("rule", lambda r: r["rule"]),
    ("made", lambda r: time(r["created_at"])),
]


def given_rule(function: F) -> F:
    """Give a command the arguments of a rule, and an option to try it."""
    text = "Leave all rules as they are; say what this one would remove now, and what would stay and why."
    function = click.option("--dry-run", is_flag=True, help=text)(function)
    function = click.argument("rule", metavar="RULE...", nargs=-1, required=True)(function)
    return click.argument("of", metavar="REPO|REPO@BRANCH|PROJECT/")(function)


def give_rule(session: Session, of: str, rule: Sequence[str], *, update: bool, dry_run: bool) -> None:
    """Give a rule, or replace the one that there is, and print it; or print what it would do."""
    text = " ".join(rule)
    if dry_run:
        show_applied(session, session.client.apply_retention(of, dry_run=True, rule=text))
    else:
        session.show(shown(session.client.create_retention(of, text, update=update)), RETENTION)


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
