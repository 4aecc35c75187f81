# SPDX-License-Identifier: Apache-2.0
"""`howdah wait job PIPELINE[@ID]|ID`: wait until jobs have ended."""

import click

from howdah.cli.base import command
from howdah.cli.columns import JOB, JOBS
from howdah.cli.exits import BAD_END
from howdah.cli.job_names import NAMED_JOB, a_job, reasons
from howdah.cli.names import is_id
from howdah.cli.session import Session

__all__ = ["wait_job"]


@command("job", "howdah wait job edges", "howdah wait job edges@4fc0…", "howdah wait job 4fc0…")
@click.argument("what", metavar=f"{NAMED_JOB}|ID")
@click.option("--timeout", type=float, help="Give up after so many seconds.")
def wait_job(session: Session, what: str, timeout: float | None) -> None:
    """Wait until a job has ended, or all jobs of a commit set, and show them.

    The exit code is 10 if one of them did not succeed.
    """
    with session.waiting(f"job {what}", lambda: reasons(session, what)):
        if is_id(what):
            found = list(session.client.wait_job_set(what, timeout=timeout))
        else:
            found = [session.client.wait_job(a_job(session, what), timeout=timeout)]
    if len(found) == 1:
        session.show(found[0], JOB)
    else:
        session.show_all(found, JOBS)
    if any(info.state.name != "SUCCESS" for info in found):
        click.get_current_context().exit(BAD_END)
