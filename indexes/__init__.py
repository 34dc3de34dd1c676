"""What is stored, how is it found, and how is it swapped?

types       Article, Chunk, Quotable, Hit, Filter
analysis    text → terms
models      where the embedding model lies
embedding   text → vectors (ONNX Runtime)
exporting   has the model exported; onnx_export does it, exported says whether it is whole
reference   text → vectors (sentence-transformers), where a model cannot be exported
lexical     keyword index (BM25) over postings
vectors     vector index over stored vectors, with cells where there are many
articles    article table (SQLite); article_writing makes it
segment     postings, vectors and articles written at once; segment_writing makes it
numbering   stored rows ↔ chunk numbers
fusion      keyword and vector scores → one
snapshot    one immutable generation, verified on open
drafting    what a snapshot is made from, and its files
publishing  publish, prune generations
store       follows CURRENT; what `qa` talks to
settings    where the index and the model are
"""
