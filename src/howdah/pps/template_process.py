# SPDX-License-Identifier: Apache-2.0
"""The process in which one template is rendered: run as a file by `pps.templates`, and by nobody else.

A template may loop for ever, or ask for more memory than there is, and the library has no bound but the depth of its
stack. So it runs where the system bounds it. It imports nothing of howdah, which would take longer than the rendering.

Reads `{"template": ..., "args": {...}}`, writes `{"json": ...}` or `{"error": ...}`.
"""

import json
import resource
import sys
from contextlib import suppress
from typing import Any

__all__ = ["CPU_SECONDS", "main"]

CPU_SECONDS = 5
_MEMORY_MAX = 1 << 30
_STACK_MAX = 500  # calls of the template within each other
_ANSWER_MAX = 4 << 20  # characters


def main() -> None:
    """Render what stdin holds."""
    asked = json.load(sys.stdin)
    json.dump(_answer(asked["template"], asked["args"]), sys.stdout)


def _answer(template: str, args: dict[str, str]) -> dict[str, str]:
    import _jsonnet  # noqa: PLC0415 - before the bounds are set, which are for the template alone

    resource.setrlimit(resource.RLIMIT_CPU, (CPU_SECONDS, CPU_SECONDS))
    with suppress(OSError, ValueError):  # not every system bounds it
        resource.setrlimit(resource.RLIMIT_AS, (_MEMORY_MAX, _MEMORY_MAX))
    try:
        text = _jsonnet.evaluate_snippet(
            "template", template, tla_vars=args, max_stack=_STACK_MAX, max_trace=2, import_callback=_no_import
        )
    except RuntimeError as error:
        return {"error": " ".join(str(error).split())}
    if len(text) > _ANSWER_MAX:
        return {"error": f"what it makes has {len(text)} characters, more than {_ANSWER_MAX}"}
    return {"json": text}


def _no_import(_folder: str, name: str) -> Any:
    raise RuntimeError(f"a template stands alone, it cannot import {name}")


if __name__ == "__main__":
    main()
