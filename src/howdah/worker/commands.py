# SPDX-License-Identifier: Apache-2.0
"""A claim's commands as the nest takes them, and what their outcomes mean: the command itself, and the recovery.

When and how often they run is said in `attempts`; how a command that stays up is given one datum after another, in
`batching`.
"""

import dataclasses
from collections.abc import Callable, Mapping
from pathlib import Path

from howdah.storage.local_files import explained
from howdah.worker.below import open_to_all
from howdah.worker.environment import datum_variables, standing_variables, stdin_bytes
from howdah.worker.folders import OUT
from howdah.worker.nest import Command, Outcome
from howdah.worker.secrets import mounts
from howdah.worker.users import give, owner_of
from howdah.worker.values import Claim, Datum

__all__ = ["Commands"]


class Commands:
    """What a pipeline's transform has to say, for one claim. Frozen.

    Making a command may raise BadRequest: it cannot run as the user that is asked for.
    """

    def __init__(self, claim: Claim) -> None:
        self._claim = claim
        self._transform = claim.spec.transform
        self._variables = standing_variables(claim)
        self._stdin = stdin_bytes(self._transform.stdin)
        # A container has the user, the mounts and the folder that it was made with.
        self._in_container = bool(claim.image)
        self._mounts = () if claim.image else mounts(claim.secrets)
        self._accepted = {0, *self._transform.accept_return_code}
        limits = claim.spec.resource_limits
        self._memory = limits.memory if limits is not None and limits.memory else "no more than this machine has left"
        timeout = claim.spec.datum_timeout
        self.timeout = timeout.total_seconds() if timeout else None
        """The seconds that a try may take; None without a limit."""

    def of_datum(self, datum: Datum, pfs: str, on_output: Callable[[bytes], None]) -> Command:
        """`transform.cmd` for one datum whose files are in `pfs`."""
        return self._command(self._transform.cmd, self._stdin, pfs, self.variables(datum), self.timeout, on_output)

    def recovery(self, datum: Datum, pfs: str, on_output: Callable[[bytes], None]) -> Command | None:
        """`transform.errCmd` for a datum whose command failed in `pfs`; None if there is none. It has as much time."""
        argv = self._transform.err_cmd
        if not argv:
            return None
        stdin = stdin_bytes(self._transform.err_stdin)
        return self._command(argv, stdin, pfs, self.variables(datum), self.timeout, on_output)

    def standing(self, pfs: str, more: Mapping[str, str], on_output: Callable[[bytes], None], port: int = 0) -> Command:
        """`transform.cmd` as a process that stays up: without a datum's variables, without a time limit.

        It may reach `port` of this machine.
        """
        command = self._command(self._transform.cmd, self._stdin, pfs, {**self._variables, **more}, None, on_output)
        return dataclasses.replace(command, port=port)

    def variables(self, datum: Datum) -> dict[str, str]:
        """All variables of the claim and of a datum."""
        return {**self._variables, **datum_variables(self._claim, datum)}

    def hand_over(self, folder: str) -> None:
        """Make a folder and what is in it that of the user whom the command runs as, if that is another one.

        Whoever runs in a container may write its `out`.

        Raises:
            BadRequest: it cannot run as that user.
            Refused, Unavailable: the files cannot be given away.
        """
        if self._in_container:
            with explained(folder):
                open_to_all(folder, OUT)
            return
        owner = owner_of(self._transform.user)
        if owner is not None:
            with explained(folder):
                give(folder, owner)

    def judge(self, outcome: Outcome | None) -> str:
        """What was wrong with a command; nothing if it succeeded. None stands for a nest that died of it."""
        if outcome is None:
            return "was killed together with the process that runs commands; has this machine enough memory?"
        if outcome.timed_out:
            return self.too_long()
        if outcome.lost:
            return f"was ended together with its container: {outcome.lost}"
        if outcome.error:
            return f"could not start its command: {outcome.error}"
        if outcome.exit_code in self._accepted and not outcome.cancelled:
            return ""
        if outcome.out_of_memory:
            return f"ran out of memory: its container may have {self._memory} (resource_limits.memory)"
        if outcome.signal is not None:
            return f"failed: its command was killed by signal {outcome.signal}"
        return f"failed: its command exited with code {outcome.exit_code}"

    def too_long(self) -> str:
        """What is wrong with a command that took more than its time."""
        return f"exceeded its time limit of {self.timeout:g} s (datum_timeout)"

    def _command(
        self,
        argv: tuple[str, ...],
        stdin: bytes,
        pfs: str,
        env: Mapping[str, str],
        timeout: float | None,
        on_output: Callable[[bytes], None],
    ) -> Command:
        cwd = self._transform.working_dir or ("" if self._in_container else "/")
        owner = None if self._in_container else owner_of(self._transform.user)
        user = None if owner is None else (owner.uid, owner.gid, owner.groups)
        if owner is not None and "HOME" not in dict(self._transform.env):
            env = {**env, "HOME": owner.home}
        return Command(
            argv=argv,
            pfs=Path(pfs),
            env=env,
            stdin=stdin,
            cwd=cwd,
            timeout=timeout,
            user=user,
            on_output=on_output,
            mounts=self._mounts,
        )
