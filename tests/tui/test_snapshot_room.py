"""The room of snapshots on screen: overview, policies, volumes by compliance, runs, exclusions, why."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import pytest

from tests.tui.screen import console, text, until, until_gone, until_text
from tests.tui.snapshots_fake import VOLUME, SnapshotClient, a_set, point, run
from tui.api.errors import ApiError, EngineUnavailable
from tui.state import View

WIDE = (140, 40)


async def test_the_overview_says_what_is_late_what_runs_and_what_is_not_kept() -> None:
    async with console(SnapshotClient(), size=(80, 24)) as (app, pilot):
        await pilot.press("3")
        await until_text(pilot, "LATE 2h", "daily_5", "in 3h", "weekly_4", "47%", "batch 3/5", "done in 20m", "partial")
        await until_text(pilot, "missing            2", "no policy          7", "88.2%", "3 missing", "100.0%")
        await until_text(pilot, "a backup           4  10%", "same back end     30", "nothing            7")
        assert app.pane.view == View("protection")


@pytest.mark.parametrize(
    ("spot", "view"),
    [
        ("due prod-eu eu-1 daily_5", View("compliance", filter='policy:="daily_5"')),
        ("run 3", View("run", subject=("3",))),
        ("state missing", View("compliance", filter="status:=missing")),
        ("state none", View("compliance", filter="status:=no_policy")),
        ("state failed", View("runs", filter="status:=failed,partial")),
        ("cover nothing", View("compliance", filter="cover:nothing")),
        ("kept daily_5", View("compliance", filter='policy:="daily_5"')),
    ],
)
async def test_every_number_opens_the_list_behind_it(spot: str, view: View) -> None:
    async with console(SnapshotClient(), size=WIDE) as (app, pilot):
        await pilot.press("3")
        await until_text(pilot, "LATE 2h", "88.2%", "a backup", "47%")
        app.pane.as_board().go(spot)
        await until(pilot, lambda: app.table.current.key == (spot,))
        await pilot.press("enter")
        await until(pilot, lambda: app.pane.view == view)
        await until(pilot, lambda: app.table.loaded and app.table.buffer.rows)
        await pilot.press("escape")
        await until(pilot, lambda: app.pane.view.kind == "protection" and app.table.current.key == (spot,))


async def test_a_cloud_where_policies_may_not_run_is_said_in_words_and_allowed_with_a_reason() -> None:
    client = SnapshotClient()
    async with console(client, size=(80, 24)) as (_, pilot):
        await pilot.press("3")
        await until_text(pilot, "prod-eu is not enabled for policy runs: nothing is made there. W allows it")
        await pilot.press("W")
        await until_text(pilot, "policy runs in a cloud", "(•) allowed", "also while the cloud is READ-ONLY")
        await pilot.press("tab", "tab", "enter", "enter")
        await until_text(pilot, "Reason is required")
        await pilot.press(*"policies as agreed", "enter")
        await until_text(pilot, "policy runs in prod-eu are allowed")
        assert client.asked("POST", "/q/snapshot/clouds/prod-eu") == [{"reason": "policies as agreed", "typed": ""}]
        client.change({"topic": "snapshots"})
        await until_gone(pilot, "is not enabled for policy runs")
        await pilot.press("W")
        await until_text(pilot, "(•) not allowed")
        await pilot.press("tab", "tab", "enter")
        await until(pilot, lambda: client.enabled is False)


async def test_without_a_policy_three_keys_lead_to_the_first_one() -> None:
    client = SnapshotClient(bare=True)
    async with console(client, size=(80, 24)) as (_, pilot):
        await pilot.press("3")
        await until_text(pilot, "no policy yet", "s  the policies", "a  add one", "daily_5", "weekly_4", "monthly_1st")
        await pilot.press("s")
        await until_text(pilot, "no policy yet, so no volume gets a snapshot", "a then d adds daily_5")
        await pilot.press("a", "d")
        await until_text(pilot, "[daily_5", "[daily 02:00", "takes   34 volumes in 2 projects")
        await pilot.press(*["shift+tab"] * 2, "enter")
        await until_text(pilot, "policy daily_5 made", "daily 02:00")
        assert client.asked("POST", "/q/snapshot/policies")[0] == {
            "name": "daily_5", "schedule": "daily 02:00", "timezone": "UTC", "keep": 5, "method": "volume",
            "catch_up_hours": None, "window_hours": None, "jitter_minutes": 0, "description": "",
        }  # fmt: skip
        (made,) = client.asked("POST", "/snapshot-policies")
        assert (made["name"], made["policies"], made["match"]) == ("daily_5", ["daily_5"], {})
        assert made["is_global"] is True


async def test_the_editor_shows_what_it_would_do_while_one_types() -> None:
    client = SnapshotClient()
    async with console(client, size=(100, 30)) as (app, pilot):
        await pilot.press("3", "s")
        await until_text(pilot, "everything")
        await pilot.press("a", "p")
        await until_text(pilot, "a policy", "what it would do")
        await pilot.press(*"db_9", "tab", *"daily 03:00", *["tab"] * 4, "right", "tab", *"acme")
        await until_text(pilot, "takes   34 volumes in 2 projects; 2 go to what wins over it, 1 are excluded")
        await until_text(pilot, "✖ does not fit in 1", "▲ weekly_4 loses 3 of them (data-0, data-1, data-2)")
        await until_text(pilot, "acme-prod", "too much: 162 snapshots of 50", "no limit", "and 24 more")
        await until(pilot, lambda: client.asked("POST", "/q/snapshot/sets/preview")[-1]["tenant_name"] == "acme")
        asked = client.asked("POST", "/q/snapshot/sets/preview")
        assert asked[-1]["retention_map"] == {"db_9": 7}
        assert len(asked) < 20  # not at every key
        client.schedule_problems = {"schedule": "'daily 03:00x' is no schedule"}
        await pilot.press(*["shift+tab"] * 5, "x")
        await until_text(pilot, "✖ When: 'daily 03:00x' is no schedule")
        assert app.dialog.page.problems == {"schedule": "'daily 03:00x' is no schedule"}
        client.schedule_problems = {}
        await pilot.press("backspace")
        await until(pilot, lambda: not app.dialog.page.problems and not app.dialog.page.waiting)
        await pilot.press("escape")
        await until_gone(pilot, "what it would do")


async def test_a_refused_policy_stays_in_the_form_with_the_reason() -> None:
    client = SnapshotClient()
    client.refusals["/q/snapshot/policies"] = ApiError(409, "there is a policy 'daily_5' already")
    client.refusals["/q/snapshot/sets/preview"] = ApiError(403, "your role may not see sets")
    async with console(client, size=(120, 36)) as (app, pilot):
        await pilot.press("3", "s")
        await until_text(pilot, "everything")
        await pilot.press("a", "d")
        await until_text(pilot, "no preview: your role may not see sets")
        await pilot.press(*["shift+tab"] * 2, "enter")
        await until_text(pilot, "there is a policy 'daily_5' already", "Make it")
        long = "keep must be at most 1000, and this sentence goes on so that no line beside the buttons holds it whole"
        client.refusals["/q/snapshot/policies"] = ApiError(422, f"Invalid parameter: {long}")
        await pilot.press("enter")
        await until_text(pilot, "must be at most 1000, and", "holds it whole")
        assert (app.dialog.page.focus.name, list(app.dialog.page.problems)) == ("keep", ["keep"])


async def test_policies_and_sets_are_changed_switched_and_deleted() -> None:
    client = SnapshotClient()
    async with console(client, size=WIDE) as (_, pilot):
        await pilot.press("3", "s")
        await until_text(pilot, "everything", "databases", "made up", "daily 02:00 Europe/Berlin, keep 5")
        await pilot.press("space")
        await until_text(pilot, "policy daily_5 is off: nothing is made")
        assert client.asked("PUT", "/q/snapshot/policies/daily_5") == [{"enabled": False}]
        await pilot.press("e")
        await until_text(pilot, "policy daily_5", "Change it", "next    ")
        await pilot.press("tab", "tab", "tab", *"9", *["shift+tab"] * 5, "enter")
        await until_text(pilot, "policy daily_5 changed")
        changed = client.asked("PUT", "/q/snapshot/policies/daily_5")[-1]
        assert (changed["keep"], changed["schedule"], "name" in changed) == (9, "0 2 * * *", False)
        await pilot.press("j", "j", "space")
        await until_text(pilot, "gold was made up from its name")
        await pilot.press("D")
        await until_text(pilot, "gold is nobody's policy")
        await pilot.press("j", "j", "space")
        await until_text(pilot, "set everything is off: it gives nothing to any volume")
        await pilot.press("D")
        await until_text(pilot, "delete set everything", "Restore points that it made stay")
        await pilot.press(*"wrong", "enter")
        await until_text(pilot, "is not the phrase asked for")
        await pilot.press(*["backspace"] * 5, *"everything", "enter")
        await until_text(pilot, "set everything deleted; its restore points stay")
        assert list(client.sets) == [2]


async def test_a_set_is_edited_with_all_its_conditions() -> None:
    client = SnapshotClient()
    async with console(client, size=(120, 44)) as (_, pilot):
        await pilot.press("3", "s", "G")
        await until_text(pilot, "gives daily_5, weekly_4", "project acme")
        await pilot.press("e")
        await until_text(pilot, "[daily_5, weekly_4", "[acme", "[db-", "[daily_5=9", "takes   34 volumes")
        assert client.asked("POST", "/q/snapshot/sets/preview")[-1]["id"] == 2
        await pilot.press(*["tab"] * 10, *"tier=gold", *["tab"] * 5, "enter")
        await until_text(pilot, "set databases changed")
        (body,) = client.asked("PUT", "/snapshot-policies/2")
        assert body["match"] == {"volume_name_prefix": "db-", "metadata_equals": {"tier": "gold"}}
        assert (body["tenant_name"], body["is_global"]) == ("acme", False)
        assert (body["policies"], body["retention_map"]) == (["daily_5", "weekly_4"], {"daily_5": 9})


async def test_volumes_by_compliance_the_worst_first_sifted_by_status() -> None:
    client = SnapshotClient()
    async with console(client, size=WIDE) as (app, pilot):
        await pilot.press("3", "v")
        await until_text(pilot, "quota blocked", "missing", "because of missing", "volumes by compliance 7")
        assert [row.key[2][:8] for row in app.table.buffer.rows][:2] == ["00000003", "00000002"]
        await pilot.press("exclamation_mark")
        await until_text(pilot, "2 match")
        await pilot.press("exclamation_mark")
        await until_text(pilot, "status:=quota_blocked", "1 match")
        assert client.asked("GET", "/q/snapshot/compliance")[-1] == {
            "limit": 20_000, "by": "volume", "status": "quota_blocked",
        }  # fmt: skip
        await pilot.press("exclamation_mark", "exclamation_mark")
        await until_text(pilot, "data-5")
        await pilot.press("slash", *"policy:daily_5", "enter")
        await until_text(pilot, "4 match")
        assert client.asked("GET", "/q/snapshot/compliance")[-1]["by"] == "rows"
        await pilot.press("escape", "slash", *"project:nosuch", "enter")
        await until_text(pilot, "no volume matches this filter")
        await pilot.press("escape", "enter")
        await until(pilot, lambda: app.pane.view.kind == "detail" and app.pane.view.type == "volume")


async def test_what_was_not_read_is_said() -> None:
    client = SnapshotClient()
    client.answers["/q/snapshot/compliance"] = {"total": 31_000, "items": client.kept}
    async with console(client, size=WIDE) as (_, pilot):
        await pilot.press("3", "v")
        await until_text(pilot, "30,993 more are not read: narrow with /")


@pytest.mark.parametrize(
    ("view", "path", "answer", "words"),
    [
        (View("points", "volume", subject=("prod-eu", "eu-1", VOLUME)), "/q/snapshot/points",
         {"total": 4_321, "items": [point(1), point(2)]}, "4,319 older not shown"),
        (View("runs"), "/snapshot-runs", {"total": 1_240, "items": [run(3, "completed")]}, "1,239 older not shown"),
        (View("run", subject=("3",)), "/q/snapshot/runs/3/records",
         {"total": 1_702, "items": [{"id": n, "action": "created", "status": "OK", "volume_id": f"v{n}"}
                                    for n in range(2)]}, "1,700 more not shown"),
        (View("policies"), "/snapshot-policies", {"total": 1_008, "items": [a_set(1, "x", ["daily_5"])]},
         "1,007 more sets not shown"),
        (View("exclusions"), "/q/snapshot/exclusions",
         {"total": 0, "items": [], "owners_total": 1_500,
          "owners": [{"cloud": "prod-eu", "region": "eu-1", "volume_id": VOLUME, "volume_name": "own"}]},
         "1,499 more of owners not shown"),
    ],
    ids=["points", "runs", "records", "sets", "owners"],
)  # fmt: skip
async def test_a_list_says_what_of_it_is_not_shown(view: View, path: str, answer: dict[str, Any], words: str) -> None:
    client = SnapshotClient()
    async with console(client, size=(80, 24)) as (app, pilot):
        app.open_view(view)
        await until(pilot, lambda: app.pane.view == view and app.table.loaded)
        assert "not shown" not in text(app)
    client.answers[path] = answer
    async with console(client, size=(80, 24)) as (app, pilot):
        app.open_view(view)
        await until_text(pilot, words)


async def test_what_failed_is_shown_wherever_it_stands_in_a_long_run() -> None:
    path, made = "/q/snapshot/runs/9/records", {"action": "created", "status": "OK", "volume_id": "v"}

    class Long(SnapshotClient):
        async def get(self, asked: str, params: Any = None, json: Any = None) -> Any:
            if asked != path:
                return await super().get(asked, params, json)
            failed = {"id": 7_000, "action": "failed", "status": "ERROR", "volume_id": "f", "volume_name": "broken-1"}
            if params.get("status") == "ERROR":
                return {"total": 1, "items": [failed]}
            return {"total": 9_000, "items": [{**made, "id": n, "volume_name": f"data-{n}"} for n in range(3)]}

    async with console(Long(), size=WIDE) as (app, pilot):
        app.open_view(View("run", subject=("9",)))
        await until_text(pilot, "broken-1", "data-2", "8,996 more not shown")


async def test_runs_that_were_not_read_were_not_looked_through() -> None:
    client = SnapshotClient()
    client.answers["/snapshot-runs"] = {"total": 900, "items": [run(3, "completed")]}
    async with console(client, size=WIDE) as (app, pilot):
        app.open_view(View("runs", filter="status:=failed"))
        await until_text(pilot, "no run matches this filter", "899 older not shown, nor looked through")


async def test_why_says_the_deciding_reason_first() -> None:
    client = SnapshotClient()
    async with console(client, size=WIDE) as (app, pilot):
        await pilot.press("3", "v")
        await until_text(pilot, "data-3")
        await pilot.press("w")
        await until_text(pilot, "why data-1: daily_5 (keep 9)", "decides", "set databases decides", "set aside")
        assert app.table.buffer.rows[0].values[2] == "databases"
        assert client.calls[-1][1].startswith("/q/snapshot/why/prod-eu/eu-1/00000003")
    async with console(SnapshotClient(bare=True), size=WIDE) as (app, pilot):
        app.open_view(View("why", "volume", subject=("prod-eu", "", VOLUME)))
        await until_text(pilot, "no policy takes this volume: nothing asks for one")


async def test_a_run_is_watched_cancelled_and_tried_again() -> None:
    client = SnapshotClient()
    async with console(client, size=WIDE) as (app, pilot):
        await pilot.press("3", "u")
        await until_text(pilot, "running", "47%", "partial", "1 volume failed")
        await pilot.press("enter")
        await until_text(pilot, "batch 1", "acme-dev, lab", "no room for its gigabytes: 480 of 500 used, 50 needed")
        await until_text(pilot, "made 80 GB", "503 from the cloud", "done in 20m")
        await pilot.press("c")
        await until_text(pilot, "cancel run 3? what was made stays.")
        await pilot.press("y", "enter")
        await until_text(pilot, "run 3 begins no further snapshot")
        assert client.asked("POST", "/q/snapshot/runs/3/cancel") == [None]
        client.runs[0] |= {"status": "cancelled", "finished_at": client.runs[1]["finished_at"]}
        client.change({"topic": "snapshots"})
        await until_text(pilot, "run 3 cancelled", "try what failed or was skipped again")
        await pilot.press("c")
        await until_text(pilot, "run 3 has ended")
        await pilot.press("l")
        await until(pilot, lambda: app.pane.view == View("job", subject=("job-3",)))


async def test_policies_are_run_now_dry_first() -> None:
    client = SnapshotClient()
    async with console(client, size=WIDE) as (_, pilot):
        await pilot.press("3", "s")
        await until_text(pilot, "everything")
        await pilot.press("S")
        await until_text(pilot, "run policies now", "[daily_5", "(•) dry run: only say what")
        await pilot.press("tab", "tab", "enter")
        await until_text(pilot, "run 44 has begun")
        assert client.asked("POST", "/q/snapshot/runs") == [
            {"cloud": "prod-eu", "policies": ["daily_5"], "dry_run": True}
        ]


async def test_volumes_are_excluded_with_a_reason_and_an_end() -> None:
    client = SnapshotClient()
    async with console(client, size=WIDE) as (_, pilot):
        await pilot.press("3", "x")
        await until_text(pilot, "volume scratch-1", "rebuilt every night", "in force", "over")
        await pilot.press("plus")
        await until_text(pilot, "exclude from snapshots")
        await pilot.press(*["tab"] * 4, *"no need", "tab", "enter")
        await until_text(pilot, "name a volume or at least one condition")
        await pilot.press("escape", "v")
        await until_text(pilot, "data-3")
        await pilot.press("plus")
        await until_text(pilot, "exclude from snapshots  data-3", "[00000003-")
        await pilot.press(*["tab"] * 4, *"rebuilt", "tab", *"30d", "enter")
        await until_text(pilot, "excluded: no policy takes it from now on")
        (body,) = client.asked("POST", "/q/snapshot/exclusions")
        assert body.pop("expires_at").endswith("Z")
        assert body == {
            "reason": "rebuilt", "cloud": "prod-eu", "region": "eu-1", "match": {},
            "volume_id": "00000003-7e1f-4a4c-9c1d-00000000beef",
        }  # fmt: skip
        await pilot.press("x")
        await until_text(pilot, "volume scratch-1")
        await pilot.press("j", "delete")
        await until_text(pilot, "exclude volume scratch-1 no longer?")
        await pilot.press("y", "enter")
        await until_text(pilot, "the exclusion has ended")
        assert 5 not in [item["id"] for item in client.exclusions]


async def test_pages_of_the_room_follow_each_other_and_are_not_piled_up() -> None:
    async with console(SnapshotClient()) as (app, pilot):
        await pilot.press("3", "s")
        tabs = [("tab", kind) for kind in ("compliance", "runs", "exclusions", "policies")]
        for key, kind in (*tabs, ("shift+tab", "exclusions"), ("u", "runs"), ("v", "compliance"), ("x", "exclusions")):
            await pilot.press(key)
            await until(pilot, lambda kind=kind: app.pane.view.kind == kind and app.table.loaded)
        await pilot.press("escape")
        await until(pilot, lambda: app.pane.view.kind == "protection")


async def test_what_changes_arrives_and_the_cursor_stays() -> None:
    client = SnapshotClient()
    async with console(client, size=WIDE) as (app, pilot):
        await pilot.press("3", "v")
        await until_text(pilot, "data-4")
        await pilot.press(*"jjjj")
        await until(pilot, lambda: app.table.current.key[2].startswith("00000004"))
        client.kept.append(client.kept[1] | {"volume_id": "v-new", "volume_name": "brand-new"})
        client.change({"topic": "snapshots"})
        await until_text(pilot, "brand-new")
        assert app.table.current.key[2].startswith("00000004")


@pytest.mark.parametrize("keys", [("s",), ("v",), ("u",), ("x",), ("u", "enter")], ids="-".join)
@pytest.mark.parametrize(
    ("error", "words"),
    [
        (ApiError(403, "Permission denied: your role is viewer"), "Permission denied: your role is viewer"),
        (ApiError(404, "this engine does not tell it"), "this engine does not tell it"),
    ],
)
async def test_what_is_refused_is_one_sentence(keys: Sequence[str], error: ApiError, words: str) -> None:
    client = SnapshotClient()
    async with console(client, size=WIDE) as (app, pilot):
        await pilot.press("3")
        await until_text(pilot, "88.2%")
        if len(keys) > 1:
            await pilot.press(keys[0])
            await until_text(pilot, "1 volume failed")
        client.fail_path = dict.fromkeys(("/q/snapshot", "/snapshot"), error)
        await pilot.press(keys[-1])
        await until_text(pilot, words)
        assert "Traceback" not in text(app)


async def test_an_overview_that_may_not_be_seen_says_so_in_every_block() -> None:
    client = SnapshotClient()
    client.fail_path = dict.fromkeys(("/q/snapshot", "/snapshot"), ApiError(403, "your role may not see it"))
    async with console(client) as (_, pilot):
        await pilot.press("3")
        await until_text(pilot, "due", "not known: your role may not see it", "runs", "kept, by policy")


async def test_an_engine_that_is_gone_leaves_what_is_on_screen() -> None:
    client = SnapshotClient()
    async with console(client) as (_, pilot):
        await pilot.press("3")
        await until_text(pilot, "88.2%", "47%")
        client.fail = EngineUnavailable("no engine answers at /run/qdeck")
        client.change({"topic": "snapshots"})
        await until_text(pilot, "no engine", "trying: no engine answers at /run/qdeck", "88.2%")
