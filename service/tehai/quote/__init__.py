"""Quotes: what workloads would cost at the prices of a plan, without a solve; docs/quotes.md says what they mean."""

from tehai.engine.quote_book import (
    EVALUATIONS_OF_A_MILLISECOND,
    NO_LIMIT,
    DamagedQuoteBookError,
    QuoteBook,
    QuoteRefusedError,
    plan_of_request,
)
from tehai.quote.tables import build_quote_book

__all__ = [
    "EVALUATIONS_OF_A_MILLISECOND",
    "NO_LIMIT",
    "DamagedQuoteBookError",
    "QuoteBook",
    "QuoteRefusedError",
    "build_quote_book",
    "plan_of_request",
]
