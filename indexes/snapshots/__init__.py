"""Snapshots: immutable generations of the index.

snapshot         one generation, verified on open; its manifest; a viewer's view of it
article_table    its articles, chunks and tags (SQLite)
article_rows     opens the table; its rows to articles and chunks
article_writing  writes the table
drafting         a draft to the files of a snapshot
publishing       the write lock, the atomic step to a new generation, pruning
publisher        what an ingest is handed: publishing behind one object
opening          the current snapshot, or the whole one before a damaged one
store            the current snapshot for a server, followed without a restart
ingest_log       what past ingests did
"""
