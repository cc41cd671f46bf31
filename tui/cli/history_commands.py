"""The commands about the past: names, arguments and help; what they do is in tui.cli.history."""

from __future__ import annotations

from typing import Annotated

import typer

from tui.cli.output import Format

Output = Annotated[Format, typer.Option("-o", "--output", help="How results are written to stdout.")]
Cloud = Annotated[str | None, typer.Option("--cloud", help="Only this cloud.")]
Region = Annotated[str | None, typer.Option("--region", help="Only this region.")]


def register(app: typer.Typer) -> None:
    """Add these commands to the program's."""
    app.command("history")(history)
    app.command("diff")(diff)


def history(
    context: typer.Context,
    resource: Annotated[
        list[str], typer.Argument(metavar="[TYPE] ID|NAME", help="One resource; of what is gone its type and id.")
    ],
    fields: Annotated[bool, typer.Option("--fields", help="Every field that changed, old and new.")] = False,
    limit: Annotated[int, typer.Option("--limit", min=1, max=1000, help="At most so many changes.")] = 100,
    cloud: Cloud = None,
    region: Region = None,
    output: Output = Format.table,
) -> None:
    """Show every version of a resource and what changed in it, the newest first."""
    from tui.cli.history import history as work

    work(context.obj, resource, fields, limit, cloud, region, output)


def diff(
    context: typer.Context,
    resource: Annotated[
        list[str] | None,
        typer.Argument(metavar="[[TYPE] ID|NAME]", help="One resource, field by field; without it the whole estate."),
    ] = None,
    since: Annotated[str, typer.Option("--from", help='The earlier time: "yesterday 14:00", 2026-11-24T14:00.')] = (
        "24h ago"
    ),
    until: Annotated[str | None, typer.Option("--to", help="The later time; now unless given.")] = None,
    type_: Annotated[list[str] | None, typer.Option("--type", help="Only this type; may be repeated.")] = None,
    filter: Annotated[
        str, typer.Option("-f", "--filter", help="As in the console: 'change:gone project:shop field:status'.")
    ] = "",
    each: Annotated[bool, typer.Option("--each", help="Every single change, not only what is different.")] = False,
    limit: Annotated[int, typer.Option("--limit", min=0, help="At most so many rows; 0 is all of them.")] = 0,
    cloud: Cloud = None,
    region: Region = None,
    output: Output = Format.table,
) -> None:
    """Show what is different between two times: new, changed, gone."""
    from tui.cli.history import diff as work

    work(context.obj, resource or [], since, until, type_ or [], filter, each, limit, cloud, region, output)
