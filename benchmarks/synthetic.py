"""A seeded knowledge base of any size: articles with a realistic vocabulary, and vectors with cluster structure.

Words follow a Zipf-Mandelbrot law over 200,000 made-up words; each article prefers thirty words of its own. Vectors are
unit sums of a topic's centre, an article's offset and a chunk's own offset, drawn with a falling spectrum, because
sentence embeddings spread over few of their dimensions.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace
from functools import lru_cache

import numpy as np
import numpy.typing as npt

from indexes.types import Article, Chunk, FloatMatrix, Heading, IndexedArticle, Quotable, digest

DIMENSION = 384
CHUNKS_PER_ARTICLE = 20
WORDS_PER_CHUNK = 110
_VOCABULARY = 200_000
_OWN_WORDS = 30
_TEXTS = 5_000  # different ones
_STOP_WORDS = 150  # as many as `indexes.search.analysis` leaves out of a question
_SYLLABLES = [c + v for c in "b d f g k l m n p r s t v z ch st tr".split() for v in ("a", "e", "i", "o", "u")]


class SyntheticBase:
    """`chunks` chunks in articles of twenty. Every part of it can be made again from the seed."""

    def __init__(self, chunks: int, seed: int = 7) -> None:
        self.chunks = chunks
        self.articles = max(1, chunks // CHUNKS_PER_ARTICLE)
        self._seed = seed
        random = np.random.default_rng(seed)
        self._words = _made_up_words(_VOCABULARY, random)
        ranks = np.arange(1, _VOCABULARY + 1)
        weights = 1 / (ranks + 2.7) ** 1.05
        self._cumulated = np.cumsum(weights / weights.sum())
        self._spectrum = (np.arange(1, DIMENSION + 1) ** -0.4).astype(np.float32)
        self._topics = self._drawn(random, max(8, int(np.sqrt(self.articles))))

    def vectors(self) -> FloatMatrix:
        """Shape (chunks, DIMENSION), float32, unit rows, in the order of the articles' chunks."""
        blocks = [self.vectors_of(start, min(start + 500, self.articles)) for start in range(0, self.articles, 500)]
        return np.concatenate(blocks)

    def vectors_of(self, first: int, end: int) -> FloatMatrix:
        """The vectors of the articles from `first` up to `end`; blocks that start at the same article are equal."""
        random = np.random.default_rng((self._seed, 1, first))
        topics = self._topics[random.integers(0, len(self._topics), end - first)]
        articles = topics + 0.8 * self._drawn(random, end - first)
        rows = np.repeat(articles, CHUNKS_PER_ARTICLE, axis=0)
        return _unit(rows + self._drawn(random, len(rows)))

    def question_vectors(self, count: int) -> FloatMatrix:
        """Questions: each near one chunk, with a cosine of about 0.7 to it."""
        random = np.random.default_rng((self._seed, 2))
        starts = random.integers(0, max(1, self.articles // 500), count) * 500
        near = [self.vectors_of(int(s), int(min(s + 500, self.articles))) for s in np.unique(starts)]
        rows = np.concatenate(near)
        return _unit(rows[random.integers(0, len(rows), count)] + 1.0 * _unit(self._drawn(random, count)))

    def article(self, number: int, edition: int = 0) -> IndexedArticle:
        """One article; another `edition` of it has other words. The texts recur after 5,000 articles.

        One article in a hundred is not for everyone.
        """
        text = self._text(number % _TEXTS, edition)
        id = f"a{number:06d}"
        audience = ("insiders",) if number % 100 == 7 else ()
        article = replace(text.article, id=id, tags=self._tags(number), audience=audience)
        chunks = tuple(replace(chunk, article_id=id) for chunk in text.chunks)
        return replace(text, article=article, chunks=chunks)

    @lru_cache(maxsize=_TEXTS)  # noqa: B019 - a base lives as long as its process
    def _text(self, number: int, edition: int) -> IndexedArticle:
        random = np.random.default_rng((self._seed, 3, number, edition))
        own = np.searchsorted(self._cumulated, random.random(_OWN_WORDS)) % _VOCABULARY
        drawn = np.searchsorted(self._cumulated, random.random((CHUNKS_PER_ARTICLE, WORDS_PER_CHUNK))) % _VOCABULARY
        preferred = random.random(drawn.shape) < 0.2
        drawn[preferred] = own[random.integers(0, _OWN_WORDS, int(preferred.sum()))]
        title = " ".join(self._words[own[:4]]).capitalize()
        return _laid_out(title, [self._words[row] for row in drawn])

    def articles_of(self, first: int, end: int) -> Iterator[IndexedArticle]:
        return (self.article(number) for number in range(first, end))

    def question(self, number: int, words: int = 12) -> str:
        """`words` words of one chunk, rare and common as they come there, but for the commonest of the language."""
        random = np.random.default_rng((self._seed, 4, number))
        entry = self.article(int(random.integers(0, self.articles)))
        chunk = entry.chunks[int(random.integers(0, CHUNKS_PER_ARTICLE))]
        text = set(entry.article.markdown[chunk.start : chunk.end].replace(".", "").lower().split())
        return " ".join(random.choice(sorted(text.difference(self._words[:_STOP_WORDS])), words, replace=False))

    @staticmethod
    def _tags(number: int) -> tuple[str, ...]:
        """Every article carries one of ten tags, one in a hundred the tag `rare`."""
        return (f"area-{number % 10}", *(("rare",) if number % 100 == 0 else ()))

    def _drawn(self, random: np.random.Generator, count: int) -> FloatMatrix:
        rows = random.standard_normal((count, DIMENSION), dtype=np.float32) * self._spectrum
        return np.asarray(rows / np.linalg.norm(self._spectrum), dtype=np.float32)


def _laid_out(title: str, paragraphs: list[npt.NDArray[np.str_]]) -> IndexedArticle:
    """Each paragraph is a chunk under its own heading, in sentences of eleven words."""
    text, chunks, headings = "", [], []
    for place, words in enumerate(paragraphs):
        heading = f"Part {place + 1} {words[0]}"
        headings.append(Heading(2, heading, f"part-{place + 1}", len(text)))
        text += f"## {heading}\n\n"
        start, quotables = len(text), []
        for first in range(0, len(words), 11):
            sentence = " ".join(words[first : first + 11]).capitalize() + "."
            quotables.append(Quotable("sentence", len(text), len(text) + len(sentence)))
            text += sentence + (" " if first + 11 < len(words) else "")
        chunks.append(Chunk("", start, len(text), (heading,), f"{title} › {heading}", tuple(quotables)))
        text += "\n\n"
    article = Article("", title, "", (), False, 0, None, "Article", "Synthetic", None, text)
    return IndexedArticle(article, tuple(headings), tuple(chunks), digest(text))


def _made_up_words(count: int, random: np.random.Generator) -> npt.NDArray[np.str_]:
    """Distinct words of two to five syllables, short ones first, as in a language."""
    syllables = np.array(_SYLLABLES)
    made: dict[str, None] = {}
    length = 2
    while len(made) < count:
        fill = min(count, len(made) + len(syllables) ** length // 3)
        while len(made) < fill:
            made.update(dict.fromkeys("".join(row) for row in random.choice(syllables, (10_000, length))))
        length = min(length + 1, 5)
    return np.array(list(made)[:count])


def _unit(rows: FloatMatrix) -> FloatMatrix:
    return np.asarray(rows / np.linalg.norm(rows, axis=1, keepdims=True), dtype=np.float32)
