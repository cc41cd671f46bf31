"""The commands of drift: names, arguments and help; what they do is in tui/cli/drift.py and tui/cli/drift_rules.py."""

from __future__ import annotations

from typing import Annotated

import typer

from tui.cli.output import Format

Output = Annotated[Format, typer.Option("-o", "--output", help="How results are written to stdout.")]
Filter = Annotated[
    str, typer.Option("-f", "--filter", help="As in the console: 'web severity:critical who:anna state:acknowledged'.")
]
Severities = Annotated[list[str] | None, typer.Option("--severity", help="critical, warning or info; may be repeated.")]
Types = Annotated[list[str] | None, typer.Option("--type", help="Only this resource type; may be repeated.")]
Project = Annotated[str | None, typer.Option("--project", help="Only this project: name or id.")]
Cloud = Annotated[str | None, typer.Option("--cloud", help="Only this cloud.")]
Everything = Annotated[bool, typer.Option("--all", help="In any state, not only what is to be looked at.")]
Since = Annotated[str | None, typer.Option("--since", help='Only since then: "2h ago", "yesterday 14:00".')]
Until = Annotated[str | None, typer.Option("--until", help="Until then: 2h, 18:00, tomorrow 9:00.")]
Reason = Annotated[str, typer.Option("--reason", help="Why; others see it.")]
Name = Annotated[str | None, typer.Option("--name", help="Name of the resource; * and ? stand for more.")]
Tag = Annotated[str | None, typer.Option("--tag", help="A tag that it has.")]
Type = Annotated[str | None, typer.Option("--type", help="Its type.")]

drift_commands = typer.Typer(
    help="What is other than it was, worst first: who did it, and how sure that is.",
    invoke_without_command=True,
    rich_markup_mode=None,
)


def register(app: typer.Typer) -> None:
    """Add these commands to the program's."""
    app.add_typer(drift_commands, name="drift")


@drift_commands.callback()
def drift(
    context: typer.Context,
    filter: Filter = "",
    severity: Severities = None,
    type: Types = None,
    project: Project = None,
    cloud: Cloud = None,
    everything: Everything = False,
    since: Since = None,
    limit: Annotated[int, typer.Option("--limit", min=0, help="At most so many; 0 is 10,000.")] = 100,
    check: Annotated[
        bool,
        typer.Option("--check", help="One line, and the code of a monitoring check: 2 critical, 1 warning, 3 unknown."),
    ] = False,
    output: Output = Format.table,
) -> None:
    """List drift that is to be looked at, worst first."""
    if context.invoked_subcommand is not None:
        return
    from tui.cli.drift import Choice, checked, listed

    choice = Choice(filter, severity or (), type or (), project, cloud, everything, since)
    if check:
        checked(context.obj, choice)
    listed(context.obj, choice, limit, output)


@drift_commands.command("show")
def show(
    context: typer.Context,
    event: Annotated[int, typer.Argument(metavar="ID", help="Of the event.")],
    output: Output = Format.table,
) -> None:
    """Show one event with all that is known; the cloud is asked who did it, if that was not done."""
    from tui.cli.drift import show as work

    work(context.obj, event, output)


@drift_commands.command("ack")
def ack(
    context: typer.Context,
    events: Annotated[list[int] | None, typer.Argument(metavar="[ID]...", help="Of events.")] = None,
    filter: Annotated[str | None, typer.Option("-f", "--filter", help="All that pass, in place of ids.")] = None,
    note: Annotated[str, typer.Option("--note", help="Why it is fine.")] = "",
    until: Until = None,
    yes: Annotated[bool, typer.Option("--yes", "-y", help="Do not ask before all that pass are taken.")] = False,
    output: Output = Format.table,
) -> None:
    """Acknowledge events: they need nobody's look any more, until a time or for good."""
    from tui.cli.drift import acknowledge

    acknowledge(context.obj, events or [], filter, note, until, yes, output)


@drift_commands.command("unack")
def unack(
    context: typer.Context,
    events: Annotated[list[int] | None, typer.Argument(metavar="[ID]...", help="Of events.")] = None,
    batch: Annotated[str | None, typer.Option("--batch", help="All of one `ack`, which told it.")] = None,
) -> None:
    """Take acknowledgements back."""
    from tui.cli.drift import unacknowledge

    unacknowledge(context.obj, events or [], batch)


@drift_commands.command("rules")
def rules(context: typer.Context, type: Types = None, output: Output = Format.table) -> None:
    """List what drift looks for."""
    from tui.cli.drift_rules import rules as work

    work(context.obj, type or (), output)


@drift_commands.command("rule")
def rule(
    context: typer.Context,
    number: Annotated[int, typer.Argument(metavar="NUMBER", help="Of the rule.")],
    on: Annotated[bool | None, typer.Option("--on/--off", help="Whether it opens events.", show_default=False)] = None,
    severity: Annotated[
        str | None, typer.Option("--severity", help="critical, warning, info, or default: as shipped.")
    ] = None,
    output: Output = Format.table,
) -> None:
    """Show a rule, switch it on or off, or give its events another severity."""
    from tui.cli.drift_rules import rule as work

    work(context.obj, number, on, severity, output)


@drift_commands.command("ignore")
def ignore(
    context: typer.Context,
    reason: Reason,
    name: Name = None,
    type: Type = None,
    tag: Tag = None,
    project: Project = None,
    cloud: Cloud = None,
    severity: Annotated[str | None, typer.Option("--severity", help="critical, warning or info.")] = None,
    rule: Annotated[int | None, typer.Option("--rule", help="Number of a rule.")] = None,
    field: Annotated[str | None, typer.Option("--field", help="What changed, as status.")] = None,
    until: Until = None,
    output: Output = Format.table,
) -> None:
    """Leave drift out that fits all that is given, old events too, until it is taken back."""
    from tui.cli.drift_rules import add

    given = {"name": name, "type": type, "tag": tag, "project": project, "cloud": cloud, "severity": severity,
             "rule": rule, "field": field, "reason": reason}  # fmt: skip
    add(context.obj, "ignores", given, None, until, output)


@drift_commands.command("ignores")
def ignores(
    context: typer.Context,
    remove: Annotated[str | None, typer.Option("--remove", metavar="ID", help="Take an entry back.")] = None,
    output: Output = Format.table,
) -> None:
    """List what is ignored, or take an entry back."""
    from tui.cli.drift_rules import entries

    entries(context.obj, "ignores", remove, output)


@drift_commands.command("window")
def window(
    context: typer.Context,
    until: Annotated[str, typer.Option("--until", help="Its end: 2h, 18:00, sunday 6:00.")],
    reason: Reason,
    since: Annotated[str | None, typer.Option("--from", help="Its beginning: now unless given.")] = None,
    name: Name = None,
    type: Type = None,
    tag: Tag = None,
    project: Project = None,
    cloud: Cloud = None,
    output: Output = Format.table,
) -> None:
    """Plan maintenance: what changes in that time is ignored, and stays so."""
    from tui.cli.drift_rules import add

    given = {"name": name, "type": type, "tag": tag, "project": project, "cloud": cloud, "reason": reason}
    add(context.obj, "windows", given, since, until, output)


@drift_commands.command("windows")
def windows(
    context: typer.Context,
    end: Annotated[str | None, typer.Option("--end", metavar="ID", help="End one now, or do not begin it.")] = None,
    output: Output = Format.table,
) -> None:
    """List maintenance windows, or end one."""
    from tui.cli.drift_rules import entries

    entries(context.obj, "windows", end, output)
