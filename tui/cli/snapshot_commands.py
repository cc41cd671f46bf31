"""`qdeck snapshot`: the group. What belongs to it is declared beside its work, and added in `register`."""

from __future__ import annotations

import typer

from tui.cli.snapshot_compliance import register as register_compliance
from tui.cli.snapshot_policies import register as register_policies
from tui.cli.snapshot_runs import register as register_runs

snapshot_commands = typer.Typer(
    help="Snapshots by policy: which volumes have which, runs, restore points, compliance.",
    no_args_is_help=True,
    rich_markup_mode=None,
)


def register(app: typer.Typer) -> None:
    """Add these commands to the program's."""
    register_policies(snapshot_commands)
    register_compliance(snapshot_commands)
    register_runs(snapshot_commands)
    app.add_typer(snapshot_commands, name="snapshot")
