"""What `qdeck snapshot policies`, `sets`, `why` and `due` do."""

from __future__ import annotations

import sys
from collections.abc import Mapping, Sequence
from typing import Any

from store.types import registry
from tui.api.client import SyncClient
from tui.cli.choosing import the_resource
from tui.cli.engine_link import connected
from tui.cli.exits import FAILED, NOT_FOUND, USAGE, leave, note
from tui.cli.inventory import quoted
from tui.cli.options import GlobalOptions
from tui.cli.output import Format, local_time, printable, write_document, write_pairs, write_rows

POLICIES = ("name", "words", "volumes", "on", "next", "made_by")
SETS = ("id", "name", "policies", "names", "priority", "active", "volumes")
WHY = ("policy", "keep", "schedule", "source", "next")
DUE = ("cloud", "region", "policy", "volumes", "due", "begins", "last", "run")
TAKEN = ("tenant", "volumes", "new", "size_gb", "snapshots", "gigabytes", "more_snapshots", "more_gb", "left")
_PAGE = 1000
_NUMBERS = ("min_size_gb", "max_size_gb")
_PAIRS = ("metadata_equals", "metadata_contains")
_WORDS = ("tenant_name", "domain_name", "volume_type", "volume_name_prefix", "volume_name_contains")


# Policies


def policies(options: GlobalOptions, output: Format) -> None:
    """Print the policies."""
    with connected(options) as client:
        items = client.get("/q/snapshot/policies")["items"]
    if output in (Format.json, Format.yaml):
        write_document(items, output)
    elif items or output is Format.csv:
        write_rows([_policy(item) for item in items], POLICIES, output)
    else:
        note("there are no policies, and no volume asks for one; make one with `qdeck snapshot policies add`")


def _policy(item: Mapping[str, Any]) -> dict[str, Any]:
    made = item["created_by"] if item["known"] else "nobody: its name says it"
    return {**item, "on": item["enabled"], "next": local_time(item["next_at"]), "made_by": made}


def show_policy(options: GlobalOptions, name: str, output: Format) -> None:
    """Print one policy."""
    with connected(options) as client:
        write_pairs(client.get(f"/q/snapshot/policies/{quoted(name)}"), output)


def save_policy(
    options: GlobalOptions,
    name: str,
    given: Mapping[str, Any],
    catch_up: str | None,
    window: str | None,
    output: Format,
    *,
    new: bool,
) -> None:
    """Make a policy, or change it, and print it."""
    body = {field: value for field, value in given.items() if value is not None}
    for field, text in (("catch_up_hours", catch_up), ("window_hours", window)):
        if text is not None:
            body[field] = None if text.lower() == "none" else _hours(text)
    with connected(options) as client:
        if new:
            made = client.post("/q/snapshot/policies", json={"name": name, **body})
        else:
            made = client.put(f"/q/snapshot/policies/{quoted(name)}", json=body)
    if output is Format.table:
        note(f"{made['name']}: {made['words']}, next {local_time(made['next_at']) or 'never'}"
             f"{'' if made['enabled'] else '; it is switched off'}")  # fmt: skip
    else:
        write_pairs(made, output)


def _hours(text: str) -> float:
    try:
        return float(text)
    except ValueError:
        leave(USAGE, f"hours are a number, or none, not {text!r}")


def remove_policy(options: GlobalOptions, name: str) -> None:
    """Remove a policy."""
    with connected(options) as client:
        gone = client.delete(f"/q/snapshot/policies/{quoted(name)}")
    note(f"removed {gone['name']}; volumes whose metadata name it go on with what the name says: {gone['now']}")


# Sets


def sets(options: GlobalOptions, output: Format) -> None:
    """Print the sets."""
    with connected(options) as client:
        items = all_sets(client)
    if output in (Format.json, Format.yaml):
        write_document(items, output)
    elif items or output is Format.csv:
        write_rows([{**item, "active": item["is_active"], "policies": _kept(item)} for item in items], SETS, output)
    else:
        note("there are no policy sets; make one with `qdeck snapshot sets add`")


def _kept(item: Mapping[str, Any]) -> list[str]:
    keeps = item["retention_map"]
    return [f"{name}:{keeps[name]}" if name in keeps else name for name in item["policies"]]


def all_sets(client: SyncClient) -> list[dict[str, Any]]:
    """Every set that the caller may see."""
    return list(client.get("/snapshot-policies", params={"page_size": _PAGE})["items"])


