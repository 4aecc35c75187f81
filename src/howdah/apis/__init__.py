# SPDX-License-Identifier: Apache-2.0
"""The faces of the server: what turns calls from outside into calls of the core, one package for each protocol.

The core is blocking Python, called from threads; only these edges are async. `hub` is shared by all of
them: it parks a waiting call without a thread and wakes it by events of its own subject. `grpc` and
`http` do not know each other.
"""

__all__ = ["Hub", "Listener"]

from howdah.apis.hub import Hub, Listener
