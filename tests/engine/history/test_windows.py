"""What changed between two times, read by windows; two states of one resource compared by times."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import pytest

from engine.access.models import Caller
from store import times
from tests.engine.api.furniture import ADMIN
from tests.engine.history.estates import Past, at, filled, volume

PROJECT_ONE = Caller(name="v", role="viewer", projects=("p1",), via="embedded")
WHOLE = {"from": times.text(at(0.5)), "to": times.text(at(33))}


@pytest.fixture(scope="module")
def past(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Past]:
    made = filled(tmp_path_factory.mktemp("home"))
    yield made
    made.close()


async def ask(past: Past, caller: Caller = ADMIN, expect: int = 200, path: str = "", **body: Any) -> Any:
    async with past.client(caller) as client:
        answer = await client.post(f"/q/history/windows{path}", json={**WHOLE, **body})
    assert answer.status_code == expect, answer.text
    return answer.json()


def rows(answer: dict[str, Any], *names: str) -> list[tuple[Any, ...]]:
    places = [answer["columns"].index(name) for name in names]
    return [tuple(row[place] for place in places) for row in answer["rows"]]


async def test_what_is_different_between_two_times(past: Past) -> None:
    answer = await ask(past)
    assert rows(answer, "type", "id", "change", "name", "project", "what", "field") == [
        ("volume", "v2", "changed", "data-2", "lab", "size gb 10 -> 20", ["size_gb"]),
        ("security_group_rule", "r1", "new", "r1", "shop", answer["rows"][1][9], []),
    ]
    assert answer["counts"] == {"changed": 1, "new": 1}
    assert (answer["from"], answer["to"], answer["left_out"]) == (WHOLE["from"], WHOLE["to"], 0)
    # v1 is again as it was, v3 came and went: no difference, and yet changes.
    assert {row[0] for row in rows(await ask(past, mode="each"), "id")} == {"v1", "v2", "v3", "r1"}


async def test_what_is_gone_says_what_it_was(past: Past) -> None:
    answer = await ask(past, **{"from": times.text(at(2.5)), "to": times.text(at(30.5))})
    found = {id: (change, what, when) for id, change, what, when in rows(answer, "id", "change", "what", "at")}
    assert found["v1"][0] == "gone" and found["v1"][1].startswith("was in-use")
    assert found["v1"][2] == times.text(at(30))


async def test_single_changes_newest_first(past: Past) -> None:
    answer = await ask(past, mode="each", types=["volume"])
    assert rows(answer, "id", "change", "at")[:3] == [
        ("v1", "changed", times.text(at(32))),
        ("v3", "deleted", times.text(at(32))),
        ("v1", "returned", times.text(at(31))),
    ]
    assert rows(answer, "what")[0] == ("status in-use -> available; name new-name -> data-1",)
    assert answer["total"] == 8


@pytest.mark.parametrize("word", ["gone", "deleted"])
async def test_one_word_for_a_kind_in_every_list(past: Past, word: str) -> None:
    answer = await ask(past, mode="each", filter=f"change:{word}")
    assert {row[0] for row in rows(answer, "id")} == {"v1", "v3"} and answer["counts"] == {"deleted": 2}


async def test_what_changed_most(past: Past) -> None:
    answer = await ask(past, mode="most")
    assert rows(answer, "id", "times", "change")[0] == ("v1", 4, "changed")
    assert rows(await ask(past, mode="most", sort=[["times", False]]), "times")[-1] == (4,)


@pytest.mark.parametrize(
    ("filter", "ids"),
    [
        ("change:changed", {"v2"}),
        ("change:new", {"r1"}),
        ("change:created", {"r1"}),
        ("!change:created", {"v2"}),
        ("change:gone", set()),
        ("field:size_gb", {"v2"}),
        ("!field:size_gb", {"r1"}),
        ("project:lab", {"v2"}),
        ("data", {"v2"}),
        ("type:=security_group_rule", {"r1"}),
        ("name:r1", {"r1"}),
        ("nothing-like-this", set()),
    ],
)
async def test_filters(past: Past, filter: str, ids: set[str]) -> None:
    answer = await ask(past, filter=filter)
    assert {row[0] for row in rows(answer, "id")} == ids
    assert answer["total"] == len(ids) == sum(answer["counts"].values())


@pytest.mark.parametrize(
    ("sort", "ids"),
    [
        ([["at", False]], ["r1", "v2"]),
        ([["name", True]], ["r1", "v2"]),
        ([["name", False]], ["v2", "r1"]),
        ([["type", False]], ["r1", "v2"]),
        ([["project", True]], ["r1", "v2"]),
    ],
)
async def test_orders(past: Past, sort: Any, ids: list[str]) -> None:
    assert [row[0] for row in rows(await ask(past, sort=sort), "id")] == ids


async def test_windows_are_pieces_of_one_list(past: Past) -> None:
    whole = await ask(past, mode="each")
    keys = [row[0] for row in whole["rows"]]
    for number, key in enumerate(keys):
        piece = await ask(past, mode="each", anchor={"key": key}, before=2, after=1)
        assert [row[0] for row in piece["rows"]] == keys[max(0, number - 2) : number + 2]
        assert piece["rows"][piece["anchor_index"]][0] == key
        assert (piece["has_before"], piece["has_after"]) == (number > 2, number + 2 < len(keys))
        assert (await ask(past, mode="each", path="/position", anchor={"key": key})) == {
            "total": len(keys), "rank": number,
        }  # fmt: skip
    end = await ask(past, mode="each", anchor="end", before=1, after=5)
    assert [row[0] for row in end["rows"]] == keys[-2:]
    gone = await ask(past, mode="each", anchor={"key": ["volume", "prod", "RegionOne", "nope"]})
    assert gone["anchor_index"] is None and [row[0] for row in gone["rows"]] == keys


async def test_a_list_up_to_now_follows_the_data(tmp_path: Any) -> None:
    past = filled(tmp_path)
    try:
        body = {"to": None, "mode": "each", "types": ["volume"]}
        assert (await ask(past, **body))["total"] == 8
        past.list(34, "volume", [volume(1), volume(2, "p2", size=20, status="error")])
        answer = await ask(past, **body)
        assert answer["total"] == 9 and rows(answer, "what")[0] == ("status available -> error",)
    finally:
        past.close()


@pytest.mark.parametrize(
    ("body", "status", "words"),
    [
        ({"filter": "nope:1"}, 400, "no column nope"),
        ({"filter": "("}, 400, "filter"),
        ({"filter": "name:~["}, 400, "regular expression"),
        ({"sort": [["what", False]]}, 400, "sort"),
        ({"types": ["spoon"]}, 400, "spoon"),
        ({"from": "soon"}, 400, "from"),
        ({"from": WHOLE["to"]}, 400, "before"),
        ({"mode": "some"}, 422, "mode"),
        ({"anchor": {"key": ["a"]}}, 422, "anchor"),
        ({"surprise": 1}, 422, "surprise"),
    ],
)
async def test_refusals(past: Past, body: Any, status: int, words: str) -> None:
    assert words in (await ask(past, expect=status, **body))["detail"]


@pytest.mark.parametrize("mode", ["net", "each", "most"])
async def test_a_limited_role(past: Past, mode: str) -> None:
    assert {row[0] for row in rows(await ask(past, PROJECT_ONE, mode=mode), "project")} == {"shop"}
    nowhere = Caller(name="v", role="viewer", clouds=("other",), via="embedded")
    assert (await ask(past, nowhere, mode=mode))["rows"] == []


async def test_a_volume_that_is_given_away(tmp_path: Any) -> None:
    """Who sees the old project only sees it go, and nothing of what becomes of it."""
    past = filled(tmp_path)
    try:
        past.list(34, "volume", [volume(1, "p2", name="secret"), volume(2, "p2", size=20)])
        past.list(35, "volume", [volume(1, "p2", name="secret-2"), volume(2, "p2", size=20)])
        body = {"from": times.text(at(33)), "to": times.text(at(36))}
        net = await ask(past, PROJECT_ONE, **body)
        assert rows(net, "id", "change", "name", "at") == [("v1", "gone", "data-1", times.text(at(34)))]
        assert (await ask(past, PROJECT_ONE, mode="each", **body))["rows"] == []
        history = await past.get("/history/resource/volume/v1", PROJECT_ONE)
        assert (history["resource_name"], history["exists"], history["total_versions"]) == ("data-1", False, 5)
        assert history["history"][0]["change_type"] == "changed"  # not deleted: it was given away
        most = await past.get("/history/most-changed", PROJECT_ONE, hours=168)
        assert "secret" not in str(most) and "secret" not in str(net)
    finally:
        past.close()


async def test_a_field_that_the_account_could_not_see(tmp_path: Any) -> None:
    """The next account sees less: that is no change of the field, and its value is not shown as empty."""
    past = Past(tmp_path)
    try:
        full = {
            "id": "h1",
            "name": "one",
            "status": "ACTIVE",
            "tenant_id": "p1",
            "OS-EXT-SRV-ATTR:hypervisor_hostname": "cmp-1",
        }
        past.list(0, "server", [full])
        past.list(1, "server", [{**full, "status": "SHUTOFF"} | {"OS-EXT-SRV-ATTR:hypervisor_hostname": "cmp-2"}])
        less = {name: value for name, value in full.items() if name != "OS-EXT-SRV-ATTR:hypervisor_hostname"}
        past.list(2, "server", [{**less, "status": "ERROR"}])
        body = {"from": times.text(at(1.5)), "to": times.text(at(3))}
        assert rows(await ask(past, **body), "field", "what") == [(["status"], "status SHUTOFF -> ERROR")]
        compared = await past.get("/q/history/compare/server/h1", **body)
        host = next(one for one in compared["fields"] if one["field"] == "host")
        assert host["changed"] is None and "not visible" in host["new_value"] and host["old_value"] == "cmp-2"
        assert [change["field"] for change in compared["changes"]] == ["status"]
    finally:
        past.close()


async def test_compare_by_times(past: Past) -> None:
    answer = await past.get("/q/history/compare/volume/v1", **{"from": times.text(at(0)), "to": times.text(at(2))})
    assert [change["field"] for change in answer["changes"]] == ["name", "status"]
    gone = await past.get("/q/history/compare/volume/v1", **{"from": times.text(at(2)), "to": times.text(at(30))})
    assert gone["current"] is None and gone["previous"]["recorded_at"] == times.text(at(2))
    name = next(field for field in gone["fields"] if field["field"] == "name")
    assert (name["old_value"], name["new_value"], name["changed"]) == ("new-name", None, True)
    never = {"from": times.text(at(-2)), "to": times.text(at(-1))}
    assert "neither" in (await past.get("/q/history/compare/volume/v1", expect=404, **never))["detail"]
    await past.get("/q/history/compare/volume/v2", PROJECT_ONE, expect=404)


async def test_periods_between_two_times(past: Past) -> None:
    answer = await past.get("/q/history/periods", **{"from": times.text(at(0)), "to": times.text(at(4))})
    assert [period["total"] for period in answer["periods"]] == [0, 2, 1, 1, 0]
    only = await past.get("/q/history/periods", types=["volume"], **WHOLE)
    assert (only["bucket"], only["total_changes"]) == ("hour", 8)
