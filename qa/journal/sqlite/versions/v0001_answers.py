"""Answers, in the order of their conversations."""

from alembic import op

revision, down_revision = "0001", None


def upgrade() -> None:
    op.execute(
        """
        CREATE TABLE answers (
          answer_id TEXT PRIMARY KEY, conversation_id TEXT NOT NULL, position INTEGER NOT NULL, asked TEXT NOT NULL,
          question TEXT NOT NULL, standalone TEXT NOT NULL, text TEXT NOT NULL, answered INTEGER NOT NULL,
          confidence REAL NOT NULL, generation TEXT NOT NULL, took_ms REAL NOT NULL,
          UNIQUE (conversation_id, position))
        """
    )
