"""The commands that say whether all is well: names, arguments and help; what they do is in the modules they call."""

from __future__ import annotations

from typing import Annotated

import typer

from tui.cli.output import Format

Output = Annotated[Format, typer.Option("-o", "--output", help="How results are written to stdout.")]
Cloud = Annotated[str | None, typer.Option("--cloud", help="Only this cloud.")]
Id = Annotated[str, typer.Argument(metavar="ID", help="Id of a problem, or its start.")]

problem_commands = typer.Typer(
    help="What is wrong, worst first. Ends with 2 when something critical is open, 1 for a warning, 0 for neither, and "
    "3 when that can't be told: the codes of monitoring checks.",
    invoke_without_command=True,
    rich_markup_mode=None,
)


def register(app: typer.Typer) -> None:
    """Add these commands to the program's."""
    app.add_typer(problem_commands, name="problems")
    app.command("dashboard")(dashboard)
    app.command("health")(health)


@problem_commands.callback()
def problems(
    context: typer.Context,
    filter: Annotated[
        str, typer.Option("-f", "--filter", help="As in the console: 'owner:none machines:>5 !rule:quota'.")
    ] = "",
    severity: Annotated[
        str | None, typer.Option("--severity", help="Only critical, warning or info; also for the exit code.")
    ] = None,
    cloud: Cloud = None,
    muted: Annotated[bool, typer.Option("--muted", help="Also muted ones; they never count.")] = False,
    check: Annotated[bool, typer.Option("--check", help="One line with counts, as monitoring checks print.")] = False,
    output: Output = Format.table,
) -> None:
    """List what is wrong; the exit code says how bad it is."""
    if context.invoked_subcommand is not None:
        return
    from tui.cli.problems import listed

    listed(context.obj, filter, severity, cloud, muted, check, output)


@problem_commands.command("own")
def own(context: typer.Context, id: Id) -> None:
    """Say that you have it: everybody sees who does."""
    from tui.cli.problems import own as work

    work(context.obj, id, True)


@problem_commands.command("release")
def release(context: typer.Context, id: Id) -> None:
    """Say that nobody has it any more."""
    from tui.cli.problems import own as work

    work(context.obj, id, False)


@problem_commands.command("mute")
def mute(
    context: typer.Context,
    id: Id,
    until: Annotated[str, typer.Option("--until", help="2h, 18:00, tomorrow 9:00; at most 30 days.")],
    reason: Annotated[str, typer.Option("--reason", help="Why.")] = "",
) -> None:
    """Keep it quiet until a time: no bell, not counted."""
    from tui.cli.problems import mute as work

    work(context.obj, id, until, reason)


@problem_commands.command("unmute")
def unmute(context: typer.Context, id: Id) -> None:
    """End the quiet."""
    from tui.cli.problems import unmute as work

    work(context.obj, id)


@problem_commands.command("note")
def note(
    context: typer.Context,
    id: Id,
    text: Annotated[str, typer.Argument(help="What others should know.")],
    until: Annotated[str | None, typer.Option("--until", help="Holds until: 2h, 18:00, tomorrow 9:00.")] = None,
) -> None:
    """Write a note on it."""
    from tui.cli.problems import write_note

    write_note(context.obj, id, text, until)


def dashboard(context: typer.Context, cloud: Cloud = None, output: Output = Format.table) -> None:
    """Print the numbers of the first screen: what is wrong, how full it is and for how long, drift, protection."""
    from tui.cli.dashboard import dashboard as work

    work(context.obj, cloud, output)


def health(
    context: typer.Context,
    tenant: Annotated[str | None, typer.Argument(metavar="[TENANT]", help="Id or name of a project.")] = None,
    filter: Annotated[str, typer.Option("-f", "--filter", help="As in the console: 'band:critical servers:>10'.")] = "",
    days: Annotated[int, typer.Option("--days", min=1, max=365, help="Days of a tenant's trend.")] = 30,
    quota: Annotated[bool, typer.Option("--quota", help="Ask the cloud for the tenant's quota.")] = False,
    cloud: Cloud = None,
    output: Output = Format.table,
) -> None:
    """List how healthy the tenants are and why, the worst first; or tell all about one."""
    from tui.cli import dashboard as work

    if tenant is None:
        work.health(context.obj, filter, cloud, output)
    else:
        work.one_tenant(context.obj, tenant, cloud, days, quota, output)
