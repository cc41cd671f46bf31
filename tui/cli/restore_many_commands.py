"""The commands of restores of many machines: names, arguments and help; what they do is in tui/cli/restore_many.py."""

from __future__ import annotations

from typing import Annotated

import typer

from tui.cli.output import Format

WAYS = ("IN_PLACE", "NEW", "REPLACE")
Output = Annotated[Format, typer.Option("-o", "--output", help="How results are written to stdout.")]
Many = Annotated[str, typer.Argument(metavar="ID", help="Id of the plan, or the start of it.")]

many_commands = typer.Typer(
    help="Restore many machines by one plan: in order, within limits, once each.",
    no_args_is_help=True,
    rich_markup_mode=None,
)


@many_commands.command("plan")
def plan(
    context: typer.Context,
    machines: Annotated[list[str] | None, typer.Argument(metavar="MACHINE...", help="Ids or names.")] = None,
    filter: Annotated[str | None, typer.Option("--filter", help="All that pass it, at most 200.")] = None,
    way: Annotated[str, typer.Option("--way", help="in-place, new or replace.")] = "new",
    at: Annotated[str | None, typer.Option("--at", help='The newest points by then: "yesterday 22:00".')] = None,
    cloud: Annotated[str | None, typer.Option("--cloud", help="The cloud.")] = None,
    region: Annotated[str | None, typer.Option("--region", help="The region.")] = None,
    strategy: Annotated[str | None, typer.Option("--ip-strategy", help="Addresses of new machines.")] = None,
    keep_days: Annotated[int | None, typer.Option("--keep-days", min=1, max=365, help="What REPLACE keeps.")] = None,
    order: Annotated[
        list[str] | None, typer.Option("--order", help='A group of name globs, "db-*"; again for the next group.')
    ] = None,
    parallel: Annotated[int | None, typer.Option("--parallel", min=1, max=200, help="At most so many at once.")] = None,
    per_backend: Annotated[
        int | None, typer.Option("--per-backend", min=1, max=200, help="On one storage back end.")
    ] = None,
    per_project: Annotated[int | None, typer.Option("--per-project", min=1, max=200, help="In one project.")] = None,
    stop_after: Annotated[
        int | None, typer.Option("--stop-after", min=1, max=200, help="Failures; 3 unless said.")
    ] = None,
    output: Output = Format.table,
) -> None:
    """Plan the restore of many machines: a line for each, what all of them need. Nothing is changed."""
    from tui.cli import restore_many as work

    code = way.replace("-", "_").upper()
    if code not in WAYS:
        raise typer.BadParameter(f"{way!r} is none of in-place, new, replace")
    direct = {"way": code, "ip_strategy": strategy, "keep_days": keep_days, "order": order, "stop_after": stop_after}
    limits = {"parallel": parallel, "per_backend": per_backend, "per_project": per_project}
    work.plan(context.obj, work.Wish(machines or (), filter, cloud, region, at, direct, limits), output)


@many_commands.command("execute")
def execute(
    context: typer.Context,
    id: Many,
    leave_out: Annotated[list[str] | None, typer.Option("--leave-out", help="Name or id of a machine.")] = None,
    reason: Annotated[str, typer.Option("--reason", help="Why; it stays in the audit.")] = "",
    ticket: Annotated[str, typer.Option("--ticket", help="Number of the change.")] = "",
    typed: Annotated[
        str | None, typer.Option("--typed", "--yes-typed", help="The phrase that it asks for, instead of typing it.")
    ] = None,
    yes: Annotated[
        bool, typer.Option("-y", "--yes", help="Begin without a question where no phrase is asked.")
    ] = False,
    watch: Annotated[bool, typer.Option("--watch", help="Follow it to its end; interrupted, it goes on.")] = False,
    output: Output = Format.table,
) -> None:
    """Carry a plan of many machines out; REPLACE asks to type how many are replaced."""
    from tui.cli import restore_many as work

    work.execute(context.obj, id, leave_out or (), work.Given(reason, ticket, typed, yes), watch, output)


@many_commands.command("list")
def list_all(context: typer.Context, output: Output = Format.table) -> None:
    """Restores of many machines, newest first."""
    from tui.cli import restore_many as work

    work.list_all(context.obj, output)


@many_commands.command("show")
def show(context: typer.Context, id: Many, output: Output = Format.table) -> None:
    """Where each machine of it stands."""
    from tui.cli import restore_many as work

    work.show(context.obj, id, output)


@many_commands.command("watch")
def watch(context: typer.Context, id: Many, output: Output = Format.table) -> None:
    """Follow it to its end: 0 all restored, 6 in part, 1 none."""
    from tui.cli import restore_many as work

    work.watch(context.obj, id, output)


@many_commands.command("pause")
def pause(context: typer.Context, id: Many) -> None:
    """Begin no further machine; those that run go on."""
    from tui.cli import restore_many as work

    work.ask(context.obj, id, "pause")


@many_commands.command("resume")
def resume(context: typer.Context, id: Many) -> None:
    """Go on, whatever has failed so far."""
    from tui.cli import restore_many as work

    work.ask(context.obj, id, "resume")


@many_commands.command("cancel")
def cancel(
    context: typer.Context,
    id: Many,
    running: Annotated[bool, typer.Option("--running", help="End also those that run: all is put back.")] = False,
) -> None:
    """Begin none of the machines that have not begun."""
    from tui.cli import restore_many as work

    work.ask(context.obj, id, "cancel", {"running": running})
