# SPDX-License-Identifier: Apache-2.0
"""Photographs that scikit-image brings along, in the folder `photographs`."""

import shutil
from importlib.resources import files
from pathlib import Path

Path("photographs").mkdir(exist_ok=True)
for name in (
    "astronaut.png",
    "chelsea.png",
    "coffee.png",
    "coins.png",
    "hubble_deep_field.jpg",
    "moon.png",
    "rocket.jpg",
):
    shutil.copy(str(files("skimage") / "data" / name), Path("photographs", name))
