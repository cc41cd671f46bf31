"""All questions, in one list."""

from __future__ import annotations

from tests.copilot.evaluation import cases
from tests.copilot.evaluation.questions import (  # noqa: F401  (they add their cases when they are imported)
    acts,
    counts,
    facts,
    filters,
    finds,
    lists,
    lookups,
    maze_asked,
    outside,
    ranks,
    rooms_asked,
    scopes,
    talks,
    times,
    work_asked,
)

ALL = tuple(cases.CASES)
