"""Where articles come from. Each source yields items, and says what it skipped and why.

website/       the pages of a website
folders        folders and single files, routed to the modules below
items          what a source yields: `SourceItem`, `Skipped`
file_kinds     which file endings are articles, and how each becomes an item
files          reading files that may be anything: regular ones of a reasonable size
bundles        files that hold many articles: JSONL, JSON, zip archives
archives       the files of a zip archive, read in place
categories     `category.yaml` and the names of folders
git_checkouts  what `.gitignore` leaves out, and where a file is on the web
"""
