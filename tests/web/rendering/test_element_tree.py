from __future__ import annotations

from web.rendering.element_tree import tree


def test_html_becomes_text_and_lists() -> None:
    assert tree('<p class="a">x &amp; <b>y</b><br>z</p>') == [
        ["p", {"class": "a"}, "x & ", ["b", {}, "y"], ["br", {}], "z"]
    ]


def test_an_attribute_without_a_value_is_kept() -> None:
    assert tree("<details open><summary>s</summary></details>") == [
        ["details", {"open": ""}, ["summary", {}, "s"]],
    ]


def test_space_between_blocks_is_left_out_but_not_between_words_or_in_code() -> None:
    assert tree("<ul>\n  <li><a>x</a> <a>y</a></li>\n</ul>\n") == [
        ["ul", {}, ["li", {}, ["a", {}, "x"], " ", ["a", {}, "y"]]],
    ]
    assert tree("<pre><code>\n  x\n\n</code></pre>") == [["pre", {}, ["code", {}, "\n  x\n\n"]]]


def test_what_was_escaped_stays_text() -> None:
    assert tree("<p>&lt;script&gt;alert(1)&lt;/script&gt;</p>") == [["p", {}, "<script>alert(1)</script>"]]
