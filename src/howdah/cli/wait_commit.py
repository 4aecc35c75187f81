# SPDX-License-Identifier: Apache-2.0
"""`howdah wait commit REPO@COMMIT|ID`: wait until commits are finished."""

import click

from howdah.cli.base import command
from howdah.cli.columns import COMMIT, COMMITS
from howdah.cli.exits import BAD_END
from howdah.cli.job_names import reasons
from howdah.cli.names import is_id
from howdah.cli.session import Session

__all__ = ["wait_commit"]


@command("commit", "howdah wait commit edges@master", "howdah wait commit 4fc0…")
@click.argument("what", metavar="REPO@COMMIT|ID")
@click.option("--timeout", type=float, help="Give up after so many seconds.")
def wait_commit(session: Session, what: str, timeout: float | None) -> None:
    """Wait until a commit is finished, or all commits of a set, and show them.

    The exit code is 10 if one of them is bad.
    """
    with session.waiting(f"commit {what}", lambda: reasons(session, what)):
        if is_id(what):
            found = list(session.client.wait_commit_set(what, timeout=timeout))
        else:
            found = [session.client.wait_commit(what, timeout=timeout)]
    if len(found) == 1:
        session.show(found[0], COMMIT)
    else:
        session.show_all(found, COMMITS)
    if any(info.error for info in found):
        click.get_current_context().exit(BAD_END)
