"""What the blanks in questions stand for: rows of a world that are fit to be asked about."""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Callable
from typing import Any

from tests.copilot.evaluation import oracle
from tests.copilot.evaluation.world import Row, World

# Names that ordinary questions leave to those that are about them.
WORDS = frozenset(
    {
        "test",
        "list",
        "all hosts",
        "prod",
        "volumes",
        "net",
        "public",
        "private",
        "internal",
        "admin",
        "yesterday",
        "root",
    }
)
_TYPED = re.compile(r"\{(\w+)(?:\|(\w+))?\}")


class NoSuch(Exception):
    """A world has no row for a blank."""


class Slots:
    """Rows by the names of blanks, found when asked for; raises NoSuch where a world has none."""

    def __init__(self, world: World) -> None:
        self._world = world
        self._known: dict[str, Row] = {}

    def __getattr__(self, name: str) -> Row:
        if name not in self._known:
            try:
                self._known[name] = _FINDERS[name](self._world)
            except (IndexError, StopIteration, KeyError) as error:
                raise NoSuch(name) from error
        return self._known[name]


def names(text: str) -> list[str]:
    """Names of the blanks of a phrasing."""
    return [found.group(1) for found in _TYPED.finditer(text)]


def render(text: str, slots: Slots) -> str:
    """The phrasing with its blanks filled: `{host}` as it is named, `{host|typo}` as it is typed."""

    def fill(found: re.Match[str]) -> str:
        row = getattr(slots, found.group(1))
        name = str(row.get("name") or row.get("address") or row["id"])
        return _AS[found.group(2)](name) if found.group(2) else name

    return _TYPED.sub(fill, text)


def typo(name: str) -> str:
    """Two letters in the middle of the longest word change places."""
    word = max(re.finditer(r"[A-Za-z]+", name), key=lambda found: len(found.group()))
    letters, at = list(word.group()), len(word.group()) // 2
    while at > 1 and letters[at] == letters[at - 1]:
        at -= 1
    letters[at - 1], letters[at] = letters[at], letters[at - 1]
    return name[: word.start()] + "".join(letters) + name[word.end() :]


def number(name: str) -> str:
    """The number that the name's first part ends with."""
    return str(int(re.findall(r"\d+", name.split(".")[0])[-1]))


_AS: dict[str, Callable[[str], str]] = {
    "upper": str.upper,
    "lower": str.lower,
    "cap": str.capitalize,
    "nodash": lambda name: re.sub(r"[-_]", "", name),
    "blank": lambda name: re.sub(r"[-_]", " ", name),
    "short": lambda name: name.split(".")[0],
    "typo": typo,
    "number": number,
}


def _unique(world: World, type: str, rows: list[Row]) -> list[Row]:
    count = Counter(row["name"].lower() for row in world.rows(type))
    past = Counter(v.row["name"].lower() for v in world.versions[type] if v.until)
    return [
        row
        for row in rows
        if count[row["name"].lower()] == 1 and not past[row["name"].lower()] and row["name"].lower() not in WORDS
    ]


def _server(n: int = 0, **equal: Any) -> Callable[[World], Row]:
    def find(world: World) -> Row:
        wanted: dict[str, Any] = {"status": "ACTIVE", **equal}
        test = wanted.pop("test", None)
        rows = oracle.pick(world, "server", lambda s: not s.get("touched") and (test is None or test(s)), **wanted)
        return _unique(world, "server", rows)[n]

    return find


def _volume(test: Callable[[World, Row], bool], n: int = 0) -> Callable[[World], Row]:
    def find(world: World) -> Row:
        rows = oracle.pick(world, "volume", lambda v: not v.get("touched") and test(world, v))
        return _unique(world, "volume", rows)[n]

    return find


def _project(n: int) -> Callable[[World], Row]:
    def find(world: World) -> Row:
        count = oracle.tally(world.rows("server"), "project_id")
        rows = sorted(_unique(world, "project", world.rows("project")), key=lambda p: -count.get(p["id"], 0))
        return rows[n]

    return find


def _host(n: int, **equal: Any) -> Callable[[World], Row]:
    def find(world: World) -> Row:
        count = oracle.tally(world.rows("server"), "host")
        near = _project(0)(world)["cloud"]
        rows = _unique(world, "hypervisor", oracle.pick(world, "hypervisor", cloud=near, **equal))
        return sorted(rows, key=lambda h: -count.get(h["name"], 0))[n]

    return find


def _nth(type: str, n: int = 0, **equal: Any) -> Callable[[World], Row]:
    return lambda world: [
        row for row in oracle.pick(world, type, **equal) if str(row.get("name")).lower() not in WORDS
    ][n]


def _word(text: Callable[[World], str]) -> Callable[[World], Row]:
    return lambda world: {"name": text(world), "id": ""}


def _gone(world: World) -> Row:
    rows = [
        row
        for row in world.gone("server", world.at(-6, 0), world.at(-5, 0))
        if row is not world.slots["address_before"]
    ]
    here = {row["name"] for row in world.rows("server")}
    return next(
        row for row in [*rows, *world.gone("server", world.at(-2, 0), world.at(-1, 0))] if row["name"] not in here
    )


