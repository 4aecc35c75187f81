# SPDX-License-Identifier: Apache-2.0
"""`GET /jsonschema/...`: the shapes of specs and of defaults, for editors, under addresses that stay.

They are open to pages of other servers, since editors in browsers ask for them too.
"""

import json
from collections.abc import Callable, Mapping
from typing import Any, Final

from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import BaseRoute, Route

from howdah.apis.protocol import SPEC_SCHEMA_PATH
from howdah.model.spec.schema import defaults_schema, spec_schema

__all__ = ["schema_routes"]

_SCHEMAS: Final[Mapping[str, Callable[[], dict[str, Any]]]] = {
    SPEC_SCHEMA_PATH: spec_schema,
    "/jsonschema/pipeline.json": spec_schema,
    "/jsonschema/pps_v2/ClusterDefaults.schema.json": defaults_schema,
    "/jsonschema/pps_v2/ProjectDefaults.schema.json": defaults_schema,
}
_HEADERS: Final = {"access-control-allow-origin": "*", "cache-control": "max-age=3600"}


def schema_routes() -> list[BaseRoute]:
    """The routes, to be put among those of an application."""
    return [Route(path, _answering(schema), methods=["GET"]) for path, schema in _SCHEMAS.items()]


def _answering(schema: Callable[[], dict[str, Any]]) -> Callable[[Request], Response]:
    def answer(request: Request) -> Response:
        document = {"$id": str(request.url.replace(query="")), **schema()}
        body = json.dumps(document, ensure_ascii=False).encode()
        return Response(body, media_type="application/schema+json", headers=_HEADERS)

    return answer
