# SPDX-License-Identifier: Apache-2.0
"""What the keeper of a container runs for a command: words for a shell, which is not the image's own."""

import shlex
from collections.abc import Mapping
from typing import Final

from howdah.worker.container.relay import relay_script

__all__ = ["why_script", "write_script"]

_NOT_FOUND_CODE, _NOT_RUNNABLE_CODE = 127, 126
_PATH: Final = "/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin"


def write_script(argv: tuple[str, ...], env: Mapping[str, str], cwd: str, port: int = 0) -> str:
    """Run a command with just these variables, and with a `port` to reach; why it cannot be run becomes a note.

    Its home is that of the image's user and its PATH the usual one, unless a variable says otherwise.
    """
    program, *rest = argv
    unfit = shlex.quote(f"command not executable: {program}")
    missing = shlex.quote(f"working directory {cwd}: no such file or directory")
    words = shlex.join(f"{name}={value}" for name, value in env.items())
    home = "" if "HOME" in env else 'HOME="${HOME:-/}"'
    path = "" if "PATH" in env else f"PATH={_PATH}"  # where the program is looked for too
    return f"""\
cannot() {{ echo "error $2" > /.howdah/notes; exit "$1"; }}
cd {shlex.quote(cwd)} 2>/dev/null || cannot {_NOT_RUNNABLE_CODE} {missing}
{_find(program, env)}
[ -n "$program" ] || cannot {_NOT_FOUND_CODE} {shlex.quote(f"command not found: {program}")}
[ -x "$program" ] && [ ! -d "$program" ] || cannot {_NOT_RUNNABLE_CODE} {unfit}
{relay_script(port)}exec /.howdah/busybox env -i {home} {path} {words} "$program" {shlex.join(rest)}
"""


def why_script(argv: tuple[str, ...], env: Mapping[str, str], cwd: str) -> str:
    """Look for what is missing when a program that is there was not found: the interpreter of a script."""
    said = shlex.quote(f"command not found: {argv[0]}: the interpreter that it names is missing")
    return f"""\
cd {shlex.quote(cwd)} 2>/dev/null || exit 0
{_find(argv[0], env)}
[ -r "$program" ] || exit 0
case $(/.howdah/busybox head -c 256 "$program" | /.howdah/busybox head -n 1) in
'#!'*) set -f; set -- $(/.howdah/busybox head -n 1 "$program" | /.howdah/busybox cut -c 3-)
     [ -e "$1" ] || echo "error "{said} > /.howdah/notes ;;
esac
"""


def _find(program: str, env: Mapping[str, str]) -> str:
    """Set `program` to the file that runs, as the image's PATH has it; empty if there is none."""
    quoted, path = shlex.quote(program), shlex.quote(env.get("PATH", _PATH))
    return f"""\
program=
case {quoted} in
*/*) [ -e {quoted} ] && program={quoted} ;;
*) path={path}; IFS=:; set -f; for folder in $path; do
     found="${{folder:-.}}"/{quoted}
     if [ -f "$found" ] && [ -x "$found" ]; then program=$found; break; fi
   done; unset IFS; set +f ;;
esac"""
