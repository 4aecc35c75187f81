# SPDX-License-Identifier: Apache-2.0
"""The images of specs, before the specs are given to the server: built from a folder, pushed, and named in the spec.

An image's tag says what is in it, so that a spec changes exactly when its image does: a folder that is as it was gives
the tag that it gave, and an update with it changes nothing. `image_names` says how images are called, `shipment` what a
command is told of them.
"""

from collections.abc import Mapping, Sequence
from contextlib import ExitStack, suppress
from typing import TYPE_CHECKING, Any, Final

import click

from howdah.cli.engines import open_shipping
from howdah.cli.image_names import LOCAL, built_name, pushed_name
from howdah.cli.progress import Lines
from howdah.cli.session import Session
from howdah.cli.shipment import Shipment

if TYPE_CHECKING:
    from howdah.cli.making_pipelines import Spec
    from howdah.engine.images import Credentials
    from howdah.engine.shipping import Shipping

__all__ = ["ship"]

_TAG_DIGITS: Final = 16


def ship(
    session: Session,
    given: "Sequence[Spec]",
    shipment: Shipment,
    *,
    update: bool,
    reprocess: bool = False,
    dry_run: bool = False,
) -> "list[Spec]":
    """The specs with the images that were built and pushed for them; unchanged if nothing of it was asked for.

    A dry run builds and pushes nothing, and names the images as they would be. Before anything is built the server is
    asked whether it would take the specs.

    Raises:
        UsageError: options that do not go together.
        BadRequest: no such folder or Dockerfile; a spec that names no image to push.
        NotFound: IMAGE_NOT_FOUND: the engine has no such image to push.
        Refused, Unavailable: engine or registry refuse, or are not there.
        HowdahError: the server would not take a spec.
    """
    if not (shipment.build or shipment.push_images):
        shipment.refuse_idle()
        return list(given)
    if shipment.build and shipment.push_images:
        raise click.UsageError("--build pushes what it builds; leave out --push-images")
    prefix = shipment.prefix()
    if shipment.push_images and not prefix:
        raise click.UsageError("--push-images needs to know where to: --registry HOST[:PORT]/PREFIX")
    credentials = None if dry_run or not prefix else shipment.credentials()
    with ExitStack() as stack:
        dock = _Dock(session, shipment, prefix, credentials, stack, dry_run=dry_run)
        if not dry_run:
            for spec in given:
                _check(session, spec, update=update)
        shipped = [dock.shipped(spec) for spec in given]
    if update and not (reprocess or dry_run):
        for each in shipped:
            _tell_kept(session, each)
    return shipped


def _tell_kept(session: Session, shipped: "Spec") -> None:
    """Say that old results stay when the image of a pipeline changes: who edits and looks would take them for new."""
    from howdah.errors import NotFound
    from howdah.model.spec import parse_spec

    spec = parse_spec(shipped, project=session.client.project)
    if spec.on_code_change == "rerun":
        return
    with suppress(NotFound):
        before = session.client.inspect_pipeline(f"{spec.project}/{spec.name}")
        if before.image != spec.transform.image:
            text = f"{spec.name} runs in another image now; what had succeeded before is kept"
            session.note(f"{text}: --reprocess runs it again, and so does a spec with onCodeChange: rerun")


class _Dock:
    """Where the images of one command are made and sent off. Each is made once, however many specs want it."""

    def __init__(
        self,
        session: Session,
        shipment: Shipment,
        prefix: str,
        credentials: "Credentials | None",
        stack: ExitStack,
        *,
        dry_run: bool,
    ) -> None:
        self._session = session
        self._shipment = shipment
        self._prefix = prefix
        self._credentials = credentials
        self._stack = stack
        self._dry_run = dry_run
        self._opened: Shipping | None = None
        self._done: set[str] = set()
        # The image that was built by each Dockerfile of the folder.
        self._built: dict[str, str] = {}

    def shipped(self, spec: "Spec") -> "Spec":
        """A spec with its image."""
        from howdah.model.spec import spec_tree

        tree = spec_tree(spec)
        transform = tree.get("transform")
        transform = transform if isinstance(transform, Mapping) else {}
        name = self._build(tree, transform) if self._shipment.build else self._push_given(transform)
        return {**tree, "transform": {**transform, "image": name}}

    def _build(self, tree: Mapping[str, Any], transform: Mapping[str, Any]) -> str:
        from howdah.engine.context import packed
        from howdah.model.spec import project_of

        named = tree.get("pipeline")
        pipeline = str(named.get("name") or "") if isinstance(named, Mapping) else ""
        dockerfile = str(transform.get("dockerfile") or "")
        with packed(str(self._shipment.build), dockerfile) as context:
            name = built_name(self._prefix, project_of(tree, self._session.place().project), pipeline, context.tag)
            if self._dry_run or name in self._done:
                return name
            if (same := self._built.get(context.dockerfile)) is not None:
                self._engine.tag(same, name)
            else:
                self._session.note(f"building {name} from {self._shipment.build}")
                self._engine.build(context, name, self._session.note)
                self._built[context.dockerfile] = name
        self._push(name)
        if name.startswith(f"{LOCAL}/"):
            self._session.note(f"image {name} stays on this engine; --registry pushes it to where others find it")
        return name

    def _push_given(self, transform: Mapping[str, Any]) -> str:
        from howdah.errors import BadRequest, ErrorKind

        image = transform.get("image")
        if not isinstance(image, str) or not image:
            text = "transform.image: the spec names no image that could be pushed; name one, or leave out --push-images"
            raise BadRequest(ErrorKind.BAD_SPEC, text)
        digest = self._engine.image_id(image).rpartition(":")[2]
        name = pushed_name(self._prefix, image, digest[:_TAG_DIGITS])
        if not self._dry_run and name not in self._done:
            self._engine.tag(image, name)
            self._push(name)
        return name

    def _push(self, name: str) -> None:
        self._done.add(name)
        if self._prefix:
            self._session.note(f"pushing {name}")
            self._engine.push(name, self._credentials, Lines(self._session.note, f"pushing {name}"))

    @property
    def _engine(self) -> "Shipping":
        if self._opened is None:
            self._opened = self._stack.enter_context(open_shipping(self._shipment.engine))
        return self._opened


def _check(session: Session, spec: "Spec", *, update: bool) -> None:
    """Have the server look at a spec: an image may take long to build, and be for nothing."""
    from howdah.errors import NotFound

    with suppress(NotFound):  # a repo that it reads may be the output of another one of the same file
        session.client.create_pipeline(spec, update=update, dry_run=True)
