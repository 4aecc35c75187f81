# SPDX-License-Identifier: Apache-2.0
"""The HTTP edge: starlette on uvicorn, on the loop of the gRPC edge. `probes` are its routes, `edge` runs it."""

__all__ = ["HttpEdge", "probes_app"]

from howdah.apis.http.edge import HttpEdge
from howdah.apis.http.probes import probes_app
