# SPDX-License-Identifier: Apache-2.0
"""Write docs/performance.md from what `python -m bench` left in its JSON file.

python -m bench.report [FILE]
"""

import json
import sys
from pathlib import Path
from typing import Any

__all__ = ["page"]

JSON = Path("build") / "bench.json"
PAGE = Path(__file__).resolve().parents[1] / "docs" / "performance.md"

HEAD = """\
# Performance

What howdah takes, measured on one machine beside what the machine itself takes for the same bytes. The page is
written by `python -m bench.report` from the last result of `make bench`; do not edit it.
"""

HOW = """\
## How it is measured

`make bench` takes less than a quarter of an hour on two cores and needs some 30 GB of disk; `make bench-full` adds the
rows that take minutes by themselves. Nothing else should run meanwhile. Everything is written below `build/bench`, or
below the folder that `BENCH_DIR` names, and removed at the end. One row: `.venv/bin/python -m bench --only put-tree`;
`--list` names them all.

- **As a user runs it.** The measured side is the `howdah` command as a whole process, howdah's Python client, or the
  official Pachyderm client, each against a server in a process of its own on the same machine.
- **Beside the same disk.** Copies lie on the file system that holds the lake. Both sides end when the bytes are on the
  disk: `cp` is followed by `sync`, a put has synced by itself when it returns. What is read is in memory for both.
- **Pairs.** A ratio is taken from two measurements that follow each other directly; each second pair is in the other
  order. The figure is the median of five such ratios, with the least and the greatest behind it. When the baseline
  varies by more than 1.5 times, the pairs are measured again, at most twice, and the calmest run counts.
- **Memory at hand.** Right before bytes are moved, by either side, memory for them is used and given back: a virtual
  machine may return free memory to its host within seconds, and whoever fills the page cache next would wait for it.
- **New bytes.** Each measured put of a big file or of the tree goes into a new lake, since a second one would store
  nothing. "Newly stored" is the growth of all objects and of the database's pages together.
- **The data** come from a fixed seed: random bytes for the big file; for the tree 100,000 files, half of them random
  bytes and half of them text. The million files have 1,000 bytes each and are made in memory by the client.
- **Programs of others** (git-lfs, DVC, Borg, restic) keep the same versions of a folder at the same moments, and others
  (GNU make, Luigi, Snakemake) run the same tasks with two processes; all are used as their manuals say. They take part
  where they are on the machine; `--peers` installs what is missing.
- **Containers** run on engines that are started for them, which wants root; in the image is the static shell that the
  bare command runs too. A bare command and one in the container take turns, and each pair is compared by itself.
- **Memory** is the resident memory of the server's process and of those that it started, added up.

A row that misses what it must reach says so here; it does not fail the run.
"""


def page(result: dict[str, Any]) -> str:
    """The text of the page."""
    lines = [HEAD, "## The machine\n", "| | |", "|---|---|"]
    lines += [f"| {name} | {fact} |" for name, fact in result["machine"].items()]
    lines += ["", "## The last result\n", "| work | against | figure | reach | |", "|---|---|---|---|---|"]
    for row in result["rows"]:
        lines += _row(row)
    missed = [row["work"] for row in result["rows"] if row["status"] in ("MISSED", "crashed")]
    seconds = round(sum(row["seconds"] for row in result["rows"]))
    lines += ["", f"All of it took {seconds} s. " + (_missed(missed) if missed else "Every row is met."), ""]
    return "\n".join(lines) + "\n" + HOW


def _row(row: dict[str, Any]) -> list[str]:
    if row["error"]:
        return [f"| {row['work']} | {row['against']} | crashed: {_cell(row['error'])} | | **crashed** |"]
    lines = []
    work, against = row["work"], row["against"]
    for figure in row["figures"]:
        verdict = "" if not figure["bound"] else "met" if figure["met"] else "**missed**"
        lines.append(f"| {work} | {against} | {_cell(_figure(figure))} | {figure['bound']} | {verdict} |")
        work = against = ""  # the further figures of a row stand below its first
    return lines


def _figure(figure: dict[str, Any]) -> str:
    return f"{figure['text']}; {figure['note']}" if figure["note"] else str(figure["text"])


def _missed(works: list[str]) -> str:
    return "Missed: " + "; ".join(works) + "."


def _cell(text: str) -> str:
    return " ".join(text.replace("|", "\\|").split())


def main() -> None:
    """Write the page."""
    source = Path(sys.argv[1]) if len(sys.argv) > 1 else JSON
    PAGE.write_text(page(json.loads(source.read_text())))
    print(f"written to {PAGE}")


if __name__ == "__main__":
    main()
