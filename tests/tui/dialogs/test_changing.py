"""From a key to a job: menu, form, plan, execution; what is sent, and what never is."""

from __future__ import annotations

from typing import Any

import pytest

from tests.tui.fakes import HOSTILE, GateClient, item, plan, stamp
from tests.tui.screen import console, text, until, until_gone, until_text
from tui.api.errors import ApiError, EngineUnavailable
from tui.dialogs.focus import CANCEL
from tui.dialogs.plan import PlanPage
from tui.dialogs.planlines import summary
from tui.state import View

KEYS = [["prod-eu", "eu-1", f"{n:08x}-7e1f-4a4c-9c1d-{n * 7919:012x}"] for n in range(5)]
EXECUTE = "/q/plans/plan-1/execute"


def page(app: Any) -> PlanPage:
    """The plan on screen."""
    assert app.dialog is not None and isinstance(app.dialog.page, PlanPage)
    return app.dialog.page


async def open_plan(pilot: Any, *keys: str) -> PlanPage:
    """Press keys until a plan is on screen."""
    await pilot.press(*(keys or ("x", "o")))
    await until_text(pilot, "Cancel ]", "tab fields")
    return page(pilot.app)


async def test_the_menu_lists_what_can_be_done_and_why_not() -> None:
    client = GateClient()
    async with console(client) as (app, pilot):
        await pilot.press("x")
        await until_text(pilot, "actions   0000000-web (ACTIVE, acme-prod)", "Stop", "interrupts")
        assert "it is ACTIVE already" in text(app) and "it is locked already" in text(app)
        await pilot.press("s")  # can't be done: says why, sends nothing
        await until_text(pilot, "Start: it is ACTIVE already")
        await pilot.press("escape")
        await until_text(pilot, "STATUS")
        assert app.dialog is None and not client.writes


@pytest.mark.parametrize(("role", "said"), [("viewer", "your role is viewer"), ("admin", "")])
async def test_the_role_is_asked_for_once(role: str, said: str) -> None:
    client = GateClient()
    client.role = role
    async with console(client) as (_app, pilot):
        for _ in range(2):
            await pilot.press("x")
            await until_text(pilot, said or "Stop")
            await pilot.press("escape")
        assert len(client.asked("GET", "/q/whoami")) == 1


async def test_keys_in_one_packet_are_all_taken() -> None:
    client = GateClient()
    async with console(client) as (app, pilot):
        for key in ("j", "x", "l", "d", "i", "s", "k"):  # the menu, lock, and the reason in its form
            app.press_key(key, key)
        await until_text(pilot, "Lock", "[disk")


async def test_a_plan_is_asked_for_shown_and_carried_out() -> None:
    client = GateClient()
    async with console(client) as (app, pilot):
        shown = await open_plan(pilot)
        assert client.asked("POST", "/q/plans") == [
            {"action": "server.stop", "options": {}, "targets": {"keys": [KEYS[0]]}}
        ]
        await until_text(pilot, "status ACTIVE → SHUTOFF", "plan expires 29:", "$ openstack --os-cloud prod-eu")
        assert shown.focus == CANCEL
        await pilot.press("tab", *"disk full", "tab", *"CHG1", "tab", "enter")
        await until(pilot, lambda: app.pane.view == View("job", subject=("job-100",)))
        assert client.asked("POST", EXECUTE) == [
            {"reason": "disk full", "ticket": "CHG1", "typed": "", "stop_after": None, "hash": "h"}
        ]
        await until_text(pilot, "job 100  Stop…servers", "web-2", "◐ running  ███")
        await pilot.press("q")  # the job goes on
        await until_text(pilot, "job 100 Stop 3 servers 1/3")
        again = await open_plan(pilot)  # reason and ticket are kept for the session
        assert (again.value("reason"), again.value("ticket")) == ("disk full", "CHG1")
        assert "CHG1" in text(app)


@pytest.mark.parametrize("keys", [("enter",), ("escape",), ("q",), ("tab", "enter", "escape")])
async def test_nothing_is_sent_by_enter_on_cancel_or_escape(keys: tuple[str, ...]) -> None:
    client = GateClient()
    async with console(client) as (app, pilot):
        await open_plan(pilot)
        await pilot.press(*keys)
        await until(pilot, lambda: app.dialog is None)
        assert client.writes == [("POST", "/q/plans")]


async def test_what_was_typed_is_offered_again_after_escape_and_the_keys_are_those_of_the_focus() -> None:
    async with console(GateClient()) as (app, pilot):
        await open_plan(pilot)
        await until_text(pilot, "← → choose", "enter press", "esc no", "d details")
        await pilot.press("tab")
        await until_gone(pilot, "d details")  # it would be a letter of the reason
        await pilot.press(*"disk", "escape")
        await until(pilot, lambda: app.dialog is None)
        again = await open_plan(pilot)
        assert again.value("reason") == "disk"
        await pilot.press("right")
        await until_text(pilot, "▸[ Stop 1 servers ]")


