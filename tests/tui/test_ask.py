"""The drawer of questions, over any view: what is sent along, what letters do when, what an answer leads to."""

from __future__ import annotations

from typing import Any

import pytest

from tests.tui.copilot_fake import ASKED_BACK, LISTED, SERVER, CopilotClient, answer, proposal, table
from tests.tui.screen import console, lines, text, until, until_gone, until_text
from tui.api.errors import ApiError
from tui.state import View

ASKED = "/q/copilot/questions"


async def ask(app: Any, pilot: Any, question: str) -> None:
    """Type a question into the drawer and send it."""
    await pilot.press("i")
    await until_text(pilot, "── ask ")
    app.ask_page.write(question)
    await pilot.press("enter")
    await until(pilot, lambda: app.ask_page.in_answer and not app.ask_page.busy, "the answer")


async def test_a_question_about_the_row_and_its_rows_as_a_table() -> None:
    client = CopilotClient()
    async with console(client) as (app, pilot):
        await pilot.press("j", "i")
        await until_text(pilot, "0000001-db selected", "is this machine protected?")
        await pilot.press("i", "s", "space", "i", "t", "question_mark", "enter")
        await until_text(pilot, "12 machines of acme-dev are off", "12 rows · sure · data 4", "project acme-dev")
        sent = client.asked("POST", ASKED)[-1]
        assert sent["question"] == "is it?"
        assert sent["selected"] == [{"type": "server", "key": SERVER}]
        await pilot.press("enter")
        await until(pilot, lambda: app.pane.view.kind == "answer" and app.table.loaded)
        await until_text(pilot, "1/12", "0000003-batch")
        await pilot.press("j", "enter")
        await until(pilot, lambda: app.pane.view == View("detail", "server", subject=tuple(SERVER)))
        await pilot.press("escape", "i")
        await until_text(pilot, "12 machines of acme-dev are off")  # the last answer is still there


async def test_an_answer_that_is_a_list_of_the_console_opens_that() -> None:
    client = CopilotClient()
    listed = proposal("open", "the list", type="server", filter="status:shutoff", sort=[["name", True]])
    client.said[""] = answer(table=table(3, 900), proposals=[listed])
    async with console(client) as (app, pilot):
        await ask(app, pilot, "which are off?")
        await until_text(pilot, "3 of 900 rows")
        await pilot.press("enter")
        await until(pilot, lambda: app.pane.view == View("list", "server", "status:shutoff", (("name", True),)))


@pytest.mark.parametrize("filter", ["nosuch:x", "((", "status:"])
async def test_a_filter_that_is_none_leads_to_the_rows(filter: str) -> None:
    client = CopilotClient()
    client.said[""] = answer(table=table(3), proposals=[proposal("open", "list", type="server", filter=filter)])
    async with console(client) as (app, pilot):
        await ask(app, pilot, "which?")
        await pilot.press("enter")
        await until(pilot, lambda: app.pane.view.kind in ("answer", "list") and app.dialog is None)
        assert app.pane.view.kind == "answer" or not app.pane.check_filter(app.pane.view.filter)


async def test_marked_rows_go_along_and_everything_does_not() -> None:
    client = CopilotClient()
    async with console(client) as (_app, pilot):
        await pilot.press("space", "space", "i")
        await until_text(pilot, "2 servers selected")
        await pilot.press("x", "enter")
        await until_text(pilot, "12 rows")
        assert len(client.asked("POST", ASKED)[-1]["selected"]) == 2
        await pilot.press("escape", "asterisk", "i")
        await until_text(pilot, "more is marked than can go along")
        await pilot.press("x", "enter")
        await until(pilot, lambda: len(client.asked("POST", ASKED)) == 2)
        assert client.asked("POST", ASKED)[-1]["selected"] == []


async def test_what_was_not_clear_is_chosen_by_number() -> None:
    client = CopilotClient()
    client.said["who?"] = ASKED_BACK
    async with console(client) as (app, pilot):
        await ask(app, pilot, "who?")
        await until_text(pilot, "1 how many machines has acme-prod?", "which one is meant?")
        await pilot.press("7")  # there is no such choice
        await pilot.press("2")
        await until(pilot, lambda: len(client.asked("POST", ASKED)) == 2)
        assert client.asked("POST", ASKED)[-1]["question"] == "how many machines has acme-dev?"
        await until_text(pilot, "12 rows")


