"""The routes: ours and the documented ones, their permissions and their errors."""

from __future__ import annotations

from typing import Any

from engine.drift.rules import DOCUMENTED, RULES
from tests.engine.drift.place import ADMIN, ALICE, BOB, OF_P2, Place, at, machines


async def ids(place: Place, **query: Any) -> list[int]:
    answer = await place.ask("GET", "/q/drift/events", **query)
    return [one["id"] for one in answer["items"]]


async def test_events_are_paged_and_filtered(busy: Place) -> None:
    page = await busy.ask("GET", "/q/drift/events", BOB, state="triage", severity="info", page_size=1, page=2)
    assert (page["total"], page["page"], page["page_size"], len(page["items"])) == (2, 2, 1, 1)
    assert page["version"] == busy.service.version
    assert page["items"][0]["detected_at"] == "2026-11-20T10:20:00Z"
    both = await ids(busy, severity=["info", "warning"], sort_by="severity")
    assert len(both) == 3
    await busy.ask("GET", "/q/drift/events", expect=422, sort_dir="x")
    for wrong in ({"state": "x"}, {"sort_by": "x"}, {"since": "x"}, {"page": 1000, "page_size": 50}):
        await busy.ask("GET", "/q/drift/events", expect=400, **wrong)


async def test_one_event_and_the_summary(busy: Place) -> None:
    [id] = await ids(busy, field="status")
    event = await busy.ask("GET", f"/q/drift/events/{id}", BOB)
    assert event["grade"] == "unknown" and event["rule"]["id"] == 2
    await busy.ask("GET", "/q/drift/events/1", expect=404)
    await busy.ask("GET", "/q/drift/events/x", expect=422)
    assert (await busy.ask("GET", "/q/drift/summary", BOB))["triage"]["total"] == 3


async def test_acknowledging_and_undoing(busy: Place) -> None:
    [id] = await ids(busy, field="status")
    await busy.ask("POST", "/q/drift/acknowledge", BOB, 403, {"ids": [id]})
    done = await busy.ask("POST", "/q/drift/acknowledge", ALICE, body={"ids": [id, 5], "note": "x", "minutes": 60})
    assert (done["acknowledged"], done["already"], done["missing"]) == (1, 0, [5]) and done["batch"]
    assert done["until"] == "2026-11-20T11:21:00Z"
    rest = {"filter": {"state": ["triage"]}, "seen": at(busy.minutes).isoformat()}
    assert (await busy.ask("POST", "/q/drift/acknowledge", ALICE, body=rest))["acknowledged"] == 2
    assert await ids(busy, state="triage") == []
    undone = await busy.ask("POST", "/q/drift/unacknowledge", ALICE, body={"batch": done["batch"]})
    assert undone == {"undone": 1, "ids": [id]}
    assert await ids(busy, state="triage") == [id]
    for wrong in ({}, {"ids": [1], "filter": {}}, {"ids": [1], "minutes": 0},
                  {"ids": [1], "minutes": 5, "until": "2030-01-01T00:00:00Z"}, {"ids": ["x"]}):  # fmt: skip
        await busy.ask("POST", "/q/drift/acknowledge", ALICE, 422, wrong)
    await busy.ask("POST", "/q/drift/acknowledge", ALICE, 400, {"ids": [1], "until": "x"})
    await busy.ask("POST", "/q/drift/unacknowledge", ALICE, 422, {})


async def test_a_limited_role_acknowledges_its_own_only(busy: Place) -> None:
    everything = await ids(busy)
    done = await busy.ask("POST", "/q/drift/acknowledge", OF_P2, body={"ids": everything})
    assert (done["acknowledged"], len(done["missing"])) == (1, 2)
    done = await busy.ask("POST", "/q/drift/acknowledge", OF_P2, body={"filter": {}})
    assert (done["acknowledged"], done["already"]) == (0, 1)


async def test_rules_entries_and_windows(busy: Place) -> None:
    rules = await busy.ask("GET", "/q/drift/rules", BOB)
    assert rules["total"] == len(RULES)
    changed = await busy.ask("PUT", "/q/drift/rules/2", ALICE, body={"enabled": False, "severity": "critical"})
    assert (changed["enabled"], changed["severity"]) == (False, "critical")
    await busy.ask("PUT", "/q/drift/rules/2", BOB, 403, {"enabled": True})
    await busy.ask("PUT", "/q/drift/rules/2", OF_P2, 403, {"enabled": True})
    await busy.ask("PUT", "/q/drift/rules/2", ALICE, 422, {"enabled": "perhaps"})
    for path, body in (
        ("ignores", {"name": "db", "reason": "lab"}),
        ("windows", {"name": "db", "reason": "upgrade", "minutes": 5, "since": at(15).isoformat()}),
    ):
        made = await busy.ask("POST", f"/q/drift/{path}", ALICE, 201, body)
        assert made["events"] == 2 and made["created_by"] == "alice"
        [listed] = (await busy.ask("GET", f"/q/drift/{path}", BOB))["items"]
        assert listed == made
        await busy.ask("POST", f"/q/drift/{path}", BOB, 403, body)
        await busy.ask("POST", f"/q/drift/{path}", ALICE, 400 if path == "ignores" else 422, {"reason": "x"})
        await busy.ask("DELETE", f"/q/drift/{path}/{made['id']}", OF_P2, 403)
        await busy.ask("DELETE", f"/q/drift/{path}/{made['id']}", ALICE, 204)
    assert (await busy.ask("GET", "/q/drift/ignores"))["items"] == []


