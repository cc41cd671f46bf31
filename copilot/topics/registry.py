"""All topics, in the order in which a tie is decided."""

from __future__ import annotations

from copilot.topics.topic import Topic

TOPICS: tuple[Topic, ...] = ()
