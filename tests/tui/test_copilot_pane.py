"""The pages of the copilot: earlier questions, what can be asked, the model; and the rows of an answer."""

from __future__ import annotations

from dataclasses import asdict

from tests.tui.copilot_fake import LISTED, QUESTION, CopilotClient, answer
from tests.tui.screen import console, until, until_text
from tui.api.errors import ApiError
from tui.state import View, view_of_json

ASKED = "/q/copilot/questions"
FEEDBACK = "/q/copilot/feedback"


async def test_earlier_questions_are_asked_again_and_judged() -> None:
    client = CopilotClient()
    client.status |= {"backend": "ollama", "model": "llama3"}
    async with console(client) as (app, pilot):
        await pilot.press("9")
        await until_text(pilot, "copilot: questions", "how many VMs?", "There are 5,000 machines.", "helpful", "3m")
        await pilot.press("n")
        await until_text(pilot, "noted: not helpful")
        assert client.asked("POST", FEEDBACK) == [{"history_id": 3, "feedback": "down"}]
        await pilot.press("j")
        await until_text(pilot, "right")  # what was said about it
        await pilot.press("enter")
        await until_text(pilot, "── ask ", "12 rows")
        assert client.asked("POST", ASKED)[-1]["question"] == QUESTION
        assert app.pane.view.kind == "copilot"


async def test_what_can_be_asked_is_a_page_of_its_own() -> None:
    client = CopilotClient()
    async with console(client, "copilot") as (app, pilot):
        await pilot.press("tab")
        await until_text(pilot, "copilot: suggestions", "List all hosts", "Infrastructure", "VMs on tenant …")
        await until_text(pilot, "Scope by tenant", "model: built-in answers only, no model")
        await pilot.press("G", "enter")
        await until_text(pilot, "── ask ")
        assert app.ask_page.edit.value == "Quota of tenant " and not client.asked("POST", ASKED)
        await pilot.press("escape", "g", "enter")
        await until_text(pilot, "12 rows")
        assert client.asked("POST", ASKED)[-1]["question"] == "How many VMs?"
        await pilot.press("escape", "y")
        await until_text(pilot, "no answer is under the cursor")
        await pilot.press("tab")
        await until(pilot, lambda: app.pane.view == View("copilot"))


async def test_before_anything_was_asked_it_says_what_can_be() -> None:
    client = CopilotClient()
    client.history = []
    async with console(client, "copilot") as (_app, pilot):
        await until_text(pilot, "copilot: suggestions", "How many VMs?")


async def test_the_model_is_tested_and_configured_from_there() -> None:
    client = CopilotClient()
    async with console(client, "copilot") as (app, pilot):
        await pilot.press("t")
        await until_text(pilot, "Ollama answers (245 ms)")
        client.fail_path["/api/copilot/test-connection"] = ApiError(403, "copilot:admin is missing")
        await pilot.press("t")
        await until_text(pilot, "copilot:admin is missing")
        await pilot.press("s")
        await until(pilot, lambda: app.pane.view == View("settings", filter="copilot"))


async def test_the_history_is_forgotten_once_that_is_confirmed() -> None:
    client = CopilotClient()
    async with console(client, "copilot") as (_app, pilot):
        await pilot.press("delete", "n", "enter")
        await until_text(pilot, "y does it")
        assert ("DELETE", "/q/copilot/history", None) not in client.calls
        await pilot.press("backspace", "y", "enter")
        await until(pilot, lambda: ("DELETE", "/q/copilot/history", None) in client.calls)


async def test_rows_of_an_earlier_session_are_read_from_the_engine_or_said_to_be_gone() -> None:
    client = CopilotClient()
    client.kept["q9"] = LISTED
    view = View("answer", subject=("q9",))
    assert view_of_json(asdict(view)) == view
    async with console(client) as (app, pilot):
        app.open_view(view)
        await until_text(pilot, "0000003-batch", "1/12")
        await pilot.press("slash", *"shutoff", "enter")
        await until_text(pilot, "2 match")
        app.open_view(View("answer", subject=("q8",)))
        await until_text(pilot, "this answer is no longer kept", "9 shows your questions")


async def test_rows_about_nothing_open_nothing() -> None:
    client = CopilotClient()
    columns = [
        {"name": "tenant", "title": "tenant", "role": "name"},
        {"name": "n", "title": "machines", "role": "number"},
    ]
    rows = [{"tenant": f"t{n}", "n": n} for n in range(4)]
    client.kept["q9"] = answer(table={"columns": columns, "rows": rows, "keys": [], "total": 4})
    async with console(client) as (app, pilot):
        app.open_view(View("answer", subject=("q9",)))
        await until_text(pilot, "TENANT", "MACHINES", "t3")
        await pilot.press("enter", "d", "R")
        await until_text(pilot, "a restore is of a machine")
        assert app.pane.view.kind == "answer"
