"""Folders, files and exports: what is found, what is skipped and why; one bad file never stops the rest."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from pathlib import Path

import pytest

from indexes.types import Category
from ingest.errors import SourceMissing
from ingest.formats.parsing import LARGEST
from ingest.sources.folders import read_source
from ingest.sources.items import Ignored, Skipped, SourceEntry, SourceItem
from tests.conftest import TINY, write_articles

GOOD = "# Good\n\nThis one is fine."


def read(source: Path) -> list[SourceEntry]:
    return list(read_source(source, Ignored()))


def ids(found: list[SourceEntry]) -> list[str]:
    return [item.id for item in found if isinstance(item, SourceItem)]


def reasons(found: list[SourceEntry]) -> dict[str, str]:
    return {item.origin: item.reason for item in found if isinstance(item, Skipped)}


def test_a_folder_gives_its_articles_in_a_stable_order_with_their_paths_as_ids(tmp_path: Path) -> None:
    write_articles(tmp_path, TINY)
    found = read(tmp_path)
    assert ids(found) == ["caching", "logging", "retries", "tokens", "guides/deploying"]
    assert ids(read(tmp_path)) == ids(found)
    assert [item.origin for item in found][:1] == [str(tmp_path / "caching.md")]


def test_markdown_html_and_jsonl_are_read_whatever_the_case_of_their_ending(tmp_path: Path) -> None:
    (tmp_path / "a.MD").write_text(GOOD)
    (tmp_path / "b.markdown").write_text(GOOD)
    (tmp_path / "c.Html").write_text("<p>Good.</p>")
    (tmp_path / "d.htm").write_text("<p>Good.</p>")
    (tmp_path / "e.jsonl").write_text('{"id": "record", "text": "Good."}\n')
    assert ids(read(tmp_path)) == ["a", "b", "c", "d", "record"]


def test_files_of_other_kinds_are_counted_by_their_ending(tmp_path: Path) -> None:
    for name in ("a.png", "b.PNG", "c.txt", "Makefile", "category.yaml"):
        (tmp_path / name).write_text("name: KB")
    ignored = Ignored()
    assert list(read_source(tmp_path, ignored)) == []
    assert ignored.counts == {".png": 2, ".txt": 1, "Makefile": 1}


def test_hidden_folders_and_those_of_tools_are_left_alone(tmp_path: Path) -> None:
    write_articles(tmp_path, {"good": GOOD, ".git/bad": GOOD, "node_modules/x/bad": GOOD})
    assert ids(read(tmp_path)) == ["good"]


def test_an_index_inside_a_source_is_no_part_of_it(tmp_path: Path) -> None:
    write_articles(tmp_path, {"good": GOOD, "var/index/CURRENT": "", "var/index/lock": "", "var/index/bad": GOOD})
    for name in ("CURRENT", "lock"):
        (tmp_path / "var" / "index" / f"{name}.md").rename(tmp_path / "var" / "index" / name)
    assert ids(read(tmp_path)) == ["good"]


def test_what_cannot_be_read_is_skipped_with_its_reason_and_the_rest_is_read(tmp_path: Path) -> None:
    folder = tmp_path / "kb"
    write_articles(folder, {"a-good": GOOD, "z-good": GOOD})
    (folder / "link.md").symlink_to("/etc/hostname")
    (folder / "dangling.md").symlink_to("nowhere.md")
    os.mkfifo(folder / "pipe.md")
    (folder / "folder.md").mkdir()
    with (folder / "huge.md").open("wb") as huge:
        huge.truncate(LARGEST + 1)
    found = read(folder)
    assert ids(found) == ["a-good", "z-good"]
    assert reasons(found) == {
        str(folder / "dangling.md"): "a symbolic link: name its target as a source instead",
        str(folder / "huge.md"): "larger than 8 MB: split it",
        str(folder / "link.md"): "a symbolic link: name its target as a source instead",
        str(folder / "pipe.md"): "not a regular file",
    }


def test_a_skipped_file_keeps_its_id_so_that_its_last_version_can_stay(tmp_path: Path) -> None:
    write_articles(tmp_path, {"guides/deploying": GOOD})
    (tmp_path / "guides" / "pipe.md").symlink_to("deploying.md")
    (skipped,) = [item for item in read(tmp_path) if isinstance(item, Skipped)]
    assert skipped.id == "guides/pipe"


def test_a_file_name_that_is_not_utf_8_is_skipped(tmp_path: Path) -> None:
    write_articles(tmp_path, {"good": GOOD})
    Path(os.fsdecode(os.fsencode(tmp_path) + b"/caf\xe9.md")).write_text(GOOD)
    found = read(tmp_path)
    assert ids(found) == ["good"]
    assert list(reasons(found).values()) == ["its name is not UTF-8: rename it"]


def test_a_link_to_a_folder_is_skipped_with_its_reason(tmp_path: Path) -> None:
    write_articles(tmp_path, {"kb/good": GOOD, "elsewhere/secret": GOOD})
    (tmp_path / "kb" / "link").symlink_to(tmp_path / "elsewhere")
    found = read(tmp_path / "kb")
    assert ids(found) == ["good"]
    assert "symbolic link" in reasons(found).get(str(tmp_path / "kb" / "link"), "not reported")


def test_a_single_file_is_a_source(tmp_path: Path) -> None:
    write_articles(tmp_path, TINY)
    assert ids(read(tmp_path / "guides" / "deploying.md")) == ["deploying"]


@pytest.mark.parametrize("name", ["missing", "missing.md"])
def test_a_source_that_is_not_there_is_named(tmp_path: Path, name: str) -> None:
    with pytest.raises(SourceMissing, match=f"no file or folder .*{name}"):
        read(tmp_path / name)


def test_a_host_without_its_scheme_is_told_how_a_website_is_named() -> None:
    with pytest.raises(SourceMissing, match="For a website, write https:// before it"):
        read(Path("docs.example.com/guide"))


def test_a_file_of_another_kind_is_no_source(tmp_path: Path) -> None:
    (tmp_path / "notes.txt").write_text(GOOD)
    with pytest.raises(SourceMissing, match=r"neither a folder nor a file that ends in \.docx"):
        read(tmp_path / "notes.txt")


# --- exports


def test_bad_lines_of_an_export_are_skipped_with_their_number(tmp_path: Path) -> None:
    lines = ['{"id": "one", "text": "Good."}', "{broken", "", '{"text": "No id."}', '{"id": "two", "text": "Good."}']
    export = tmp_path / "kb.jsonl"
    export.write_text("\n".join(lines))
    found = read(export)
    assert ids(found) == ["one", "two"]
    assert [origin.rsplit(":", 1)[1] for origin in reasons(found)] == ["2", "4"]
    assert [reason.split(" (")[0] for reason in reasons(found).values()] == [
        "not a JSON object",
        'the record has no "id": add one',
    ]


def test_a_line_of_an_export_that_is_not_utf_8_or_too_long_is_skipped(tmp_path: Path) -> None:
    export = tmp_path / "kb.jsonl"
    long = b'{"id": "long", "text": "' + b"x" * LARGEST + b'"}'
    export.write_bytes(b'{"id": "caf\xe9", "text": "x"}\n' + long + b'\n{"id": "two", "text": "Good."}\n')
    found = read(export)
    assert ids(found) == ["two"]
    assert [reason.split(" (")[0] for reason in reasons(found).values()] == ["not UTF-8", "larger than 8 MB: split it"]


def test_an_export_in_a_folder_that_is_a_link_is_skipped(tmp_path: Path) -> None:
    (tmp_path / "secret.jsonl").write_text('{"id": "secret", "text": "Not in this folder."}')
    write_articles(tmp_path / "kb", {"good": GOOD})
    (tmp_path / "kb" / "link.jsonl").symlink_to(tmp_path / "secret.jsonl")
    (tmp_path / "kb" / "dangling.jsonl").symlink_to("nowhere.jsonl")
    found = read(tmp_path / "kb")
    assert ids(found) == ["good"]
    assert [reason.split(":")[0] for reason in reasons(found).values()] == ["a symbolic link"] * 2


def test_an_export_that_is_a_pipe_is_skipped(tmp_path: Path) -> None:
    write_articles(tmp_path, {"good": GOOD})
    os.mkfifo(tmp_path / "pipe.jsonl")
    script = (
        "import sys, pathlib; from ingest.sources.folders import *;"
        "print([getattr(f, 'reason', f.id) for f in read_source(pathlib.Path(sys.argv[1]), Ignored())])"
    )
    command = [sys.executable, "-c", script, str(tmp_path)]
    finished = subprocess.run(command, capture_output=True, text=True, timeout=15, check=True)  # a pipe never ends
    assert finished.stdout.strip() == "['good', 'not a regular file']"


# --- categories


def test_the_nearest_category_file_names_the_category(tmp_path: Path) -> None:
    write_articles(tmp_path, {"top": GOOD, "guides/a": GOOD, "guides/deep/b": GOOD})
    (tmp_path / "category.yaml").write_text("name: Engineering\ndescription: All of it.\n")
    (tmp_path / "guides" / "category.yaml").write_text(
        "name: Guides\nmain_site:\n  label: Main site\n  url: https://example.com\n"
    )
    guides = Category("Guides", "", "Main site", "https://example.com")
    assert {item.id: item.category for item in read(tmp_path) if isinstance(item, SourceItem)} == {
        "top": Category("Engineering", "All of it."),
        "guides/a": guides,
        "guides/deep/b": guides,
    }


def test_without_a_category_file_the_folder_names_the_category(tmp_path: Path) -> None:
    write_articles(tmp_path / "handbook", {"guides/a": GOOD})
    (item,) = read(tmp_path / "handbook")
    assert isinstance(item, SourceItem)
    assert item.category == Category("handbook")


def test_an_export_in_a_subfolder_has_the_category_of_its_folder(tmp_path: Path) -> None:
    write_articles(tmp_path, {"exports/a": GOOD})
    (tmp_path / "category.yaml").write_text("name: Engineering\n")
    (tmp_path / "exports" / "kb.jsonl").write_text('{"id": "b", "text": "Good."}')
    assert [item.category.name for item in read(tmp_path) if isinstance(item, SourceItem)] == ["Engineering"] * 2


BOMB = "a: &a [x, x, x, x, x, x, x, x]\n" + "".join(
    f"{name}: &{name} [{', '.join([f'*{before}'] * 8)}]\n" for before, name in zip("abcdefgh", "bcdefghi", strict=True)
)


BROKEN = {
    "no name": "description: All of it.\n",
    "never closed": "name: [Engineering\n",
    "a list": "- Engineering\n",
    "empty": "",
    "lone surrogate": 'name: "\\ud800"\n',
    "deep": "[" * 9_999,
    "large": "name: Engineering\n# " + "x" * 70_000,
}


@pytest.mark.parametrize("text", BROKEN.values(), ids=BROKEN.keys())
def test_a_broken_category_file_is_reported_and_its_articles_are_read(tmp_path: Path, text: str) -> None:
    write_articles(tmp_path, {"good": GOOD})
    (tmp_path / "category.yaml").write_text(text)
    (tmp_path / "kb.jsonl").write_text('{"id": "record", "text": "Good."}')
    found = read(tmp_path)
    assert ids(found) == ["good", "record"]
    assert list(reasons(found)) == [str(tmp_path / "category.yaml")]


def test_a_category_file_with_aliases_is_reported(tmp_path: Path) -> None:
    write_articles(tmp_path, {"good": GOOD})
    (tmp_path / "category.yaml").write_text(BOMB.replace("i: &i", "name: &i"))
    script = (
        "import sys, pathlib, resource; resource.setrlimit(resource.RLIMIT_AS, (2 << 30, 2 << 30));"
        "from ingest.sources.folders import *;"
        "print([getattr(f, 'reason', f.id)[:32] for f in read_source(pathlib.Path(sys.argv[1]), Ignored())])"
    )
    command = [sys.executable, "-c", script, str(tmp_path)]
    finished = subprocess.run(command, capture_output=True, text=True, timeout=15, check=True)
    assert finished.stdout.strip() == "['the category cannot be read (ali', 'good']"


def test_a_broken_category_file_is_reported_once(tmp_path: Path) -> None:
    write_articles(tmp_path, {"good": GOOD, "guides/also-good": GOOD})
    (tmp_path / "category.yaml").write_text("description: no name\n")
    found = read(tmp_path)
    assert ids(found) == ["good", "guides/also-good"]
    assert [item.origin for item in found if isinstance(item, Skipped)] == [str(tmp_path / "category.yaml")]


# --- fingerprints


def test_the_fingerprint_changes_with_the_bytes_and_with_the_category(tmp_path: Path) -> None:
    def fingerprint() -> str:
        (item,) = read(tmp_path)
        assert isinstance(item, SourceItem)
        return item.fingerprint

    write_articles(tmp_path, {"a": GOOD})
    seen = [fingerprint(), fingerprint()]
    write_articles(tmp_path, {"a": GOOD + " More."})
    seen.append(fingerprint())
    (tmp_path / "category.yaml").write_text("name: Other\n")
    seen.append(fingerprint())
    assert seen[0] == seen[1]
    assert len(set(seen)) == 3


def test_the_fingerprint_of_a_record_does_not_change_with_its_line(tmp_path: Path) -> None:
    record, other = json.dumps({"id": "a", "text": "Good."}), json.dumps({"id": "b", "text": "Good."})
    export = tmp_path / "kb.jsonl"
    export.write_text(f"{record}\n{other}\n")
    before = {item.id: item.fingerprint for item in read(export) if isinstance(item, SourceItem)}
    export.write_text(f"{other}\n{record}\n")
    assert {item.id: item.fingerprint for item in read(export) if isinstance(item, SourceItem)} == before
