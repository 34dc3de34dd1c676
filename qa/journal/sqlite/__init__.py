"""The journal in one SQLite file.

- `journal`: opens the file and hands out its stores.
- `answers`, `views`: the stores.
- `file`: the connection they share, and the write-ahead log.
- `form`: which form a file has; `migrating`: brings it to the one that this version expects, for `web.access` too.
- `upgrading`, `env`, `versions`: how, with Alembic.
"""
