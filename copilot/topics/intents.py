"""Documented names of the kinds of questions that the grammar answers."""

from __future__ import annotations

from copilot.grammar.frames import Frame


def intent_of(frame: Frame) -> str:
    """The documented name of the question's kind."""
    return "query"
