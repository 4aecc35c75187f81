# SPDX-License-Identifier: Apache-2.0
"""python -m tests.crash [--moments N] [--seed N] [--folder DIR]: the whole crash suite, with a line for each kill.

The lake and the server's log are left in the folder if something was wrong.
"""

import argparse
import random
import shutil
import signal
import sys
import tempfile
import time
from pathlib import Path

from tests.crash.campaign import Campaign
from tests.crash.failpoints import all_failpoints, kills


def main() -> int:
    signal.signal(signal.SIGTERM, signal.default_int_handler)  # so that nothing is left alive
    parser = argparse.ArgumentParser(prog="python -m tests.crash")
    parser.add_argument("--moments", type=int, default=200, help="random moments at which to kill")
    parser.add_argument("--failpoints", default="", help="only failpoints that begin so; 'none' for none")
    parser.add_argument("--seed", type=int, default=random.SystemRandom().randrange(1 << 32))
    parser.add_argument("--folder", type=Path, default=None)
    options = parser.parse_args()
    folder = options.folder or Path(tempfile.mkdtemp(prefix="howdah-crash-"))
    say(f"seed {options.seed}, folder {folder}")
    began, count = time.monotonic(), 0
    with Campaign(folder, options.seed, say) as campaign:
        for kill in kills([name for name in all_failpoints() if name.startswith(options.failpoints)]):
            campaign.kill(kill)
            count += 1
        for kill in campaign.moments(options.moments):
            campaign.kill(kill)
            count += 1
        outputs = campaign.end()
    say(f"{count} kills, {outputs} output commits, all as they must be; {time.monotonic() - began:.0f} s")
    shutil.rmtree(folder)
    return 0


def say(line: str) -> None:
    sys.stdout.write(line + "\n")
    sys.stdout.flush()


if __name__ == "__main__":
    sys.exit(main())
