"""How many more servers of a flavor the hosts can take."""

from __future__ import annotations

from typing import Any

from copilot.answering import wording
from copilot.answers import Answer, Field, Shown, Table
from copilot.execution.run import run
from copilot.query import Query, Test
from copilot.topics.capacity_hosts import hosts
from copilot.topics.speech import Speech, knows, telling
from copilot.topics.topic import Asked, Topic

_KNOWN = knows(
    "fit fits room enough more another additional space place host hosts still cloud instances instance servers "
    "server vms vm machines machine capacity flavor left launch start create boot build run support accommodate take "
    "hold schedule be placed spare of size another one available",
    ("flavor",),
    numbers=True,
)
_FITS = ("fit", "fits", "room", "capacity", "space", "accommodate", "hold", "more", "place", "placed", "schedule",
         "enough")  # fmt: skip
_COLUMNS = (Field("name", "HOST", "name"), Field("fits", "FITS", "number"),
            Field("vcpus_free", "VCPUS FREE", "number"), Field("ram_mb_free", "RAM FREE", "size_mb"))  # fmt: skip


def _claims(asked: Asked) -> float:
    heard = Speech.of(asked)
    flavors = asked.of_type("flavor")
    if not flavors or not heard.has(*_FITS) or not heard.matches(r"\b(can|could|is there|do we have|how many|will)\b"):
        return 0.0
    return _KNOWN.claim(asked)


def _answer(asked: Asked) -> Answer | None:
    flavor = asked.of_type("flavor")[0]
    query = Query("flavor", Test("id", "=", (flavor.key[2],)), columns=("name", "vcpus", "ram_mb", "cloud", "region"))
    found = [row for row in run(query, asked.sources, asked.context.now).rows if row["cloud"] == flavor.key[0]]
    if not found or not found[0]["vcpus"] or not found[0]["ram_mb"]:
        return None
    size = found[0]
    result, rows = hosts(asked, Test("cloud", "=", (flavor.key[0],)))
    usable = [row for row in rows if row["usable"] and row["vcpus_total"] and row["ram_mb_total"]]
    told: list[dict[str, Any]] = []
    for row in usable:
        fits = min(max(row["vcpus_free"], 0) // size["vcpus"], max(row["ram_mb_free"], 0) // size["ram_mb"])
        told.append({**row, "fits": int(fits)})
    told.sort(key=lambda row: -row["fits"])
    total = sum(row["fits"] for row in told)
    wanted = next((int(item.quantity.value) for item in asked.items if item.quantity), 0)
    asks = wanted or not Speech.of(asked).matches(r"\bhow many\b")
    wanted = wanted or 1
    count = f"{total} more server{'' if total == 1 else 's'} of flavor {wording.clean(size['name'])}"
    each = f"{size['vcpus']} vCPUs, {wording.measured(size['ram_mb'], 'MB')} RAM"
    text = (
        f"{count} ({each}) fit on the {len(usable)} hosts that are up and enabled, by vCPUs and RAM without "
        "overcommit. Disks, quotas and the scheduler's filters are not looked at."
    )
    return Answer(
        "answer",
        f"{'Yes' if total >= wanted else 'No'}: {text}" if asks else text,
        intent="capacity_cpu",
        value=total >= wanted if asks else total,
        table=Table(_COLUMNS, tuple({f.name: row[f.name] for f in _COLUMNS} for row in told[:200]), len(told),
                    tuple(row["key"] for row in told[:200])),
        shown=(Shown(result.sql),),
        data_at=asked.sources.data_at(("hypervisor", "flavor")),
        named=(flavor,),
    )  # fmt: skip


TOPIC = Topic("capacity_fit", _claims, telling(_answer, _KNOWN))
