"""Views and votes of articles."""

from alembic import op

revision, down_revision = "0003", "0002"


def upgrade() -> None:
    op.execute("CREATE TABLE salts (day TEXT PRIMARY KEY, salt BLOB NOT NULL)")
    op.execute("CREATE TABLE readers (day TEXT, act TEXT, mark BLOB, PRIMARY KEY (day, act, mark)) WITHOUT ROWID")
    op.execute(
        """
        CREATE TABLE figures (
          article_id TEXT NOT NULL, day TEXT NOT NULL, act TEXT NOT NULL, helpful INTEGER NOT NULL,
          count INTEGER NOT NULL, PRIMARY KEY (article_id, day, act, helpful)) WITHOUT ROWID
        """
    )