async def test_documented_events(busy: Place) -> None:
    page = await busy.ask("GET", "/drift/events", BOB, severity="warning", resource_type="servers", search="web")
    [event] = page["items"]
    documented = ("rule_id", "resource_type", "resource_id", "resource_name", "project_id", "project_name", "domain_id",
                  "domain_name", "severity", "field_changed", "old_value", "new_value", "description", "detected_at",
                  "acknowledged", "acknowledged_by", "acknowledged_at", "acknowledge_note")  # fmt: skip
    assert set(documented) <= set(event)
    one = await busy.ask("GET", f"/drift/events/{event['id']}", BOB)
    assert one["rule"]["name"] == "Server Status Change"
    await busy.ask("PUT", f"/drift/events/{event['id']}/acknowledge", BOB, 403)
    acked = await busy.ask("PUT", f"/drift/events/{event['id']}/acknowledge", ALICE)
    assert (acked["acknowledged"], acked["acknowledged_by"], acked["acknowledge_note"]) == (True, "alice", "")
    await busy.ask("PUT", "/drift/events/1/acknowledge", ALICE, 404, {"note": "x"})
    others = [one for one in await ids(busy) if one != event["id"]]
    many = await busy.ask(
        "PUT", "/drift/events/bulk-acknowledge", ALICE, body={"event_ids": [event["id"], *others, 1], "note": "all"}
    )
    assert many == {"acknowledged": 2, "already_acknowledged": 1, "not_found": [1]}
    left = await busy.ask("GET", "/drift/events", acknowledged=False)
    assert left["total"] == 0
    summary = await busy.ask("GET", "/drift/summary", BOB)
    assert (summary["total"], summary["acknowledged"], summary["unacknowledged"]) == (3, 3, 0)
    assert (await busy.ask("GET", "/drift/summary", BOB, project_id="p2"))["total"] == 1
    assert (await busy.ask("GET", "/drift/summary", BOB, domain_id="d1", cloud="prod"))["total"] == 2
    assert (await busy.ask("GET", "/drift/summary", OF_P2, domain_id="d1"))["total"] == 0


async def test_the_list_covers_a_month_unless_asked_otherwise(busy: Place) -> None:
    busy.minutes += 31 * 1440
    assert (await busy.ask("GET", "/drift/events"))["total"] == 0
    assert (await busy.ask("GET", "/drift/events", start_date="2026-11-01T00:00:00Z"))["total"] == 3
    ended = await busy.ask("GET", "/drift/events", start_date="2026-11-01T00:00:00Z", end_date="2026-11-20T10:20:00Z")
    assert ended["total"] == 0


async def test_documented_rules(busy: Place) -> None:
    rules = await busy.ask("GET", "/drift/rules", BOB)
    assert [one["id"] for one in rules["items"]] == list(range(1, DOCUMENTED + 1))
    assert (await busy.ask("GET", "/drift/rules", BOB, all="true"))["total"] == len(RULES)
    answer = await busy.ask("PUT", "/drift/rules/4", ALICE, body={"enabled": False})
    assert (answer["id"], answer["enabled"]) == (4, False)
    await busy.ask("PUT", "/drift/rules/90", ALICE, 404, {"enabled": False})


async def test_every_answer_is_as_declared(busy: Place) -> None:
    """Answers are sent as they are, so each is held against its model here."""
    from engine.drift import messages

    busy.listed("server", machines({"status": "ERROR"}), 30)
    [id, *_] = await ids(busy)
    await busy.ask("POST", "/q/drift/acknowledge", ADMIN, body={"ids": [id], "note": "x"})
    await busy.ask("POST", "/q/drift/ignores", ADMIN, 201, {"name": "x", "reason": "y"})
    await busy.ask("POST", "/q/drift/windows", ADMIN, 201, {"reason": "y", "minutes": 5})
    for path, model in (
        ("/q/drift/events", messages.EventPage),
        (f"/q/drift/events/{id}", messages.EventDetail),
        ("/q/drift/summary", messages.Summary),
        ("/q/drift/rules", messages.Rules),
        ("/q/drift/ignores", messages.Ignores),
        ("/q/drift/windows", messages.Windows),
        ("/drift/summary", messages.DocumentedSummary),
        ("/drift/events", messages.EventPage),
        ("/drift/rules", messages.Rules),
    ):
        answer = await busy.ask("GET", path)
        assert model.model_validate(answer).model_dump(mode="json") == answer, path
