"""The estate that is asked holds just what the oracle counts."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import UTC, datetime

import pytest

from tests.copilot.evaluation import estate, oracle
from tests.copilot.evaluation.documents import MAKERS
from tests.copilot.evaluation.generate import world
from tests.copilot.evaluation.sources import Fake, opened
from tests.copilot.evaluation.styles import NORTH, STYLES, Style
from tests.copilot.evaluation.world import key


@pytest.fixture(scope="module", params=STYLES, ids=lambda style: str(style.name))
def sources(request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Fake]:
    style: Style = request.param
    with opened(world(style), tmp_path_factory.mktemp("evaluation")) as fake:
        yield fake


@pytest.mark.parametrize("type", [name for name in MAKERS if name != "quota"])
def test_the_rows_of_a_type_are_there_at_every_time(sources: Fake, type: str) -> None:
    made = sources.world
    for at in estate.times(made, type):
        moment = at.astimezone(UTC).replace(tzinfo=None)
        sql = (
            f"SELECT cloud, region, id FROM {type}_versions"
            " WHERE valid_from <= $at AND (valid_to IS NULL OR valid_to > $at)"
        )
        found = sources.read(lambda c, sql=sql, moment=moment: c.execute(sql, {"at": moment}).fetchall())  # type: ignore[misc]
        assert sorted(found) == sorted(key(row) for row in made.rows(type, at))


def test_names_that_are_joined_are_those_of_the_rows(sources: Fake) -> None:
    sql = "SELECT id, name, project_name, domain_name, user_name, host, image_name, boot_image_name FROM servers"
    found = {row[0]: row[1:] for row in sources.read(lambda c: c.execute(sql).fetchall())}
    columns = ("name", "project", "domain", "user", "host", "image", "boot_image")
    assert found == {row["id"]: tuple(row[name] for name in columns) for row in sources.world.rows("server")}


def test_hosts_use_what_their_machines_have(sources: Fake) -> None:
    sql = "SELECT name, vcpus_used, memory_mb_used, running_vms FROM hypervisors"
    found = {name: numbers for name, *numbers in sources.read(lambda c: c.execute(sql).fetchall())}
    servers = sources.world.rows("server")
    for host, numbers in found.items():
        own = [row for row in servers if row["host"] == host]
        assert numbers == [oracle.total(own, "vcpus"), oracle.total(own, "ram_mb"), len(own)]


def test_protected_volumes_are_those_with_a_usable_copy(sources: Fake) -> None:
    found = {id for (id,) in sources.read(lambda c: c.execute("SELECT id FROM volumes WHERE protected").fetchall())}
    assert found == oracle.protected(sources.world) & {row["id"] for row in sources.world.rows("volume")}


def test_a_world_is_always_the_same() -> None:
    one, two = world(NORTH), world(NORTH)
    assert one.versions == two.versions
    assert one.rooms == two.rooms


def test_nothing_happens_on_the_days_that_periods_begin_on(sources: Fake) -> None:
    quiet = {sources.world.at(day, 0).date() for day in (-7, -5, -4, -3)}
    days = {at.date() for at, *_ in sources.world.events(sources.world.began, sources.world.now)}
    assert days
    assert not days & quiet
    assert sources.world.events(datetime(2026, 11, 24, tzinfo=UTC), sources.world.now)
