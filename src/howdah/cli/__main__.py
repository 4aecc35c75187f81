# SPDX-License-Identifier: Apache-2.0
"""`python -m howdah.cli`: the same as the `howdah` command."""

from howdah.cli.main import main

if __name__ == "__main__":
    main()
