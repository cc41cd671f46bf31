"""What happened in a world, at times in the middle of days, so that no word for a period is a matter of hours.

Days are counted from a Wednesday: -1 is Tuesday, -2 Monday, -8 Tuesday of last week. Nothing happens on days -7, -4 and
-3, so "last 7 days" and "last 3 days" hold the same from midnight as from this hour.
"""

from __future__ import annotations

from datetime import datetime
from typing import TYPE_CHECKING

from tests.copilot.evaluation.world import Row, World

if TYPE_CHECKING:
    from tests.copilot.evaluation.generate import Maker

# (day, hour, servers made, servers gone, stopped, moved, volumes made, volumes gone, snapshots made)
_DAYS = (
    (-20, 11, 3, 2, 1, 1, 1, 1, 2),
    (-13, 14, 2, 1, 1, 0, 1, 0, 2),
    (-8, 10, 4, 2, 2, 1, 2, 1, 3),
    (-6, 13, 2, 1, 1, 2, 1, 1, 3),
    (-2, 11, 2, 2, 2, 1, 1, 1, 4),
    (-1, 10, 3, 1, 2, 1, 2, 1, 4),
    (-1, 16, 1, 1, 1, 1, 0, 0, 1),
    (0, 9, 2, 1, 1, 1, 1, 1, 3),
    (0, 12, 1, 0, 1, 0, 1, 0, 1),
)


def happen(make: Maker) -> None:
    """Let everything happen in every cloud and region."""
    for day, hour, made, gone, stopped, moved, disks, disks_gone, copies in _DAYS:
        at = make.world.at(day, hour)
        for cloud, regions in make.style.clouds:
            for region in regions:
                place = (cloud, region)
                _servers(make, place, at, gone, stopped, moved)
                for _ in range(made):
                    _new(make, place, at)
                _disks(make, place, at, disks, disks_gone, copies)
    _took_over(make)


def steady(world: World, row: Row) -> bool:
    """Whether nothing happened to it so far: questions may take it for an example of another event."""
    return not row.get("touched")


def _calm(make: Maker, place: tuple[str, str], status: str) -> list[Row]:
    return [
        s
        for s in make.world.rows("server")
        if (s["cloud"], s["region"]) == place
        and s["status"] == status
        and not s.get("touched")
        and not s["fip"]
        and not s["locked"]
    ]


def _servers(make: Maker, place: tuple[str, str], at: datetime, gone: int, stopped: int, moved: int) -> None:
    world, chance = make.world, make.chance
    for row in chance.sample(_calm(make, place, "ACTIVE"), stopped):
        world.change("server", row, at, status="SHUTOFF", touched=True)
    hosts = [h for h in world.rows("hypervisor") if (h["cloud"], h["region"]) == place][:5]
    for row in chance.sample(_calm(make, place, "ACTIVE"), moved):
        host = chance.choice([h for h in hosts if h["name"] != row["host"]])
        world.change("server", row, at, host=host["name"], zone=host["zone"], touched=True)
        port = world.one("port", lambda p, row=row: p["device_id"] == row["id"])  # type: ignore[misc]
        world.change("port", port, at, host=host["name"])
    bare = [s for s in _calm(make, place, "ACTIVE") if not s["volumes"]]
    for row in chance.sample(bare, min(gone, max(len(bare) - 1, 0))):  # one is left for questions
        world.remove("server", row, at)
        world.remove("port", world.one("port", lambda p, row=row: p["device_id"] == row["id"]), at)  # type: ignore[misc]


def _new(make: Maker, place: tuple[str, str], at: datetime) -> None:
    from tests.copilot.evaluation.generate import server

    world = make.world
    projects = [p for p in world.rows("project") if p["cloud"] == place[0]]
    users = [u for u in world.rows("user") if u["cloud"] == place[0]]
    hosts = [h for h in world.rows("hypervisor") if (h["cloud"], h["region"]) == place]
    networks = [n for n in world.rows("network") if (n["cloud"], n["region"]) == place and not n["external"]]
    server(make, place, make.chance.choice(projects[:4]), users, hosts, networks, at)["touched"] = True


def _disks(make: Maker, place: tuple[str, str], at: datetime, made: int, gone: int, copies: int) -> None:
    from tests.copilot.evaluation.generate import volume

    world, chance = make.world, make.chance
    projects = [p for p in world.rows("project") if p["cloud"] == place[0]]
    free = [
        v
        for v in world.rows("volume")
        if (v["cloud"], v["region"]) == place and not v["server_id"] and not v.get("touched")
    ]
    held = {s["volume_id"] for s in world.rows("snapshot")} | {b["volume_id"] for b in world.rows("backup")}
    for row in chance.sample([v for v in free if v["id"] not in held], gone):
        world.remove("volume", row, at)
    for _ in range(made):
        name = f"new-disk-{make.number('new disk'):03d}"
        volume(make, place, chance.choice(projects[:4]), name, None, at)["touched"] = True
    disks = [v for v in world.rows("volume") if (v["cloud"], v["region"]) == place and v["server_id"]]
    for disk in chance.sample(disks, copies):
        day = at.strftime("%d%H")
        make.add(
            "snapshot",
            place,
            at,
            name=f"snap-{disk['name']}-{day}",
            status="available",
            created=at,
            volume=disk["name"],
            volume_id=disk["id"],
            size_gb=disk["size_gb"],
            project=disk["project"],
            project_id=disk["project_id"],
        )
    old = [
        s
        for s in world.rows("snapshot")
        if (s["cloud"], s["region"]) == place and s["created"] < make.began and not s.get("kept")
    ]
    for row in chance.sample(old, 1):
        world.remove("snapshot", row, at)


def _took_over(make: Maker) -> None:
    """An address that one machine had on Tuesday and another has since this morning."""
    world = make.world
    at = world.at(-6, 13)
    gone = [v for v in world.versions["server"] if v.until == at]
    before = next(
        v for v in gone if not any(w.since == at and w.row["id"] == v.row["id"] for w in world.versions["server"])
    )
    fresh = world.one(
        "server",
        lambda s: (
            s["created"] > world.at(-1, 0)
            and s["status"] == "ACTIVE"
            and (s["cloud"], s["region"]) == (before.row["cloud"], before.row["region"])
        ),
    )
    port = world.one("port", lambda p: p["device_id"] == fresh["id"])
    for row in (fresh, port):
        row["fixed"] = before.row["fixed"]
    fresh["network"], fresh["network_id"] = before.row["network"], before.row["network_id"]
    old = next(v.row for v in world.versions["port"] if v.row["device_id"] == before.row["id"])
    for name in ("network", "network_id", "subnet_id"):
        port[name] = old[name]
    before.row["touched"] = fresh["touched"] = True
    world.slots["address_before"], world.slots["address_after"] = before.row, fresh
