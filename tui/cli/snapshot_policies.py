"""`qdeck snapshot policies`, `sets`, `assign`, `exclude`, `why`: their arguments; the work is in snapshot_rules.py."""

from __future__ import annotations

from typing import Annotated

import typer

from tui.cli.output import Format

Output = Annotated[Format, typer.Option("-o", "--output", help="How results are written to stdout.")]
Cloud = Annotated[str | None, typer.Option("--cloud", help="Only this cloud.")]
Region = Annotated[str | None, typer.Option("--region", help="Only this region.")]
Ref = Annotated[str, typer.Argument(metavar="VOLUME", help="Id, start of an id, or name.")]


def register(group: typer.Typer) -> None:
    """Add these commands to the group."""

    @group.command("why")
    def why(context: typer.Context, volume: Ref, cloud: Cloud = None, region: Region = None,
            output: Output = Format.table) -> None:  # fmt: skip
        """Say why a volume has its policies, and what else matches it."""
        from tui.cli.snapshot_rules import why as work

        work(context.obj, volume, cloud, region, output)
