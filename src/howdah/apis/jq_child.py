# SPDX-License-Identifier: Apache-2.0
"""Run as a script by `howdah.apis.filters`, in a process of its own: whether a jq expression holds for each JSON text.

Standard input brings the expression as a line of JSON, then a JSON text on each line. Standard output gets a line for
each: first whether the expression can be read, then `1`, `0`, or `!` with what went wrong. It imports nothing of
howdah, so that it starts in a moment; and it may be killed at any time.
"""

import contextlib
import json
import resource
import sys

import jq

__all__ = ["main"]

MEMORY_BYTES_MAX = 512 << 20


def main() -> None:
    """Answer until standard input ends."""
    with contextlib.suppress(ValueError, OSError):
        resource.setrlimit(resource.RLIMIT_AS, (MEMORY_BYTES_MAX, MEMORY_BYTES_MAX))

    expression = json.loads(sys.stdin.readline())
    try:
        # In parentheses, where jq reads no other files (import, include) and a comment at the end hurts nobody.
        program = jq.compile(f"({expression}\n)")
    except ValueError as error:
        say("!" + one_line(error))
        return
    say("1")
    for line in sys.stdin:
        try:
            first = next(iter(program.input_text(line)), None)
        except ValueError as error:
            say("!" + one_line(error))
        else:
            say("0" if first is None or first is False else "1")


def say(answer: str) -> None:
    """One line, at once."""
    sys.stdout.write(answer + "\n")
    sys.stdout.flush()


def one_line(error: Exception) -> str:
    """What jq has to say."""
    return " ".join(str(error).split())[:500]


if __name__ == "__main__":
    main()
