# SPDX-License-Identifier: Apache-2.0
"""jq filters of lists: those answers of which an expression holds, in bounded time.

An expression is a program that somebody sent, and one that never ends is quickly written. So it runs in a process of
its own (`apis.jq_child`), without our environment, with a bound of memory, and is killed when it takes too long.
The answers are given to it as protobuf's JSON with the original names of fields, as clients expect.
"""

import json
import os
import selectors
import subprocess
import sys
import time
from collections.abc import Callable, Iterable, Iterator
from contextlib import suppress
from pathlib import Path
from typing import IO, Final, TypeVar

from google.protobuf import json_format
from google.protobuf.message import Message

from howdah.errors import BadRequest, ErrorKind
from howdah.model.texts import one_line

__all__ = ["SECONDS_MAX", "filtered"]

SECONDS_MAX: Final = 10.0  # for all answers of a list, and for the start of the process
EXPRESSION_CHARACTERS_MAX: Final = 10_000
_CHILD: Final = Path(__file__).with_name("jq_child.py")

M = TypeVar("M", bound=Message)


def _itself(message: Message) -> Message:
    return message


def filtered(
    messages: Iterable[M],
    expression: str,
    *,
    seconds_max: float = SECONDS_MAX,
    of: Callable[[M], Message] = _itself,
) -> Iterator[M]:
    """The messages for which a jq expression is neither false nor null; all of them without an expression.

    They are asked for one by one, as the caller takes them. The expression sees what `of` gives of each.

    Raises:
        BadRequest: BAD_ARGUMENT: the expression cannot be read, fails, or takes too long.
    """
    if not expression:
        yield from messages
        return
    if len(expression) > EXPRESSION_CHARACTERS_MAX:
        raise _bad(expression, f"it is longer than {EXPRESSION_CHARACTERS_MAX:,} characters; write a shorter one")
    with _Child(expression, seconds_max) as child:
        for message in messages:
            text = json_format.MessageToJson(of(message), preserving_proto_field_name=True, indent=None)
            if child.holds(text):
                yield message


class _Child:
    """The process that evaluates one expression."""

    def __init__(self, expression: str, seconds_max: float) -> None:
        self._expression = expression
        # The time that is left; it runs only while the process is at work.
        self._left = seconds_max
        command = [sys.executable, "-I", str(_CHILD)]
        pipe = subprocess.PIPE
        environment = {"PATH": os.defpath}
        self._process = subprocess.Popen(command, stdin=pipe, stdout=pipe, stderr=subprocess.DEVNULL, env=environment)
        self._answers = selectors.DefaultSelector()
        assert self._process.stdout is not None
        self._answers.register(self._process.stdout, selectors.EVENT_READ)
        self._unread = b""

    def __enter__(self) -> "_Child":
        try:
            self._ask(json.dumps(self._expression))
        except BaseException:
            self.__exit__()
            raise
        return self

    def __exit__(self, *_: object) -> None:
        self._process.kill()
        self._process.wait()
        self._answers.close()
        for pipe in (self._process.stdin, self._process.stdout):
            if pipe is not None:
                with suppress(OSError):
                    pipe.close()

    def holds(self, text: str) -> bool:
        """Whether the expression holds for a JSON text."""
        return self._ask(text) == "1"

    def _ask(self, line: str) -> str:
        assert self._process.stdin is not None
        assert self._process.stdout is not None
        began = time.monotonic()
        try:
            self._process.stdin.write(line.encode() + b"\n")
            self._process.stdin.flush()
            answer = self._line(self._process.stdout, began + self._left)
        except BrokenPipeError:
            answer = ""
        self._left -= time.monotonic() - began
        if answer[:1] in ("0", "1"):
            return answer
        raise _bad(self._expression, answer[1:] or "it ended before it had an answer; write a simpler one")

    def _line(self, pipe: IO[bytes], until: float) -> str:
        """The next line of an answer."""
        while b"\n" not in self._unread:
            if not self._answers.select(max(0.0, until - time.monotonic())):
                raise _bad(self._expression, "it takes too long; write a simpler one")
            if not (data := os.read(pipe.fileno(), 1 << 16)):
                return ""
            self._unread += data
        line, _, self._unread = self._unread.partition(b"\n")
        return line.decode(errors="replace")


def _bad(expression: str, why: str) -> BadRequest:
    way_out = "" if ";" in why else '; write one like .state == "JOB_RUNNING"'
    return BadRequest(ErrorKind.BAD_ARGUMENT, f"jq filter ({one_line(expression)}) invalid: {why}{way_out}")
