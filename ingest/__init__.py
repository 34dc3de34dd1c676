"""How does a source become a searchable snapshot?

items        what a source yields
sources      folders and files → items (kinds, reading, categories, checkouts)
bundles      exports and archives → items (exports, archives); documents: PDF and Word
website      a website → items: fetching asks, sitemaps lists, webpages reads, pagestore keeps
parsing      one item → Article (frontmatter reads its metadata, extraction the main content of HTML)
structure    Markdown → headings and blocks with offsets; sentences cuts text
chunking     Article → Chunks within a token budget
indexing     one item → all that the index holds of it; isolation: in a process that can be stopped
planning     what is new, what changed, what stays, what is gone
sync         plan; embed what is new; publish
publisher    what an ingest needs of the index it writes
pending      vectors of an ingest that was stopped
watching     sync again when something has changed
"""
