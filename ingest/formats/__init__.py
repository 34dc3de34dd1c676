"""What a file holds, as an article.

parsing          a file or record to an `Article`
front_matter     the YAML or TOML block that opens a Markdown file
main_content     the main content of an HTML page, as Markdown
pdf_and_word     PDF and Word documents, as Markdown
product_exports  names, fields and pages of Confluence, Notion and help-center exports
"""
