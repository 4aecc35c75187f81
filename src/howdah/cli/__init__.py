# SPDX-License-Identifier: Apache-2.0
"""The command line: `howdah <verb> <noun>`, one module for each command, named after it.

`main` finds a command's module and turns errors into exit codes (`exits`); `base` is what commands are made
with, `output` how answers are shown, `progress` how long work is. A module is loaded only when its command is
used, and loads what it needs when it runs: start-up time is part of every command.
"""

__all__ = ["main"]
