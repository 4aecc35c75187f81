# SPDX-License-Identifier: Apache-2.0
"""Two ways to do one thing, measured in alternating pairs, so that what changes slowly changes both.

The ratio of a pair is ours over the baseline; the figure is the median of the ratios. When the baseline itself varies
too much the machine was not quiet: the pairs are run again, a bounded number of times, and the calmest run counts.
"""

import time
from collections.abc import Callable
from dataclasses import dataclass

from bench.figures import Figure, Spread, shown

__all__ = ["Pairs", "alternate", "timed"]

PAIRS = 5
BASELINE_RATIO_MAX = 1.5
RUNS_MAX = 3

Timed = Callable[[int], float]
"""Does the thing for the pair of that number; the seconds that it took."""


@dataclass(frozen=True, slots=True)
class Pairs:
    """The seconds of each pair, and in how many runs they were got."""

    ours: Spread
    baseline: Spread
    runs: int = 1

    @property
    def ratios(self) -> tuple[float, ...]:
        """Ours over the baseline, pair by pair."""
        return tuple(ours / base for ours, base in zip(self.ours.samples, self.baseline.samples, strict=True))

    def figure(self, at_most: float, label: str = "") -> Figure:
        """The median ratio, with its spread and both sides' seconds."""
        base, ours = self.baseline, self.ours
        note = (
            f"{shown(ours.median, 's')} beside {shown(base.median, 's')} "
            f"(baseline {shown(min(base.samples), 's')} to {shown(max(base.samples), 's')}"
        )
        note += f", {self.runs} runs)" if self.runs > 1 else ")"
        if base.ratio > BASELINE_RATIO_MAX:
            note += f"; the baseline varies by {base.ratio:.1f}: not a quiet machine"
        return Figure.of(self.ratios, "times", label=label, at_most=at_most, note=note)


def alternate(baseline: Timed, ours: Timed, *, pairs: int = PAIRS, runs_max: int = RUNS_MAX) -> Pairs:
    """Measure pairs of both, each second pair in the other order; again while the baseline varies by over 1.5.

    Each call is given a number that no other call of its side gets.
    """
    best: Pairs | None = None
    for run in range(runs_max):
        found = _run(baseline, ours, range(run * pairs, (run + 1) * pairs))
        if best is None or found.baseline.ratio < best.baseline.ratio:
            best = found
        if found.baseline.ratio <= BASELINE_RATIO_MAX:
            break
    assert best is not None
    return Pairs(best.ours, best.baseline, run + 1)


def timed(work: Callable[[], object]) -> float:
    """The seconds that `work` takes."""
    start = time.perf_counter()
    work()
    return time.perf_counter() - start


def _run(baseline: Timed, ours: Timed, numbers: range) -> Pairs:
    left, right = [], []
    for number in numbers:
        if number % 2:
            right.append(ours(number))
            left.append(baseline(number))
        else:
            left.append(baseline(number))
            right.append(ours(number))
    return Pairs(Spread(tuple(right)), Spread(tuple(left)))
