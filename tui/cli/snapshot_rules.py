"""What `qdeck snapshot policies`, `sets`, `assign`, `exclude` and `why` do."""

from __future__ import annotations

import sys

from store.types import registry
from tui.cli.choosing import the_resource
from tui.cli.engine_link import connected
from tui.cli.inventory import quoted
from tui.cli.options import GlobalOptions
from tui.cli.output import Format, printable, write_document, write_rows

WHY = ("policy", "keep", "schedule", "source", "next_at")


def why(options: GlobalOptions, ref: str, cloud: str | None, region: str | None, output: Format) -> None:
    """Print a volume's policies, and every reason for or against one."""
    with connected(options) as client:
        key = the_resource(client, registry.ALL["volume"], ref, cloud, region)
        answer = client.get(f"/q/snapshot/why/{quoted(key[0])}/{quoted(key[1] or '-')}/{quoted(key[2])}")
    if output in (Format.json, Format.yaml):
        write_document(answer, output)
        return
    if answer["policies"] or output is Format.csv:
        write_rows(answer["policies"], WHY, output)
    else:
        sys.stdout.write("no policy\n")
    if output is Format.table:
        for reason in answer["reasons"]:
            mark = "*" if reason["applies"] else " "
            named = f"{reason['kind']} {reason['name']}".strip()
            sys.stdout.write(printable(f"{mark} {named}: {reason['text']}") + "\n")
