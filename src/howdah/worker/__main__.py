# SPDX-License-Identifier: Apache-2.0
"""`python -m howdah.worker`, see `howdah.worker.main`."""

import sys

from howdah.worker.main import main

if __name__ == "__main__":
    sys.exit(main())
