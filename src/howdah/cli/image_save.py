# SPDX-License-Identifier: Apache-2.0
"""`howdah image save PIPELINE|IMAGE… -o FILE`: put images into a file."""

from typing import TYPE_CHECKING, Any

import click

from howdah.cli.base import command
from howdah.cli.engines import ENGINE, open_shipping
from howdah.cli.session import Session

if TYPE_CHECKING:
    from howdah.engine.shipping import Shipping

__all__ = ["image_save"]


@command(
    "save",
    "howdah image save edges montage -o images.tar",
    "howdah image save registry.example.org/team/edges:4f1c -o edges.tar",
    output=False,
)
@click.argument("names", metavar="PIPELINE|IMAGE…", nargs=-1, required=True)
@click.option("-o", "--output", "to", metavar="FILE", required=True, help="The file; one that is there is replaced.")
@ENGINE
def image_save(session: Session, names: tuple[str, ...], to: str, engine: str | None) -> None:
    """Put images of the container engine here into a file, to be loaded where there is no network.

    A word with a tag or digest is an image; any other is a pipeline, of which it is the image that it runs in, or else
    an image. An image that a registry knows by a digest is found by that digest where the file is loaded, too.
    """
    from howdah.storage.local_files import explained
    from howdah.storage.whole_files import whole_file

    with open_shipping(engine) as opened:
        saved = [_saved(session, opened, name) for name in names]
        tags = sorted({tag for each in saved for tag in each["names"]})
        with (
            session.progress(f"saving {to}") as progress,
            whole_file(to) as place,
            explained(to, writing=True),
            open(place, "wb") as file,
        ):
            for piece in opened.save(tags):
                file.write(piece)
                if progress is not None:
                    progress(len(piece), 0)
    for each in saved:
        session.note(f"saved {each['image']}{each['of']}: {each['id']}")


def _saved(session: Session, engine: "Shipping", word: str) -> dict[str, Any]:
    """An image, what it is called in the file, and which pipeline it is of."""
    image, exact, of = _image(session, word)
    id, names = engine.image_id(exact), engine.lasting_names(exact)
    tagged = engine.find(image)
    if tagged is not None and tagged.id == id:  # else the tag has moved since
        names += engine.lasting_names(image)
    return {"image": image, "of": of, "id": id, "names": names}


def _image(session: Session, word: str) -> tuple[str, str, str]:
    """The image that a word means, the same exactly, and a note about its pipeline if it has one."""
    from howdah.errors import NotFound

    if "@" in word or ":" in word:
        return word, word, ""
    try:
        info = session.client.inspect_pipeline(word)
    except NotFound:
        return word, word, ""
    exact = info.execution.digest if info.execution is not None else ""
    return info.image, exact or info.image, f" of pipeline {info.pipeline}"
