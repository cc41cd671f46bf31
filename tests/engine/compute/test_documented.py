"""The documented changes of flavors on the demo cloud."""

from __future__ import annotations

from typing import Any

import pytest

from tests.engine.compute.running import World

SENT = {"name": "m1.pico", "vcpus": 1, "ram": 64}


def test_a_flavor_is_made_and_removed(world: World, lifted: None) -> None:
    made = world.call("POST", "/admin/flavors", json=SENT | {"swap": 32, "is_public": False, "id": "pico"})
    assert made.status_code == 201, made.text
    flavor = made.json()
    listed = next(one for one in world.get("/flavors", page_size=1000)["items"] if one["id"] == "pico")
    assert {key: flavor[key] for key in listed} == listed
    assert (listed["flavor_id"], listed["ram_mb"], listed["swap_mb"], listed["is_public"]) == ("pico", 64, 32, False)
    again = world.call("POST", "/admin/flavors", json=SENT)
    assert (again.status_code, "called m1.pico already" in again.json()["detail"]) == (409, True)
    gone = world.call("DELETE", "/admin/flavors/pico")
    assert (gone.status_code, gone.json()["flavor_id"]) == (200, "pico")
    assert "pico" not in {one["id"] for one in world.get("/flavors", page_size=1000)["items"]}
    assert world.call("DELETE", "/admin/flavors/pico").status_code == 404


@pytest.mark.parametrize("names", [{"ram_mb": 64, "disk_gb": 1}, {"ram": 64, "disk": 1}])
def test_fields_may_be_called_as_in_the_list(world: World, lifted: None, names: dict[str, Any]) -> None:
    made = world.call("POST", "/admin/flavors", json={"name": "m1.nano", "vcpus": 1, **names})
    assert made.status_code == 201, made.text
    assert (made.json()["ram_mb"], made.json()["disk_gb"]) == (64, 1)
    assert world.call("DELETE", f"/admin/flavors/{made.json()['id']}").status_code == 200


@pytest.mark.parametrize(
    ("body", "words"),
    [
        ({}, "name is required"),
        ({"name": "x", "vcpus": 0, "ram": 1}, "vcpus"),
        ({"name": "x", "vcpus": 1, "ram": 1, "bogus": 1}, "bogus"),
        ({"name": "x", "vcpus": 5000, "ram": 1}, "vcpus must be at most 1024"),
    ],
)
def test_what_makes_no_sense(world: World, lifted: None, body: dict[str, Any], words: str) -> None:
    answer = world.call("POST", "/admin/flavors", json=body)
    assert answer.status_code == 422
    assert words in answer.json()["detail"]


def test_the_answer_does_not_wait_for_a_list_that_cannot_be_read(
    world: World, lifted: None, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(world.parts.changes, "_listed", lambda *given: False)
    made = world.call("POST", "/admin/flavors", json=SENT | {"name": "m1.unseen"})
    assert made.status_code == 201, made.text
    monkeypatch.undo()
    direct = {key: value for key, value in made.json().items() if key != "job"}
    listed = None
    for _ in range(3):
        (started,) = world.parts.collections.start(clouds=["demo"], types=["flavor"])
        world.parts.collections.wait(started["id"], 10)
        found = [one for one in world.get("/flavors", page_size=1000)["items"] if one["id"] == direct["id"]]
        if found:
            (listed,) = found
            break
    assert direct == listed
    assert world.call("DELETE", f"/admin/flavors/{direct['id']}").status_code == 200
