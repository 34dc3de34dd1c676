"""Articles, and the pages that eight kinds of sites make of them: content in their markup, chrome around it."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from html import escape
from typing import Literal


@dataclass(frozen=True)
class Block:
    """A piece of an article. `texts`: its text, items, lines or cells (row by row, `columns` wide)."""

    kind: Literal["heading", "text", "list", "table", "code"]
    texts: tuple[str, ...]
    columns: int = 0


def _article(*blocks: tuple[Literal["heading", "text", "list", "table", "code"], str]) -> list[Block]:
    made = []
    for kind, text in blocks:
        rows = text.split("\n")
        cells = tuple(cell for row in rows for cell in row.split(" / ")) if kind == "table" else tuple(rows)
        made.append(Block(kind, cells, len(rows[0].split(" / "))))
    return made


ARTICLES = {
    "Rotating signing keys": _article(
        ("text", "Signing keys are rotated every ninety days, and at once when one may have leaked."),
        ("heading", "Before you begin"),
        ("list", "Ask for the key steward role\nInstall version 4 of the command line\nOpen a change window"),
        ("heading", "Rotating a key"),
        ("text", "Publish the new key first, so that every verifier has seen it before anything is signed with it."),
        ("code", "keyctl publish --next\nkeyctl promote --after 24h"),
        ("text", "The old key stays valid for verification until its tokens have expired."),
        ("table", "Token / Lifetime\naccess / 10 minutes\nrefresh / 30 days"),
    ),
    "Restoring a backup": _article(
        ("text", "A restore is rehearsed every week, because a backup that was never restored is only a hope."),
        ("heading", "Choosing the backup"),
        ("text", "Take the newest full backup and the increments that follow it, up to the moment you want back."),
        ("code", "backups list --full\nbackups restore --until 09:30 \\\n    --into staging"),
        ("heading", "Checking the result"),
        ("list", "Row counts agree with the report\nThe latest order can be opened\nReplication is running again"),
    ),
    "Retry budgets": _article(
        ("text", "A retry budget bounds how much extra load retries may cause when a dependency is down."),
        ("text", "Short."),
        ("heading", "Defaults"),
        (
            "table",
            "Setting / Default / Range\nattempts / 3 / 1 to 5\nbudget / 10 % / 0 to 20 %\njitter / full / none, full",
        ),
        ("heading", "Turning retries off"),
        ("text", "Set the number of attempts to one; the client then reports the first failure as it is."),
        ("code", "retries:\n  attempts: 1"),
    ),
}

# What is around an article and must not be in it.
CHROME = (
    "Skip to main content",
    "Acme Documentation",
    "Product tour",
    "Getting started guide",
    "Billing overview",
    "On this page",
    "Was this page helpful",
    "Edit this page",
    "Next: Release notes",
    "Subscribe to our newsletter",
    "Copyright Acme",
    "We use cookies",
)
_LINKS = '<ul><li><a href="/a">Getting started guide</a></li><li><a href="/b">Billing overview</a></li></ul>'
_CODE: dict[str, str] = {
    "docusaurus": '<div class="language-bash codeBlockContainer"><div class="codeBlockContent"><pre tabindex="0" '
    'class="prism-code language-bash"><code>{code}</code></pre><div class="buttonGroup"><button>Copy</button></div>'
    "</div></div>",
    "mkdocs": '<div class="language-bash highlight"><pre><span></span><code>{code}</code></pre></div>',
    "sphinx": '<div class="highlight-bash notranslate"><div class="highlight"><pre><span></span>{code}</pre></div></div>',
    "confluence": '<div class="code panel"><div class="codeContent panelContent"><pre class="syntaxhighlighter-pre" '
    'data-syntaxhighlighter-params="brush: bash">{code}</pre></div></div>',
}


def _content(blocks: list[Block], form: str) -> str:
    return "\n".join(_block(block, form) for block in blocks)


def _block(block: Block, form: str) -> str:
    texts = [escape(text) for text in block.texts]
    if block.kind == "heading":
        anchor = {
            "sphinx": '<a class="headerlink" href="#x">¶</a>',
            "docusaurus": '<a class="hash-link" href="#x"></a>',
        }
        return f'<h2 id="x">{texts[0]}{anchor.get(form, "")}</h2>'
    if block.kind == "list":
        return f"<ul>{''.join(f'<li>{text}</li>' for text in texts)}</ul>"
    if block.kind == "code":
        return _CODE.get(form, "<pre><code>{code}</code></pre>").format(code="\n".join(texts) + "\n")
    if block.kind == "table":
        rows = [texts[start : start + block.columns] for start in range(0, len(texts), block.columns)]
        head = "".join(f"<th>{cell}</th>" for cell in rows[0])
        body = "".join(f"<tr>{''.join(f'<td>{cell}</td>' for cell in row)}</tr>" for row in rows[1:])
        return f"<table><thead><tr>{head}</tr></thead><tbody>{body}</tbody></table>"
    return f"<p>{texts[0]}</p>"


def docusaurus(title: str, blocks: list[Block]) -> str:
    return f"""<!doctype html><html><head><title>{title} | Acme Documentation</title></head><body>
