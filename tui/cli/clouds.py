"""`qdeck clouds` and `qdeck cloud add|remove|test|candidates`."""

from __future__ import annotations

from pathlib import Path
from typing import Any

from tui.cli.engine_link import connected
from tui.cli.exits import FAILED, leave, note
from tui.cli.inventory import find_type
from tui.cli.options import GlobalOptions
from tui.cli.output import Format, write_document, write_rows
from tui.times import age

LISTING_COLUMNS = ["cloud", "region", "type", "state", "rows", "data_age", "reason"]
COLUMNS = ["name", "state", "data_age", "regions", "accounts", "access", "reason"]


def clouds(options: GlobalOptions, output: Format) -> None:
    """Print the clouds."""
    with connected(options) as client:
        items = client.get("/q/clouds")["items"]
    _write(items, output)
    if not items:
        note("no cloud is watched yet: `qdeck cloud candidates` lists what you could add with `qdeck cloud add`")


def _write(items: list[dict[str, Any]], output: Format) -> None:
    if output in (Format.json, Format.yaml):
        write_document(items, output)
        return
    rows = [
        {
            **item,
            "data_age": None if item.get("age_seconds") is None else age(item["age_seconds"]),
            "accounts": [account["name"] for account in item.get("accounts", ())],
            "access": "writable" if item.get("writable") else "READ-ONLY",
        }
        for item in items
    ]
    write_rows(rows, COLUMNS, output)


def add(options: GlobalOptions, entry: str, name: str | None, file: Path | None, output: Format) -> None:
    """Try the entry, add its cloud, print it."""
    request: dict[str, Any] = {"account": entry}
    if name:
        request["name"] = name
    if file:
        request["file"] = str(file.expanduser().resolve())
    with connected(options) as client:
        _write([client.post("/q/clouds", request)], output)
    note("added read-only; `qdeck collect --wait` reads it now")


def remove(options: GlobalOptions, name: str) -> None:
    """Forget a cloud and what was collected of it."""
    with connected(options) as client:
        client.delete(f"/q/clouds/{name}")
    note(f"{name} is no longer watched")


def test(options: GlobalOptions, name: str, output: Format) -> None:
    """Try every account of a cloud; the exit code tells whether all answered."""
    with connected(options) as client:
        answer = client.post(f"/q/clouds/{name}/test", {})
    accounts = answer.get("accounts", [])
    if output in (Format.json, Format.yaml):
        write_document(answer, output)
    else:
        write_rows(accounts, ["name", "auth_url", "scope", "roles", "last_error"], output)
    if any(account.get("last_error") for account in accounts):
        leave(FAILED)


def candidates(options: GlobalOptions, output: Format) -> None:
    """Print the clouds.yaml entries that the engine can read."""
    with connected(options) as client:
        items = client.get("/q/clouds/candidates")["items"]
    write_rows(items, ["name", "auth_url", "file", "added"], output)
    if not items:
        note("no clouds.yaml was found; put one at ~/.config/openstack/clouds.yaml or set OS_CLIENT_CONFIG_FILE")


def listings(options: GlobalOptions, cloud: str | None, output: Format) -> None:
    """Print the state of every (cloud, region, type)."""
    with connected(options) as client:
        items = client.get("/q/listings", params={"cloud": cloud} if cloud else None)["items"]
    if output in (Format.json, Format.yaml):
        write_document(items, output)
        return
    ages = [item.get("age_seconds") for item in items]
    rows = [
        {**item, "data_age": None if seconds is None else age(seconds)}
        for item, seconds in zip(items, ages, strict=True)
    ]
    write_rows(rows, LISTING_COLUMNS, output)


def decide(options: GlobalOptions, cloud: str, type_word: str, region: str, accept: bool) -> None:
    """Accept or refuse the deletions of a suspect listing."""
    kind = find_type(type_word)
    with connected(options) as client:
        client.post("/q/suspects/decision", {"cloud": cloud, "region": region, "type": kind.name, "accept": accept})
    note(f"{cloud}: {kind.plural} that vanished count as {'deleted' if accept else 'still there'}")
