"""What is stored, how it is found, and how one generation replaces the next.

types        Article, Chunk, Quotable, Hit, Filter, Viewer
models       the embedding model: finding, exporting, running it
search       keyword index, vector index, fusion of their scores
snapshots    one immutable generation of the index: writing, publishing, opening, following it
files        files that are written whole or not at all, mapped, hashed
write_ahead  a SQLite file that several processes write
settings     where the index and the model are
commands     `status`, `verify`, `snapshots`, `rollback`
console      what the command lines of all packages share
errors       every error raised on purpose
"""