<div role="region" aria-label="Skip to main content"><a href="#m">Skip to main content</a></div>
<nav class="navbar"><a href="/">Acme Documentation</a><a href="/tour">Product tour</a></nav><div id="__docusaurus">
<aside class="theme-doc-sidebar-container">{_LINKS}</aside><main><div class="container"><div class="row">
<div class="col docItemCol"><div class="docItemContainer"><article><nav class="theme-doc-breadcrumbs">
<a href="/">Getting started guide</a></nav><div class="tocCollapsible theme-doc-toc-mobile"><button>On this page</button>
</div><div class="theme-doc-markdown markdown"><header><h1>{title}</h1></header>{_content(blocks, "docusaurus")}</div>
<footer class="theme-doc-footer"><a href="/edit">Edit this page</a></footer></article><nav class="pagination-nav">
<a href="/n">Next: Release notes</a></nav></div></div><div class="col col--3"><div class="tableOfContents">On this page
</div></div></div></div></main></div><footer class="footer">Subscribe to our newsletter. Copyright Acme</footer>
<div class="cookie">We use cookies</div></body></html>"""


def mkdocs(title: str, blocks: list[Block]) -> str:
    return f"""<!doctype html><html><head><title>{title} - Acme Documentation</title></head><body>
<a href="#x" class="md-skip">Skip to main content</a><header class="md-header"><nav>Acme Documentation</nav></header>
<div class="md-container"><nav class="md-tabs"><a href="/tour">Product tour</a></nav><main class="md-main">
<div class="md-main__inner"><div class="md-sidebar md-sidebar--primary"><nav>{_LINKS}</nav></div>
<div class="md-sidebar md-sidebar--secondary"><nav class="md-nav"><label>On this page</label></nav></div>
<div class="md-content"><article class="md-content__inner md-typeset"><a class="md-content__button" href="/e">Edit this page</a>
<h1>{title}</h1>{_content(blocks, "mkdocs")}<form class="md-feedback"><p>Was this page helpful?</p></form></article></div>
</div></main><footer class="md-footer"><nav><a href="/n">Next: Release notes</a></nav>Copyright Acme</footer></div>
<div class="md-consent"><form>We use cookies</form></div></body></html>"""


def sphinx(title: str, blocks: list[Block]) -> str:
    return f"""<!doctype html><html><head><title>{title} &#8212; Acme Documentation</title></head><body class="wy-body">
<div class="wy-grid-for-nav"><nav class="wy-nav-side"><a href="/">Acme Documentation</a>{_LINKS}</nav>
<section class="wy-nav-content-wrap"><div class="wy-nav-content"><div class="rst-content"><div role="navigation">
<ul class="wy-breadcrumbs"><li><a href="/">Product tour</a></li><li class="wy-breadcrumbs-aside">
<a href="/e">Edit this page</a></li></ul></div><div role="main" class="document" itemscope="itemscope">
<div itemprop="articleBody"><section id="x"><h1>{title}<a class="headerlink" href="#x">¶</a></h1>
{_content(blocks, "sphinx")}</section></div></div><footer><div class="rst-footer-buttons" role="navigation">
<a href="/n">Next: Release notes</a></div><div role="contentinfo">Copyright Acme</div></footer></div></div></section></div>
</body></html>"""


def confluence(title: str, blocks: list[Block]) -> str:
    return f"""<html><head><title>{title} - Acme Documentation</title></head><body><div id="page"><div id="full-height-container">
