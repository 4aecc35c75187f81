# SPDX-License-Identifier: Apache-2.0
"""Measure the table: each row is printed when it is done, then all of them, and everything goes to a JSON file.

    python -m bench [--full] [--only ROW ...] [--json FILE] [--merge] [--scale small] [--keep] [--list] [--peers]

Ends with 0 if every row was measured, whether it reached what it must or not; with 1 if one crashed.
"""

import argparse
import datetime
import json
import signal
import sys
import time
import traceback
from pathlib import Path

from bench import machine
from bench.figures import Result, Row
from bench.ground import Ground
from bench.place import Place
from bench.rows import ROWS
from bench.scale import SCALES

JSON = Path("build") / "bench.json"


def main() -> int:
    """Measure what the command line asks for."""
    options = _options()
    if options.list:
        print(*(f"{row.name:<17} {row.work}" for row in ROWS), sep="\n")
        return 0
    rows = _chosen(options)
    signal.signal(signal.SIGTERM, lambda *_: sys.exit(143))  # as Ctrl-C: servers are stopped, the folder goes
    scale = SCALES[options.scale]
    begin = time.perf_counter()
    with Place(keep=options.keep) as place:
        facts = machine.describe(place.root, scale.name)
        print(*(f"{name}: {fact}" for name, fact in facts.items()), sep="\n", end="\n\n", flush=True)
        with Ground(place, scale, peers=options.peers) as ground:
            results = []
            for row in rows:
                results.append(measured(row, ground))
                print(*results[-1].lines(), sep="\n", flush=True)
    seconds = time.perf_counter() - begin
    print("", *_table(results), f"{seconds:.0f} s in all", sep="\n")
    _write(options.json, facts, results, merge=options.merge)
    return 1 if any(result.error for result in results) else 0


def measured(row: Row, ground: Ground) -> Result:
    """A row with its figures, or with the error that it ended with."""
    load, begin = machine.load(), time.perf_counter()
    figures, error = [], ""
    try:
        figures = row.measure(ground)
    except Exception as crash:  # whatever it is: the other rows are measured all the same
        traceback.print_exc()
        error = " ".join([type(crash).__name__ + ":", *str(crash).splitlines()[-1:]])
    return Result(
        name=row.name,
        work=row.work,
        against=row.against,
        figures=figures,
        seconds=round(time.perf_counter() - begin, 1),
        at=datetime.datetime.now(datetime.UTC).isoformat(timespec="seconds"),
        load=round(load, 2),
        error=error,
        scale=ground.scale.name,
    )


def _table(results: list[Result]) -> list[str]:
    lines = []
    for result in results:
        if result.error:
            lines.append(f"{result.name:<17} crashed: {result.error}")
        for figure in result.figures:
            verdict = "" if not figure.bound else "met" if figure.met else "MISSED"
            lines.append(f"{result.name:<17} {figure!s:<66} {figure.bound:<20} {verdict}")
    missed = [result.name for result in results if result.status == "MISSED"]
    return [*lines, f"missed: {', '.join(missed)}" if missed else "nothing missed"]


def _write(path: Path, facts: dict[str, str], results: list[Result], *, merge: bool) -> None:
    rows = {result.name: result.as_json() for result in results}
    if merge and path.exists():
        rows = {row["name"]: row for row in json.loads(path.read_text())["rows"]} | rows
    order = [row.name for row in ROWS]
    listed = sorted(rows.values(), key=lambda row: order.index(row["name"]))
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(json.dumps({"machine": facts, "rows": listed}, indent=1) + "\n")
    print(f"written to {path}")


def _chosen(options: argparse.Namespace) -> list[Row]:
    if not options.only:
        return [row for row in ROWS if options.full or not row.long]
    names = {row.name: row for row in ROWS}
    if unknown := [name for name in options.only if name not in names]:
        sys.exit(f"there is no row {unknown[0]}; there are {', '.join(names)}")
    return [row for row in ROWS if row.name in options.only]


def _options() -> argparse.Namespace:
    parser = argparse.ArgumentParser(prog="python -m bench", description=__doc__.partition("\n")[0])
    parser.add_argument("--full", action="store_true", help="also the rows that take minutes")
    parser.add_argument("--only", nargs="+", metavar="ROW", help=f"of {', '.join(row.name for row in ROWS)}")
    parser.add_argument("--json", type=Path, default=JSON, metavar="FILE", help=f"where to write (default {JSON})")
    parser.add_argument("--merge", action="store_true", help="keep the rows of that file that are not measured now")
    parser.add_argument("--scale", choices=sorted(SCALES), default="full", help="small: only to try the bench itself")
    parser.add_argument("--peers", action="store_true", help="install the programs of others that rows compare with")
    parser.add_argument("--keep", action="store_true", help="leave the scratch folder")
    parser.add_argument("--list", action="store_true", help="name the rows and end")
    return parser.parse_args()


if __name__ == "__main__":
    sys.exit(main())
