"""The filter grammar over rows that the console has in memory: the store's, so that a filter means the same in both."""

from __future__ import annotations

from store.filter_rows import passes, problem

__all__ = ["passes", "problem"]
