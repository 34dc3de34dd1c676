"""From sources to a searchable snapshot.

sources/          where articles come from: folders, archives, websites, each yielding items
formats/          what a file holds: Markdown, HTML, PDF, Word, exports of other products
commands          `footnote ingest`
sync              plan, embed what is new, publish
planning          which articles are new or changed, which stay, which are gone
article_indexing  one item to its article and chunks
structure         Markdown to headings and blocks with offsets
sentences         sentence boundaries, as offsets
chunking          an article to chunks within a token budget
isolation         parsing in a process that can be stopped
pending           vectors of an ingest that was stopped
publisher         the Protocols of what an ingest writes to
watching          another ingest whenever a source has changed
errors            what `ingest` raises
"""
