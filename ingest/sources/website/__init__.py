"""A website as a source.

crawling    which pages to read, and what becomes of each
fetching    GET requests to one host: paced, bounded, as robots.txt allows
sitemaps    the pages that a site lists
webpages    a page to its article, its address and its links
page_store  pages as last fetched, for conditional requests
"""
