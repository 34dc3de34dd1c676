"""How chunks are found.

analysis    text to index terms
postings    which term stands in which rows
keywords    the keyword index: BM25 over postings
flat        the stored vectors: a FAISS flat index
spans       the stored vectors of context lines and quotables
ivf         the approximate FAISS index of a large KB
vectors     the vector index: candidates of either, scored exactly
row_map     maps the chunks a viewer sees to stored rows
candidates  what both indexes name under a filter, each scored by both
fusion      keyword and vector scores to one
"""