async def test_marks_are_planned_together_and_stop_after_is_asked() -> None:
    client = GateClient()
    async with console(client) as (app, pilot):
        await pilot.press("space", "space", "space")
        shown = await open_plan(pilot, "x", "o")
        assert client.asked("POST", "/q/plans")[0]["targets"] == {"keys": KEYS[:3]}
        await until_text(pilot, "stop after", "all 3 are changed")
        await pilot.press("tab", "tab", "tab", "2")
        assert shown.value("stop_after") == 2
        await pilot.press("enter", "enter")
        await until(pilot, lambda: client.asked("POST", EXECUTE))
        assert client.asked("POST", EXECUTE)[0]["stop_after"] == 2
        assert not app.table.marks


async def test_all_that_pass_are_a_filter() -> None:
    client = GateClient()
    async with console(client, "servers /web") as (_app, pilot):
        await until_text(pilot, "match")
        await pilot.press("asterisk", "space", "x", "o")
        await until(pilot, lambda: client.asked("POST", "/q/plans"))
        targets = client.asked("POST", "/q/plans")[0]["targets"]
        assert targets["filter"] == "web" and len(targets["minus"]) == 1 and "keys" not in targets


async def test_what_is_refused_says_why_and_is_left_alone() -> None:
    client = GateClient()
    items = [item(KEYS[0], "web-1"), item(KEYS[1], HOSTILE, ok=False, problem="it is locked: see CHG1", changes=[])]
    client.plan = plan(items, warnings=["nova answers slowly"], danger="destructive")
    async with console(client) as (app, pilot):
        await open_plan(pilot)
        await until_text(pilot, "refused: it is locked: see CHG1", "1 of 2 is changed", "1 refused", "▲ nova answers")
        assert "DESTROYS" in text(app) and "\x1b" not in text(app) and "\u202e" not in text(app)
        await pilot.press("d")
        await until_text(pilot, "the same on the command line", KEYS[0][2])


async def test_a_reason_has_room_and_clouds_are_told_apart() -> None:
    client = GateClient()
    long = "its host cmp-003 is down: nobody would stop it"
    other = ["prod-us", "us-1", "00000009-x"]
    client.plan = plan([item(KEYS[0], "web-0", ok=False, problem=long), item(other, "web-0")])
    async with console(client) as (app, pilot):
        await pilot.press("space", "space")
        await open_plan(pilot)
        rows = [line for line in text(app).split("\n") if "web-0" in line]
        assert rows[1].split()[:4] == ["✖", "web-0", "prod-eu", "refused:"] and long in rows[1]
        assert rows[0].split()[:4] == ["✔", "web-0", "prod-us", "ACTIVE"]
        await until_text(pilot, "[ Go on with 1 of 2 ]")


@pytest.mark.parametrize(
    ("action", "ok", "words"),
    [
        ("network.create", [True], "1 is created"),
        ("network.delete", [True, True], "all 2 are DELETED"),
        ("server.stop", [True, False, False], "1 of 3 is changed, 2 refused and left alone"),
        ("server.stop", [False], "✖ 1 refused: there is nothing to do"),
    ],
)
def test_how_many_and_what_becomes_of_them(action: str, ok: list[bool], words: str) -> None:
    made = plan([item(KEYS[0], "x", ok=one) for one in ok], action=action)
    assert "".join(text for text, _ in summary(made)).strip() == words


async def test_what_is_changed_stands_before_what_is_refused() -> None:
    client = GateClient()
    refused = [item(KEYS[0], f"web-{n}", ok=False, problem=f"web-{n} is running already") for n in range(40)]
    client.plan = plan([*refused, item(KEYS[1], "web-stopped")])
    async with console(client) as (app, pilot):
        await pilot.press("space", "space")
        await open_plan(pilot)
        rows = [line for line in text(app).split("\n") if "✔" in line or "✖" in line]
        assert rows[0].startswith(" ✔ web-stopped") and rows[1].split(maxsplit=2)[2] == "refused: is running already"


async def test_all_refused_leaves_nothing_to_do() -> None:
    client = GateClient()
    client.plan = plan([item(KEYS[0], "web-1", ok=False, problem="hands off", changes=[])])
    async with console(client) as (_app, pilot):
        await open_plan(pilot)
        await pilot.press("left", "enter")
        await until_text(pilot, "there is nothing to do", "p plan again")
        assert not client.asked("POST", EXECUTE)
        client.plan = None  # who held it has let it go
        await pilot.press("p")
        await until_text(pilot, "1 is changed")


