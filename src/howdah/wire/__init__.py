# SPDX-License-Identifier: Apache-2.0
"""The wire: the messages and services that go between callers and a server.

`wire/proto/` holds the protocol, one file for each protobuf package: the Pachyderm 2.x
packages (`pfs_v2`, `pps_v2`, …) exactly as existing clients speak them, `grpc.health.v1`,
and our own `howdah.v1`, the only one that ever grows. `wire/stubs/` is generated from them
by `make stubs` and never edited: `pfs_v2_pb2` has the messages, `pfs_v2_pb2_grpc` the stub
and the servicer of the service.

    from howdah.wire.stubs import pfs_v2_pb2, pfs_v2_pb2_grpc

Only `howdah.apis`, `howdah.client` and `howdah.worker` import this package; the domain
never sees protobuf. All messages are in protobuf's one process-wide pool, so another
package that brings its own stubs of the same protocol by way of `protobuf` (the old
python-pachyderm does; the official SDK does not) cannot be imported in the same process.
"""

__all__: list[str] = []
