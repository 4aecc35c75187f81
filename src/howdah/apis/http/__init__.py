# SPDX-License-Identifier: Apache-2.0
"""The HTTP edge: starlette on uvicorn, on the loop of the gRPC edge.

`edge` runs it. Its routes are `probes` and, below `/api/`, `gateway`: every method of the gRPC API as JSON.
"""

__all__ = ["Gateway", "HttpEdge", "probes_app"]

from howdah.apis.http.edge import HttpEdge
from howdah.apis.http.gateway import Gateway
from howdah.apis.http.probes import probes_app