async def test_earlier_questions_and_templates() -> None:
    client = CopilotClient()
    async with console(client) as (app, pilot):
        await pilot.press("i")
        await until_text(pilot, "VMs on tenant …")
        await pilot.press("up")
        assert app.ask_page.edit.value == "how many VMs?"
        await pilot.press("up", "up", "down")
        assert app.ask_page.edit.value == "how many VMs?"
        await pilot.press("down")
        assert app.ask_page.edit.value == ""
        await pilot.press(*"vm ten", "tab")
        assert app.ask_page.edit.value == "VMs on tenant "
        assert app.ask_page.edit.cursor == len("VMs on tenant ")
        await pilot.press(*"ac", "enter")
        await until(pilot, lambda: client.asked("POST", ASKED))
        assert client.asked("POST", ASKED)[-1]["question"] == "VMs on tenant ac"
        await until_text(pilot, "12 rows")
        await pilot.press("i", "up")
        assert app.ask_page.edit.value == "VMs on tenant ac"


async def test_an_offer_is_asked_and_a_template_is_only_written() -> None:
    client = CopilotClient()
    async with console(client) as (app, pilot):
        await pilot.press("i")
        await until_text(pilot, "Tenant / Project")
        names = [chip.question for chip in app.ask_page._offers]
        await pilot.press(*["down"] * (names.index("VMs on tenant ") + 1), "enter")
        assert app.ask_page.edit.value == "VMs on tenant " and not client.asked("POST", ASKED)
        await pilot.press(*["backspace"] * 20, "down", "enter")
        await until(pilot, lambda: client.asked("POST", ASKED))
        assert client.asked("POST", ASKED)[-1]["question"] == "is this machine protected?"


async def test_letters_are_text_until_the_question_is_sent() -> None:
    client = CopilotClient()
    async with console(client) as (app, pilot):
        await ask(app, pilot, "first?")
        await pilot.press("i", *"syncqR5")
        assert app.ask_page.edit.value == "syncqR5" and app.dialog is not None
        assert not client.asked("POST", "/q/copilot/feedback")
        await pilot.press(*["backspace"] * 7, "tab", "y")
        await until_text(pilot, "noted: helpful")
        assert client.asked("POST", "/q/copilot/feedback") == [{"history_id": 7, "feedback": "up"}]
        await pilot.press("n")
        await until_text(pilot, "noted: not helpful")
        await pilot.press("tab", "end", *" ok")
        assert app.ask_page.edit.value == "first? ok"


async def test_a_word_on_an_answer_counts_for_it_though_the_next_question_follows_at_once() -> None:
    client = CopilotClient()
    async with console(client) as (app, pilot):
        await ask(app, pilot, "first?")
        app.ask_page._does.feedback("up")
        app.ask_page._does.ask("second?")  # in the same moment, as keys come over a bad line
        await until(pilot, lambda: client.asked("POST", "/q/copilot/feedback"))
        assert client.asked("POST", "/q/copilot/feedback") == [{"history_id": 7, "feedback": "up"}]


