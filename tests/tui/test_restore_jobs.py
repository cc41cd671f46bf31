"""Restores that run, ran and are planned; what can be asked of them; what they keep."""

from __future__ import annotations

from typing import Any

import pytest

from tests.tui.fakes import HOSTILE, stamp
from tests.tui.restore_fake import DAY, PHRASE, RestoreClient, job, machine, step
from tests.tui.screen import console, lines, text, until, until_text
from tui.api.errors import ApiError
from tui.state import View

WIDE = (160, 45)
JOBS = "/q/restore/jobs"
HERE = View("restore", subject=("restore-118",))


def kept(id: int, **more: Any) -> dict[str, Any]:
    """Something kept, as the engine tells it."""
    return {
        "id": id, "job_id": "restore-118", "kind": "machine", "cloud": "prod-eu", "region": "eu-1",
        "resource_id": machine()["key"][2], "name": "db-primary-old", "until": stamp(6 * DAY + 60), "at_end": "delete",
        "state": "kept", "detail": "shelved by REPLACE", **more,
    }  # fmt: skip


async def test_the_list_says_state_way_machine_and_step_and_opens_one() -> None:
    client = RestoreClient()
    client.restores = [job(119, "FAILED", "REPLACE"), job(118)]
    async with console(client, size=WIDE) as (app, pilot):
        await pilot.press("4")
        await until_text(
            pilot, "restores 2", "✖ 119  failed", "◐ 118  running", "WAIT_VOLUME_AVAILABLE", "dana", "acme-prod"
        )
        await pilot.press("j", "enter")
        await until(pilot, lambda: app.pane.view == HERE)
        await pilot.press("q")
        await until_text(pilot, "restores 2")


async def test_the_list_is_filtered_as_all_lists_are() -> None:
    client = RestoreClient()
    client.restores = [job(119, "FAILED", "REPLACE"), job(118)]
    async with console(client, size=WIDE) as (app, pilot):
        await pilot.press("4", "/", *"status:failed", "enter")
        await until(pilot, lambda: app.table.place and app.table.place.total == 1)
        await until_text(pilot, "REPLACE")
        assert "◐ running" not in text(app)


async def test_a_job_shows_steps_with_times_the_usual_time_and_the_old_machine() -> None:
    client = RestoreClient()
    client.restores = [job(118, way="REPLACE")]
    async with console(client, size=WIDE) as (app, pilot):
        app.open_view(HERE)
        await until_text(
            pilot, "restore 118  REPLACE db-primary  running", "WAIT_VOLUME_AVAILABLE",
            "█████░░░░░ usual 2m10s · creating", "c cancels",
            "db-primary is as it was, kept until 2026-12-07",
        )  # fmt: skip
        assert "UNDO_SERVER" not in text(app)
        assert "volume db-root" in text(app)
        client.restores[0]["steps"][2]["started_at"] = stamp(-120)
        app.pane.job["steps"][2]["started_at"] = stamp(-120)
        app.tick()
        await until_text(pilot, "█████████░ usual 2m10s")


async def test_it_is_read_again_when_it_moves_and_found_again_from_another_session() -> None:
    client = RestoreClient()
    client.restores = [job(118)]
    async with console(client, size=WIDE) as (app, pilot):
        app.open_view(HERE)
        await until_text(pilot, "creating")
        client.restores[0] |= {"status": "SUCCEEDED", "can": [], "old_machine": "runs as before"}
        client.change({"topic": "restore", "job": "restore-118"})
        await until_text(pilot, "● succeeded", "decide about the old machine")
        assert app.history.to_json("ansi")["view"]["subject"] == ("restore-118",)
    async with console(client, "restores", size=WIDE) as (app, pilot):
        await pilot.press("enter")
        await until_text(pilot, "● succeeded", "VALIDATE_LIVE_STATE")


