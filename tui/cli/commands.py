"""Every command's name, arguments and help text; what a command does is in the module it calls."""

from __future__ import annotations

from enum import StrEnum
from pathlib import Path
from typing import Annotated

import typer

from tui.cli.ask_commands import register as register_ask
from tui.cli.changes import register as register_changes
from tui.cli.drift_commands import register as register_drift
from tui.cli.engine import app as engine_commands
from tui.cli.health import register as register_health
from tui.cli.history_commands import register as register_history
from tui.cli.options import GlobalOptions
from tui.cli.output import Format, ListFormat
from tui.cli.records import register as register_records
from tui.cli.restore_commands import register as register_restores
from tui.cli.snapshot_commands import register as register_snapshots
from tui.cli.snapshot_commands import snapshot_commands

app = typer.Typer(
    name="qdeck",
    help="A terminal operations console for OpenStack clouds. Without a command: the full-screen console.",
    no_args_is_help=False,
    pretty_exceptions_enable=False,
    rich_markup_mode=None,
    context_settings={"help_option_names": ["-h", "--help"]},
)
cloud_commands = typer.Typer(help="Clouds that the engine watches.", no_args_is_help=True, rich_markup_mode=None)
app.add_typer(cloud_commands, name="cloud")
app.add_typer(engine_commands, name="engine")
register_records(app)
register_ask(app)
register_health(app)
register_changes(app, {"snapshot": snapshot_commands})
register_drift(app)
register_history(app)
register_snapshots(app)
register_restores(app)

Output = Annotated[Format, typer.Option("-o", "--output", help="How results are written to stdout.")]
Cloud = Annotated[str | None, typer.Option("--cloud", help="Only this cloud.")]
Region = Annotated[str | None, typer.Option("--region", help="Only this region.")]
At = Annotated[str | None, typer.Option("--at", help='As of a time: "yesterday 14:00", "2h ago", 2026-11-24T14:00.')]


class Verdict(StrEnum):
    """A person's word on a suspect type."""

    gone = "gone"
    keep = "keep"


def complete_type(incomplete: str) -> list[str]:
    """Shell completion of resource types."""
    from store.types import registry

    return sorted(kind.plural for kind in registry.ALL.values() if kind.plural.startswith(incomplete.lower()))


@app.callback(invoke_without_command=True)
def globals_(
    context: typer.Context,
    demo: Annotated[bool, typer.Option("--demo", help="Talk to the demo, starting it when needed.")] = False,
    engine: Annotated[
        str | None, typer.Option("--engine", envvar="QDECK_ENGINE", help="Socket path or https:// address.")
    ] = None,
    servers: Annotated[
        int | None, typer.Option("--servers", min=1, max=50_000, help="Size of the demo when it starts.")
    ] = None,
    past: Annotated[
        int | None, typer.Option("--past", min=0, max=30, help="Days of history of the demo: 0, 7, 30.")
    ] = None,
    home: Annotated[
        Path | None, typer.Option("--home", envvar="QDECK_HOME", help="Where the engine keeps its state.")
    ] = None,
) -> None:
    """Which engine the command talks to; without a command, the console opens."""
    context.obj = GlobalOptions(demo=demo, engine=engine or None, servers=servers, home=home, past=past)
    if context.invoked_subcommand is None:
        from tui.cli.main import open_app

        open_app(context.obj, "")


@app.command("open")
def open_view(
    context: typer.Context,
    view: Annotated[list[str], typer.Argument(help="A view as text: servers /web status:error sort:age:desc @prod")],
) -> None:
    """Open the console on a view."""
    from tui.cli.main import open_app

    open_app(context.obj, " ".join(view))


