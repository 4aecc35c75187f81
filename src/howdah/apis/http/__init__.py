# SPDX-License-Identifier: Apache-2.0
"""The HTTP edge: starlette on uvicorn, on the loop of the gRPC edge.

`edge` runs it. Its routes are `probes`, `chunks` and, below `/api/`, `gateway`: every method of the gRPC API as JSON.
"""

__all__ = ["Gateway", "HttpEdge", "chunk_route", "probes_app", "schema_routes"]

from howdah.apis.http.chunks import chunk_route
from howdah.apis.http.edge import HttpEdge
from howdah.apis.http.gateway import Gateway
from howdah.apis.http.json_schemas import schema_routes
from howdah.apis.http.probes import probes_app
