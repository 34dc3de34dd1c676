"""LlamaIndex as its documentation shows it: vector index over nodes, refreshed by document hash.

Runs in a virtual environment of its own. Vectors alone: its keyword retriever is another package.
"""

import sys

from llama_index.core import Document, Settings, StorageContext, VectorStoreIndex, load_index_from_storage
from llama_index.core.llms import MockLLM
from llama_index.core.node_parser import SentenceSplitter
from llama_index.embeddings.huggingface import HuggingFaceEmbedding
from protocol import Articles, ask_all, changed, measured


def prepare(model: str) -> None:
    Settings.embed_model = HuggingFaceEmbedding(model_name=model, device="cpu")
    Settings.llm = MockLLM()
    Settings.transformations = [SentenceSplitter(chunk_size=185, chunk_overlap=0)]


def documents(articles: Articles) -> list[Document]:
    return [Document(id_=article, text=text) for article, text in articles.items()]


def opened(store: str) -> VectorStoreIndex:
    index = load_index_from_storage(StorageContext.from_defaults(persist_dir=store))
    assert isinstance(index, VectorStoreIndex)
    return index


def ingest(model: str, articles: Articles, store: str) -> int:
    prepare(model)
    index = VectorStoreIndex.from_documents(documents(articles))
    index.storage_context.persist(store)
    return len(index.index_struct.nodes_dict)


def again(model: str, articles: Articles, store: str) -> int:
    prepare(model)
    index = opened(store)
    refreshed = index.refresh_ref_docs(documents(articles))
    index.storage_context.persist(store)
    return sum(refreshed)


def one(model: str, articles: Articles, store: str) -> int:
    return again(model, changed(articles), store)


def ask(model: str, questions: list[str], store: str) -> list[float]:
    prepare(model)
    retriever = opened(store).as_retriever(similarity_top_k=8)
    return ask_all(retriever.retrieve, questions)


if __name__ == "__main__":
    measured(sys.argv[1:], {"ingest": ingest, "again": again, "one": one, "ask": ask})
