"""Of what was never read nothing is known; that there is none would be an invention."""

from __future__ import annotations

from dataclasses import replace

from copilot.answers import Answer
from copilot.execution.result import Result
from copilot.model.registry import entity
from copilot.sources import Sources


def known(answer: Answer, result: Result, sources: Sources) -> Answer:
    """The answer; an apology where it says that there is nothing and what it speaks of was never collected."""
    if result.total or answer.data_at is not None:
        return answer
    types = [name for name in result.types if entity(name).type is not None]
    never = [entity(name).plural for name in types if sources.data_at((name,)) is None]
    if not never:
        return answer
    text = (
        f"Nothing is known of that yet: {' and '.join(never)} were never collected. "
        "`qdeck clouds` lists the clouds that are watched, `qdeck collect` reads them now."
    )
    return replace(answer, outcome="apology", text=text, value=None, unit="", confidence=0.0, table=None, proposals=())
