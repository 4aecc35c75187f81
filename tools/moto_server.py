# SPDX-License-Identifier: Apache-2.0
"""An S3 server of our own on a free port of this machine: moto's, in a process of its own. For tests and measurements.

`python -m tools.moto_server` prints its address and serves until its standard input ends.
"""

import logging
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

REPOSITORY = Path(__file__).resolve().parents[1]
KEYS = {"AWS_ACCESS_KEY_ID": "howdah", "AWS_SECRET_ACCESS_KEY": "howdah-secret", "AWS_REGION": "us-east-1"}


@contextmanager
def moto_server() -> Iterator[str]:
    """The endpoint of a server without buckets, inside the block."""
    command = [sys.executable, "-m", "tools.moto_server"]
    with subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True, cwd=REPOSITORY) as process:
        assert process.stdout is not None
        try:
            address = process.stdout.readline().strip()
            assert address, "moto's server did not start"
            yield address
        finally:
            process.kill()


def main() -> None:
    from moto.server import ThreadedMotoServer  # noqa: PLC0415 - takes a second, and only this process needs it

    logging.getLogger("werkzeug").setLevel(logging.ERROR)
    server = ThreadedMotoServer(ip_address="127.0.0.1", port=0, verbose=False)
    server.start()
    host, port = server.get_host_and_port()
    sys.stdout.write(f"http://{host}:{port}\n")
    sys.stdout.flush()
    sys.stdin.read()


if __name__ == "__main__":
    main()