def the_set(client: SyncClient, ref: str) -> dict[str, Any]:
    """The set that is meant: its number, or its name. Ends the command when there is none."""
    found = [one for one in all_sets(client) if ref in (str(one["id"]), one["name"])]
    named = [one for one in found if one["name"] == ref] or found
    if not named:
        leave(NOT_FOUND, f'no policy set with the number or name "{ref}"; `qdeck snapshot sets` lists them')
    return named[0]


def save_set(
    options: GlobalOptions,
    ref: str | None,
    given: Mapping[str, Any],
    chosen: Sequence[str] | None,
    tenant: str | None,
    matches: Sequence[str] | None,
    preview: bool,
    output: Format,
) -> None:
    """Make a set, or change the one that is meant; or say what it would take."""
    body = {field: value for field, value in given.items() if value is not None}
    if chosen:
        body["policies"], body["retention_map"] = policies_of(chosen)
    elif ref is None:
        leave(USAGE, "say which policies it gives: --policy NAME, or --policy NAME:KEEP; may be repeated")
    if matches is not None:
        body["match"] = match_of(matches)
    with connected(options) as client:
        if tenant is not None:
            body |= tenant_of(client, tenant, given.get("cloud"))
        old = None if ref is None else the_set(client, ref)
        if preview:
            place = {"id": old["id"]} if old is not None else {}
            write_preview(client.post("/q/snapshot/sets/preview", json={**body, **place}), output)
            return
        if old is None:
            made = client.post("/snapshot-policies", json=body)
        else:
            made = client.put(f"/snapshot-policies/{old['id']}", json=body)
    if output is Format.table:
        note(f"set {made['id']} {made['name']!r} names {made['names']} and decides for {volumes_of(made['volumes'])}")
    else:
        write_pairs(made, output)


def remove_set(options: GlobalOptions, ref: str, yes: bool) -> None:
    """Remove the set that is meant."""
    with connected(options) as client:
        old = the_set(client, ref)
        if not yes:
            if not sys.stdin.isatty():
                leave(USAGE, f"set {old['name']!r} decides for {volumes_of(old['volumes'])}; say --yes to remove it")
            answer = input(
                printable(f"Remove set {old['name']!r}, which decides for {volumes_of(old['volumes'])}? [y/N] ")
            )
            if answer.strip().lower() not in ("y", "yes"):
                leave(FAILED, "nothing was removed")
        gone = client.delete(f"/snapshot-policies/{old['id']}")
    more = f", and {gone['assignments_removed']} assignments of it" if gone["assignments_removed"] else ""
    note(f"removed set {old['name']!r}{more}")


def volumes_of(count: int) -> str:
    """So many volumes, as words."""
    return f"{count} volume{'' if count == 1 else 's'}"


def policies_of(chosen: Sequence[str]) -> tuple[list[str], dict[str, int]]:
    """(names, how many are kept where that is said) of `NAME` or `NAME:KEEP`."""
    names, keeps = [], {}
    for text in chosen:
        name, colon, keep = text.rpartition(":")
        if colon and keep.isascii() and keep.isdecimal():
            keeps[name] = int(keep)
        else:
            name = text
        names.append(name)
    return names, keeps


def match_of(texts: Sequence[str]) -> dict[str, Any]:
    """What `--match KEY=VALUE` mean together; `none` alone is no match."""
    found: dict[str, Any] = {}
    for text in texts if list(texts) != ["none"] else ():
        key, equals, value = text.partition("=")
        if not equals or not value:
            leave(USAGE, f"a match is KEY=VALUE, not {text!r}")
        if key == "bootable" and value.lower() in ("yes", "no", "true", "false"):
            found[key] = value.lower() in ("yes", "true")
        elif key in _NUMBERS and value.isascii() and value.isdecimal():
            found[key] = int(value)
        elif key in _PAIRS and ":" in value:
            name, _, wanted = value.partition(":")
            found.setdefault(key, {})[name] = wanted
        elif key in _WORDS:
            found[key] = value.split(",") if key == "volume_type" and "," in value else value
        else:
            known = ", ".join((*_WORDS, "bootable=yes|no", *(f"{name}=N" for name in _NUMBERS),
                               *(f"{name}=KEY:VALUE" for name in _PAIRS)))  # fmt: skip
            leave(USAGE, f"{text!r} is no match; there are {known}")
    return found