@app.command("ls")
def list_resources(
    context: typer.Context,
    type_: Annotated[
        str,
        typer.Argument(
            metavar="TYPE", help="servers, volumes, ports, ...: see `qdeck types`.", autocompletion=complete_type
        ),
    ],
    terms: Annotated[
        list[str] | None,
        typer.Argument(metavar="[FILTER]...", help="web status:error ram_mb:>4096 !name:test"),
    ] = None,
    sort: Annotated[list[str] | None, typer.Option("--sort", help="Column, or column:desc; may be repeated.")] = None,
    columns: Annotated[str | None, typer.Option("--columns", help="Comma-separated columns, or all.")] = None,
    limit: Annotated[int, typer.Option("--limit", min=0, help="At most so many rows; 0 is all of them.")] = 0,
    at: At = None,
    cloud: Cloud = None,
    region: Region = None,
    output: Annotated[
        ListFormat, typer.Option("-o", "--output", help="How the rows are written; xlsx and parquet are files.")
    ] = ListFormat.table,
    file: Annotated[
        Path | None, typer.Option("--file", help="A new file for csv, xlsx, parquet or json, instead of stdout.")
    ] = None,
) -> None:
    """List resources of one type, or write the list to a file."""
    from tui.cli.inventory import ls

    ls(context.obj, type_, " ".join(terms or ()), sort or [], columns, limit, at, cloud, region, output, file)


@app.command("show")
def show_resource(
    context: typer.Context,
    type_: Annotated[str, typer.Argument(metavar="TYPE", autocompletion=complete_type)],
    ref: Annotated[str, typer.Argument(metavar="ID|NAME", help="Id, start of an id, or name.")],
    at: At = None,
    cloud: Cloud = None,
    region: Region = None,
    raw: Annotated[bool, typer.Option("--raw", help="The document as the cloud gave it, without its secrets.")] = False,
    output: Output = Format.table,
) -> None:
    """Show one resource."""
    from tui.cli.inventory import show

    show(context.obj, type_, ref, at, cloud, region, raw, output)


@app.command("find")
def find_anything(
    context: typer.Context,
    text: Annotated[
        list[str], typer.Argument(help="Name, part of an id, address, prefix, MAC, host, tag, key, request id, ...")
    ],
    at: At = None,
    cloud: Cloud = None,
    limit: Annotated[int, typer.Option("--limit", min=1, max=500, help="At most so many answers.")] = 50,
    output: Output = Format.table,
) -> None:
    """Say what something is or was, whatever its type: current and gone, in all clouds."""
    from tui.cli.find import find

    find(context.obj, " ".join(text), at, cloud, limit, output)


@app.command("log")
def console_log(
    context: typer.Context,
    ref: Annotated[str, typer.Argument(metavar="SERVER", help="Id, start of an id, or name.")],
    length: Annotated[int, typer.Option("-n", "--lines", min=1, max=10_000, help="So many of the last lines.")] = 100,
    follow: Annotated[bool, typer.Option("-f", "--follow", help="Go on with what is written; ctrl+c ends it.")] = False,
    cloud: Cloud = None,
    region: Region = None,
) -> None:
    """Print the console log of a server."""
    from tui.cli.log import EVERY, log

    log(context.obj, ref, length, follow, cloud, region, EVERY)


@app.command("events")
def list_events(
    context: typer.Context,
    type_: Annotated[str, typer.Argument(metavar="TYPE", autocompletion=complete_type)],
    ref: Annotated[str, typer.Argument(metavar="ID|NAME", help="Id (also of what is gone), start of an id, or name.")],
    since: Annotated[str | None, typer.Option("--since", help='Only later ones: "2h ago", "tuesday 9:30".')] = None,
    limit: Annotated[int, typer.Option("--limit", min=1, max=1000, help="At most so many events.")] = 100,
    cloud: Cloud = None,
    region: Region = None,
    output: Output = Format.table,
) -> None:
    """Tell what happened to a resource: actions of the cloud, faults, messages, changes seen, our own audit."""
    from tui.cli.events import events

    events(context.obj, type_, ref, since, limit, cloud, region, output)


@app.command("types")
def list_types(output: Output = Format.table) -> None:
    """List the resource types and their columns."""
    from tui.cli.inventory import types

    types(output)


