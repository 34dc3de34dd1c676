"""Who asked."""

from alembic import op

revision, down_revision = "0004", "0003"


def upgrade() -> None:
    op.execute("ALTER TABLE answers ADD COLUMN owner TEXT NOT NULL DEFAULT ''")
