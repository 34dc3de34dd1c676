"""How does a source become a searchable snapshot?

items        what a source yields
sources      folders, files and exports → items
parsing      one item → Article (frontmatter reads its metadata)
structure    Markdown → headings and blocks with offsets; sentences cuts text
chunking     Article → Chunks within a token budget
sync         what changed since the last snapshot; embed it; publish
pending      vectors of an ingest that was stopped
"""