def _moved(world: World) -> Row:
    found = [
        row
        for at, _, kind, row in world.events(world.at(-1, 0), world.now, ("server",))
        if kind == "changed" and row["status"] == "ACTIVE"
    ]
    return _single(world, found)


def _stopped(world: World) -> Row:
    found = [
        row
        for _, _, kind, row in world.events(world.at(-1, 0), world.now, ("server",))
        if kind == "changed" and row["status"] == "SHUTOFF"
    ]
    return _single(world, found)


def _single(world: World, rows: list[Row]) -> Row:
    count = Counter(row["name"] for row in world.rows("server"))
    return next(row for row in rows if count[row["name"]] == 1)


_PREFIX = {"north": "web", "rhine": "k8s-worker", "isles": "LONSQL", "maze": "backend"}
_PART = {"north": "api", "rhine": "gres", "isles": "CITR", "maze": "ack"}

_FINDERS: dict[str, Callable[[World], Row]] = {
    "project": _project(0),
    "project2": _project(1),
    "project3": _project(2),
    "domain": lambda w: w.one(
        "domain", lambda d: d["name"] == _project(0)(w)["domain"] and d["cloud"] == _project(0)(w)["cloud"]
    ),
    "host": _host(0, state="up", status="enabled"),
    "host2": _host(1, state="up", status="enabled"),
    "host3": _host(2, state="up", status="enabled"),
    "host_down": _host(0, state="down"),
    "host_off": _host(0, status="disabled"),
    "server": _server(test=lambda s: s["volumes"] and s["fip"] and s["image"]),
    "server2": _server(1, test=lambda s: s["image"]),
    "server3": _server(4),
    "server_off": _server(status="SHUTOFF"),
    "server_off2": _server(1, status="SHUTOFF"),
    "server_err": _server(status="ERROR"),
    "server_bare": _server(test=lambda s: not s["volumes"] and not s["fip"]),
    "server_many": _server(test=lambda s: len(s["volumes"]) > 1),
    "server_locked": _server(locked=True),
    "server_fromvol": _server(image=None),
    "server_open": _server(2, locked=False),
    "volume": _volume(lambda w, v: v["server_id"] and len(oracle.copies(w, v)) > 1),
    "volume2": _volume(lambda w, v: v["server_id"] and v["encrypted"]),
    "volume_free": _volume(lambda w, v: v["status"] == "available"),
    "volume_bare": _volume(lambda w, v: v["server_id"] and v["id"] not in oracle.protected(w)),
    "volume_kept": _volume(lambda w, v: v["server_id"] and v["id"] in oracle.protected(w), 2),
    "network": _nth("network", 0, external=False),
    "network2": _nth("network", 1, external=False),
    "outside": _nth("network", 0, external=True),
    "subnet": _nth("subnet"),
    "router": _nth("router"),
    "image": _nth("image", visibility="public"),
    "image2": _nth("image", 1, visibility="public"),
    "flavor": _nth("flavor", 1),
    "flavor2": _nth("flavor", 2),
    "zone": _nth("availability_zone"),
    "zone2": _nth("availability_zone", 1),
    "user": _nth("user", 3),
    "user2": _nth("user", 2),
    "kind": _nth("volume_type"),
    "kind2": _nth("volume_type", 1),
    "group": lambda w: w.one("security_group", lambda g: g["name"] != "default"),
    "key": _nth("keypair", 2),
    "prefix": _word(lambda w: _PREFIX[w.name]),
    "part": _word(lambda w: _PART[w.name]),
    "ip": _word(lambda w: _server(test=lambda s: s["volumes"] and s["fip"] and s["image"])(w)["fixed"]),
    "fip": _word(lambda w: _server(test=lambda s: s["volumes"] and s["fip"] and s["image"])(w)["fip"]),
    "fip_free": _word(lambda w: oracle.pick(w, "floating_ip", server=None)[0]["address"]),
    "mac": _word(lambda w: _server(3)(w)["mac"]),
    "mac_of": _server(3),
    "ip_past": _word(lambda w: w.slots["address_before"]["fixed"]),
    "uuid": _word(lambda w: _server(5)(w)["id"]),
    "uuid_of": _server(5),
    "cidr": _word(lambda w: w.rows("subnet")[0]["cidr"]),
    "hostip": _word(lambda w: _host(0, state="up", status="enabled")(w)["ip"]),
    "cloud": _word(lambda w: w.style.clouds[0][0]),
    "cloud2": _word(lambda w: w.style.clouds[1][0]),
    "region": _word(lambda w: w.style.clouds[0][1][0]),
    "region2": _word(lambda w: w.style.clouds[0][1][1]),
    "ip_other": _word(
        lambda w: next(v for v in w.rows("server") if v["project_id"] != _project(0)(w)["id"] and not v.get("touched"))[
            "fixed"
        ]
    ),
    "gone": _gone,
    "moved": _moved,
    "stopped": _stopped,
    "agg": _nth("aggregate"),
    "role": _nth("role", 1),
}
