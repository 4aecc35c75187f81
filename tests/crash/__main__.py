# SPDX-License-Identifier: Apache-2.0
"""python -m tests.crash [--moments N] [--seed N] [--folder DIR] [--store s3]: the crash suite, a line for each kill.

The lake and the server's log are left in the folder if something was wrong.
"""

import argparse
import os
import random
import shutil
import signal
import sys
import tempfile
import time
from collections.abc import Iterator
from contextlib import contextmanager, nullcontext
from pathlib import Path

from tests.crash.campaign import Campaign
from tests.crash.failpoints import all_failpoints, kills
from tests.storage.buckets import S3Server
from tools.moto_server import KEYS, moto_server


def main() -> int:
    signal.signal(signal.SIGTERM, signal.default_int_handler)  # so that nothing is left alive
    parser = argparse.ArgumentParser(prog="python -m tests.crash")
    parser.add_argument("--moments", type=int, default=200, help="random moments at which to kill")
    parser.add_argument("--failpoints", default="", help="only failpoints that begin so; 'none' for none")
    parser.add_argument("--seed", type=int, default=random.SystemRandom().randrange(1 << 32))
    parser.add_argument("--folder", type=Path, default=None)
    parser.add_argument("--store", choices=["folder", "s3"], default="folder", help="where the lake's objects are")
    options = parser.parse_args()
    folder = options.folder or Path(tempfile.mkdtemp(prefix="howdah-crash-"))
    say(f"seed {options.seed}, folder {folder}")
    began, count = time.monotonic(), 0
    names = [
        name for name in all_failpoints(of_folders=options.store == "folder") if name.startswith(options.failpoints)
    ]
    with (
        bucket() if options.store == "s3" else nullcontext("") as store,
        Campaign(folder, options.seed, say, store) as campaign,
    ):
        for kill in kills(names):
            campaign.kill(kill)
            count += 1
        for kill in campaign.moments(options.moments):
            campaign.kill(kill)
            count += 1
        outputs = campaign.end()
    say(f"{count} kills, {outputs} output commits, all as they must be; {time.monotonic() - began:.0f} s")
    shutil.rmtree(folder)
    return 0


@contextmanager
def bucket() -> Iterator[str]:
    """The URL of an empty bucket of an S3 server that is never killed; its keys are in the environment."""
    os.environ.update(KEYS)
    with moto_server() as endpoint:
        yield S3Server(endpoint, KEYS).bucket()


def say(line: str) -> None:
    sys.stdout.write(line + "\n")
    sys.stdout.flush()


if __name__ == "__main__":
    sys.exit(main())
