"""Lists that are kept over questions: never for somebody else, never when something moved."""

from collections.abc import Iterator
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest

from engine.access.models import Caller
from engine.copilot import lists
from engine.copilot.shelf import SECONDS, Shelf
from engine.inventory.reads import scope_of
from store import times
from tests.engine.api.furniture import ADMIN
from tests.engine.copilot.house import LABS, House
from tests.engine.inventory.reading import DOCUMENTS, take_in

KEPT = ("drift_event", "compliance", "tenant_health")


@pytest.fixture
def filled(tmp_path: Path) -> Iterator[House]:
    made = House(tmp_path)
    yield made
    made.close()


class Asked:
    """A shelf, with how often a list was read for it."""

    def __init__(self, house: House, monkeypatch: pytest.MonkeyPatch) -> None:
        self.rooms, self.now, self.times = house.parts.copilot.rooms, 0.0, 0
        self.shelf = Shelf(lambda: self.now)
        real = lists.rows

        def rows(*given: Any) -> lists.Listed:
            self.times += 1
            return real(*given)

        monkeypatch.setattr(lists, "rows", rows)

    def rows(self, entity: str, caller: Caller = ADMIN, *clouds: str) -> int:
        return len(self.shelf.rows(self.rooms, entity, caller, scope_of(caller, clouds)))


@pytest.mark.parametrize("entity", KEPT)
def test_it_is_read_once_for_each_who_sees_alike(full: House, monkeypatch: pytest.MonkeyPatch, entity: str) -> None:
    asked = Asked(full, monkeypatch)
    number = asked.rows(entity)
    assert asked.rows(entity) == asked.rows(entity, Caller("another", 5, role=ADMIN.role)) == number
    assert asked.times == 1
    assert asked.rows(entity, LABS) < number and asked.rows(entity, ADMIN, "elsewhere") == 0
    asked.rows(entity, Caller("labs-2", 6, role=LABS.role, projects=LABS.projects))
    assert asked.times == 4
    asked.now = SECONDS
    asked.rows(entity)
    assert asked.times == 5


def test_what_is_cheap_is_read_each_time(full: House, monkeypatch: pytest.MonkeyPatch) -> None:
    asked = Asked(full, monkeypatch)
    assert asked.rows("note") == asked.rows("note") and asked.times == 2


def test_what_moved_is_read_again(filled: House, monkeypatch: pytest.MonkeyPatch) -> None:
    asked = Asked(filled, monkeypatch)
    before = asked.rows("compliance"), asked.rows("drift_event")
    volumes = [*DOCUMENTS["volume"], {**DOCUMENTS["volume"][2], "id": "v4", "name": "new"}]
    take_in(filled.parts.estate, "volume", volumes, times.utcnow() - timedelta(minutes=1))
    assert asked.rows("compliance") == before[0] + 1
    filled.parts.drift.service.moved()
    asked.rows("drift_event")
    assert asked.times == 4
