"""Keys, and the sessions of those who signed in with one."""

from alembic import op

revision, down_revision = "0001", None


def upgrade() -> None:
    op.execute(
        """
        CREATE TABLE keys (
          id TEXT PRIMARY KEY, hash BLOB NOT NULL, name TEXT NOT NULL, scopes TEXT NOT NULL, groups TEXT NOT NULL,
          created TEXT NOT NULL, expires TEXT, revoked TEXT, used TEXT) WITHOUT ROWID
        """
    )
    op.execute(
        """
        CREATE TABLE sessions (
          hash BLOB PRIMARY KEY, key_id TEXT NOT NULL REFERENCES keys ON DELETE CASCADE, created TEXT NOT NULL,
          expires TEXT NOT NULL) WITHOUT ROWID
        """
    )