@app.command("collect")
def collect(
    context: typer.Context,
    clouds: Annotated[
        list[str] | None, typer.Argument(metavar="[CLOUD]...", help="Clouds; all of them by default.")
    ] = None,
    types: Annotated[list[str] | None, typer.Option("--type", help="Only this type; may be repeated.")] = None,
    full: Annotated[bool, typer.Option("--full", help="Full listings, even where changes alone would do.")] = False,
    wait: Annotated[bool, typer.Option("--wait", help="Wait until it is done, showing progress on stderr.")] = False,
    output: Output = Format.table,
) -> None:
    """Read the clouds now."""
    from tui.cli.collect import collect as work

    work(context.obj, clouds or [], types or [], full, wait, output)


@app.command("clouds")
def list_clouds(context: typer.Context, output: Output = Format.table) -> None:
    """List the clouds, with the age of their data."""
    from tui.cli.clouds import clouds

    clouds(context.obj, output)


@app.command("listings")
def list_listings(context: typer.Context, cloud: Cloud = None, output: Output = Format.table) -> None:
    """Show what was last read of each cloud and type, and what is wrong with it."""
    from tui.cli.clouds import listings

    listings(context.obj, cloud, output)


@app.command("decide")
def decide(
    context: typer.Context,
    cloud: str,
    type_: Annotated[str, typer.Argument(metavar="TYPE", autocompletion=complete_type)],
    verdict: Annotated[Verdict, typer.Argument(help="gone: what vanished is deleted; keep: it is still there.")],
    region: Annotated[str, typer.Option("--region", help="Region; empty for what has none.")] = "",
) -> None:
    """Decide about a type that is suspect because much of it vanished at once."""
    from tui.cli.clouds import decide as work

    work(context.obj, cloud, type_, region, verdict is Verdict.gone)


@cloud_commands.command("add")
def add_cloud(
    context: typer.Context,
    entry: Annotated[str, typer.Argument(metavar="NAME", help="Entry of your clouds.yaml.")],
    name: Annotated[
        str | None, typer.Option("--as", help="Our name for the cloud; the entry's name by default.")
    ] = None,
    file: Annotated[Path | None, typer.Option("--file", help="A clouds.yaml in another place.")] = None,
    output: Output = Format.table,
) -> None:
    """Try a clouds.yaml entry and watch its cloud (read-only)."""
    from tui.cli.clouds import add

    add(context.obj, entry, name, file, output)


@cloud_commands.command("remove")
def remove_cloud(context: typer.Context, name: str) -> None:
    """Stop watching a cloud; what was collected of it is removed too."""
    from tui.cli.clouds import remove

    remove(context.obj, name)


@cloud_commands.command("test")
def test_cloud(context: typer.Context, name: str, output: Output = Format.table) -> None:
    """Try a cloud's accounts again."""
    from tui.cli.clouds import test

    test(context.obj, name, output)


@cloud_commands.command("candidates")
def candidates(context: typer.Context, output: Output = Format.table) -> None:
    """List the clouds.yaml entries that could be added."""
    from tui.cli.clouds import candidates as work

    work(context.obj, output)


@app.command("api")
def call_api(
    context: typer.Context,
    method: Annotated[str, typer.Argument(help="GET, POST, PUT or DELETE.")],
    path: Annotated[str, typer.Argument(help="For example /servers or /q/engine.")],
    fields: Annotated[
        list[str] | None, typer.Option("-f", "--field", help="name=value; a JSON value with name:=value.")
    ] = None,
    body: Annotated[str | None, typer.Option("--input", help="JSON body: a file, or - for stdin.")] = None,
    output: Output = Format.json,
) -> None:
    """Call any endpoint of the engine's API."""
    from tui.cli.api import call

    call(context.obj, method, path, fields or [], body, output)


@app.command("version")
def version() -> None:
    """Print the version and the protocol that this client speaks."""
    from engine.process.models import PROTOCOL, VERSION

    typer.echo(f"qdeck {VERSION} (protocol {PROTOCOL})")
