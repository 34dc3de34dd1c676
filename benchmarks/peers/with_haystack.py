"""Haystack as its documentation shows it: in-memory store, BM25 and embeddings joined by reciprocal rank fusion.

Runs in a virtual environment of its own. Haystack does not know what has changed: a second ingest embeds everything
anew.
"""

import sys

from haystack import Document, Pipeline
from haystack.components.joiners import DocumentJoiner
from haystack.components.preprocessors import DocumentSplitter
from haystack.components.retrievers.in_memory import InMemoryBM25Retriever, InMemoryEmbeddingRetriever
from haystack.components.writers import DocumentWriter
from haystack.document_stores.in_memory import InMemoryDocumentStore
from haystack.document_stores.types import DuplicatePolicy
from haystack.utils import ComponentDevice
from haystack_integrations.components.embedders.sentence_transformers import (
    SentenceTransformersDocumentEmbedder,
    SentenceTransformersTextEmbedder,
)
from protocol import Articles, ask_all, changed, measured

CPU = ComponentDevice.from_str("cpu")


def write(model: str, articles: Articles, documents: InMemoryDocumentStore) -> int:
    pipeline = Pipeline()
    pipeline.add_component("split", DocumentSplitter(split_by="word", split_length=130, split_overlap=0))
    pipeline.add_component("embed", SentenceTransformersDocumentEmbedder(model=model, device=CPU, progress_bar=False))
    pipeline.add_component("write", DocumentWriter(document_store=documents, policy=DuplicatePolicy.OVERWRITE))
    pipeline.connect("split", "embed")
    pipeline.connect("embed", "write")
    whole = [Document(id=article, content=text, meta={"article": article}) for article, text in articles.items()]
    return int(pipeline.run({"split": {"documents": whole}})["write"]["documents_written"])


def ingest(model: str, articles: Articles, store: str) -> int:
    documents = InMemoryDocumentStore(embedding_similarity_function="cosine")
    written = write(model, articles, documents)
    documents.save_to_disk(store)
    return written


def again(model: str, articles: Articles, store: str) -> int:
    documents = InMemoryDocumentStore.load_from_disk(store)
    written = write(model, articles, documents)
    documents.save_to_disk(store)
    return written


def one(model: str, articles: Articles, store: str) -> int:
    documents = InMemoryDocumentStore.load_from_disk(store)
    article = changed(articles)
    named = {"field": "meta.article", "operator": "==", "value": next(iter(article))}
    documents.delete_documents([document.id for document in documents.filter_documents(named)])
    written = write(model, article, documents)
    documents.save_to_disk(store)
    return written


def ask(model: str, questions: list[str], store: str) -> list[float]:
    documents = InMemoryDocumentStore.load_from_disk(store)
    pipeline = Pipeline()
    pipeline.add_component("embed", SentenceTransformersTextEmbedder(model=model, device=CPU, progress_bar=False))
    pipeline.add_component("vectors", InMemoryEmbeddingRetriever(documents, top_k=50))
    pipeline.add_component("keywords", InMemoryBM25Retriever(documents, top_k=50))
    pipeline.add_component("join", DocumentJoiner(join_mode="reciprocal_rank_fusion", top_k=8))
    pipeline.connect("embed.embedding", "vectors.query_embedding")
    pipeline.connect("vectors", "join")
    pipeline.connect("keywords", "join")
    return ask_all(lambda q: pipeline.run({"embed": {"text": q}, "keywords": {"query": q}}), questions)


if __name__ == "__main__":
    measured(sys.argv[1:], {"ingest": ingest, "again": again, "one": one, "ask": ask})
