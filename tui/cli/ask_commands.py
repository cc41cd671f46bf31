"""`qdeck ask`: names, arguments and help; what it does is in tui/cli/ask.py and tui/cli/ask_more.py."""

from __future__ import annotations

from enum import StrEnum
from typing import Annotated

import typer

from tui.cli.output import Format


class AskFormat(StrEnum):
    """How an answer is written: text is the sentence and, where it is a list, its rows."""

    text = "text"
    table = "table"
    json = "json"
    yaml = "yaml"
    csv = "csv"

    @property
    def rows(self) -> Format:
        """The same for lists."""
        return Format.table if self is AskFormat.text else Format(self.value)


class Judgement(StrEnum):
    """Whether an answer was helpful."""

    up = "up"
    down = "down"


def register(app: typer.Typer) -> None:
    """Add the command to the program's."""
    app.command("ask", no_args_is_help=True)(ask)


def ask(
    context: typer.Context,
    question: Annotated[
        list[str] | None,
        typer.Argument(metavar="[QUESTION]...", help="As you would ask a colleague; - reads it from stdin."),
    ] = None,
    output: Annotated[
        AskFormat, typer.Option("-o", "--output", help="text: sentence and rows; table and csv: rows alone.")
    ] = AskFormat.text,
    cloud: Annotated[str | None, typer.Option("--cloud", help="Only this cloud.")] = None,
    built_in: Annotated[
        bool, typer.Option("--built-in", help="Never ask a model, whatever the configuration says.")
    ] = False,
    new: Annotated[bool, typer.Option("--new", help="By itself: not going on from the questions before it.")] = False,
    conversation: Annotated[
        str, typer.Option("--conversation", help="Go on from the questions of that name; by default from your last.")
    ] = "",
    wait: Annotated[
        float, typer.Option("--wait", min=0, help="Seconds that a model may take; then the built-in answer counts.")
    ] = 120.0,
    show_query: Annotated[bool, typer.Option("--show-query", help="Also how it was found.")] = False,
    suggestions: Annotated[bool, typer.Option("--suggestions", help="List what can be asked.")] = False,
    history: Annotated[bool, typer.Option("--history", help="List your questions, the newest first.")] = False,
    limit: Annotated[int, typer.Option("--limit", min=1, max=1000, help="Of the history, at most so many.")] = 50,
    feedback: Annotated[
        Judgement | None, typer.Option("--feedback", help="Say whether your last answer (or --about ID) was helpful.")
    ] = None,
    about: Annotated[int | None, typer.Option("--about", min=1, help="Id in the history, for --feedback.")] = None,
    comment: Annotated[str, typer.Option("--comment", help="A word with --feedback.")] = "",
    forget: Annotated[bool, typer.Option("--forget", help="Forget all your questions and answers.")] = False,
    status: Annotated[bool, typer.Option("--status", help="Say which model is asked, if any.")] = False,
    test: Annotated[bool, typer.Option("--test", help="Ask the model whether it answers, and how fast.")] = False,
) -> None:
    """Ask in plain words. Ends with 0 when it was answered, 7 when it was not understood or the answer is not sure.

    An answer changes nothing. "only the stopped ones" goes on from the question before it.
    """
    from tui.cli import ask_more
    from tui.cli.ask import How
    from tui.cli.ask import ask as work

    if suggestions:
        ask_more.suggestions(context.obj, output.rows)
    elif history:
        ask_more.history(context.obj, limit, output.rows)
    elif feedback is not None:
        ask_more.feedback(context.obj, feedback.value, about, comment)
    elif forget:
        ask_more.forget(context.obj)
    elif status:
        ask_more.status(context.obj, output.rows)
    elif test:
        ask_more.test(context.obj, output.rows)
    else:
        how = How(output, cloud, built_in, new, conversation, wait, show_query)
        work(context.obj, " ".join(question or ()), how)
