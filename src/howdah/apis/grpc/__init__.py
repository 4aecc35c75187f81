# SPDX-License-Identifier: Apache-2.0
"""The gRPC edge: grpc.aio on one event loop, the blocking core in threads (docs/papers/0001).

`bridge` is the only way from a servicer's method into the core; `streams` are the bounded queues it is
made of; `options` are the server's settings, each with its reason; `register` makes handlers from a service's
descriptor.
"""

__all__ = ["SERVER_OPTIONS", "Bridge", "Context", "ErrorMap", "Page", "service_handler"]

from howdah.apis.grpc.bridge import Bridge, Context, ErrorMap, Page
from howdah.apis.grpc.options import SERVER_OPTIONS
from howdah.apis.grpc.register import service_handler
