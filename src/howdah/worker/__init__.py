# SPDX-License-Identifier: Apache-2.0
"""What runs beside user code: it claims datum sets, prepares `/pfs`, runs the command, hands in results.

`nest` is the part that contains user code on this machine. Nothing here imports server code: a worker
reaches the lake over gRPC and the object store only.
"""

__all__: list[str] = []
