"""The default catalogue and the demo portfolios, as data with sources."""

from tehai.catalog.figure import CatalogError
from tehai.catalog.load import load_catalog
from tehai.catalog.model import Catalog
from tehai.catalog.portfolio import DEMO_PROBLEM_NAMES, demo_problem
from tehai.catalog.summary import CatalogSummary, catalog_summary

__all__ = [
    "DEMO_PROBLEM_NAMES",
    "Catalog",
    "CatalogError",
    "CatalogSummary",
    "catalog_summary",
    "demo_problem",
    "load_catalog",
]
