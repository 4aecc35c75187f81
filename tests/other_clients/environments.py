# SPDX-License-Identifier: Apache-2.0
"""The clients that cannot live beside howdah's own dependencies: `make clients` installs them below `build/clients`."""

import ast
import json
import os
import subprocess
from collections.abc import Iterable, Mapping
from pathlib import Path

from tests.storage.buckets import absent

ROOT = Path(__file__).resolve().parents[2]
CLIENTS = ROOT / "build" / "clients"
SCRIPTS = Path(__file__).parent / "scripts"
SECONDS = 300  # reached only when a script hangs


def python_of(client: str) -> Path:
    """The Python that has this client; without it, tests are skipped at home and fail in CI."""
    python = CLIENTS / client / "bin" / "python"
    if not python.exists():
        absent(f"{client} (make clients)")
    return python


def steps_of(script: str) -> list[str]:
    """The names of a script's steps, in order, without running it: it imports what is not here."""
    tree = ast.parse((SCRIPTS / script).read_text())
    return [
        node.name
        for node in tree.body
        if isinstance(node, ast.FunctionDef)
        and any(isinstance(each, ast.Name) and each.id == "step" for each in node.decorator_list)
    ]


def told(
    python: Path | str, script: str, *arguments: str, folder: Path, environment: Mapping[str, str] | None = None
) -> dict[str, str]:
    """Run a script from `folder`; how each of its steps failed, or an empty text."""
    done = ran(python, [str(SCRIPTS / script), *arguments], folder=folder, environment=environment)
    assert done.returncode == 0, done.stderr
    failures: dict[str, str] = json.loads(done.stdout.splitlines()[-1])
    return failures


def ran(
    python: Path | str, words: Iterable[str], *, folder: Path, environment: Mapping[str, str] | None = None
) -> "subprocess.CompletedProcess[str]":
    """Run a client's Python in `folder`, as a user without any settings of Pachyderm or of this test run."""
    kept = {
        key: value for key, value in os.environ.items() if not key.startswith(("PACH", "PYTEST", "PYTHON", "HOWDAH"))
    }
    return subprocess.run(
        [str(python), *words],
        cwd=folder,
        env={**kept, "HOME": str(folder), **(environment or {})},
        capture_output=True,
        text=True,
        timeout=SECONDS,
        check=False,
    )
