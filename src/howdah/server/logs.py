# SPDX-License-Identifier: Apache-2.0
"""The server's own log, on stderr: aligned lines for a terminal, one JSON object a line for everything else.

The standard library's loggers (SQLAlchemy, uvicorn, grpc) go the same way.
"""

import logging
import sys
from typing import Any

import structlog

__all__ = ["configure"]


def configure(*, json: bool | None = None, level: int = logging.INFO) -> None:
    """Send all logs of this process to stderr; as JSON if asked, or if nobody looks at a terminal. Repeat it freely."""
    as_json = not sys.stderr.isatty() if json is None else json
    shared: list[Any] = [
        structlog.contextvars.merge_contextvars,
        structlog.stdlib.add_log_level,
        structlog.stdlib.add_logger_name,
        structlog.processors.TimeStamper(fmt="iso", utc=True),
    ]
    structlog.configure(
        processors=[*shared, structlog.stdlib.ProcessorFormatter.wrap_for_formatter],
        logger_factory=structlog.stdlib.LoggerFactory(),
        wrapper_class=structlog.make_filtering_bound_logger(level),
        cache_logger_on_first_use=False,
    )
    # The default of the second would print the local variables of each frame, and so perhaps a secret.
    plain = structlog.dev.plain_traceback
    last: list[Any] = (
        [structlog.processors.format_exc_info, structlog.processors.JSONRenderer()]
        if as_json
        else [structlog.dev.ConsoleRenderer(colors=sys.stderr.isatty(), exception_formatter=plain)]
    )
    handler = logging.StreamHandler(sys.stderr)
    handler.setFormatter(
        structlog.stdlib.ProcessorFormatter(
            foreign_pre_chain=shared, processors=[structlog.stdlib.ProcessorFormatter.remove_processors_meta, *last]
        )
    )
    root = logging.getLogger()
    root.handlers[:] = [handler]
    root.setLevel(level)
    # Both would repeat at INFO what the ready line says, for each start.
    for noisy in ("uvicorn", "uvicorn.error", "alembic"):
        logging.getLogger(noisy).setLevel(logging.WARNING)
