# SPDX-License-Identifier: Apache-2.0
"""Templates of specs, in jsonnet: a function of texts that gives a spec, or a list of specs.

Each is rendered in a process of its own (`pps.template_process`), with bounds on time, stack, memory and on what comes
out. It can import nothing, so it sees no file of this machine.
"""

import json
import subprocess
import sys
from collections.abc import Mapping
from pathlib import Path
from typing import Any, Final

from howdah.errors import BadRequest, ErrorKind
from howdah.model.texts import one_line
from howdah.pps import template_process

__all__ = ["rendered"]

_TEMPLATE_MAX: Final = 1 << 20  # characters
_SECONDS: Final = 3 * template_process.CPU_SECONDS  # by the clock: a busy machine gives a process a part of its time
_COMMAND: Final = (sys.executable, "-P", str(Path(template_process.__file__)))


def rendered(template: str, args: Mapping[str, str]) -> tuple[str, list[dict[str, Any]]]:
    """What a template gives, as JSON, and the specs in it as trees; they are not checked.

    Raises:
        BadRequest: BAD_SPEC: it cannot be read, it fails or takes too long, or what it gives is no spec.
    """
    if len(template) > _TEMPLATE_MAX:
        raise _bad(f"it has {len(template)} characters; use at most {_TEMPLATE_MAX}")
    answer = _run(json.dumps({"template": template, "args": dict(args)}))
    if "error" in answer:
        raise _bad(f"{_shown(answer['error'])}; mend the template or its --arg")
    found = json.loads(answer["json"])
    specs = found if isinstance(found, list) else [found]
    if not all(isinstance(spec, dict) for spec in specs):
        raise _bad("it gives neither a spec nor a list of specs; let its last expression be an object")
    return answer["json"], specs


def _run(asked: str) -> dict[str, str]:
    try:
        done = subprocess.run(
            _COMMAND, input=asked, capture_output=True, text=True, encoding="utf-8", timeout=_SECONDS, check=False
        )
    except subprocess.TimeoutExpired as error:
        raise _bad(f"it takes longer than {_SECONDS} seconds; make it simpler") from error
    if done.returncode:
        raise _bad("it needs more time or memory than a template may; make it simpler")
    answer: dict[str, str] = json.loads(done.stdout)
    return answer


def _shown(text: str) -> str:
    """The library's text, without the word that it begins all of them with."""
    return one_line(text.removeprefix("RUNTIME ERROR: ").removeprefix("STATIC ERROR: "))


def _bad(why: str) -> BadRequest:
    return BadRequest(ErrorKind.BAD_SPEC, f"template cannot be rendered: {why}")
