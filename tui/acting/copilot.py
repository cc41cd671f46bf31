"""Questions in plain words: the drawer over any view, what its answers lead to, and the page of earlier questions."""

from __future__ import annotations

import asyncio
from collections.abc import Mapping
from typing import TYPE_CHECKING, Any
from urllib.parse import quote

from tui.faults import is_expected, sentence
from tui.state import View
from tui.table.cells import clean

if TYPE_CHECKING:
    from tui.console import QuarterdeckApp
    from tui.dialogs.ask import AskPage
    from tui.table.spec import Key, Row

STREAM_WAIT = 25  # seconds that the engine waits for more words
STREAM_PAUSE = 0.25  # seconds between two draws of a model's words
MOST_ASKED = 100  # earlier questions that can be called up
MOST_KEPT = 20  # answers whose rows can be gone back to


class Copiloting:
    """Mixed into the app."""

    ask_page: AskPage | None = None  # keeps the last answer while the drawer is closed

    def action_ask(self: QuarterdeckApp) -> None:  # type: ignore[misc]
        """The drawer, over whatever is on screen."""
        self.open_drawer()

    def command_ask(self: QuarterdeckApp, argument: str) -> None:  # type: ignore[misc]
        """`:ask who owns web-03?` asks at once."""
        page = self.open_drawer()
        if argument.strip():
            self.ask_copilot(page, argument.strip())

    def action_copilot(self: QuarterdeckApp) -> None:  # type: ignore[misc]
        """Earlier questions."""
        self.open_view(View("copilot"))

    def action_copilot_pages(self: QuarterdeckApp) -> None:  # type: ignore[misc]
        """From earlier questions to what can be asked, and back."""
        other = "copilot" if self.pane.view.kind == "suggestions" else "suggestions"
        self.open_view(View(other), instead=True)

    # The drawer

    def open_drawer(self: QuarterdeckApp) -> AskPage:  # type: ignore[misc]
        """Show the drawer with its last answer, about what is selected now."""
        from tui.dialogs.ask import AskPage, Does

        page = self.ask_page
        if page is None:
            does = Does(
                ask=lambda text: self.ask_copilot(self._drawer(), text),
                cancel=lambda: self.in_background(self._cancel_question(self._drawer())),
                close=self.close_dialog,
                rows=lambda: self._open_answer(self._drawer()),
                query=lambda: self._show_queries(self._drawer()),
                copy=lambda: self._copy_answer(self._drawer()),
                feedback=lambda word: self._say_helpful(self._drawer(), word),
                propose=lambda proposal: self.take_proposal(proposal),
            )
            page = self.ask_page = AskPage(does)
        page.open(*self._selection())
        self.show_page(page, None if self.pane.as_board() is not None else self.cursor_line())
        self.in_background(self._learn_copilot(page))
        return page

    def _drawer(self: QuarterdeckApp) -> AskPage:  # type: ignore[misc]
        assert self.ask_page is not None
        return self.ask_page

    def _selection(self: QuarterdeckApp) -> tuple[list[dict[str, Any]], str, str]:  # type: ignore[misc]
        """What goes along with a question: resources, the name of the one, and why others don't."""
        from tui import copilot
        from tui.copying import subject_of

        view, marks, row = self.pane.view, self.table.marks, self.table.current
        if view.kind == "list" and marks.of is not None:
            return [], "", "more is marked than can go along"
        if view.kind == "list" and marks.keys:
            keys = sorted(marks.keys)
            if len(keys) > copilot.MOST_SELECTED:
                return [], "", f"more than {copilot.MOST_SELECTED} are marked: none goes along"
            return [{"type": view.type, "key": list(key)} for key in keys], "", ""
        found = None if row is not None and row.gone else subject_of(self.pane, row)
        if found is None or len(found[1]) != 3:
            return [], "", ""
        type, key, name = found
        return [{"type": type, "key": list(key)}], name, ""

    async def _learn_copilot(self: QuarterdeckApp, page: AskPage) -> None:  # type: ignore[misc]
        """Chips, earlier questions and the model: what of it can't be read is done without."""
        from tui import copilot
        from tui.dialogs.ask import Known

        known = self.world.copilot
        paths = {"status": (copilot.STATUS, None), "asked": (copilot.HISTORY, {"limit": MOST_ASKED})}
        if "chips" not in known:
            paths["chips"] = (copilot.SUGGESTIONS, None)
        for name, (path, params) in paths.items():
            try:
                known[name] = await self.world.get(path, params)
            except Exception as error:
                if not is_expected(error):
                    raise
        items = (known.get("asked") or {}).get("items") or ()
        asked = dict.fromkeys(copilot.clean_question(item.get("question") or "") for item in items)
        model = copilot.status_words(known["status"]) if "status" in known else ""
        page.learn(Known(copilot.chips_of(known.get("chips") or {}), [*reversed(asked)], model))

    # A question

    def ask_copilot(self: QuarterdeckApp, page: AskPage, question: str) -> None:  # type: ignore[misc]
        """Send a question; the answer comes when it comes."""
        from tui import copilot

        was = page.pending if page.busy else ""
        question = copilot.clean_question(question).strip()
        page.asks(question)
        asked = [one for one in page.known.asked if one != question]
        page.known.asked = [*asked, question][-MOST_ASKED:]
        self.in_background(self._ask(page, question, list(page.selected), was))

    async def _ask(  # type: ignore[misc]
        self: QuarterdeckApp, page: AskPage, question: str, selected: list[dict[str, Any]], was: str
    ) -> None:
        from tui import copilot

        number = page.number
        body: dict[str, Any] = {"question": question, "selected": selected, "zone": copilot.local_zone()}
        if len(self.pane.view.clouds) == 1:
            body["cloud"] = self.pane.view.clouds[0]
        try:
            if was:
                await self.world.delete(f"{copilot.QUESTIONS}/{quote(was, safe='')}")
            told = await self.world.post(copilot.QUESTIONS, json=body)
            waited = page.busy and page.number == number
            while page.busy and page.number == number:
                page.take(told)
                if told.get("state") != "running":
                    self._keep_answer(told, question)
                    return
                await asyncio.sleep(STREAM_PAUSE)
                asked = {"offset": int(told.get("offset") or 0), "wait": STREAM_WAIT}
                told = await self.world.get(f"{copilot.QUESTIONS}/{quote(str(told['id']), safe='')}", asked)
            if not waited and told.get("state") == "running":  # nobody waits any more: the model need not go on
                await self.world.delete(f"{copilot.QUESTIONS}/{quote(str(told['id']), safe='')}")
        except Exception as error:
            if page.number == number:
                page.stop(sentence(error) if is_expected(error) else "the console met an error; :activity shows it")
            if not is_expected(error):
                raise

    async def _cancel_question(self: QuarterdeckApp, page: AskPage) -> None:  # type: ignore[misc]
        """Ask the model no further."""
        from tui import copilot

        pending = page.pending
        page.stop("stopped: this is the built-in answer" if page.answer else "stopped: i asks again")
        if pending:
            self._keep_answer({"id": pending, "answer": page.answer}, page.question)
            await self.world.delete(f"{copilot.QUESTIONS}/{quote(pending, safe='')}")

    def _keep_answer(self: QuarterdeckApp, told: Mapping[str, Any], question: str) -> None:  # type: ignore[misc]
        """So that its rows can be gone back to."""
        kept = self.world.answers
        if isinstance(told.get("answer"), dict):
            kept[str(told.get("id"))] = {"question": question, "answer": told["answer"]}
            self.ask_id = str(told.get("id"))
        while len(kept) > MOST_KEPT:
            del kept[next(iter(kept))]

    ask_id: str = ""  # of the answer in the drawer

    def _say_helpful(self: QuarterdeckApp, page: AskPage, word: str) -> None:  # type: ignore[misc]
        """Of the answer that is shown now: over a bad line the next question may follow at once."""
        number = (page.answer or {}).get("history_id")
        if not isinstance(number, int):
            page.say("this answer was not kept, so nothing can be said about it")
            return

        async def send() -> None:
            page.say(await self.send_feedback(number, word))

        self.in_background(send())

    async def send_feedback(self: QuarterdeckApp, number: int, word: str) -> str:  # type: ignore[misc]
        """Say whether an answer was helpful; what came of it, in words."""
        from tui import copilot

        try:
            await self.world.post(copilot.FEEDBACK, json={"history_id": number, "feedback": word})
        except Exception as error:
            if not is_expected(error):
                raise
            return sentence(error)
        return "noted: helpful" if word == "up" else "noted: not helpful"

    # What an answer leads to

    def _open_answer(self: QuarterdeckApp, page: AskPage) -> None:  # type: ignore[misc]
        """The list that holds its rows; where none does, the rows themselves."""
        from tui import copilot

        answer = page.answer or {}
        proposal = next((one for key, one in copilot.proposals_of(answer) if key == "enter"), None)
        view = copilot.view_of(proposal) if proposal is not None else None
        if view is not None:
            self._leave_to(self._checked(view) or View("answer", subject=(self.ask_id,)))
        elif copilot.opens(answer):
            self._leave_to(View("answer", subject=(self.ask_id,)))
        elif len(proposals := copilot.proposals_of(answer)) == 1:
            self.take_proposal(proposals[0][1])
        else:
            page.say("this answer has no rows")

    def _checked(self: QuarterdeckApp, view: View) -> View | None:  # type: ignore[misc]
        """The view, unless its filter is none that this release knows."""
        from tui.panes.make import make_pane

        pane = make_pane(view, self.world, under=view, places=())
        return None if pane.check_filter(view.filter) else view

    def _leave_to(self: QuarterdeckApp, view: View) -> None:  # type: ignore[misc]
        self.close_dialog()
        self.filter_is_own = False
        self.open_view(view)

    def _show_queries(self: QuarterdeckApp, page: AskPage) -> None:  # type: ignore[misc]
        from tui.dialogs.query import QueryPage

        queries = [one for one in (page.answer or {}).get("queries") or () if isinstance(one, dict)]
        if not queries:
            page.say("this answer was not looked up by a query")
            return
        self.show_page(
            QueryPage(
                queries, lambda: self.show_page(page), self.copy_text, lambda text: self.save_text(text, "qdeck-query")
            )
        )

    def _copy_answer(self: QuarterdeckApp, page: AskPage) -> None:  # type: ignore[misc]
        from tui.copying import of_answer
        from tui.dialogs.copy import CopyPage

        found = of_answer(page.question, page.answer or {})

        def copy(chosen: Any) -> None:
            self.show_page(page)
            page.say(self.copy_text(chosen.text()))

        self.show_page(CopyPage("copy", found, copy, lambda: self.show_page(page)))

    def take_proposal(self: QuarterdeckApp, proposal: Mapping[str, Any]) -> None:  # type: ignore[misc]
        """Open what was proposed. Nothing is done by that: a plan or form comes first."""
        from tui import copilot

        if proposal.get("kind") == "prefill":
            self._prefill(proposal)
            return
        view = copilot.view_of(proposal)
        if view is None or self._checked(view) is None:
            self._drawer().say(f"this release has no view for {clean(proposal.get('label') or proposal.get('name'))}")
        else:
            self._leave_to(view)

    def _prefill(self: QuarterdeckApp, proposal: Mapping[str, Any]) -> None:  # type: ignore[misc]
        from store.types.actions import ACTIONS

        name, type = str(proposal.get("name") or ""), str(proposal.get("type") or "")
        keys = [tuple(str(part) for part in key) for key in proposal.get("keys") or () if len(key) == 3]
        values = {str(pair[0]): str(pair[1]) for pair in proposal.get("values") or () if len(pair) == 2}
        if name in ("restore", "server.restore", "volume.restore"):
            self._prefill_restore("volume" if "volume" in (type, name.partition(".")[0]) else "server", keys, values)
            return
        declaration = ACTIONS.get(name) or ACTIONS.get(f"{type}.{name}")
        page = self._drawer()
        if declaration is None:
            page.say(f"this release can't {clean(proposal.get('label') or name)}; x on the row shows what it can do")
            return
        target = declaration.id.partition(".")[0]
        targets = self._targets(target, keys, self._name_in_answer(target, keys)) if keys else None
        if reason := self._against(declaration, targets):
            page.say(f"{declaration.title}: {reason}")
        else:
            self.begin_action(declaration, targets, values)

    def _prefill_restore(  # type: ignore[misc]
        self: QuarterdeckApp, type: str, keys: list[tuple[str, ...]], values: Mapping[str, str]
    ) -> None:
        point, disk, at = values.get("point", ""), values.get("disk", ""), values.get("at", "")
        if len(keys) != 1:
            self._drawer().say("a restore is of one machine; mark several in the list, R plans them together")
        elif type == "volume":
            self.close_dialog()
            self.in_background(self._restore_of_volume(keys[0], point, at))
        else:
            self.begin_restore(keys[0], self._name_in_answer(type, keys), point=point, disk=disk, at=at)

    def _name_in_answer(self: QuarterdeckApp, type: str, keys: list[tuple[str, ...]]) -> str:  # type: ignore[misc]
        """The name of the one resource, where the answer's rows or the selection tell it."""
        from tui import copilot

        page = self._drawer()
        if len(keys) != 1:
            return ""
        if [one for one in page.selected if tuple(one["key"]) == keys[0]] and len(page.selected) == 1:
            return page.selected_name
        names = copilot.names_of(page.answer or {})
        for key, row in copilot.rows_of(page.answer or {}):
            if key[:3] == keys[0] and key[3] == type and "name" in names:
                return str(row[names.index("name")] or "")
        return ""

    # The page of earlier questions

    def open_in_copilot(self: QuarterdeckApp, row: Row) -> None:  # type: ignore[misc]
        """Ask again; a template is put into the line first."""
        from tui.panes.copilot import CopilotPane

        pane = self.pane
        assert isinstance(pane, CopilotPane)
        chip = pane.chip(row)
        if chip is None:
            return
        page = self.open_drawer()
        if chip.template:
            page.write(chip.question)
        else:
            self.ask_copilot(page, chip.question)

    open_in_suggestions = open_in_copilot

    def action_answer_helpful(self: QuarterdeckApp) -> None:  # type: ignore[misc]
        """The answer under the cursor was helpful."""
        self._judge("up")

    def action_answer_unhelpful(self: QuarterdeckApp) -> None:  # type: ignore[misc]
        """It was not."""
        self._judge("down")

    def _judge(self: QuarterdeckApp, word: str) -> None:  # type: ignore[misc]
        key: Key = self.table.current.key if self.table.current is not None else ()
        if len(key) != 2 or key[0] != "asked":
            self.notice("no answer is under the cursor")
            return

        async def send() -> None:
            self.notice(await self.send_feedback(int(key[1]), word))
            self.pane.expire()
            self.table.reload()

        self.in_background(send())

    def action_forget_questions(self: QuarterdeckApp) -> None:  # type: ignore[misc]
        """Forget all of one's own questions and answers, once that is confirmed."""
        from tui import copilot

        self._confirm("forget all your questions and answers? y", self._remove(copilot.HISTORY, "they are forgotten"))

    def action_test_model(self: QuarterdeckApp) -> None:  # type: ignore[misc]
        """Ask the model that is configured whether it answers, and how fast."""
        from tui import copilot

        self.notice("asking the model whether it answers …", lasting=True)

        async def test() -> None:
            try:
                told = await self.world.post(copilot.TEST, json={})
            except Exception as error:
                if not is_expected(error):
                    raise
                told = {"message": sentence(error)}
            self.end_notice()
            latency = told.get("latency_ms")
            self.notice(str(told.get("message") or "") + (f" ({latency:,} ms)" if isinstance(latency, int) else ""))

        self.in_background(test())

    def action_model_settings(self: QuarterdeckApp) -> None:  # type: ignore[misc]
        """The settings of the copilot."""
        self.open_view(View("settings", filter="copilot"))