async def test_the_phrase_is_typed_whole_and_never_pasted() -> None:
    client = GateClient()
    requires = {"reason": True, "ticket": True, "ticket_pattern": "CHG[0-9]+", "typed": "DELETE 2 NETWORKS"}
    client.plan = plan([item(KEYS[0], "a"), item(KEYS[1], "b")], requires=requires, danger="destructive")
    async with console(client) as (app, pilot):
        shown = await open_plan(pilot)
        await until_text(pilot, "To go on type:  DELETE 2 NETWORKS", "reason*", "ticket*")
        assert shown.value("typed") is None
        await pilot.press("left", "enter")
        await until_text(pilot, "reason is required")
        await pilot.press(*"why", "tab", *"INC7", "tab")
        await pilot.press("tab")
        app.take_paste("DELETE 2 NETWORKS")
        await until_text(pilot, "what is pasted was not read")
        await pilot.press(*"DELETE 2 NETWORKS", "tab", "enter")
        await until_text(pilot, "ticket must match CHG")
        for _ in range(4):
            await pilot.press("backspace")
        await pilot.press(*"CHG7", "tab", "tab", "tab", "enter")
        await until(pilot, lambda: client.asked("POST", EXECUTE))
        sent = client.asked("POST", EXECUTE)
        assert sent == [
            {"reason": "why", "ticket": "CHG7", "typed": "DELETE 2 NETWORKS", "stop_after": None, "hash": "h"}
        ]


@pytest.mark.parametrize(
    ("error", "said"),
    [
        (
            ApiError(409, "web-1 changed", {"code": "changed", "differences": ["status was ACTIVE, is ERROR"]}),
            "≠ status",
        ),
        (ApiError(403, "prod-eu is read-only", {"code": "read_only"}), "prod-eu is read-only"),
        (ApiError(422, "changes of prod-eu need a ticket", {"code": "ticket"}), "need a ticket"),
        (EngineUnavailable("whether the engine did it is not known"), "7 shows the jobs"),
    ],
)
async def test_what_the_engine_refuses_is_said_and_never_sent_twice(error: Exception, said: str) -> None:
    client = GateClient()
    client.refusal[EXECUTE] = error  # type: ignore[assignment]
    async with console(client, size=(120, 30)) as (_app, pilot):
        await open_plan(pilot)
        await pilot.press("left", "enter")
        await until_text(pilot, said)
        assert len(client.asked("POST", EXECUTE)) == 1
        if not isinstance(error, ApiError) or error.status == 409:
            await pilot.press("enter")
            await until_text(pilot, "p plans again")
            assert len(client.asked("POST", EXECUTE)) == 1
            await pilot.press("p")
            await until(pilot, lambda: len(client.asked("POST", "/q/plans")) == 2)


async def test_a_long_refusal_is_read_whole_and_planning_again_keeps_the_words() -> None:
    client = GateClient()
    said = "the engine was stopped, and whether it did it is not known; `qdeck engine start` starts it"
    client.refusal[EXECUTE] = EngineUnavailable(said)  # type: ignore[assignment]
    async with console(client) as (_app, pilot):
        await open_plan(pilot)
        await pilot.press("tab", *"disk", "tab", "tab", "enter")
        await until(pilot, lambda: said in " ".join(text(pilot.app).split()), "all of it")
        await pilot.press("p")
        await until(pilot, lambda: len(client.asked("POST", "/q/plans")) == 2)
        await until_text(pilot, "reason [disk", "▸[ Cancel ]")


async def test_a_lock_is_passed_by_a_decision_of_its_own() -> None:
    client = GateClient()
    locked = item(KEYS[0], "web-1", ok=False, problem="web-1 is locked", override="type web-1 to do it all the same")
    client.plan = plan([locked], requires={"typed": None, "override": "web-1"})
    async with console(client) as (_, pilot):
        shown = await open_plan(pilot)
        await pilot.press("left", "enter")
        await until_text(pilot, "there is nothing to do", "[ ] o passes the lock")
        await pilot.press("o")
        await until_text(pilot, "[x] o passes the lock", "To go on type:  web-1")
        await pilot.press("enter", *"web-1", "tab", "enter")
        await until(pilot, lambda: client.asked("POST", EXECUTE))
        sent = client.asked("POST", EXECUTE)[0]
        assert sent["override"] == [KEYS[0]] and sent["typed"] == "web-1" and shown.pass_locks


async def test_an_expired_plan_is_not_carried_out() -> None:
    client = GateClient()
    client.plan = plan([item(KEYS[0], "web-1")], expires_at=stamp(-1))
    async with console(client) as (_app, pilot):
        await open_plan(pilot)
        await until_text(pilot, "EXPIRED")
        await pilot.press("left", "enter")
        await until_text(pilot, "can't be carried out any more")
        assert not client.asked("POST", EXECUTE)


