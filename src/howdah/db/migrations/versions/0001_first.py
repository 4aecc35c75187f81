# SPDX-License-Identifier: Apache-2.0
"""The first schema. Written out in plain types: `db.tables` moves on, this step never does."""

from typing import Any

import sqlalchemy as sa
from alembic import op

revision = "0001"
down_revision = None
branch_labels = None
depends_on = None

_NUMBERED: dict[str, Any] = {"sqlite_autoincrement": True}


def upgrade() -> None:
    """Make every table of version 0.1."""
    _projects_and_repos()
    _commits()
    _branches()
    _changes_and_leases()
    _pipelines()
    _jobs()
    _datums()
    _logs_and_events()


def _whole() -> sa.types.TypeEngine[int]:
    return sa.BigInteger().with_variant(sa.Integer(), "sqlite")


def _key(name: str = "id") -> sa.Column[int]:
    return sa.Column(name, _whole(), autoincrement=True, nullable=False)


def _link(name: str, *, nullable: bool = False) -> sa.Column[int]:
    return sa.Column(name, _whole(), nullable=nullable)


def _refers(table: str, column: str, target: str, *, cascade: bool = False) -> sa.ForeignKeyConstraint:
    rule = "CASCADE" if cascade else None
    return sa.ForeignKeyConstraint([column], [f"{target}.id"], name=op.f(f"fk_{table}_{column}"), ondelete=rule)


def _primary(table: str, *columns: str) -> sa.PrimaryKeyConstraint:
    return sa.PrimaryKeyConstraint(*columns, name=op.f(f"pk_{table}"))


def _unique(table: str, *columns: str) -> sa.UniqueConstraint:
    return sa.UniqueConstraint(*columns, name=op.f(f"uq_{table}_{'_'.join(columns)}"))


def _index(table: str, *columns: str) -> None:
    op.create_index(op.f(f"ix_{table}_{'_'.join(columns)}"), table, list(columns), unique=False)


def _text(name: str) -> sa.Column[str]:
    return sa.Column(name, sa.Text(), nullable=False)


def _name(name: str, length: int | None = None) -> sa.Column[str]:
    return sa.Column(name, sa.String(length), nullable=False)


def _small(name: str, *, nullable: bool = False) -> sa.Column[int]:
    return sa.Column(name, sa.Integer(), nullable=nullable)


def _big(name: str, *, nullable: bool = False) -> sa.Column[int]:
    return sa.Column(name, sa.BigInteger(), nullable=nullable)


def _flag(name: str) -> sa.Column[bool]:
    return sa.Column(name, sa.Boolean(), nullable=False)


def _blob(name: str, *, nullable: bool = True) -> sa.Column[bytes]:
    return sa.Column(name, sa.LargeBinary(), nullable=nullable)


def _projects_and_repos() -> None:
    op.create_table(
        "project",
        _key(),
        _name("name"),
        _text("description"),
        _big("created_at"),
        _text("metadata"),
        _primary("project", "id"),
        _unique("project", "name"),
        **_NUMBERED,
    )
    op.create_table(
        "repo",
        _key(),
        _link("project_id"),
        _name("name"),
        _name("type"),
        _text("description"),
        _big("created_at"),
        _text("metadata"),
        _primary("repo", "id"),
        _refers("repo", "project_id", "project"),
        _unique("repo", "project_id", "name", "type"),
        **_NUMBERED,
    )


def _commits() -> None:
    op.create_table(
        "commit_",
        _key(),
        _link("repo_id"),
        _name("set_id", 32),
        _name("branch_name"),
        _link("parent_id", nullable=True),
        _small("origin"),
        _text("description"),
        _text("error"),
        _big("started_at"),
        _big("ready_at", nullable=True),
        _big("finishing_at", nullable=True),
        _big("finished_at", nullable=True),
        _text("created_by"),
        _big("updated_at"),
        _blob("root"),
        _blob("partial_root"),
        _small("partial_seq", nullable=True),
        _big("files", nullable=True),
        _big("size_bytes", nullable=True),
        _flag("forgotten"),
        _text("metadata"),
        _primary("commit_", "id"),
        _refers("commit_", "repo_id", "repo", cascade=True),
        _refers("commit_", "parent_id", "commit_"),
        _unique("commit_", "repo_id", "set_id"),
        **_NUMBERED,
    )
    _index("commit_", "parent_id")
    _index("commit_", "repo_id", "id")
    _index("commit_", "set_id")
    op.create_table(
        "commit_provenance",
        _link("commit_id"),
        _link("upstream_id"),
        _primary("commit_provenance", "commit_id", "upstream_id"),
        _refers("commit_provenance", "commit_id", "commit_", cascade=True),
        _refers("commit_provenance", "upstream_id", "commit_"),
    )
    _index("commit_provenance", "upstream_id")


