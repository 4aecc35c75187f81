# SPDX-License-Identifier: Apache-2.0
"""What a script of a client is made of: steps, run one after another in the client's own Python.

It knows the standard library alone, since no environment of a client has more. The script prints a JSON object: for
each step the way it failed, or nothing. `environments.told` runs scripts, `steps_of` there reads the names of steps.
"""

import json
import sys
import traceback
from collections.abc import Callable

_steps: list[Callable[..., None]] = []


def step(function: Callable[..., None]) -> Callable[..., None]:
    """One thing that users of the client do; its name is the test's."""
    _steps.append(function)
    return function


def run(*arguments: object) -> None:
    """Do all steps, whether one before failed or not."""
    failures = {}
    for each in _steps:
        try:
            each(*arguments)
        except Exception:
            failures[each.__name__] = traceback.format_exc()
        else:
            failures[each.__name__] = ""
    json.dump(failures, sys.stdout)


def refused(call: Callable[[], object]) -> str:
    """The code and text by which a call fails; a stream fails when it is read."""
    try:
        answer = call()
        if hasattr(answer, "__next__"):
            list(answer)  # type: ignore[call-overload]
    except Exception as error:
        code, details = getattr(error, "code", None), getattr(error, "details", None)
        return f"{code().name}: {details()}" if code and details else f"{type(error).__name__}: {error}"
    raise AssertionError("it was not refused")
