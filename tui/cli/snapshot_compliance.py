"""`qdeck snapshot compliance`, `coverage` and `points`: their arguments. What they do is in snapshot_kept.py."""

from __future__ import annotations

from enum import StrEnum
from pathlib import Path
from typing import Annotated

import typer

from tui.cli.output import Format


class By(StrEnum):
    """What the rows are."""

    rows = "rows"
    volume = "volume"
    tenant = "tenant"
    domain = "domain"
    policy = "policy"


class Status(StrEnum):
    """The words of compliance."""

    compliant = "compliant"
    missing = "missing"
    pending = "pending"
    quota_blocked = "quota_blocked"
    excluded = "excluded"


class Covered(StrEnum):
    """What a volume can be restored from."""

    both = "both"
    backup = "backup"
    snapshots = "snapshots"
    nothing = "nothing"


class ReportFormat(StrEnum):
    """The values of `-o` of the report."""

    table = "table"
    json = "json"
    yaml = "yaml"
    csv = "csv"
    xlsx = "xlsx"


Cloud = Annotated[str | None, typer.Option("--cloud", help="Only this cloud.")]
Region = Annotated[str | None, typer.Option("--region", help="Only this region.")]
Tenant = Annotated[str | None, typer.Option("--tenant", help="Only this tenant: name or id.")]
Output = Annotated[Format, typer.Option("-o", "--output", help="How results are written to stdout.")]


def register(group: typer.Typer) -> None:
    """Add these commands to the group."""
    for name, command in (("compliance", compliance), ("coverage", coverage), ("points", points)):
        group.command(name)(command)


def compliance(
    context: typer.Context,
    by: Annotated[By, typer.Option("--by", help="rows: each policy of each volume.")] = By.rows,
    status: Annotated[list[Status] | None, typer.Option("--status", help="Only these; may be repeated.")] = None,
    policy: Annotated[list[str] | None, typer.Option("--policy", help="Only these; may be repeated.")] = None,
    tenant: Tenant = None,
    volume: Annotated[str | None, typer.Option("--volume", help="Only this volume: id, or name.")] = None,
    days: Annotated[
        int | None,
        typer.Option("--days", min=1, max=365, help="Judge all by so many days, not by each policy's own window."),
    ] = None,
    cloud: Cloud = None,
    region: Region = None,
    limit: Annotated[int, typer.Option("--limit", min=1, max=20_000, help="Rows of the table.")] = 200,
    file: Annotated[
        Path | None, typer.Option("--file", help="Write into this new file, with -o csv, xlsx or json.")
    ] = None,
    check: Annotated[
        bool,
        typer.Option(
            "--check",
            help="One line, and the code of a monitoring check: 2 missing for long or at all, 1 late, 3 unknown.",
        ),
    ] = False,
    output: Annotated[
        ReportFormat, typer.Option("-o", "--output", help="xlsx has sheets by volume, tenant, domain and policy.")
    ] = ReportFormat.table,
) -> None:
    """Say which volumes have the restore points that their policies promise, the worst first."""
    from tui.cli.snapshot_kept import Choice, check_compliance, report

    words = [one.value for one in status or ()]
    choice = Choice(by.value, words, policy or (), tenant, volume, days, (cloud, region))
    if check:
        check_compliance(context.obj, choice)
    report(context.obj, choice, limit, output.value, file)


def coverage(
    context: typer.Context,
    only: Annotated[Covered | None, typer.Option("--only", help="Only volumes with this coverage.")] = None,
    tenant: Tenant = None,
    cloud: Cloud = None,
    region: Region = None,
    limit: Annotated[int, typer.Option("--limit", min=1, max=1000, help="At most so many.")] = 200,
    output: Output = Format.table,
) -> None:
    """Say what each volume can be restored from: a backup, or snapshots that are lost with its storage."""
    from tui.cli.snapshot_kept import covered

    covered(context.obj, only.value if only else None, tenant, (cloud, region), limit, output)


def points(
    context: typer.Context,
    reference: Annotated[
        str | None, typer.Argument(metavar="VOLUME", help="Id, start of an id, or name; also of one that is gone.")
    ] = None,
    server: Annotated[str | None, typer.Option("--server", help="The points of this machine's volumes.")] = None,
    gone: Annotated[bool, typer.Option("--gone", help="All points whose volume is gone.")] = False,
    policy: Annotated[str | None, typer.Option("--policy", help="Only what this policy made.")] = None,
    cloud: Cloud = None,
    region: Region = None,
    limit: Annotated[int, typer.Option("--limit", min=1, max=1000, help="At most so many.")] = 200,
    output: Output = Format.table,
) -> None:
    """List what a volume or machine can be restored from, the newest first: whose it is, and what proves its data."""
    from tui.cli.snapshot_kept import restorable

    restorable(context.obj, reference, server, gone, policy, (cloud, region), limit, output)
