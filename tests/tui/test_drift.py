"""Drift on screen: the triage, and one event."""

from __future__ import annotations

import pytest

from engine.drift.models import TRIAGE
from tests.tui.drift_fake import HOSTILE, SERVER, DriftClient, event
from tests.tui.screen import console, lines, text, until, until_gone, until_text
from tui.api.errors import ApiError
from tui.state import View


def asked(client: DriftClient, path: str = "/q/drift/events") -> list[dict]:  # type: ignore[type-arg]
    return client.asked("GET", path)


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
        await pilot.press("question_mark")
        await until_text(pilot, "not now, no row is under the cursor: acknowledge the event")


async def test_drift_that_is_not_whole_says_so_and_is_never_nothing() -> None:
    client = DriftClient([])
    client.gaps = ["listings of volumes could not be compared: the disk is full"]
    async with console(client, size=(120, 30)) as (_, pilot):
        await pilot.press("2")
        await until_text(pilot, "the drift is not whole: listings of volumes", "drift, not whole: none")
        client.events[1] = event(1)
        client.change({"topic": "drift", "version": 2})
        await until_text(pilot, "not whole: listings of volumes", "web-1")


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
        await pilot.press("escape")
        await until_text(pilot, "m1.large")
        await pilot.press("h")
        await until(pilot, lambda: (app.pane.view.kind, app.pane.view.subject[-1]) == ("history", SERVER))


async def test_the_page_of_a_resource_leads_to_its_drift() -> None:
    client = DriftClient([event(1, "critical", new_value="ERROR"), event(2, resource_id="v-2", owner_id=SERVER)])
    async with console(client, size=(120, 40)) as (app, pilot):
        app.open_view(View("detail", "server", subject=("prod-eu", "eu-1", SERVER)))
        await until_text(pilot, "→ drift", "status ACTIVE → ERROR; 1 more")
        while app.table.current.key[:2] != ("link", "drift"):
            await pilot.press("j")
        await pilot.press("enter")
        await until(pilot, lambda: app.pane.view.filter == f"about:{SERVER}")
        await until(pilot, lambda: len(app.table.buffer.rows) == 2)
        assert asked(client)[-1]["id"] == SERVER
        client.events.clear()
        await pilot.press("escape")
        await until(pilot, lambda: app.pane.view.kind == "detail" and app.table.loaded)
        assert "→ drift" not in text(app)


async def test_a_view_of_drift_is_kept_under_a_name() -> None:
    client = DriftClient()
    async with console(client, size=(120, 30)) as (_, pilot):
        await pilot.press("2", "exclamation_mark")
        await until_text(pilot, "/severity:critical", "2 match")
        await pilot.press("b")
        await until_text(pilot, "keep drift severity:critical as")


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
