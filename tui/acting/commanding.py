"""The bar: filters while they are typed, commands, and questions of one line."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import replace
from typing import TYPE_CHECKING

from tui.actions import PLACES, actions_in
from tui.panes.resources import ResourcesPane

if TYPE_CHECKING:
    from textual.timer import Timer

    from tui.console import QuarterdeckApp
    from tui.offers import Offer

DEBOUNCE = 0.03  # seconds between the last key of a filter and its question to the engine


class Commanding:
    """Mixed into the app."""

    filter_timer: Timer | None
    answer: Callable[[str], str | None]  # takes the answer to a question of one line; see ask_line
    become: Callable[[str], Sequence[str]]

    def action_command(self: QuarterdeckApp) -> None:  # type: ignore[misc]
        self.bar.open(":")
        self.show_footer()
        self.offer("")

    def action_filter(self: QuarterdeckApp) -> None:  # type: ignore[misc]
        self.filter_before = self.pane.view.filter
        self.bar.open("/", self.pane.view.filter)
        self.show_footer()
        self.show_hint("", ())

    def ask_line(  # type: ignore[misc]
        self: QuarterdeckApp,
        prompt: str,
        answer: Callable[[str], str | None],
        start: str = "",
        become: Callable[[str], Sequence[str]] = lambda text: (),
    ) -> None:
        """Ask for one line of text in the bar. `answer` takes it, and gives a sentence when it can't be used: then the
        bar stays open. Escape takes nothing. `become`: whole lines that tab makes of what was typed.
        """
        self.answer, self.become = answer, become
        self.bar.open(prompt, start)
        self.show_footer()
        self.show_hint("", ())

    def bar_typed(self: QuarterdeckApp, mode: str, text: str) -> None:  # type: ignore[misc]
        """A filter shows its rows while it is typed; a command shows what it could become."""
        from tui.commands import filter_completions

        if mode == "/":
            problem = self.pane.check_filter(text)
            self.show_hint(problem, filter_completions(text, self.pane.view.type))
            self.stop_filter_timer()
            if not problem:
                self.filter_timer = self.set_timer(DEBOUNCE, lambda: self.apply_filter(text))
        elif mode == ":":
            self.offer(text)

    def offer(self: QuarterdeckApp, text: str) -> None:  # type: ignore[misc]
        """Show what a line of the bar could become: as a list under it, or where there is no room in one line."""
        from tui.commands import completions
        from tui.offers import offers

        here = [a for a in actions_in(self.pane.places, self.world.keymap.actions) if a.id != "command"]
        here.sort(key=lambda action: (not action.label, action.weight))
        earlier = self.bar.earlier(":")
        self.offers.show_offers(offers(text, self.pane.view, self.cloud_names, here, self.why_not, earlier))
        listed = self.offers.display
        self.show_hint("", () if listed else completions(text, self.pane.view, self.cloud_names))

    def bar_moved(self: QuarterdeckApp, mode: str, step: int) -> bool:  # type: ignore[misc]
        """Up and down choose among the offers; False when that is none of theirs."""
        return mode == ":" and self.offers.move(step)

    def stop_filter_timer(self: QuarterdeckApp) -> None:  # type: ignore[misc]
        """What was typed before must not be asked for any more."""
        if self.filter_timer is not None:
            self.filter_timer.stop()
            self.filter_timer = None

    def apply_filter(self: QuarterdeckApp, text: str) -> None:  # type: ignore[misc]
        """Show the rows that pass."""
        self.stop_filter_timer()
        text = text.strip()
        if text != self.pane.view.filter:
            self.filter_is_own = True
            self.change_view(replace(self.pane.view, filter=text), keep_row=False)

    def bar_entered(self: QuarterdeckApp, mode: str, text: str) -> None:  # type: ignore[misc]
        """Enter keeps the filter, or runs the command; a mistake leaves the bar open."""
        if mode == "/":
            problem = self.pane.check_filter(text)
            if problem:
                self.show_hint(problem, ())
                return
            self.apply_filter(text)
            self.close_bar()
            return
        if mode != ":":
            problem = self.answer(text) or ""
            if problem:
                self.show_hint(problem, ())
            elif self.bar.mode == mode:
                self.close_bar()
            return
        chosen = self.offers.chosen
        if chosen is None:
            self._run_command(text)
        elif not chosen.action:
            self.bar.value = chosen.text
            self._run_command(chosen.text)
        else:
            self._run_offer(chosen)

    def _run_offer(self: QuarterdeckApp, offer: Offer) -> None:  # type: ignore[misc]
        if offer.why_not:
            self.show_hint(f"not now: {offer.why_not}", ())
            return
        self.bar.value = offer.text
        self.close_bar()
        self.act(offer.action)

    def _run_command(self: QuarterdeckApp, text: str) -> None:  # type: ignore[misc]
        from tui.commands import CommandError, understand

        try:
            command = understand(text, self.pane.view)
        except CommandError as error:
            self.show_hint(str(error), ())
            return
        if command.view is not None and command.view.kind == "list":
            problem = ResourcesPane(command.view, self.world).check_filter(command.view.filter)
            if problem:
                self.show_hint(problem, ())
                return
        if command.action and not command.anywhere and (problem := self._not_here(command.action)):
            self.show_hint(problem, ())
            return
        self.close_bar()
        if command.view is not None:
            self.filter_is_own = False
            self.open_view(command.view)
        elif command.verb:
            getattr(self, f"command_{command.verb}")(command.argument)
        else:
            self.act(command.action)

    def _not_here(self: QuarterdeckApp, id: str) -> str:  # type: ignore[misc]
        """Why an action doesn't work on this view, or not now."""
        action = next(action for action in self.world.keymap.actions if action.id == id)
        if action not in actions_in(self.pane.places, (action,)):
            return f"{id.replace('_', '-')} works {', '.join(PLACES[place] for place in action.where)}"
        reason = self.why_not(id)
        return f"not now: {reason}" if reason else ""

    def command_theme(self: QuarterdeckApp, argument: str) -> None:  # type: ignore[misc]
        """Draw with another palette."""
        self.use_theme(argument)

    def bar_cancelled(self: QuarterdeckApp) -> None:  # type: ignore[misc]
        """Escape: as it was before the bar was opened."""
        self.stop_filter_timer()
        if self.bar.mode == "/":
            self.apply_filter(self.filter_before)
        self.close_bar()

    def bar_completed(self: QuarterdeckApp) -> None:  # type: ignore[misc]
        """Tab."""
        from tui.commands import completions, filter_completions

        view = self.pane.view
        if self.bar.mode == "/":
            self.bar.complete(lambda text: filter_completions(text, view.type))
        elif self.bar.mode == ":" and self.offers.chosen is not None:
            self.bar.put(self.offers.chosen.text)
        elif self.bar.mode == ":":
            self.bar.complete(lambda text: completions(text, view, self.cloud_names))
        else:
            self.bar.complete(self.become)
