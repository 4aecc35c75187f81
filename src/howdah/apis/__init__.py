# SPDX-License-Identifier: Apache-2.0
"""The faces of the server: what turns calls from outside into calls of the core, one package for each protocol.

The core is blocking Python, called from threads; only these edges are async. `hub` is shared by all of
them: it parks a waiting call without a thread and wakes it by events of its own subject. So are `calls`, which says
what a servicer sees of a call, and `protocol`, which lists the services. `grpc` and `http` do not know each other: the
servicers are made in `grpc`, and `http` is given them.
"""

__all__ = ["Call", "Hub", "Listener", "Service"]

from howdah.apis.calls import Call
from howdah.apis.hub import Hub, Listener
from howdah.apis.protocol import Service
