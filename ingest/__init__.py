"""Turns sources into a searchable snapshot.

sources           folders, files, exports, archives and websites → items
formats           an item → Article: front matter, main content of HTML, PDF and Word, exports of products
structure         Markdown → headings and blocks with offsets; sentences: their boundaries
chunking          Article → Chunks within a token budget
article_indexing  an item → everything that the index stores of it; isolation: in a process that can be stopped
planning          what is new, changed, unchanged and gone
sync              plan; embed what is new; publish
pending           vectors of an interrupted ingest
watching          sync again when something has changed
"""
