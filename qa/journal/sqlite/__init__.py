"""The journal in one SQLite file.

- `journal`: opens the file and hands out its stores.
- `answers`, `views`: the stores.
- `file`: the connection they share, and the write-ahead log.
- `migrating`: brings a file to the form that this version expects; also for the keys of `web.access`.
- `upgrading`, `env`, `versions`: how, with Alembic.
"""
