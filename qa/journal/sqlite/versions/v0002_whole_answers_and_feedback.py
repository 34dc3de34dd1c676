"""Answers with their footnotes, the articles they were found in, and feedback."""

from alembic import op

revision, down_revision = "0002", "0001"


def upgrade() -> None:
    op.execute("ALTER TABLE answers ADD COLUMN kind TEXT NOT NULL DEFAULT 'answer'")
    op.execute("ALTER TABLE answers ADD COLUMN tags TEXT NOT NULL DEFAULT '[]'")
    op.execute("ALTER TABLE answers ADD COLUMN tag_mode TEXT NOT NULL DEFAULT 'any'")
    op.execute("ALTER TABLE answers ADD COLUMN document TEXT NOT NULL DEFAULT '{}'")
    op.execute("UPDATE answers SET kind = 'refusal' WHERE answered = 0")
    op.execute("CREATE INDEX answers_asked ON answers (asked)")
    op.execute(
        """
        CREATE TABLE articles (
          answer_id TEXT NOT NULL REFERENCES answers ON DELETE CASCADE, place INTEGER NOT NULL,
          article_id TEXT NOT NULL, cited INTEGER NOT NULL, PRIMARY KEY (answer_id, place)) WITHOUT ROWID
        """
    )
    op.execute(
        """
        CREATE TABLE feedback (
          answer_id TEXT PRIMARY KEY REFERENCES answers ON DELETE CASCADE, given TEXT NOT NULL,
          helpful INTEGER NOT NULL, reason TEXT NOT NULL, comment TEXT NOT NULL)
        """
    )
