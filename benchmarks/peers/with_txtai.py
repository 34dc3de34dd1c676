"""txtai as its documentation shows it: hybrid index with content. Runs in a virtual environment of its own.

txtai neither cuts articles nor knows what has changed: articles are cut into 130 words here, and a second ingest embeds
everything again.
"""

import sys

from protocol import Articles, ask_all, changed, measured
from txtai import Embeddings

WORDS = 130


def passages(articles: Articles) -> list[tuple[str, str]]:
    cut = []
    for article, text in articles.items():
        words = text.split()
        cut += [(f"{article}#{at}", " ".join(words[at : at + WORDS])) for at in range(0, len(words), WORDS)]
    return cut


def opened(store: str) -> Embeddings:
    embeddings = Embeddings()
    embeddings.load(store)
    return embeddings


def ingest(model: str, articles: Articles, store: str) -> int:
    embeddings = Embeddings(path=model, content=True, hybrid=True)
    cut = passages(articles)
    embeddings.index(cut)
    embeddings.save(store)
    return len(cut)


def again(model: str, articles: Articles, store: str) -> int:
    embeddings = opened(store)
    cut = passages(articles)
    embeddings.upsert(cut)
    embeddings.save(store)
    return len(cut)


def one(model: str, articles: Articles, store: str) -> int:
    embeddings = opened(store)
    article = changed(articles)
    rows = embeddings.search(f"select id from txtai where id like '{next(iter(article))}#%'", 10_000)
    embeddings.delete([row["id"] for row in rows])
    cut = passages(article)
    embeddings.upsert(cut)
    embeddings.save(store)
    return len(cut)


def ask(model: str, questions: list[str], store: str) -> list[float]:
    embeddings = opened(store)
    return ask_all(lambda question: embeddings.search(question, 8), questions)


if __name__ == "__main__":
    measured(sys.argv[1:], {"ingest": ingest, "again": again, "one": one, "ask": ask})