async def test_the_query_and_copies(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("QDECK_CLIPBOARD", "osc52")
    client = CopilotClient()
    sent: list[str] = []
    async with console(client) as (app, pilot):
        app.send_sequence = sent.append
        await ask(app, pilot, "which?")
        await pilot.press("s")
        await until_text(pilot, "how it was found", "SQL on the public views", "SELECT count(*)")
        await pilot.press("c")
        await until(pilot, lambda: len(sent) == 1)
        await pilot.press("escape", "c")
        await until_text(pilot, "12 rows, tab-separated", "qdeck ask 'which?'")
        await pilot.press("r")
        await until(pilot, lambda: len(sent) == 2)
        await until_text(pilot, "sent 13 lines to the terminal", "12 rows · sure")


async def test_proposals_open_plans_filled_in_and_do_nothing() -> None:
    client = CopilotClient()
    async with console(client) as (app, pilot):
        await ask(app, pilot, "snapshot 0000001-db before the patch")
        await until_text(pilot, "S snapshot of 0000001-db", "R restore 0000001-db")
        await pilot.press("S")
        await until_text(pilot, "before-patch")
        assert "0000001-db" in lines(app)[app.cursor_line() + 1] or "0000001-db" in text(app)
        assert client.writes == [("POST", ASKED)]
        await pilot.press("escape", "i")
        await until_text(pilot, "S snapshot of 0000001-db")
        await pilot.press("tab", "o")
        await until(pilot, lambda: app.pane.view == View("drift", filter="severity:critical"))
        assert client.writes == [("POST", ASKED)]


async def test_a_restore_is_asked_about_the_machine() -> None:
    client = CopilotClient()
    async with console(client) as (app, pilot):
        client.answers["/q/restore/start"] = {"machine": {"name": "0000001-db"}, "ways": [], "points": [], "disks": []}
        await ask(app, pilot, "restore 0000001-db")
        await pilot.press("R")
        await until(pilot, lambda: client.asked("GET", "/q/restore/start"))
        assert client.asked("GET", "/q/restore/start") == [dict(zip(("cloud", "region", "id"), SERVER, strict=True))]


@pytest.mark.parametrize(
    ("one", "words"),
    [
        (proposal("prefill", "melt it", name="melt", type="server", keys=[SERVER]), "this release can't melt it"),
        (proposal("pane", "moon", name="moon"), "this release has no view for moon"),
        (proposal("pane", "q", name="q"), "this release has no view for q"),
        (proposal("pane", "off", name="readonly off"), "this release has no view for off"),
        (proposal("open", "it", type="nosuch", keys=[SERVER]), "this release has no view for it"),
        (proposal("prefill", "stop", name="server.stop", keys=[]), "there is no row for it"),
        (proposal("prefill", "both", name="restore", keys=[SERVER, SERVER]), "a restore is of one machine"),
    ],
)
async def test_what_can_not_be_opened_is_said(one: dict[str, Any], words: str) -> None:
    client = CopilotClient()
    client.said[""] = answer(proposals=[one])
    async with console(client) as (app, pilot):
        await ask(app, pilot, "do it")
        await pilot.press("R" if one["name"] == "restore" else "o")
        await until_text(pilot, words)
        assert client.writes == [("POST", ASKED)]


async def test_enter_opens_the_one_thing_that_is_proposed() -> None:
    client = CopilotClient()
    stop = proposal("prefill", "stop 0000001-db …", name="server.stop", keys=[SERVER])
    client.said[""] = answer(outcome="proposal", text="This opens the plan.", proposals=[stop])
    async with console(client) as (app, pilot):
        await ask(app, pilot, "stop it")
        await until_text(pilot, "nothing is done yet", "enter open it")
        await pilot.press("enter")
        await until(pilot, lambda: client.asked("POST", "/q/plans"))
        assert client.asked("POST", "/q/plans") == [
            {"action": "server.stop", "options": {}, "targets": {"keys": [SERVER]}}
        ]
        await until(pilot, lambda: app.dialog is not None and hasattr(app.dialog.page, "plan"))
        assert not [path for _, path in client.writes if path.endswith("/execute")]


async def test_the_drawer_opens_over_pages_too() -> None:
    client = CopilotClient()
    async with console(client, "", home=View("dashboard")) as (app, pilot):
        await until(pilot, lambda: app.pane.view.kind == "dashboard" and app.table.loaded)
        await ask(app, pilot, "how many?")
        await until_text(pilot, "12 rows · sure")
        assert client.asked("POST", ASKED)[-1]["selected"] == []


async def test_read_only_is_said_before_a_form_opens() -> None:
    async with console(CopilotClient(writable=False)) as (app, pilot):
        await ask(app, pilot, "snapshot it")
        await pilot.press("S")
        await until_text(pilot, "READ-ONLY")
        assert app.page_is(app.ask_page)


async def test_a_models_words_come_bit_by_bit() -> None:
    client = CopilotClient()
    client.status |= {"backend": "ollama", "model": "llama3"}
    client.words = ["It was ", "the disk."]
    client.said[""] = answer(outcome="unsure", text="I am not sure.", sure=False)
    client.final = answer(text="It was the disk.", backend_used="ollama", model="llama3", tokens_used=812)
    async with console(client) as (app, pilot):
        client.more.clear()
        await pilot.press("i", "x", "enter")
        await until_text(pilot, "I am not sure.", "asking the model (ollama llama3, local)")
        client.more.set()
        await until_text(pilot, "It was the disk.", "worded by ollama llama3, nothing left this machine, 812 tokens")
        await until_gone(pilot, "asking the model")
        offsets = [params["offset"] for params in client.asked("GET", f"{ASKED}/q1")]
        assert offsets == sorted(offsets) and offsets[0] == 0
        assert app.world.answers["q1"]["answer"]["text"] == "It was the disk."


async def test_escape_stops_the_model_and_the_built_in_answer_stands() -> None:
    client = CopilotClient()
    client.status |= {"backend": "openai", "model": "m", "local": False, "external": True}
    client.words = ["a", "b"]
    async with console(client) as (app, pilot):
        client.more.clear()
        await pilot.press("i", "x", "enter")
        await until_text(pilot, "asking the model (openai m, outside: what is sent is redacted)")
        await pilot.press("escape")
        await until_text(pilot, "stopped: this is the built-in answer", "12 machines of acme-dev")
        await until(pilot, lambda: ("DELETE", f"{ASKED}/q1", None) in client.calls)
        client.more.set()
        await pilot.press("escape")
        await until_gone(pilot, "── ask ")
        await pilot.press("i", "tab", "enter")
        await until(pilot, lambda: app.pane.view == View("answer", subject=("q1",)))


async def test_another_question_takes_the_place_of_one_under_way() -> None:
    client = CopilotClient()
    client.words = ["slow "]
    client.said |= {"one": answer(text="the first"), "two": answer(text="the second")}
    async with console(client) as (app, pilot):
        client.more.clear()
        await pilot.press("i", *"one", "enter")
        await until_text(pilot, "asking the model")
        await pilot.press("i", *"two", "enter")
        await until(pilot, lambda: len(client.asked("POST", ASKED)) == 2)
        assert ("DELETE", f"{ASKED}/q1", None) in client.calls
        client.more.set()
        await until(pilot, lambda: not app.ask_page.busy)
        await until_text(pilot, "the second")
        assert "the first" not in text(app)


async def test_a_model_that_is_waited_for_no_more_before_it_began_is_stopped() -> None:
    client = CopilotClient()
    client.words = ["slow "]
    async with console(client) as (_app, pilot):
        client.answering.clear()
        await pilot.press("i", "x", "enter")
        await until_text(pilot, "◐ looking")
        await pilot.press("escape")
        await until_text(pilot, "stopped: i asks again")
        client.answering.set()
        await until(pilot, lambda: ("DELETE", f"{ASKED}/q1", None) in client.calls)


async def test_errors_are_sentences() -> None:
    client = CopilotClient()
    async with console(client) as (_app, pilot):
        client.fail_path[ASKED] = ApiError(403, "your role may not ask")
        await pilot.press("i", "x", "enter")
        await until_text(pilot, "your role may not ask")
        client.fail_path.clear()
        await pilot.press("i", "x", "enter")
        await until_text(pilot, "12 rows")


async def test_the_command_asks_at_once() -> None:
    client = CopilotClient()
    async with console(client) as (app, pilot):
        await pilot.press("colon")
        app.bar.put("ask who owns web-03?")
        await pilot.press("enter")
        await until_text(pilot, "12 rows")
        assert client.asked("POST", ASKED)[-1]["question"] == "who owns web-03?"


@pytest.mark.parametrize("size", [(20, 5), (40, 10), (80, 24), (120, 40), (160, 45)])
@pytest.mark.parametrize("row", [0, 7, 15])
async def test_the_row_that_it_is_about_stays_in_sight(size: tuple[int, int], row: int) -> None:
    client = CopilotClient()
    long = "\n".join(f"line {n} of a long answer" for n in range(60))
    client.said[""] = answer(text=long, table=table(30), proposals=LISTED["proposals"])
    async with console(client, size=size) as (app, pilot):
        await pilot.press(*["j"] * row)
        await until(pilot, lambda: app.table.place and app.table.place.rank == row)
        await ask(app, pilot, "tell me")
        assert len(lines(app)) == size[1]
        if size[1] >= 24:
            assert "▸" in lines(app)[app.cursor_line()], text(app)
            await until_text(pilot, "30 rows", "line 0 of a long answer")
            await pilot.press("pagedown", "pagedown", "j")
            await until_gone(pilot, "line 0 of a long answer")
            await pilot.press(*["pageup"] * 9)
            await until_text(pilot, "line 0 of a long answer")


async def test_hostile_answers_act_on_nothing() -> None:
    bad = "\x1b]0;t\x07\x1b[2J[bold]x\u202e\r"
    client = CopilotClient()
    rows = table(2)
    rows["rows"][0]["name"] = bad
    rows["columns"][0]["title"] = bad
    client.said[""] = answer(
        text=bad, understood=bad, unknown=[bad], scope=[bad], choices=[bad], table=rows, fallback_reason=bad, model=bad,
        backend_used=bad, queries=[{"kind": bad, "text": bad}],
        proposals=[proposal("pane", bad, name=bad), proposal("open", bad, type=bad, filter=bad)],
    )  # fmt: skip
    client.history[0]["question"] = client.history[0]["answer"] = bad
    client.status |= {"backend": bad, "ready": False, "reason": bad}
    async with console(client) as (app, pilot):
        await ask(app, pilot, "x")
        await until_text(pilot, "[bold]x")
        seen = text(app)
        for key in ("s", "escape", "c", "escape", "o", "enter"):
            await pilot.press(key)
            await pilot.pause()
            seen += text(app)
        await pilot.press("9")
        await until(pilot, lambda: app.pane.view.kind == "copilot" and app.table.loaded)
        seen += text(app)
        assert not set(seen) & {"\x1b", "\x07", "\r", "\u202e"}
