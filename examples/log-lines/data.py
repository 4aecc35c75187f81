# SPDX-License-Identifier: Apache-2.0
"""The log of a real web server, Python's own: it serves this folder to 60 calls, some for what is not there."""

import re
import subprocess
import sys
from contextlib import suppress
from itertools import cycle, islice
from urllib.error import HTTPError
from urllib.request import urlopen

PATHS = ["/", "/README.md", "/rows.yaml", "/nothing.html", "/README.md", "/data.py"]

with open("access.log", "w") as log:
    server = subprocess.Popen(
        [sys.executable, "-u", "-m", "http.server", "0", "--bind", "127.0.0.1"],
        stdout=subprocess.PIPE,
        stderr=log,
        text=True,
    )
    port = re.search(r"port (\d+)", server.stdout.readline())[1]
    for path in islice(cycle(PATHS), 60):
        with suppress(HTTPError):
            urlopen(f"http://127.0.0.1:{port}{path}").read()
    server.terminate()
    server.wait()