def tenant_of(client: SyncClient, ref: str, cloud: str | None) -> dict[str, Any]:
    """The tenant that is meant, as a set or exclusion names it; "" for none."""
    if not ref:
        return {"tenant_id": "", "tenant_name": ""}
    key = the_resource(client, registry.ALL["project"], ref, cloud, None)
    name = client.get(f"/q/resources/project/{quoted(key[2])}", params={"cloud": key[0]})["row"].get("name")
    return {"tenant_id": key[2], "tenant_name": name or "", "cloud": key[0]}


def write_preview(answer: Mapping[str, Any], output: Format) -> None:
    """Print what a set or assignment would do."""
    if output in (Format.json, Format.yaml):
        write_document(answer, output)
        return
    if answer["projects"] or output is Format.csv:
        write_rows([_project(row) for row in answer["projects"]], TAKEN, output)
    if output is Format.table:
        said = [f"takes {volumes_of(answer['volumes'])}, {answer['new']} of them without a policy now"]
        said += (
            [f"{answer['overridden']} more match, but something more specific or older decides"]
            if answer["overridden"]
            else []
        )
        said += [f"{answer['excluded']} are excluded"] if answer["excluded"] else []
        said += [f"{answer['lost']} that it has now it would lose"] if answer["lost"] else []
        note("; ".join(said))
        if answer["volumes"]:
            there = f", of which {answer['existing_snapshots']} are there" if answer["existing_known"] else ""
            note(
                f"in the end {answer['snapshots']} snapshots{there}: {answer['more_snapshots']} more, at most "
                f"{answer['more_gigabytes']} GB of quota"
            )


def _project(row: Mapping[str, Any]) -> dict[str, Any]:
    return {**row, "tenant": row["tenant_name"] or row["tenant_id"], "more_gb": row["more_gigabytes"],
            "left": _left(row["quota"])}  # fmt: skip


def _left(quota: Any) -> str | None:
    """What is left of a project's quota, in a few words; None when it was not asked for."""
    if not isinstance(quota, Mapping):
        return None
    if quota.get("problem"):
        return f"no room: {quota['problem']}" if "snapshots" in quota else str(quota["problem"])
    words = []
    for name in ("snapshots", "gigabytes"):
        one = quota.get(name)
        if isinstance(one, Mapping) and isinstance(one.get("limit"), int) and isinstance(one.get("used"), int):
            words.append(f"{name} {'no limit' if one['limit'] < 0 else one['limit'] - one['used']}")
    return ", ".join(words) or None


# Why, and when


def why(options: GlobalOptions, ref: str, cloud: str | None, region: str | None, output: Format) -> None:
    """Print a volume's policies, and every reason for or against one."""
    with connected(options) as client:
        key = the_resource(client, registry.ALL["volume"], ref, cloud, region)
        answer = client.get(f"/q/snapshot/why/{quoted(key[0])}/{quoted(key[1] or '-')}/{quoted(key[2])}")
    if output in (Format.json, Format.yaml):
        write_document(answer, output)
        return
    if answer["policies"] or output is Format.csv:
        write_rows([{**row, "next": local_time(row["next_at"])} for row in answer["policies"]], WHY, output)
    else:
        sys.stdout.write("no policy\n")
    if output is Format.table:
        for reason in answer["reasons"]:
            mark = "*" if reason["applies"] else " "
            named = f"{reason['kind']} {reason['name']}: " if reason["kind"] in ("set", "assignment") else ""
            said = named + reason["text"]
            sys.stdout.write(printable(f"{mark} {said}") + "\n")


def due(options: GlobalOptions, cloud: str | None, region: str | None, output: Format) -> None:
    """Print what is due, and what comes next."""
    where = {"cloud": cloud, "region": region}
    with connected(options) as client:
        items = client.get("/q/snapshot/due", params={name: value for name, value in where.items() if value})["items"]
    if output in (Format.json, Format.yaml):
        write_document(items, output)
    elif items or output is Format.csv:
        write_rows([_due(item) for item in items], DUE, output)
    else:
        there = f" of {region or cloud}" if region or cloud else ""
        note(f"no volume{there} has a policy")


def _due(item: Mapping[str, Any]) -> dict[str, Any]:
    begins = local_time(item["begins_at"]) if item["enabled"] else "switched off"
    return {**item, "due": local_time(item["due_at"]), "begins": begins, "last": local_time(item["taken_at"]),
            "run": item["run_id"]}  # fmt: skip
