"""Drift on screen: the triage, one event, rules, ignores and maintenance windows."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from engine.drift.models import SEVERITIES, STATES, TRIAGE
from store.filters import parse
from tests.tui.drift_fake import HOSTILE, SERVER, DriftClient, event, some_events
from tests.tui.screen import console, lines, text, until, until_gone, until_text
from tui.acting.drift import acceptance
from tui.api.errors import ApiError
from tui.drift import change_words, state_words, sure_words, who_words
from tui.drift_filters import next_severity, question, record_of, shown_states, term, toggled, with_term
from tui.panes.drift import grouped
from tui.state import View
from tui.table.passing import passes

BY_ID = {e["id"]: e for e in some_events()}


def asked(client: DriftClient, path: str = "/q/drift/events") -> list[dict]:  # type: ignore[type-arg]
    return client.asked("GET", path)


# Words


@pytest.mark.parametrize(
    ("id", "change", "who"),
    [
        (1, "flavor_id m1.small → m1.large", "m.levi"),
        (2, "subnet deleted", "unknown"),
        (3, "status ACTIVE → SHUTOFF", "one of 2"),
        (4, "size 10 → 20", "cinder, a service"),
        (5, "status ACTIVE → SHUTOFF", "not asked yet"),
        (6, "subnet changed and back, 2 writes", "not asked yet"),
        (8, "status ACTIVE → SHUTOFF", "root, job 118"),
        (10, "new security group rule", "not asked yet"),
    ],
)
def test_what_changed_and_who_did_it_in_words(id: int, change: str, who: str) -> None:
    assert (change_words(BY_ID[id]), who_words(BY_ID[id])) == (change, who)


@pytest.mark.parametrize(
    ("more", "words"),
    [
        ({"grade": "cloud", "actor": "m.levi", "source": "nova: stop"}, "m.levi, from the cloud (nova: stop)"),
        ({"grade": "certain", "actor": "root", "source": "audit: server.stop"}, "root, certain (audit: server.stop)"),
        ({"grade": "service", "actor": None}, "a service: a service of the cloud acted"),
        ({"grade": "unknown", "actor": None}, "unknown: no record says who did it"),
        ({"grade": None}, "not asked yet: enter asks the cloud"),
    ],
)
def test_how_sure_it_is_who_did_it(more: dict[str, object], words: str) -> None:
    assert sure_words(event(1, **more)).startswith(words)


def test_nobody_is_named_where_no_record_names_one() -> None:
    for grade in ("one_of", "unknown"):
        assert "anna" not in who_words(event(1, grade=grade, actor="anna"))
    assert who_words(event(1, grade="cloud", actor=None)) == "unknown"


@pytest.mark.parametrize(
    ("id", "words"),
    [
        (5, "it went back by itself, and nobody has looked"),
        (7, "acknowledged by anna: planned"),
        (8, "expected: a job of this console did it"),
        (9, "ignored: maintenance until 18:00: disks"),
        (1, "open"),
    ],
)
def test_states_in_words(id: int, words: str) -> None:
    assert state_words(BY_ID[id]) == words


@pytest.mark.parametrize(
    ("old", "new", "words"),
    [
        ("name s, vcpus 2, ram 4", "name l, vcpus 4, ram 4", "size name s, vcpus 2 → name l, vcpus 4"),
        ("a, b", "b, c", "size a → c"),
        ("a, b", "a", "size b → none"),
        ("a", "a, b", "size none → b"),
        (None, "a, b", "size none → a, b"),
        ("a", "b", "size a → b"),
    ],
)
def test_of_values_of_many_parts_only_those_that_differ_are_said(old: str, new: str, words: str) -> None:
    assert change_words(event(1, field_changed="size", old_value=old, new_value=new)) == words


@given(st.lists(st.tuples(st.integers(0, 6), st.none() | st.integers(0, 6)), max_size=8, unique_by=lambda t: t[0]))
def test_events_of_one_action_stand_together_and_none_is_lost(made: list[tuple[int, int | None]]) -> None:
    items = [{"id": id, "group": group} for id, group in made]
    order = [item["id"] for item in grouped(items)]
    assert sorted(order) == sorted(id for id, _ in made)
    heads = {id for id, group in made if group in (None, id)}
    for id, group in made:
        if group in heads and group != id:
            between = order[order.index(group) + 1 : order.index(id)]
            assert order.index(group) < order.index(id)
            assert all(dict(made)[other] == group for other in between)


# Filters


@pytest.mark.parametrize(
    ("filter", "states"),
    [
        ("", TRIAGE),
        ("web severity:critical", TRIAGE),
        ("state:acknowledged", ("acknowledged",)),
        ("state:triage,expected", (*TRIAGE, "expected")),
        ("state:resolved", ("resolved_unseen", "resolved")),
        ("state:nonsense", ()),
        ("state:=open", STATES),
        ("state:ignored or web", STATES),
        ("!state:open", STATES),
        ("(", TRIAGE),
    ],
)
def test_only_what_is_to_be_looked_at_is_shown_unless_a_filter_says_so(filter: str, states: tuple[str, ...]) -> None:
    assert set(shown_states(filter)) == set(states)


def test_one_key_shows_and_hides() -> None:
    shown = toggled("web", ("acknowledged",))
    assert shown == "web state:triage,acknowledged"
    both = toggled(shown, ("expected", "ignored"))
    assert both == "web state:triage,acknowledged,expected,ignored"
    assert toggled(toggled(both, ("acknowledged",)), ("expected", "ignored")) == "web"


def test_one_key_goes_through_the_severities() -> None:
    seen, filter = [], "web"
    for _ in range(4):
        filter = next_severity(filter)
        seen.append(filter)
    assert seen == ["web severity:critical", "web severity:warning", "web severity:info", "web"]
    assert next_severity("severity:warning,info") == "severity:critical"


WORDS = st.lists(
    st.sampled_from(["web", "!db", "severity:critical,info", "state:ignored", "(a or b)", "rule_id:=3", '"x y"']),
    max_size=5,
).map(" ".join)


@given(WORDS, st.sampled_from(["severity", "state"]), st.lists(st.sampled_from(SEVERITIES), unique=True, max_size=3))
def test_a_term_is_put_in_place_of_the_one_before(filter: str, column: str, values: list[str]) -> None:
    changed = with_term(filter, column, values)
    found = term(changed, column)
    assert (None if found is None else [value.text for value in found]) == (values or None)
    assert with_term(changed, column, ()) == with_term(filter, column, ())


ANY = st.lists(
    st.sampled_from(
        ["web", "status", "severity:crit", "severity:=info", "severity:warning,info", "state:acknowledged", "rule_id:2",
         "state:triage,expected", "rule_id:=1,2", "!web-3", "who:anna", "age:<5m", "age:>2m", "project:=ACME-prod",
         "severity:critical or state:ignored", "job:any"]
    ),
    max_size=4,
).map(" ".join)  # fmt: skip


@given(ANY, st.sampled_from(sorted(BY_ID)))
def test_the_engine_is_asked_for_at_least_what_passes(filter: str, id: int) -> None:
    """Whatever passes a filter on screen is among what the engine was asked for."""
    from datetime import UTC, datetime

    item, params = BY_ID[id], question(filter)
    if "state" not in filter and item["state"] not in TRIAGE:
        return  # hidden unless asked for
    if passes(parse(filter), record_of(item), datetime.now(UTC)):
        assert item["state"] in params["state"]
        assert item["severity"] in params.get("severity", SEVERITIES)
        assert item["rule_id"] in params.get("rule", [item["rule_id"]])
        assert item["opened_at"] >= params.get("since", "")
        assert "text" not in params


@pytest.mark.parametrize(
    ("typed", "note", "ends"),
    [("", "", False), ("planned  work", "planned work", False), ("x until:2d", "x", True), ("until:2d", "", True)],
)
def test_a_note_may_say_how_long_it_holds(typed: str, note: str, ends: bool) -> None:
    body = acceptance(typed)
    assert isinstance(body, dict)
    assert body["note"] == note
    assert ("until" in body) == ends


@pytest.mark.parametrize(("typed", "words"), [("x until:yesterday", "names no time"), ("y" * 1001, "at most 1,000")])
def test_a_note_that_cannot_be_kept_says_why(typed: str, words: str) -> None:
    assert words in str(acceptance(typed))


# The triage


async def test_the_worst_come_first_and_what_is_settled_is_hidden() -> None:
    client = DriftClient()
    async with console(client, size=(120, 30)) as (app, pilot):
        await pilot.press("2")
        await until_text(pilot, "flavor_id m1.small → m1.large", "drift ✖2 ▲3 ·2", "web-1")
        shown = text(app)
        assert "web-7" not in shown and "web-8" not in shown and "web-9" not in shown
        assert [row.key[0] for row in app.table.buffer.rows] == ["1", "2", "3", "4", "5", "10", "11"]
        await until_text(pilot, "who m.levi, from the cloud (nova: resize)", "between ", "acme-prod")
        params = asked(client)[-1]
        assert (params["sort_by"], params["sort_dir"], set(params["state"])) == ("severity", "desc", set(TRIAGE))


async def test_names_from_clouds_stay_text() -> None:
    async with console(DriftClient(), size=(120, 30)) as (app, pilot):
        await pilot.press("2", "G")
        await until_text(pilot, "[red]=1+1")
        await pilot.press("enter")
        await until_text(pilot, "FIELD", "[red]=1+1")
        assert not set(text(app)) & set("\x1b\x07\u202e")


async def test_acknowledge_with_a_note_goes_on_to_the_next_and_is_taken_back() -> None:
    client = DriftClient()
    async with console(client, size=(120, 30)) as (app, pilot):
        await pilot.press("2")
        await until_text(pilot, "web-1")
        await pilot.press("a")
        await until_text(pilot, "acknowledge web-1, note:")
        await pilot.press(*"resize", "enter")
        await until_text(pilot, "acknowledged 1; u takes it back", "drift ✖1 ▲3 ·2")
        assert client.asked("POST", "/q/drift/acknowledge") == [{"ids": [1], "note": "resize"}]
        await until(pilot, lambda: app.table.current.key == ("2",))
        await until_gone(pilot, "m1.large")
        await pilot.press("u")
        await until_text(pilot, "1 no longer acknowledged", "drift ✖2 ▲3 ·2", "m1.large")
        assert client.asked("POST", "/q/drift/unacknowledge") == [{"batch": "b0"}]
        await pilot.press("u")
        await until_text(pilot, "nothing was acknowledged here")


async def test_what_one_action_did_is_acknowledged_with_it() -> None:
    client = DriftClient([event(n, group=2 if n in (2, 4, 5) else None) for n in range(1, 6)])
    async with console(client, size=(120, 30)) as (app, pilot):
        await pilot.press("2")
        await until_text(pilot, "└ web-4", "└ web-5")
        assert [row.key[0] for row in app.table.buffer.rows] == ["1", "2", "4", "5", "3"]
        await pilot.press("j", "a")
        await until_text(pilot, "acknowledge web-2 and 2 below it, note:")
        await pilot.press("enter")
        await until_text(pilot, "acknowledged 3")
        assert client.asked("POST", "/q/drift/acknowledge")[0]["ids"] == [2, 4, 5]
        await until(pilot, lambda: app.table.current.key == ("3",))


async def test_many_marked_events_are_acknowledged_at_once() -> None:
    client = DriftClient()
    async with console(client, size=(120, 30)) as (app, pilot):
        await pilot.press("2")
        await until_text(pilot, "web-1")
        await pilot.press("space", "space", "j", "space")
        await until_text(pilot, "3 marked")
        await pilot.press("a", "enter")
        await until_text(pilot, "acknowledged 3", "drift ▲2 ·2")
        assert client.asked("POST", "/q/drift/acknowledge") == [{"ids": [1, 2, 4], "note": ""}]
        assert not app.table.marks


async def test_all_that_pass_are_acknowledged_after_a_yes() -> None:
    client = DriftClient()
    async with console(client, size=(120, 30)) as (_, pilot):
        await pilot.press("2")
        await until_text(pilot, "web-1")
        await pilot.press("exclamation_mark", "exclamation_mark")
        await until_text(pilot, "/severity:warning", "3 match")
        await pilot.press("A")
        await until_text(pilot, "acknowledge all 3 that pass?")
        await pilot.press("enter")
        await until_text(pilot, "y and a note accepts them all")
        assert client.asked("POST", "/q/drift/acknowledge") == []
        await pilot.press(*"y storm until:2h", "enter")
        await until_text(pilot, "acknowledged 3 until ", "drift ✖2 ·2")
        (body,) = client.asked("POST", "/q/drift/acknowledge")
        assert (body["ids"], body["note"]) == ([3, 4, 5], "storm")


async def test_all_but_some_through_marks() -> None:
    client = DriftClient()
    async with console(client, size=(120, 30)) as (_, pilot):
        await pilot.press("2")
        await until_text(pilot, "web-1")
        await pilot.press("asterisk", "space")  # all, without the first
        await until_text(pilot, "6 marked")
        await pilot.press("a")
        await until_text(pilot, "acknowledge all 6 that pass?")
        await pilot.press("y", "enter")
        await until_text(pilot, "acknowledged 6")
        assert client.asked("POST", "/q/drift/acknowledge")[0]["ids"] == [2, 3, 4, 5, 10, 11]


async def test_all_that_pass_are_more_than_those_that_were_read(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("tui.panes.drift.MOST", 10)
    client = DriftClient([event(n) for n in range(1, 36)])
    async with console(client, size=(120, 30)) as (app, pilot):
        await pilot.press("2")
        await until_text(pilot, "25 more are not read")
        assert len(app.table.buffer.rows) == 10
        await pilot.press("A")
        await until_text(pilot, "acknowledge all 10 and more that pass?")
        await pilot.press("y", "enter")
        await until_text(pilot, "acknowledged 35")
        assert client.asked("POST", "/q/drift/acknowledge")[0]["ids"] == list(range(1, 36))


async def test_what_is_too_much_to_read_is_narrowed_by_the_engine(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("tui.panes.drift.MOST", 10)
    client = DriftClient([event(n) for n in range(1, 36)])
    async with console(client, size=(120, 30)) as (_, pilot):
        await pilot.press("2")
        await until_text(pilot, "web-1")
        await pilot.press("slash", *"web-33", "enter")
        await until_text(pilot, "1 match", "web-33")
        assert asked(client)[-1]["text"] == "web-33"


async def test_a_refusal_is_said_and_nothing_is_lost() -> None:
    client = DriftClient()
    client.refusal = ApiError(403, "your role is viewer; acknowledging needs drift:write")
    async with console(client, size=(120, 30)) as (_, pilot):
        await pilot.press("2")
        await until_text(pilot, "web-1")
        await pilot.press("a", "enter")
        await until_text(pilot, "acknowledging needs drift:write", "m1.large")


async def test_what_was_settled_is_shown_with_one_key_each() -> None:
    client = DriftClient()
    async with console(client, size=(120, 30)) as (_, pilot):
        await pilot.press("2")
        await until_text(pilot, "web-1")
        await pilot.press("full_stop")
        await until_text(pilot, "web-7", "acknowledged", "STATE")
        await pilot.press("comma")
        await until_text(pilot, "web-8", "web-9", "root, job 118")
        await pilot.press("full_stop")
        await until_gone(pilot, "web-7")
        await pilot.press("escape")
        await until_gone(pilot, "web-8")


async def test_counts_and_rows_are_live() -> None:
    client = DriftClient()
    async with console(client, size=(120, 30)) as (app, pilot):
        await pilot.press("2")
        await until_text(pilot, "drift ✖2 ▲3 ·2")
        await pilot.press("j", "j")
        client.events[12] = event(12, "critical", resource_name="db-new")
        client.change({"topic": "drift", "version": 2})
        await until_text(pilot, "drift ✖3 ▲3 ·2", "db-new")
        assert app.table.current.key == ("3",)


async def test_nothing_to_look_at_says_where_the_rest_is() -> None:
    async with console(DriftClient([]), size=(80, 24)) as (_, pilot):
        await pilot.press("2")
        await until_text(pilot, "nothing drifted that nobody looked at", "drift none")
        await pilot.press("slash", *"web", "enter")
        await until_text(pilot, "no event passes this filter", ". and , show what is hidden")
        await pilot.press("escape", "a")
        await until_text(pilot, "no event is under the cursor")


async def test_severities_are_sorted_by_how_bad_they_are() -> None:
    async with console(DriftClient(), size=(120, 30)) as (app, pilot):
        await pilot.press("2")
        await until_text(pilot, "web-1")
        await pilot.press("right", "right", "right", "o")
        await until(pilot, lambda: app.pane.view.sort == (("severity", False),))
        order = ["critical"] * 2 + ["warning"] * 3 + ["info"] * 2
        await until(pilot, lambda: [r.values[4] for r in app.table.buffer.rows] == order)
        await pilot.press("o")
        await until(pilot, lambda: [r.values[4] for r in app.table.buffer.rows] == order[::-1])


async def test_from_an_event_to_its_resource_and_back() -> None:
    async with console(DriftClient(), size=(120, 40)) as (app, pilot):
        await pilot.press("2")
        await until_text(pilot, "web-1")
        await pilot.press("d")
        await until(pilot, lambda: app.pane.view == View("detail", "server", subject=("prod-eu", "eu-1", SERVER)))
        await pilot.press("escape")
        await until_text(pilot, "m1.large")
        await pilot.press("t")
        await until(pilot, lambda: (app.pane.view.kind, app.pane.view.type) == ("tree", "server"))


# One event


async def test_opening_an_event_asks_who_did_it_and_shows_everything() -> None:
    client = DriftClient()
    async with console(client, size=(140, 45)) as (app, pilot):
        await pilot.press("2", "j", "j", "j", "j")
        await until_text(pilot, "not asked yet: enter asks the cloud")
        await pilot.press("enter")
        await until_text(
            pilot, "server web-5: status ACTIVE → SHUTOFF", "unknown: no record says who did it", "goes back and forth",
            "created by", "that does not say who changed it", "planned (undone by bob", "→ related", "last seen before",
            "it went back by itself", "Default",
        )  # fmt: skip
        assert ("GET", "/q/drift/events/5", None) in client.calls
        await pilot.press("a", *"ok", "enter")
        await until_text(pilot, "acknowledged by root: ok")
        await pilot.press("u")
        await until_gone(pilot, "acknowledged by root: ok")
        await pilot.press("G", "enter")
        await until(pilot, lambda: app.pane.view == View("drift_event", subject=("3",)))
        await until_text(pilot, "stop by anna", "reboot by unknown", "nobody is named")
        await pilot.press("g", "j", "enter")
        await until(pilot, lambda: app.pane.view.kind == "detail")


# Rules, ignores, windows


async def test_rules_are_switched_and_made_worse() -> None:
    client = DriftClient()
    async with console(client, size=(120, 30)) as (app, pilot):
        await pilot.press("colon", *"drift-rules", "enter")
        await until_text(pilot, "Rule 1", "as shipped")
        await pilot.press("space")
        await until_text(pilot, "rule 1 Rule 1 is off: it opens no events")
        assert client.rules[1]["enabled"] is False
        await pilot.press("e", "enter")
        await until_text(pilot, "write one of critical, warning, info, default")
        await pilot.press("tab", "enter")
        await until_text(pilot, "critical, shipped as warning")
        assert client.rules[1]["severity"] == "critical"
        await pilot.press("e", "d", "enter")
        await until_text(pilot, "warning, as shipped")
        await pilot.press("enter")
        await until(pilot, lambda: app.pane.view == View("drift", filter="rule_id:=1"))
        await until_text(pilot, "1 match")


async def test_events_like_one_are_ignored_and_told_again() -> None:
    client = DriftClient()
    async with console(client, size=(120, 40)) as (_, pilot):
        await pilot.press("2")
        await until_text(pilot, "web-1")
        await pilot.press("plus")
        await until_text(pilot, "Ignore drift", "[web-1", "< server", "[acme-prod")
        await pilot.press(*["backspace"] * 1, "asterisk", *["tab"] * 7, *"test machines", "tab", *"2d", "enter")
        await until_text(pilot, "ignored: name web-*, project acme-prod, type server, rule 1")
        (body,) = client.asked("POST", "/q/drift/ignores")
        assert body.pop("until").endswith("Z")
        assert body == {"name": "web-*", "type": "server", "rule": 1, "project": "acme-prod", "reason": "test machines"}
        await pilot.press("tab", "tab")
        await until_text(pilot, "ignored drift 1", "name web-*", "test machines", "hides 2 events")
        await pilot.press("delete")
        await until_text(pilot, "ignore no longer: name web-*")
        await pilot.press("y", "enter")
        await until_text(pilot, "nothing is ignored")


async def test_a_maintenance_window_is_planned_and_ended() -> None:
    client = DriftClient()
    async with console(client, size=(120, 40)) as (_, pilot):
        await pilot.press("colon", *"windows", "enter")
        await until_text(pilot, "no maintenance is planned")
        await pilot.press("plus")
        await until_text(pilot, "Maintenance window")
        await pilot.press("tab", *"yesterday", "tab", *"disks", *["tab"] * 4, "enter")
        await until_text(pilot, "names no time to come")
        await pilot.press(*["shift+tab"] * 5, *["backspace"] * 9, *"2h", *["tab"] * 5, "enter")
        await until_text(pilot, "planned: everything", "disks")
        (body,) = client.asked("POST", "/q/drift/windows")
        assert set(body) == {"until", "reason"}
        await until_text(pilot, "everything", "now", "HIDES")
        await pilot.press("delete", "y", "enter")
        await until_text(pilot, "the window has ended", "no maintenance is planned")


async def test_a_form_that_is_refused_stays_with_the_reason() -> None:
    client = DriftClient()
    client.refusal = ApiError(422, "give at least one criterion: name, tag, project, cloud or type")
    async with console(client, size=(120, 40)) as (_, pilot):
        await pilot.press("colon", *"ignores", "enter")
        await until_text(pilot, "nothing is ignored")
        await pilot.press("plus")
        await until_text(pilot, "Ignore drift")
        await pilot.press(*["tab"] * 7, *"why", "tab", "enter")
        await until_text(pilot, "give at least one criterion", "Ignore drift")


async def test_pages_of_drift_follow_each_other() -> None:
    async with console(DriftClient(), size=(80, 24)) as (app, pilot):
        await pilot.press("2")
        for kind in ("drift-rules", "ignores", "windows", "drift"):
            await pilot.press("tab")
            await until(pilot, lambda kind=kind: app.pane.view.kind == kind and app.table.loaded)


@pytest.mark.parametrize("size", [(20, 5), (40, 10), (80, 24), (160, 45)])
async def test_the_cursor_is_in_sight_at_every_size(size: tuple[int, int]) -> None:
    client = DriftClient()
    async with console(client, size=size) as (app, pilot):
        for kind in ("drift", "drift-rules", "ignores", "windows"):
            app.open_view(View(kind))
            await until(pilot, lambda: app.table.loaded)
            app.action_down()
            await pilot.pause()
            rows = app.table.buffer.rows
            assert sum("▸" in line for line in lines(app)) == (1 if rows else 0)
            assert all(len(line) <= size[0] for line in lines(app))
        app.open_view(View("drift_event", subject=("11",)))
        await until(pilot, lambda: app.table.loaded)
        assert HOSTILE not in text(app)
        assert [words for _, words in app.world.said if "expect" in words] == []
