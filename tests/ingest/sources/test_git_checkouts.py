"""A Git checkout as a source: what its ignore rules leave out is not read."""

from __future__ import annotations

from pathlib import Path

import pytest

from ingest.sources.folders import read_source
from ingest.sources.items import Ignored, SourceItem
from tests.conftest import write_articles

GOOD = "# Good\n\nThis one is fine."


@pytest.fixture
def checkout(tmp_path: Path) -> Path:
    names = ("readme", "build/page", "docs/a", "docs/draft", "docs/keep-draft", "docs/out/b", "local", "vendor/.git/x")
    write_articles(tmp_path, dict.fromkeys(names, GOOD))
    (tmp_path / ".git" / "info").mkdir(parents=True)
    (tmp_path / ".git" / "info" / "exclude").write_text("local.md\n")
    (tmp_path / ".gitignore").write_text("build/\n*draft.md\n# a comment\n!\n")
    (tmp_path / "docs" / ".gitignore").write_text("/out/\n!keep-draft.md\n")
    return tmp_path


def ids(source: Path) -> list[str]:
    return [item.id for item in read_source(source, Ignored()) if isinstance(item, SourceItem)]


def test_ignored_files_and_folders_are_left_out_and_the_nearest_rule_wins(checkout: Path) -> None:
    assert ids(checkout) == ["readme", "docs/a", "docs/keep-draft"]


def test_the_rules_above_a_part_of_a_checkout_count_too(checkout: Path) -> None:
    assert ids(checkout / "docs") == ["a", "keep-draft"]


@pytest.mark.parametrize(
    ("folder", "found"), [("build", ["page", "deep/draft"]), ("docs/out", ["b"]), ("build/deep", ["draft"])]
)
def test_a_folder_that_is_left_out_is_read_where_it_is_named_itself(
    checkout: Path, folder: str, found: list[str]
) -> None:
    write_articles(checkout, {"build/deep/draft": GOOD, "build/deep/own": GOOD})
    (checkout / "build" / "deep" / ".gitignore").write_text("own.md\n")
    assert ids(checkout / folder) == found


def test_outside_a_checkout_no_rule_counts(checkout: Path) -> None:
    (checkout / ".git").rename(checkout / "not-git")
    assert "build/page" in ids(checkout)


def test_a_source_named_by_a_link_or_a_relative_path_obeys_the_same_rules(
    checkout: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (checkout.parent / "link").symlink_to(checkout)
    monkeypatch.chdir(checkout)
    assert ids(Path(".")) == ids(checkout.parent / "link") == ids(checkout)


@pytest.mark.parametrize(
    ("remote", "address"),
    [
        ("https://github.com/acme/handbook.git", "https://github.com/acme/handbook/blob/main/docs/a.md"),
        ("https://me:secret@github.com/acme/handbook", "https://github.com/acme/handbook/blob/main/docs/a.md"),
        ("git@gitlab.com:acme/team/handbook.git", "https://gitlab.com/acme/team/handbook/-/blob/main/docs/a.md"),
        ("https://github.com.evil.example/acme/handbook.git", None),
        ("/srv/git/handbook.git", None),
    ],
)
def test_an_article_links_to_its_file_where_the_remote_shows_files(
    checkout: Path, remote: str, address: str | None
) -> None:
    config = f'[core]\n\tbare = false\n[remote "origin"]\n\tfetch = +refs/*\n\turl = {remote}\n[branch "main"]\n'
    (checkout / ".git" / "config").write_text(config)
    (checkout / ".git" / "HEAD").write_text("ref: refs/heads/main\n")
    (item, *_) = [item for item in read_source(checkout / "docs", Ignored()) if isinstance(item, SourceItem)]
    assert item.parse().source_url == address


def test_a_checkout_on_no_branch_links_nowhere(checkout: Path) -> None:
    (checkout / ".git" / "config").write_text('[remote "origin"]\n\turl = https://github.com/acme/handbook.git\n')
    (checkout / ".git" / "HEAD").write_text("0123456789abcdef0123456789abcdef01234567\n")
    (item, *_) = [item for item in read_source(checkout, Ignored()) if isinstance(item, SourceItem)]
    assert item.parse().source_url is None


def test_a_rule_that_would_take_hours_to_match_is_passed_over(checkout: Path) -> None:
    write_articles(checkout, {"a" * 200: GOOD})
    (checkout / ".gitignore").write_text("*a*a*a*a*a*a*a*a*a*b\nbuild/\n")
    found = ids(checkout)
    assert "a" * 200 in found
    assert "build/page" not in found