async def test_what_is_put_back_stands_under_what_was_done() -> None:
    client = RestoreClient()
    steps = [step("CREATE_SERVER", "FAILED", detail="No valid host"), step("UNDO_SERVER", "RUNNING", phase="undo"),
             step("UNDO_PORTS", phase="undo")]  # fmt: skip
    client.restores = [job(118, steps=steps, can=[])]
    async with console(client, size=WIDE) as (app, pilot):
        app.open_view(HERE)
        await until_text(pilot, "put back", "UNDO_SERVER", "UNDO_PORTS", "▲ rolling back", "No valid host")
        assert text(app).index("CREATE_SERVER") < text(app).index("put back") < text(app).index("UNDO_SERVER")


async def test_the_footer_names_only_keys_that_can_be_used_now() -> None:
    client = RestoreClient()
    client.restores = [job(118), job(119, "FAILED", can=["retry", "cleanup"])]
    async with console(client, size=WIDE) as (app, pilot):
        await pilot.press("4")
        await until_text(pilot, "c cancel")
        assert "t retry" not in lines(app)[-1]
        await pilot.press("j")
        await until_text(pilot, "t retry", "u clean up")
        assert "c cancel" not in lines(app)[-1]


async def test_cancel_asks_once_and_says_what_happens() -> None:
    client = RestoreClient()
    client.restores = [job(118)]
    async with console(client) as (app, pilot):
        app.open_view(HERE)
        await until_text(pilot, "c cancels")
        await pilot.press("c")
        await until_text(pilot, "cancel restore 118? the old machine gets back what is its")
        await pilot.press("escape")
        assert not client.asked("POST", f"{JOBS}/restore-118/cancel")
        await pilot.press("c", "y", "enter")
        await until(pilot, lambda: client.asked("POST", f"{JOBS}/restore-118/cancel"))
        await until_text(pilot, "being cancelled")
        await pilot.press("c")
        await until_text(pilot, "is being cancelled already")


async def test_retry_takes_other_addresses_and_opens_the_new_job() -> None:
    client = RestoreClient()
    client.restores = [job(118, "FAILED", can=["retry", "cleanup"], error_message="no free address")]
    async with console(client, size=WIDE) as (app, pilot):
        app.open_view(HERE)
        await until_text(pilot, "no free address", "t tries again from the step that failed")
        await pilot.press("t")
        await until_text(pilot, "What it made already is used again")
        await pilot.press("right", "enter")
        await until(pilot, lambda: app.pane.view == View("restore", subject=("restore-200",)))
    assert client.asked("POST", f"{JOBS}/restore-118/retry") == [{"typed": "", "ip_strategy_override": "NEW_IPS"}]


async def test_retry_of_a_replace_asks_for_its_phrase_again() -> None:
    client = RestoreClient()
    client.restores = [job(118, "FAILED", "REPLACE", can=["retry"])]
    async with console(client, size=WIDE) as (app, pilot):
        app.open_view(HERE)
        await until_text(pilot, "✖ failed")
        await pilot.press("t")
        await until_text(pilot, f"To go on type:  {PHRASE}")
        await pilot.press("enter", "enter")
        await until_text(pilot, "is not typed yet")
        await pilot.press(*PHRASE, "enter")
        await until(pilot, lambda: client.asked("POST", f"{JOBS}/restore-118/retry"))
    assert client.asked("POST", f"{JOBS}/restore-118/retry")[0]["typed"] == PHRASE


async def test_clean_up_lists_what_goes_and_what_stays_before_anything_goes() -> None:
    client = RestoreClient()
    client.left = [{"type": "port", "id": "p1", "name": "port-a", "can_go": True, "reason": ""},
                   {"type": "volume", "id": "v1", "name": "db-root", "can_go": True, "reason": ""},
                   {"type": "server", "id": "s1", "name": "db-new", "can_go": False, "reason": "in use"}]  # fmt: skip
    client.restores = [job(118, "FAILED", can=["cleanup"])]
    async with console(client, size=WIDE) as (app, pilot):
        await pilot.press("4")
        await until_text(pilot, "✖ failed")
        await pilot.press("u")
        await until_text(pilot, "removed: port port-a", "volumes, kept unless said otherwise: volume db-root",
                         "left alone: server db-new: in use")  # fmt: skip
        assert not client.asked("POST", f"{JOBS}/restore-118/cleanup")
        await pilot.press("enter")
        await until_text(pilot, "Cleanup completed")
        assert app.dialog is None
    assert client.asked("POST", f"{JOBS}/restore-118/cleanup") == [{"delete_volume": False, "typed": ""}]


