# SPDX-License-Identifier: Apache-2.0
"""howdah: a versioned data lake with data-driven pipelines.

Nothing is imported here: the client lives in `howdah.client`, the command line in
`howdah.cli`, the server in `howdah.server`, and none of them should pay for the others.
"""

from typing import Final

__all__ = ["__version__"]

__version__: Final = "0.1.0"
