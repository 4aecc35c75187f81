# SPDX-License-Identifier: Apache-2.0
"""What looking after a lake answers: space that was given back, space that is held, faults that were found."""

from dataclasses import dataclass

__all__ = ["Collected", "Fault", "Held", "Proved", "Tally"]


@dataclass(frozen=True, slots=True)
class Tally:
    """A number of objects and their bytes in the store."""

    objects: int = 0
    size_bytes: int = 0


@dataclass(frozen=True, slots=True)
class Collected:
    """What garbage collection found and did; with `dry_run`, what it would have done."""

    dry_run: bool
    named: Tally  # can be reached from a commit, a pipeline or a job
    young: Tally  # nothing names it yet, and a writer may still be at work with it
    thrown_away: Tally  # went into the trash now
    waiting: Tally  # is in the trash and stays there for now
    put_back: Tally  # came back from the trash
    removed: Tally  # is gone for good
    missing: int = 0  # objects that are named and not in the store: howdah fsck says which

    @property
    def left_bytes(self) -> int:
        """What the store holds afterwards; of a dry run, about that."""
        return sum(each.size_bytes for each in (self.named, self.young, self.waiting, self.put_back))


@dataclass(frozen=True, slots=True)
class Held:
    """What a repo, branch or commit holds.

    `size_bytes` are its files as users see them, of a repo those at the heads of its branches. `stored_bytes` is what
    all of it takes in the store, each object once; `exclusive_bytes` is the part of that which nothing else needs:
    what deleting it would give back.
    """

    name: str
    commits: int
    size_bytes: int
    stored_bytes: int
    exclusive_bytes: int


@dataclass(frozen=True, slots=True)
class Fault:
    """Something that is wrong: what, whom it hurts, and what to do. `repaired` says what was done about it."""

    what: str
    hurt: str
    advice: str
    repaired: str = ""

    def __str__(self) -> str:
        parts = [self.what, self.hurt and f"hurts {self.hurt}", self.repaired or self.advice]
        return "; ".join(part for part in parts if part)


@dataclass(frozen=True, slots=True)
class Proved:
    """How far a proof has come. `after` is where to go on if it is broken off."""

    ranges: int
    ranges_total: int
    size_bytes: int
    after: str
