# SPDX-License-Identifier: Apache-2.0
"""What a measurement says: figures with what they must reach, rows that group them, and the table that shows them."""

import statistics
from collections.abc import Callable, Sequence
from dataclasses import asdict, dataclass, field
from typing import TYPE_CHECKING, Any, Literal

if TYPE_CHECKING:
    from bench.ground import Ground

__all__ = ["Figure", "Result", "Row", "Spread", "Status", "quantile", "shown"]

Status = Literal["met", "MISSED", "stated", "crashed"]


@dataclass(frozen=True, slots=True)
class Spread:
    """Samples of one thing, as they came."""

    samples: tuple[float, ...]

    @property
    def median(self) -> float:
        """The middle one."""
        return statistics.median(self.samples)

    @property
    def ratio(self) -> float:
        """How many times the least the greatest is."""
        low = min(self.samples)
        return max(self.samples) / low if low > 0 else float("inf")


@dataclass(frozen=True, slots=True)
class Figure:
    """One number. `at_most` or `at_least` is what it must reach; with neither it is only stated.

    `lowest` and `highest` are the ends of what its median was taken from, `note` says what else belongs to it.
    """

    label: str
    value: float
    unit: str
    at_most: float | None = None
    at_least: float | None = None
    lowest: float | None = None
    highest: float | None = None
    note: str = ""
    samples: tuple[float, ...] = ()

    @property
    def met(self) -> bool:
        """Whether it reaches what it must."""
        return (self.at_most is None or self.value <= self.at_most) and (
            self.at_least is None or self.value >= self.at_least
        )

    @property
    def bound(self) -> str:
        """What it must reach, in words."""
        if self.at_most is not None:
            return f"at most {_limit(self.at_most, self.unit)}"
        return f"at least {_limit(self.at_least, self.unit)}" if self.at_least is not None else ""

    def __str__(self) -> str:
        text = shown(self.value, self.unit)
        if self.lowest is not None and self.highest is not None:
            text += f" ({_number(self.lowest, self.unit)} to {_number(self.highest, self.unit)})"
        return f"{self.label}: {text}" if self.label else text

    @classmethod
    def of(cls, samples: Sequence[float], unit: str, *, label: str = "", **more: Any) -> "Figure":
        """The median of samples, with its spread."""
        spread = Spread(tuple(samples))
        low, high = min(samples), max(samples)
        kept = spread.samples if len(samples) <= 50 else ()
        return cls(label, spread.median, unit, lowest=low, highest=high, samples=kept, **more)


@dataclass(frozen=True, slots=True)
class Row:
    """One row of the table: what is done, beside what, and the function that measures it.

    `long` rows take minutes and run only on demand.
    """

    name: str
    work: str
    against: str
    measure: "Callable[[Ground], list[Figure]]"
    long: bool = False


@dataclass(frozen=True, slots=True)
class Result:
    """A row as it was measured."""

    name: str
    work: str
    against: str
    figures: list[Figure]
    seconds: float
    at: str
    load: float
    error: str = ""
    scale: str = "full"
    extra: dict[str, Any] = field(default_factory=dict)

    @property
    def status(self) -> Status:
        """Met if every figure reaches what it must; stated if none must reach anything."""
        if self.error:
            return "crashed"
        if all(not figure.bound for figure in self.figures):
            return "stated"
        return "met" if all(figure.met for figure in self.figures) else "MISSED"

    def lines(self) -> list[str]:
        """The row for a terminal: its name and status, and a line for each figure."""
        lines = [f"{self.status:>7}  {self.name}: {self.work}" + (f", against {self.against}" if self.against else "")]
        if self.error:
            lines.append(f"         {self.error}")
        for figure in self.figures:
            bound = f"   [{figure.bound}{'' if figure.met else ': MISSED'}]" if figure.bound else ""
            note = f"   {figure.note}" if figure.note else ""
            lines.append(f"         {figure}{bound}{note}")
        return lines

    def as_json(self) -> dict[str, Any]:
        """The row for a file."""
        figures = [
            asdict(figure) | {"text": str(figure), "bound": figure.bound, "met": figure.met} for figure in self.figures
        ]
        return asdict(self) | {"figures": figures, "status": self.status}


def quantile(samples: Sequence[float], share: float) -> float:
    """The sample that `share` of all do not exceed."""
    ordered = sorted(samples)
    return ordered[min(len(ordered) - 1, int(len(ordered) * share))]


def shown(value: float, unit: str) -> str:
    """A number with its unit: `1.32 times`, `47.1 ms`, `187 KiB`."""
    if unit == "bytes":
        for name in ("bytes", "KiB", "MiB", "GiB"):
            if abs(value) < 1024 or name == "GiB":
                digits = 1 if value < 100 and value != int(value) else 0
                return f"{value:,.{digits}f} bytes" if name == "bytes" else f"{_number(value, name)} {name}"
            value /= 1024
    return f"{_number(value, unit)} {unit}"


def _limit(value: float, unit: str) -> str:
    return shown(value, unit) if unit == "bytes" else f"{value:,g} {unit}"


def _number(value: float, unit: str) -> str:
    if unit == "bytes":
        return shown(value, unit)
    digits = 0 if (value == int(value) and value >= 10) or abs(value) >= 100 else 2 if abs(value) < 10 else 1
    return f"{value:,.{digits}f}"
