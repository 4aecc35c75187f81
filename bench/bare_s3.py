# SPDX-License-Identifier: Apache-2.0
"""The baseline of buckets: the same library, nothing else. `python -m bench.bare_s3 put|get FILE BUCKET ENDPOINT`.

A put sends the file in parts, as the library does by itself; a get writes it as it comes, and syncs it.
"""

import os
import sys
from pathlib import Path

import obstore
from obstore.store import S3Store


def main() -> None:
    """Send or fetch one file under the key `bare`."""
    way, file, bucket, endpoint = sys.argv[1:]
    store = S3Store(bucket, endpoint=endpoint, client_options={"allow_http": True, "timeout": "10 minutes"})
    if way == "put":
        obstore.put(store, "bare", Path(file))
        return
    with open(file, "wb") as target:
        for piece in obstore.get(store, "bare").stream():
            target.write(piece)
        target.flush()
        os.fsync(target.fileno())


if __name__ == "__main__":
    main()
