"""The list of problems, what people do with one, and the line and bell of a new critical one."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from typing import Any

import pytest

from store.filter_rows import passes
from store.filter_rows import problem as filter_problem
from tests.tui.screen import console, lines, text, until, until_text
from tests.tui.troubles import USUAL, TroubledClient, problem
from tui.acting.problems import until_and_reason
from tui.api.errors import ApiError
from tui.commands import understand
from tui.problems import FIELDS, record, since, view_of
from tui.state import DEFAULT, View

CRITICAL = USUAL[0]


@pytest.fixture
def bells(monkeypatch: pytest.MonkeyPatch) -> list[int]:
    """How often it rang."""
    rung: list[int] = []
    monkeypatch.setattr("tui.console.QuarterdeckApp.bell", lambda app: rung.append(1))
    monkeypatch.delenv("QDECK_BELL", raising=False)
    return rung


@pytest.mark.parametrize(
    ("item", "view"),
    [
        (USUAL[0], View("detail", "compute_service", subject=("prod-eu", "eu-1", "7"))),
        (USUAL[1], View("list", "volume", "status:detaching project_name:acme-prod", clouds=("prod-eu",))),
        (USUAL[2], View("clouds")),
        (USUAL[3], View("job", subject=("118",))),
        (USUAL[4], None),
        (problem("x", "x", type="of a later release"), None),
        (problem("x", "x", type="server", key=["only", "two"], filter=None, cloud=None), View("list", "server")),
    ],
)
def test_what_a_problem_leads_to(item: dict[str, Any], view: View | None) -> None:
    assert view_of(item) == view


def test_since_says_when_it_was_so_before() -> None:
    assert [since(USUAL[0]), since(USUAL[2]), since(problem("x", "x", age_seconds=None))] == ["6m", "6m+", ""]


@pytest.mark.parametrize(
    ("filter", "ids"),
    [
        ("severity:=critical", ["aa01"]),
        ("owner:dana", ["bb02"]),
        ("muted:yes", ["0a07"]),
        ("!muted:yes severity:warning", ["bb02", "cc03", "dd04", "ee05"]),
        ("machines:>5", ["aa01"]),
        ("rule:disk or rule:list_stale", ["cc03", "ee05"]),
        ("resource:=7", ["aa01"]),
    ],
)
def test_filters(filter: str, ids: list[str]) -> None:
    from store.filters import parse

    assert filter_problem(filter, FIELDS) == ""
    now = datetime.now(UTC)
    assert [item["id"] for item in USUAL if passes(parse(filter), record(item), now)] == ids


@pytest.mark.parametrize(
    ("words", "hours", "reason"),
    [("2h", 2, ""), ("2h new disks come", 2, "new disks come"), ("3d", 72, "")],
)
def test_how_long_and_why(words: str, hours: float, reason: str) -> None:
    found = until_and_reason(words)
    assert isinstance(found, tuple) and found[1] == reason
    assert abs(found[0] - datetime.now(UTC) - timedelta(hours=hours)) < timedelta(minutes=1)


@pytest.mark.parametrize("words", ["", "soon", "because of it", "2020-01-01"])
def test_no_time_is_a_sentence(words: str) -> None:
    assert isinstance(until_and_reason(words), str)


def test_a_clock_time_and_a_day_may_be_more_than_one_word() -> None:
    found = until_and_reason("tomorrow 9:00 after the change")
    assert isinstance(found, tuple) and found[1] == "after the change" and found[0].hour == 9


def test_it_has_a_word_and_a_filter() -> None:
    assert understand("problems severity:critical", DEFAULT).view == View("problems", filter="severity:critical")


async def test_the_list_is_read_and_opened() -> None:
    client = TroubledClient()
    async with console(client) as (app, pilot):
        app._run_command("problems")
        await until_text(pilot, "nova-compute is down", "dana", "2 of them in anti-affinity groups", "quota of lab")
        assert "problems ✖1 ▲4 ○1 1 muted" in lines(app)[0]
        shown = [line for line in lines(app) if "is down" in line or "▲ 9 vol" in line or "quota of l" in line]
        assert [line.strip("▸ ")[0] for line in shown[:3]] == ["✖", "▲", "·"]
        await pilot.press("enter")
        await until(pilot, lambda: app.pane.view.kind == "detail" and app.pane.view.type == "compute_service")
        await pilot.press("escape")
        await until(pilot, lambda: app.pane.view.kind == "problems" and app.table.current)
        await pilot.press("j", "j", "j", "j")
        await until_text(pilot, "nobody has it")
        await pilot.press("enter")
        await until_text(pilot, "about the console itself")


async def test_hostile_words_are_text() -> None:
    async with console(TroubledClient()) as (app, pilot):
        app._run_command("problems severity:info")
        await until_text(pilot, "[red]")
        assert "\x1b" not in text(app) and "\u202e" not in text(app) and "\n" not in lines(app)[3]
        await pilot.press("n")
        await until_text(pilot, "note on problem")


async def test_it_is_taken_and_given_back() -> None:
    client = TroubledClient()
    async with console(client) as (app, pilot):
        app._run_command("problems")
        await until_text(pilot, "is down")
        await pilot.press("t")
        await until_text(pilot, "you have it", "yours")
        assert client.asked("POST", "/q/problems/aa01/take") == [None]
        await pilot.press("t")
        await until_text(pilot, "nobody has it any more")
        await pilot.press("j", "t")
        await until_text(pilot, "no longer dana")


async def test_it_is_muted_and_unmuted() -> None:
    client = TroubledClient(CRITICAL)
    async with console(client) as (app, pilot):
        app._run_command("problems")
        await until_text(pilot, "is down")
        await pilot.press("m", *"soon", "enter")
        await until_text(pilot, "names no time to come")
        for _ in "soon":
            await pilot.press("backspace")
        await pilot.press(*"2h known", "enter")
        await until_text(pilot, "muted until")
        [body] = client.asked("POST", "/q/problems/aa01/mute")
        assert body["reason"] == "known" and body["until"].endswith("Z")
        await until_text(pilot, "by root: known")
        await pilot.press("m", *"off", "enter")
        await until_text(pilot, "no longer muted")
        assert client.problem_items[0]["muted_until"] is None


async def test_a_note_is_about_the_problem() -> None:
    client = TroubledClient()
    async with console(client) as (app, pilot):
        app._run_command("problems")
        await until_text(pilot, "is down")
        await pilot.press("n", *"called them", "enter")
        await until(pilot, lambda: client.asked("POST", "/q/notes"))
        [body] = client.asked("POST", "/q/notes")
        assert body["text"] == "called them"
        assert body["subject"] == {"kind": "problem", "type": "service_down", "key": ["prod-eu", "aa01"],
                                   "name": "cmp-02: nova-compute is down"}  # fmt: skip


async def test_nothing_wrong_is_said_and_what_could_not_be_judged_too() -> None:
    client = TroubledClient(CRITICAL)
    client.problem_items = []
    async with console(client) as (app, pilot):
        app._run_command("problems")
        await until_text(pilot, "nothing is wrong")
        client.problems = lambda params: {"items": [], "counts": {}, "problems": ["the store could not be judged: x"]}  # type: ignore[method-assign]
        client.change({"topic": "problems"})
        await until_text(pilot, "not everything could be judged", "the store could not")


# The line and the bell


async def test_a_new_critical_one_is_told_once_everywhere(bells: list[int]) -> None:
    client = TroubledClient(USUAL[1])
    async with console(client) as (app, pilot):
        await until(pilot, lambda: app._rung is not None)
        client.trouble(CRITICAL, USUAL[1])
        await until_text(pilot, "✖ cmp-02: nova-compute is down; 0 shows it")
        assert len(bells) == 1
        await pilot.press("1")
        await until_text(pilot, "GO TO WITH", "✖ cmp-02: nova-compute is down")
        client.trouble({**CRITICAL, "detail": "24 machines"}, USUAL[1])
        asked = len(client.asked("GET", "/q/problems"))
        await until(pilot, lambda: len(client.asked("GET", "/q/problems")) > asked or len(bells) > 1)
        assert len(bells) == 1
        app.action_problems()
        await until(pilot, lambda: not app.world.problem_alert[1])


async def test_what_was_there_at_the_start_does_not_ring(bells: list[int]) -> None:
    client = TroubledClient(CRITICAL)
    async with console(client) as (app, pilot):
        await until(pilot, lambda: app._rung is not None)
        assert bells == [] and app.world.problem_alert == ("", "")
        assert app.world.problem_counts["critical"] == 1


async def test_muted_ones_and_warnings_are_silent_and_one_that_is_over_leaves_the_line(bells: list[int]) -> None:
    client = TroubledClient(USUAL[1])
    async with console(client) as (app, pilot):
        await until(pilot, lambda: app._rung is not None)
        client.trouble({**CRITICAL, "muted_until": "2126-01-01T00:00:00Z"}, USUAL[2])
        await until(pilot, lambda: app.world.problem_counts.get("muted") == 1)
        assert bells == [] and not app.world.problem_alert[1]
        client.trouble(CRITICAL)
        await until(pilot, lambda: app.world.problem_alert[0] == "aa01" and len(bells) == 1)
        client.trouble(USUAL[2])
        await until(pilot, lambda: not app.world.problem_alert[1])
        client.trouble({**CRITICAL, "first_seen": "2026-03-01T00:00:00Z"})  # it was over for long: it is news again
        await until(pilot, lambda: len(bells) == 2)


async def test_the_bell_can_be_off_and_stays_so(bells: list[int]) -> None:
    client = TroubledClient(USUAL[1])
    async with console(client) as (app, pilot):
        await until(pilot, lambda: app._rung is not None)
        app._run_command("bell off")
        await until_text(pilot, "does not ring")
        app.end_notice()  # it would hide the alert for as long as it is shown
        client.trouble(CRITICAL)
        await until_text(pilot, "nova-compute is down; 0")
        assert bells == []
        await app.save()
        assert client.saved_view["bell"] is False
    async with console(client) as (app, pilot):
        await until(pilot, lambda: not app.bell_on)


async def test_the_environment_turns_the_bell_off(bells: list[int], monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("QDECK_BELL", "off")
    client = TroubledClient(USUAL[1])
    async with console(client) as (app, pilot):
        await until(pilot, lambda: app._rung is not None)
        client.trouble(CRITICAL)
        await until_text(pilot, "nova-compute is down; 0")
        assert bells == []


async def test_a_role_that_may_not_see_them_is_left_in_peace() -> None:
    client = TroubledClient()
    client.fail_path["/q/problems"] = ApiError(403, "your role does not allow it")
    async with console(client) as (app, pilot):
        await until(pilot, lambda: client.asked("GET", "/q/problems"))
        await pilot.pause()
        assert "does not allow" not in text(app)


async def test_a_problem_on_the_hand_over_leads_to_what_is_broken() -> None:
    columns = [{"name": "severity", "title": "Severity"}, {"name": "title", "title": "What"}]
    rows = [
        {name: item[name] for name in ("severity", "title", "type", "key", "id", "cloud")}
        for item in (USUAL[0], USUAL[1])
    ]
    section = {"name": "problems", "title": "Open problems", "none": "", "problem": None, "total": 2, "rows": rows}
    client = TroubledClient()
    client.answers["/q/handover"] = {"sections": [section | {"columns": columns}]}
    async with console(client) as (app, pilot):
        for number, view in enumerate(
            (View("detail", "compute_service", subject=("prod-eu", "eu-1", "7")), View("problems"))
        ):
            app._run_command("handover")
            await until_text(pilot, "OPEN PROBLEMS  2")
            await pilot.press("g", "j", *"j" * number, "enter")
            await until(
                pilot, lambda view=view: app.pane.view.kind == view.kind and app.pane.view.subject == view.subject
            )


@pytest.mark.parametrize(
    ("told", "expected"),
    [
        ({"opens": "compliance", "cloud": "prod", "project_id": "p 1"},
         View("compliance", filter='tenant_id:="p 1" status:=missing,=quota_blocked', clouds=("prod",))),
        ({"opens": "compliance", "cloud": "prod", "project_id": None},
         View("compliance", filter="status:=missing,=quota_blocked", clouds=("prod",))),
        ({"opens": "runs"}, View("runs")),
        ({"opens": "protection", "cloud": "prod"}, View("protection")),
    ],
)  # fmt: skip
def test_problems_of_snapshots_lead_to_their_pages(told: dict[str, Any], expected: View) -> None:
    assert view_of(told) == expected
