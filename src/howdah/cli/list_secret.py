# SPDX-License-Identifier: Apache-2.0
"""`howdah list secret`: show the secrets, without their values."""

from howdah.cli.base import command
from howdah.cli.secret_values import SECRETS
from howdah.cli.session import Session

__all__ = ["list_secret"]


@command("secret", "howdah list secret", project=False)
def list_secret(session: Session) -> None:
    """Show name, type and age of all secrets. Values are shown by nothing."""
    session.show_all(session.client.list_secrets(), SECRETS)