<div id="header-precursor">Skip to main content</div><header id="header"><nav>Product tour</nav></header>
<div class="ia-splitter"><div class="ia-splitter-left"><div class="acs-side-bar">{_LINKS}</div></div><div id="main">
<div id="main-header"><ol id="breadcrumbs"><li>Acme Documentation</li></ol><h1 id="title-heading" class="pagetitle">
<span id="title-text">{title}</span></h1></div><div id="content" class="page view"><div class="page-metadata">Created by
A. Writer</div><div id="main-content" class="wiki-content">{_content(blocks, "confluence")}</div>
<div id="likes-and-labels-container">Was this page helpful?</div><div id="comments-section" class="pageSection">
<form>Edit this page</form></div></div></div></div><div id="footer" role="contentinfo">Copyright Acme</div></div></div>
</body></html>"""


def help_center(title: str, blocks: list[Block]) -> str:
    return f"""<!doctype html><html><head><title>{title} – Acme Documentation</title></head><body>
<a class="skip-navigation" href="#m">Skip to main content</a><header class="header">Acme Documentation</header>
<main role="main"><div class="container-divider"></div><div class="container"><div class="sub-nav"><nav aria-label="Location">
<ol class="breadcrumbs"><li>Getting started guide</li></ol></nav></div><div class="article-container">
<aside class="article-sidebar"><h3>Articles in this section</h3>{_LINKS}</aside><article class="article">
<header class="article-header"><h1 class="article-title">{title}</h1><div class="article-author">A. Writer, 2 months ago
</div></header><section class="article-info"><div class="article-content"><div class="article-body">
{_content(blocks, "help")}</div></div></section><footer><div class="article-votes"><span>Was this page helpful?</span></div>
</footer><div class="article-relatives"><h3>Related</h3><a href="/n">Next: Release notes</a></div></article></div></div>
</main><footer>Copyright Acme. We use cookies</footer></body></html>"""


def blog(title: str, blocks: list[Block]) -> str:
    return f"""<!doctype html><html><head><title>{title} – Acme Documentation</title></head><body class="single">
<div id="page"><a class="skip-link" href="#c">Skip to main content</a><header id="masthead">Acme Documentation
<nav>Product tour</nav></header><div id="content" class="site-content"><div id="primary"><main id="main">
<article class="post"><header class="entry-header"><h1 class="entry-title">{title}</h1><div class="entry-meta">30 March
</div></header><div class="entry-content">{_content(blocks, "blog")}</div><footer class="entry-footer">Filed under: ops
</footer></article><nav class="post-navigation"><a href="/n">Next: Release notes</a></nav><div id="comments">
Subscribe to our newsletter</div></main></div><aside id="secondary">{_LINKS}</aside></div><footer>Copyright Acme</footer>
</div></body></html>"""


def application(title: str, blocks: list[Block]) -> str:
    """A site whose generator knows no landmarks: generated class names on divs."""
    return f"""<!doctype html><html><head><title>{title} | Acme Documentation</title></head><body><div id="__next">
<div class="css-1a2b3c"><div class="css-9x8y7z"><a href="/">Acme Documentation</a><a href="/tour">Product tour</a></div>
<div class="css-layout"><div class="css-left">{_LINKS}</div><div class="css-page"><h1 class="css-title">{title}</h1>
<div class="css-text">{_content(blocks, "app")}</div><div class="css-vote">Was this page helpful?</div><div class="css-pager">
<a href="/n">Next: Release notes</a></div></div><div class="css-right"><div>On this page</div></div></div>
<div class="css-foot">Copyright Acme <a href="/s">Subscribe to our newsletter</a></div></div></div>
<div class="css-consent">We use cookies</div></body></html>"""


def old_table_layout(title: str, blocks: list[Block]) -> str:
    return f"""<html><head><title>{title}</title></head><body bgcolor="#ffffff"><table width="100%"><tr><td colspan="2">
<b>Acme Documentation</b> | <a href="/tour">Product tour</a></td></tr><tr><td width="160" valign="top">{_LINKS}</td>
<td valign="top"><h1>{title}</h1>{_content(blocks, "old")}</td></tr><tr><td colspan="2"><hr><small>Copyright Acme</small>
</td></tr></table></body></html>"""


FORMS: dict[str, Callable[[str, list[Block]], str]] = {
    "Docusaurus": docusaurus,
    "MkDocs Material": mkdocs,
    "Sphinx, Read the Docs": sphinx,
    "Confluence": confluence,
    "help center": help_center,
    "WordPress": blog,
    "no landmarks": application,
    "table layout": old_table_layout,
}
