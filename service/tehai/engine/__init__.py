"""The only door to the Rust engine: a problem as arrays, pricing passes, dual ascent and search."""

from tehai.engine.instance import EngineInstance, build_instance, limit_threads
from tehai.engine.search import Search

__all__ = ["EngineInstance", "Search", "build_instance", "limit_threads"]
