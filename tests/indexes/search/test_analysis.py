"""Text to index terms: articles and questions meet at the same ones."""

from __future__ import annotations

import pytest

from indexes.search.analysis import informative_terms, terms


def test_words_are_folded_and_stemmed() -> None:
    assert terms("Rotating ROTATED rotates") == ["rotat", "rotat", "rotat"]


def test_stop_words_are_indexed_but_say_nothing_about_a_question() -> None:
    assert terms("the cache") == ["the", "cach"]
    assert informative_terms("What is the cache, and how do I use it?") == ["cach"]


@pytest.mark.parametrize("question", ["", "   ", "?!", "What is this about?", "🙂"])
def test_a_question_without_a_telling_word_has_no_terms(question: str) -> None:
    assert informative_terms(question) == []


def test_each_term_of_a_question_counts_once_in_order() -> None:
    assert informative_terms("Cache keys, cached key cache") == ["cach", "key"]


@pytest.mark.parametrize("name", ["C++", "C#", "F#", ".NET"])
def test_a_name_made_of_punctuation_is_one_term_whatever_its_case(name: str) -> None:
    assert informative_terms(f"Does it run on {name}?") == ["run", name.lower()]
    assert informative_terms(f"run {name.lower()} code") == ["run", name.lower(), "code"]
    assert name.lower() in terms(f"We build {name}, mostly.")


def test_a_camel_case_name_is_found_whole_and_by_its_parts() -> None:
    assert terms("maxLifetime") == ["maxlifetim", "max", "lifetim"]
    assert terms("HTTPServer") == ["httpserver", "http", "server"]
    assert set(informative_terms("max lifetime")) < set(terms("maxLifetime"))
    assert set(informative_terms("maxLifetime")) < set(terms("maxLifetime"))


def test_snake_case_and_dotted_names_are_found_by_their_parts() -> None:
    assert terms("idle_timeout 10.0.0.1 app.yaml") == ["idl", "timeout", "10", "0", "0", "1", "app", "yaml"]


@pytest.mark.parametrize("word", ["client's", "client’s", "clients"])
def test_an_apostrophe_changes_nothing(word: str) -> None:
    assert terms(word) == ["client"]


def test_letters_of_every_script_are_words() -> None:
    assert terms("Naïve Ключ 令牌") == ["naïv", "ключ", "令牌"]


def test_keys_and_hashes_are_no_words() -> None:
    assert terms("f" * 41 + " token") == ["token"]


@pytest.mark.parametrize("question", ['"NEAR(', "cache AND OR NOT *", "col:x ^ - (", "what's up", "node not ready?"])
def test_there_is_no_query_syntax_to_be_injected(question: str) -> None:
    assert all(term.isalnum() for term in informative_terms(question))