async def test_no_plan_is_told_where_it_was_asked_for() -> None:
    client = GateClient()
    client.refusal["/q/plans"] = ApiError(409, "hands off acme-prod until Monday")
    async with console(client) as (app, pilot):
        await pilot.press("x", "o")
        await until_text(pilot, "no plan could be made", "hands off acme-prod until Monday")
        await pilot.press("enter")
        await until(pilot, lambda: app.dialog is None)
        await pilot.press("e", *"-2", "enter")
        await until_text(pilot, "New name", "hands off acme-prod")  # the form is still there, nothing is typed twice
        assert client.asked("POST", "/q/plans")[-1]["options"] == {"name": "0000000-web-2"}


async def test_a_plan_not_waited_for_does_not_come_back() -> None:
    client = GateClient()
    async with console(client) as (app, pilot):
        client.answering.clear()
        await pilot.press("x", "o")
        await until_text(pilot, "making the plan")
        await pilot.press("escape")
        client.answering.set()
        await until(pilot, lambda: not app.tasks - {t for t in app.tasks if t.done()} or app.dialog is None)
        await pilot.pause()
        assert app.dialog is None


async def test_esc_in_the_plan_of_a_form_goes_back_to_the_form() -> None:
    client = GateClient()
    async with console(client) as (app, pilot):
        await pilot.press("e", *"x", "enter")
        await until_text(pilot, "tab fields")
        await pilot.press("escape")
        await until_text(pilot, "0000000-webx")
        await pilot.press("escape")
        await until(pilot, lambda: app.dialog is None)


async def test_keys_that_are_declared_for_nothing_say_so() -> None:
    client = GateClient()
    async with console(client) as (app, pilot):
        await pilot.press("D")
        await until_text(pilot, "servers can't be deleted here")
        await pilot.press("v", "x")
        await until_text(pilot, "end the range with v first")
        assert app.dialog is None and not client.writes


async def test_creates_ask_for_a_place_and_find_projects() -> None:
    client = GateClient()
    async with console(client, "networks") as (_app, pilot):
        await pilot.press("x")
        await until_text(pilot, "Create network")
        await pilot.press("a", *"net-1", "tab", *"000")
        asked = lambda: [b for b in client.asked("POST", "/q/windows") if b["type"] == "project"]  # noqa: E731
        await until(pilot, asked)
        body = asked()[-1]
        assert body["filter"] == '"000"' and body["clouds"] == ["prod-eu"]


async def test_copy_and_save(tmp_path: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    copied: list[str] = []
    client = GateClient()
    async with console(client, size=(120, 30)) as (app, pilot):
        monkeypatch.setattr(type(app), "copy_text", lambda self, text: copied.append(text) or "copied, it says")
        await open_plan(pilot)
        await pilot.press("c")
        await until_text(pilot, "copied, it says")
        assert copied == [f"openstack --os-cloud prod-eu server stop {KEYS[0][2]}"]
        await pilot.press("E")
        await until_text(pilot, "saved in ")
        (file,) = tmp_path.iterdir()
        assert "status ACTIVE → SHUTOFF" in file.read_text() and file.stat().st_mode & 0o777 == 0o600


@pytest.mark.parametrize("size", [(20, 5), (40, 10), (80, 24), (160, 45), (300, 80)])
@pytest.mark.parametrize("theme", ["none", "dark"])
async def test_dialogs_fit_every_screen(size: tuple[int, int], theme: str) -> None:
    client = GateClient()
    client.plan = plan([item(KEYS[n % 5], f"web-{n}") for n in range(100)])
    client.plan["requires"]["typed"] = "prod-eu"
    async with console(client, size=size, theme=theme) as (app, pilot):
        await pilot.press("x")
        await pilot.pause()
        await pilot.press("o")
        await until(pilot, lambda: app.dialog is not None and isinstance(app.dialog.page, PlanPage))
        for key in ("tab",) * 7 + ("j", "G", "d", "pagedown", "g"):
            await pilot.press(key)
        assert all(len(line) <= size[0] for line in text(app).splitlines())
        await pilot.resize_terminal(max(20, size[0] - 15), max(5, size[1] - 3))
        await pilot.press("escape")
        await until(pilot, lambda: app.dialog is None)


async def test_the_list_does_not_move_under_a_dialog() -> None:
    client = GateClient()
    async with console(client) as (app, pilot):
        await pilot.press("x")
        await until_text(pilot, "actions ")
        before = len(client.asked("POST", "/q/windows"))
        client.change({"topic": "data", "type": "server"})
        await until(pilot, lambda: app.held_back)
        assert len(client.asked("POST", "/q/windows")) == before
        await pilot.press("escape")
        await until(pilot, lambda: len(client.asked("POST", "/q/windows")) > before)