async def test_a_production_cloud_asks_for_its_name_once_that_is_known() -> None:
    client = RestoreClient()
    client.left = [{"type": "port", "id": "p1", "name": "port-a", "can_go": True, "reason": ""}]
    client.restores = [job(118, "FAILED", can=["cleanup"])]
    path = f"{JOBS}/restore-118/cleanup"
    client.refusals[path] = ApiError(422, "type 'prod-eu' to carry this out", fields={"typed": "prod-eu"})
    async with console(client, size=WIDE) as (_, pilot):
        await pilot.press("4")
        await until_text(pilot, "✖ 118")
        await pilot.press("u")
        await until_text(pilot, "removed: port port-a")
        await pilot.press("tab", "enter")
        await until_text(pilot, "To go on type:  prod-eu")
        client.refusals.clear()
        await pilot.press(*"prod-eu", "enter")
        await until(pilot, lambda: len(client.asked("POST", path)) == 2)
    assert client.asked("POST", path)[1] == {"delete_volume": False, "typed": "prod-eu"}


async def test_a_job_that_asks_gets_its_answer_and_the_console_log_is_a_key_away() -> None:
    client = RestoreClient()
    made = [{"type": "server", "id": "00000005-7e1f-4a4c-9c1d-000000009a9b", "name": "db-new", "state": "made"}]
    asks = "does db-primary answer? its console shows no login"
    client.restores = [job(118, way="REPLACE", asks=asks, can=["answer"], resources=made)]
    async with console(client, size=WIDE) as (app, pilot):
        app.open_view(HERE)
        await until_text(pilot, "▲ asks", "does db-primary answer?", "y answers; l shows its console log")
        await pilot.press("l")
        await until(pilot, lambda: app.pane.view == View("log", "server", subject=("prod-eu", "eu-1", made[0]["id"])))
        await pilot.press("[")
        await until_text(pilot, "▲ asks")
        await pilot.press("y")
        await until_text(pilot, "It answers", "It does not", "everything is put back")
        await pilot.press("n")
        await until(pilot, lambda: client.asked("POST", f"{JOBS}/restore-118/answer"))
    assert client.asked("POST", f"{JOBS}/restore-118/answer") == [{"answer": "no"}]


async def test_old_storage_goes_only_once_the_name_is_typed() -> None:
    client = RestoreClient()
    client.restores = [job(118, "SUCCEEDED", "REPLACE", can=["cleanup_storage"])]
    async with console(client, size=WIDE) as (app, pilot):
        app.open_view(HERE)
        await until_text(pilot, "s deletes its old root volume")
        await pilot.press("s", "enter", "enter", "enter")
        await until_text(pilot, "Its name is not typed yet")
        await pilot.press(*"db-primary", "enter")
        await until(pilot, lambda: client.asked("POST", f"{JOBS}/restore-118/cleanup-storage"))
    (body,) = client.asked("POST", f"{JOBS}/restore-118/cleanup-storage")
    assert body == {"delete_old_volume": True, "delete_source_snapshot": False, "typed": ""}


async def test_a_plan_that_nobody_carried_out_opens_its_review() -> None:
    client = RestoreClient()
    request = {"cloud": "prod-eu", "region": "eu-1", "server_id": machine()["key"][2], "way": "NEW", "project_id": "p1"}
    client.plans = [client.plan_for(request)]
    client.restores = [{**job(1, "PLANNED", id="plan-1", steps=[], expires_at=stamp(1700)), "number": None}]
    async with console(client, size=WIDE) as (app, pilot):
        await pilot.press("4")
        await until_text(pilot, "planned", "a plan that nobody carried out")
        await pilot.press("enter")
        await until_text(pilot, "plan expires", "volumes 8/10 → 9/10")
        await pilot.press("w")
        await until_text(pilot, "nothing is against a restore")
        assert app.dialog is not None


