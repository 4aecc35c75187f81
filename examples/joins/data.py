# SPDX-License-Identifier: Apache-2.0
"""Countries and time zones as files (countries/AD.txt, zones/AD.Europe-Andorra.txt), from the package `tzdata`."""

from importlib.resources import files
from pathlib import Path

tables = files("tzdata") / "zoneinfo"
for name in ("countries", "zones"):
    Path(name).mkdir(exist_ok=True)
for line in (tables / "iso3166.tab").read_text().splitlines():
    if not line.startswith("#"):
        code, country = line.split("\t")
        Path("countries", f"{code}.txt").write_text(f"{country}\n")
for line in (tables / "zone.tab").read_text().splitlines():
    if not line.startswith("#"):
        code, _, zone, *_ = line.split("\t")
        Path("zones", f"{code}.{zone.replace('/', '-')}.txt").write_text(f"{zone}\n")
