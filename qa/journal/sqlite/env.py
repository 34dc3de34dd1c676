"""Run by Alembic for each command, with the connection that `upgrading` has put into the configuration."""

from alembic import context

context.configure(connection=context.config.attributes["connection"])
context.run_migrations()
