"""A world's estate: its documents, listed at the times at which something changed."""

from __future__ import annotations

from datetime import datetime, timedelta
from pathlib import Path

from store.estate.estate import Estate
from store.estate.models import Listing
from store.estate.visibility import Visibility
from store.ids import uuid7
from store.types import registry
from tests.copilot.evaluation import documents
from tests.copilot.evaluation.world import World

SEEN_BY = Visibility("https://cloud.example", "watcher", "project:admin", ("admin",), True)


def fill(world: World, path: Path) -> Estate:
    """A new estate with the world's whole history; three minutes old. The caller closes it."""
    estate = Estate.open(path)
    for type in registry.ALL.values():
        if type.name in documents.MAKERS or type.name == "quota":
            for at in times(world, type.name):
                for cloud, regions in world.style.clouds:
                    for region in ("",) if type.listing.global_ else regions:
                        _list(estate, world, type.name, (cloud, region), at)
    estate.checkpoint()
    return estate


def times(world: World, type: str) -> list[datetime]:
    """When the type was listed: at first, whenever something changed, and just now."""
    versions = world.versions.get(type, ())
    moved = {v.since for v in versions} | {v.until for v in versions if v.until}
    return sorted({*moved, world.began, world.now - timedelta(minutes=3)})


def _list(estate: Estate, world: World, type: str, place: tuple[str, str], at: datetime) -> None:
    writer = estate.begin(Listing(uuid7(), place[0], place[1], type, "full", "all", SEEN_BY, at))
    builder = writer.builder()
    for row in _rows(world, type, place, at):
        builder.add(documents.document(type, row))
    writer.add(builder.take())
    outcome = writer.finish(ended_at=at + timedelta(seconds=20))
    if outcome.suspect or outcome.state != "ok":
        raise AssertionError(f"{type} of {place}: {outcome.state} {outcome.reason}")


def _rows(world: World, type: str, place: tuple[str, str], at: datetime) -> list[dict[str, object]]:
    if type == "quota":
        return [
            {"id": project, "items": [item for item in items if item["region"] == place[1]]}
            for (cloud, project), items in world.quotas.items()
            if cloud == place[0]
        ]
    return [row for row in world.rows(type, at) if (row["cloud"], row["region"]) == place]
