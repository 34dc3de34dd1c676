"""Verifies that a statement rests on its quotations."""

from __future__ import annotations

from dataclasses import dataclass

from qa.writing.statements import Quote, Statement, quoting


@dataclass(frozen=True, slots=True)
class Support:
    """Whether the quotations of a statement support it; `reason` says why not, "" where they do."""

    supported: bool
    reason: str = ""


class QuotationVerifier:
    """Supports a statement that is its own quotation, word for word, from a place within the passage's article."""

    def supports(self, statement: Statement) -> Support:
        if len(statement.quotes) != 1:
            return Support(False, "it does not rest on exactly one quotation")
        (quote,) = statement.quotes
        if not _is_placed(quote):
            return Support(False, "its quotation is no place in the article")
        if statement != quoting(quote):
            return Support(False, "it differs from its quotation")
        return Support(True)


def _is_placed(quote: Quote) -> bool:
    return 0 <= quote.start < quote.end <= len(quote.passage.article.markdown)
