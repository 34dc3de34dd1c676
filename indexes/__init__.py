"""What is stored, how it is found, and how it is swapped.

snapshots/  one immutable generation: written, published, opened, verified, followed
search/     keywords (BM25), vectors (FAISS), fusion
models/     the embedding model: finding, exporting, running
types       Article, Chunk, Quotable, Hit, Filter, Viewer
files       writing that reports a full disk, hashing, mapping
settings    where the index and the model are
console     what all `footnote` commands share
commands    `footnote status`, `verify`, `snapshots`, `rollback`
errors      what `indexes` raises
"""
