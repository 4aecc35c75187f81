# SPDX-License-Identifier: Apache-2.0
"""`howdah create secret NAME`: keep what user code needs to know and nobody else."""

import click

from howdah.cli.base import command
from howdah.cli.secret_values import from_environment, from_files, kubernetes, typed
from howdah.cli.session import Session

__all__ = ["create_secret"]


@command(
    "secret",
    "howdah create secret db --from-literal password",
    "howdah create secret db --from-literal password < password.txt",
    "howdah create secret tls --from-file tls.key --from-file ca=root.pem",
    "howdah create secret api --from-env token=API_TOKEN",
    "howdah create secret -f secret.json",
    project=False,
    output=False,
)
@click.argument("name", required=False)
@click.option("--from-file", "files", multiple=True, metavar="[KEY=]FILE", help="A value is what a file holds.")
@click.option(
    "--from-literal", "literals", multiple=True, metavar="KEY", help="A value is typed, or a line of standard input."
)
@click.option("--from-env", "variables", multiple=True, metavar="[KEY=]VARIABLE", help="A value is that of a variable.")
@click.option("--type", "kind", metavar="TYPE", help="A word of your own. Default: Opaque.")
@click.option("-f", "--file", "source", metavar="FILE", help="A Kubernetes Secret, JSON or YAML; - is standard input.")
def create_secret(
    session: Session,
    name: str | None,
    files: tuple[str, ...],
    literals: tuple[str, ...],
    variables: tuple[str, ...],
    kind: str | None,
    source: str | None,
) -> None:
    """Keep a secret: values under keys, which pipelines are given by `transform.secrets`.

    The server keeps it sealed and shows it to nobody. A value is never given on the command line, since the shell's
    history and `ps` would show it. To change a secret, delete it and create it again.
    """
    parts = bool(files or literals or variables)
    if (source is not None) == (name is not None) or (source is not None and (parts or kind)):
        raise click.UsageError("give a name and values, or a Kubernetes Secret by -f alone")
    if source is not None:
        for secret in kubernetes(source):
            session.client.create_secret_from(secret)
        return
    if not parts:
        raise click.UsageError("give values by --from-file, --from-literal or --from-env")
    values = {**from_files(files), **from_environment(variables), **typed(literals)}
    session.client.create_secret(name or "", values, secret_type=kind or "Opaque")