async def test_a_job_of_pane_seven_opens_in_its_own_view_if_it_is_a_restore() -> None:
    client = RestoreClient()
    client.restores = [job(118)]
    client.jobs = [{**job(118), "kind": "restore", "state": "running", "title": "NEW db-primary", "total": 5, "done": 2,
                    "failed": 0}]  # fmt: skip
    async with console(client, size=WIDE) as (app, pilot):
        await pilot.press("7")
        await until_text(pilot, "NEW db-primary")
        await pilot.press("enter")
        await until(pilot, lambda: app.pane.view == HERE)


async def test_a_job_that_is_gone_or_refused_is_a_sentence() -> None:
    client = RestoreClient()
    async with console(client) as (app, pilot):
        app.open_view(HERE)
        await until_text(pilot, "there is no restore restore-118")
        await pilot.press("c", "t", "y", "o", "l")
        client.refusals[JOBS] = ApiError(403, "your role may not see restores")
        await pilot.press("4")
        await until_text(pilot, "your role may not see restores")


async def test_kept_things_are_extended_released_and_removed_with_their_name_typed() -> None:
    client = RestoreClient()
    client.kept = [kept(2, kind="volume", name="db-data-old", until=stamp(9 * DAY), at_end="none"), kept(1),
                   kept(3, state="removed", name="long gone")]  # fmt: skip
    async with console(client, size=WIDE) as (app, pilot):
        await pilot.press("4", "tab")
        await until_text(pilot, "kept by restores 3", "old machine", "is deleted", "in 6d", "shelved by REPLACE")
        assert text(app).index("db-primary-old") < text(app).index("db-data-old") < text(app).index("long gone")
        await pilot.press("e", *"0", "enter")
        await until_text(pilot, "a number of days")
        await pilot.press("backspace", *"14", "enter")
        await until(pilot, lambda: client.asked("POST", "/q/restore/kept/1/extend") == [{"days": 14}])
        await pilot.press("f", "y", "enter")
        await until(pilot, lambda: client.asked("POST", "/q/restore/kept/1/release"))
        await pilot.press("D", *"db-primary", "enter", "enter")
        await until_text(pilot, "is not the phrase asked for")
        assert not client.asked("POST", "/q/restore/kept/1/remove")
        await pilot.press("escape", "D", *"db-primary-old", "enter")
        await until(pilot, lambda: client.asked("POST", "/q/restore/kept/1/remove") == [{"typed": "db-primary-old"}])
        await pilot.press("G", "D")
        await until_text(pilot, "it is removed already")
        await pilot.press("tab")
        await until(pilot, lambda: app.pane.view.kind == "restores")


@pytest.mark.parametrize("kind", ["restores", "restore-kept"])
async def test_an_empty_list_says_where_its_lines_come_from(kind: str) -> None:
    async with console(RestoreClient()) as (app, pilot):
        app.open_view(View(kind))
        await until_text(pilot, "no restore yet" if kind == "restores" else "nothing is kept")


async def test_names_from_clouds_stay_text() -> None:
    client = RestoreClient()
    client.restores = [job(118, vm_name=HOSTILE, asks=HOSTILE, old_machine=HOSTILE, project_name=HOSTILE,
                           steps=[step(HOSTILE, "RUNNING", progress=HOSTILE)])]  # fmt: skip
    client.kept = [kept(1, name=HOSTILE, detail=HOSTILE)]
    async with console(client, size=WIDE) as (app, pilot):
        for view in (View("restores"), HERE, View("restore-kept")):
            app.open_view(view)
            await until(pilot, lambda view=view: app.table.loaded and app.table.spec.type == view.kind)
            await until_text(pilot, "[red]=1+1")
            assert not set(text(app)) & set("\x1b\x07\u202e")


async def test_a_restore_is_found_by_its_number_too() -> None:
    client = RestoreClient()
    client.restores = [job(118)]
    async with console(client, size=WIDE) as (app, pilot):
        await pilot.press(":", *"restore 118", "enter")
        await until_text(pilot, "restore 118  NEW db-primary  running")
        assert client.asked("GET", f"{JOBS}/restore-118")
        assert app.pane.view.kind == "restore"
