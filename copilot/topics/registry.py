"""All topics, in the order in which a tie is decided."""

from __future__ import annotations

from copilot.topics import (
    acting,
    capacity,
    capacity_fit,
    changing,
    compliance,
    declining,
    drift,
    finding,
    freshness,
    health,
    help,
    overview,
    owning,
    people,
    problems,
    protecting,
    quota,
    snapshots,
    usage,
    work,
)
from copilot.topics.topic import Topic

TOPICS: tuple[Topic, ...] = (
    acting.TOPIC,
    finding.TOPIC,
    owning.TOPIC,
    protecting.TOPIC,
    changing.TOPIC,
    people.TOPIC,
    quota.TOPIC,
    usage.TOPIC,
    capacity.TOPIC,
    capacity_fit.TOPIC,
    overview.TOPIC,
    health.TOPIC,
    drift.TOPIC,
    problems.TOPIC,
    compliance.TOPIC,
    work.TOPIC,
    freshness.TOPIC,
    help.TOPIC,
    declining.TOPIC,
    snapshots.TOPIC,
)
