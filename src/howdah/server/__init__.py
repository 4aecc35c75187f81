# SPDX-License-Identifier: Apache-2.0
"""The server process: one lake, its APIs, and the order in which all of it starts and stops.

    app         the one place where concrete classes are chosen
    settings    what a server is told, and which addresses it may take
    lock        one server a lake
    workers     the server's own workers, from the first pipeline on
    logs        events with fields, for people or machines; `own_log` keeps them in the lake
    log_keeper  lines of all logs become old

Only the command `howdah server` and tests import it.
"""

__all__ = ["Server", "Settings", "run"]

from howdah.server.app import Server, run
from howdah.server.settings import Settings