def _branches() -> None:
    op.create_table(
        "branch",
        _key(),
        _link("repo_id"),
        _name("name"),
        _link("head_id", nullable=True),
        sa.Column("trigger", sa.Text(), nullable=True),
        _big("created_at"),
        _big("updated_at"),
        _text("metadata"),
        _primary("branch", "id"),
        _refers("branch", "repo_id", "repo", cascade=True),
        _refers("branch", "head_id", "commit_"),
        _unique("branch", "repo_id", "name"),
        **_NUMBERED,
    )
    _index("branch", "head_id")
    op.create_table(
        "branch_provenance",
        _link("branch_id"),
        _link("upstream_id"),
        _small("position"),
        _flag("never"),
        _primary("branch_provenance", "branch_id", "upstream_id"),
        _refers("branch_provenance", "branch_id", "branch", cascade=True),
        _refers("branch_provenance", "upstream_id", "branch"),
    )
    _index("branch_provenance", "upstream_id")


def _changes_and_leases() -> None:
    op.create_table(
        "commit_change",
        _link("commit_id"),
        _small("seq"),
        _blob("body", nullable=False),
        _name("lease_id", 32),
        _primary("commit_change", "commit_id", "seq"),
        _refers("commit_change", "commit_id", "commit_", cascade=True),
    )
    op.create_table(
        "lease",
        _name("id", 32),
        _text("owner"),
        _big("created_at"),
        _big("expires_at"),
        _primary("lease", "id"),
    )
    _index("lease", "expires_at")


def _pipelines() -> None:
    op.create_table(
        "pipeline",
        _key(),
        _link("project_id"),
        _name("name"),
        _small("version"),
        _small("state"),
        _text("reason"),
        _flag("stopped"),
        _text("salt"),
        _big("created_at"),
        _big("updated_at"),
        _blob("done_root"),
        _text("metadata"),
        _flag("deleted"),
        _primary("pipeline", "id"),
        _refers("pipeline", "project_id", "project"),
        _unique("pipeline", "project_id", "name"),
        **_NUMBERED,
    )
    op.create_table(
        "pipeline_version",
        _link("pipeline_id"),
        _small("version"),
        _text("user_spec"),
        _text("effective_spec"),
        _name("spec_set_id", 32),
        _big("created_at"),
        _text("created_by"),
        _primary("pipeline_version", "pipeline_id", "version"),
        _refers("pipeline_version", "pipeline_id", "pipeline", cascade=True),
    )


def _jobs() -> None:
    op.create_table(
        "job",
        _key(),
        _link("pipeline_id"),
        _name("set_id", 32),
        _small("version"),
        _link("output_commit_id"),
        _link("meta_commit_id", nullable=True),
        _small("state"),
        _text("reason"),
        _big("created_at"),
        _big("started_at", nullable=True),
        _big("finished_at", nullable=True),
        _small("restart"),
        *(_big(f"datums_{outcome}") for outcome in ("total", "processed", "skipped", "failed", "recovered")),
        *(_big(f"{phase}_ms") for phase in ("download", "process", "upload")),
        *(_big(f"{phase}_bytes") for phase in ("download", "upload")),
        *(_blob(name) for name in ("plan_root", "results_root", "base_done")),
        _text("detail"),
        _primary("job", "id"),
        _refers("job", "pipeline_id", "pipeline", cascade=True),
        _refers("job", "output_commit_id", "commit_"),
        _refers("job", "meta_commit_id", "commit_"),
        _unique("job", "pipeline_id", "set_id"),
        **_NUMBERED,
    )
    _index("job", "meta_commit_id")
    _index("job", "output_commit_id")
    _index("job", "pipeline_id", "id")
    _index("job", "set_id")
    _index("job", "state")


def _datums() -> None:
    op.create_table(
        "datum_set",
        _key(),
        _link("job_id"),
        _small("position"),
        _big("first"),
        _small("datum_count"),
        _small("state"),
        _text("worker"),
        _small("fence"),
        _big("claimed_until", nullable=True),
        _small("attempts"),
        _primary("datum_set", "id"),
        _refers("datum_set", "job_id", "job", cascade=True),
        **_NUMBERED,
    )
    _index("datum_set", "job_id", "state", "position")
    op.create_table(
        "datum_result",
        _key(),
        _link("datum_set_id"),
        _link("job_id"),
        _small("fence"),
        _blob("body", nullable=False),
        _big("at"),
        _primary("datum_result", "id"),
        _refers("datum_result", "datum_set_id", "datum_set", cascade=True),
        **_NUMBERED,
    )
    _index("datum_result", "datum_set_id")
    _index("datum_result", "job_id", "id")


def _logs_and_events() -> None:
    op.create_table(
        "log_chunk",
        _key(),
        _link("pipeline_id"),
        _link("job_id", nullable=True),
        _big("first_at"),
        _big("last_at"),
        _small("lines"),
        _blob("body_object"),
        _blob("body"),
        _primary("log_chunk", "id"),
        **_NUMBERED,
    )
    _index("log_chunk", "job_id")
    _index("log_chunk", "pipeline_id", "id")
    op.create_table(
        "event",
        _key("n"),
        _big("at"),
        _name("subject"),
        _name("kind"),
        _text("body"),
        _primary("event", "n"),
        **_NUMBERED,
    )
