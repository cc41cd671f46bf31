"""The commands about what people did and wrote: names, arguments and help; what they do is in the modules they call."""

from __future__ import annotations

from typing import Annotated

import typer

from tui.cli.output import Format
from tui.cli.shift import Page

Output = Annotated[Format, typer.Option("-o", "--output", help="How results are written to stdout.")]
Cloud = Annotated[str | None, typer.Option("--cloud", help="Only this cloud.")]
Region = Annotated[str | None, typer.Option("--region", help="Only this region.")]
Since = Annotated[str | None, typer.Option("--since", help='From when: "yesterday 14:00", "2h ago", 2026-11-24.')]
Until = Annotated[str | None, typer.Option("--until", help="Until when, likewise.")]

audit_commands = typer.Typer(help="Who did what to what.", invoke_without_command=True, rich_markup_mode=None)
shift_commands = typer.Typer(help="Where your shift began.", no_args_is_help=True, rich_markup_mode=None)


def register(app: typer.Typer) -> None:
    """Add these commands to the program's."""
    app.add_typer(audit_commands, name="audit")
    app.add_typer(shift_commands, name="shift")
    app.command("note")(note)
    app.command("notes")(notes)
    app.command("handover")(handover)


@audit_commands.callback()
def audit(
    context: typer.Context,
    since: Since = None,
    until: Until = None,
    actor: Annotated[str | None, typer.Option("--actor", help="Who; also the login behind sudo.")] = None,
    ticket: Annotated[str | None, typer.Option("--ticket", help="The whole ticket, for example CHG1234.")] = None,
    action: Annotated[str | None, typer.Option("--action", help="For example server.stop, or server.*")] = None,
    target: Annotated[str | None, typer.Option("--target", help="Part of the name of what it was done to.")] = None,
    outcome: Annotated[str | None, typer.Option("--outcome", help="ok, failed, refused or intent.")] = None,
    text: Annotated[str | None, typer.Option("--text", help="Part of anything that a record says.")] = None,
    cloud: Cloud = None,
    limit: Annotated[int, typer.Option("--limit", min=0, help="At most so many; 0 is 10,000.")] = 100,
    output: Output = Format.table,
) -> None:
    """Print audit records, the newest first."""
    if context.invoked_subcommand is not None:
        return
    from tui.cli.audit import records

    filters = {
        "since": since, "until": until, "actor": actor, "ticket": ticket, "action": action, "target": target,
        "outcome": outcome, "text": text, "cloud": cloud,
    }  # fmt: skip
    records(context.obj, filters, limit, output)


@audit_commands.command("verify")
def verify(context: typer.Context, output: Output = Format.table) -> None:
    """Read the whole chain again and say whether it is as it was written."""
    from tui.cli.audit import verify as work

    work(context.obj, output)


def note(
    context: typer.Context,
    type_: Annotated[str, typer.Argument(metavar="TYPE", help="A resource type, job, or problem.")],
    ref: Annotated[str, typer.Argument(metavar="REF", help="Id or name; of a problem CLOUD[/REGION][/TYPE].")],
    text: Annotated[str, typer.Argument(help="What others should know.")],
    until: Annotated[str | None, typer.Option("--until", help="Holds until: 2h, 18:00, tomorrow 9:00.")] = None,
    cloud: Cloud = None,
    region: Region = None,
    output: Output = Format.table,
) -> None:
    """Write a note on a resource, job or problem."""
    from tui.cli.notes import add

    add(context.obj, type_, ref, text, until, cloud, region, output)


def notes(
    context: typer.Context,
    type_: Annotated[str | None, typer.Argument(metavar="[TYPE]")] = None,
    ref: Annotated[str | None, typer.Argument(metavar="[REF]")] = None,
    past: Annotated[bool, typer.Option("--past", help="Also notes that hold no more.")] = False,
    remove: Annotated[str | None, typer.Option("--remove", metavar="ID", help="Take a note back.")] = None,
    cloud: Cloud = None,
    region: Region = None,
    output: Output = Format.table,
) -> None:
    """List notes: all, or those on one thing."""
    from tui.cli import notes as work

    if remove is not None:
        work.remove(context.obj, remove)
    else:
        work.notes(context.obj, type_, ref, cloud, region, past, output)


@shift_commands.command("start")
def start(
    context: typer.Context, words: Annotated[list[str] | None, typer.Argument(metavar="[NOTE]...")] = None
) -> None:
    """Begin your shift now: the hand-over tells what happened since."""
    from tui.cli.shift import start as work

    work(context.obj, " ".join(words or ()))


@shift_commands.command("show")
def show(context: typer.Context, output: Output = Format.table) -> None:
    """List whose shift began when."""
    from tui.cli.shift import show as work

    work(context.obj, output)


def handover(
    context: typer.Context,
    since: Since = None,
    until: Until = None,
    output: Annotated[Page, typer.Option("-o", "--output", help="How the page is written to stdout.")] = Page.markdown,
) -> None:
    """Print the hand-over page: problems, jobs, changes, notes since your shift began."""
    from tui.cli.shift import handover as work

    work(context.obj, since, until, output)
