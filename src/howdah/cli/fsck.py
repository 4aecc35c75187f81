# SPDX-License-Identifier: Apache-2.0
"""`howdah fsck`: look for faults in metadata, and prove every byte that can be reached."""

import click

from howdah.cli import exits
from howdah.cli.base import command
from howdah.cli.session import Session
from howdah.errors import Damaged

__all__ = ["fsck"]


@command("fsck", "howdah fsck", "howdah fsck --part 3/10 --rate 20MB", "howdah fsck --metadata-only --repair")
@click.option("--repair", is_flag=True, help="Mend in the metadata what can be mended without losing anything.")
@click.option("--metadata-only", is_flag=True, help="Read no stored bytes.")
@click.option("--part", metavar="N/COUNT", help="Prove one of several equal parts of the bytes.")
@click.option("--after", default="", metavar="PLACE", help="Go on where a check that was broken off says it was.")
@click.option("--rate", metavar="SIZE", help="Read at most so many bytes a second, such as 20MB.")
def fsck(session: Session, repair: bool, metadata_only: bool, part: str | None, after: str, rate: str | None) -> int:
    """Check the lake. Each fault says whom it hurts and what to do. Ends with 9 if one is left.

    All parts together prove every byte; metadata are looked at in the first.
    """
    from howdah.model.units import format_size, parse_size
    from howdah.model.upkeep import Proved

    faults, last = 0, Proved(0, 0, 0, "")
    answers = session.client.check(
        repair=repair,
        metadata_only=metadata_only,
        part=None if part is None else _part(part),
        after=after,
        bytes_per_second=0 if rate is None else parse_size(rate),
    )
    try:
        for answer in answers:
            if isinstance(answer, Proved):
                last = answer
                continue
            faults += not answer.repaired
            session.stream([answer], str)
    except BaseException:
        if last.after:
            session.note(f"howdah: go on with: howdah fsck --after {last.after}" + (f" --part {part}" if part else ""))
        raise
    if not session.json:
        proved = "" if metadata_only else f"; {format_size(last.size_bytes)} of files proved"
        session.line(f"{faults or 'no'} fault{'s' * (faults != 1)}{proved}")
    return exits.EXIT_CODES[Damaged] if faults else exits.OK


def _part(text: str) -> tuple[int, int]:
    number, slash, count = text.partition("/")
    if not (slash and number.isdecimal() and count.isdecimal()):
        raise click.UsageError(f"part {text} is not N/COUNT; write 3/10")
    return int(number), int(count)
