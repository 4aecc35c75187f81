# SPDX-License-Identifier: Apache-2.0
"""Commands in containers: one long-lived container for each worker and image, by Docker or Podman.

`container` is the worker's end, a nest of another kind; `keeper.sh` is the first process in there; `script` writes
what it runs, `pipes` are the ways between the two. `howdah.engine` makes and removes containers.
"""

from howdah.worker.container.container import Container
from howdah.worker.container.shell import find_shell

__all__ = ["Container", "find_shell"]
