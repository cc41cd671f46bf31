"""From what a person chose to targets: stored rows within the caller's limits, then each read live."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Any, Protocol

from engine.access.models import Caller
from engine.gate import live
from engine.gate.models import Key, Operation, Sessions, Target
from engine.gate.refusals import Refused
from engine.gate.rules import MOST_TARGETS
from store.types import registry
from store.types.actions import ActionDeclaration, Option

if TYPE_CHECKING:
    from engine.gate.bodies import TargetsBody

Row = Mapping[str, Any]


class Rows(Protocol):
    """Stored resources, never more than the caller may see (engine/inventory/acting.py).

    A row is {"key": (cloud, region, id), "name", column: value, ...}.
    """

    def by_keys(self, caller: Caller, type: str, keys: Sequence[Key]) -> list[Row]:
        """The rows that are there now, in the order of the keys."""
        ...

    def passing(
        self,
        caller: Caller,
        type: str,
        filter: str,
        clouds: Sequence[str] | None,
        regions: Sequence[str] | None,
        projects: Sequence[str] | None,
        most: int,
    ) -> tuple[int, list[Row]]:
        """(how many pass, the first `most` of them). Raises BadRequest for a filter that cannot be read."""
        ...

    def referred(self, caller: Caller, type: str, reference: str, cloud: str, region: str) -> list[Row]:
        """The rows that a person may mean by an id, the start of one, or a name."""
        ...

    def version(self, type: str) -> int:
        """Version of the type's data."""
        ...


@dataclass(frozen=True, slots=True)
class Seen:
    """A target and its document now; `problem` says why it could not be had ("changed": it is gone)."""

    target: Target
    problem: str | None = None
    code: str = "changed"


class Targeting:
    """Finds and reads targets. Thread-safe."""

    def __init__(self, sessions: Sessions, rows: Rows, pool: ThreadPoolExecutor) -> None:
        self._sessions = sessions
        self._rows = rows
        self._pool = pool

    def chosen(self, caller: Caller, declaration: ActionDeclaration, body: TargetsBody) -> tuple[list[Seen], list[str]]:
        """(the chosen targets, not read live yet; warnings). Raises Refused("targets"), BadRequest."""
        warnings: list[str] = []
        plural = registry.ALL[declaration.type].plural.replace("_", " ")
        if body.keys is not None:
            keys = list(dict.fromkeys(body.keys))
            rows = {row["key"]: row for row in self._rows.by_keys(caller, declaration.type, keys)}
            found = [self._stored(declaration.type, key, rows.get(key)) for key in keys]
        elif body.filter is not None:
            found, warnings = self._passing(caller, declaration, body, plural)
        else:
            raise Refused("targets", f"{declaration.id} needs targets: keys, or a filter that they pass")
        if not found:
            raise Refused("targets", f"no {plural} were chosen")
        if len(found) > 1 and not declaration.many:
            raise Refused("targets", f"{declaration.title} takes one target, {len(found)} were chosen")
        return found, warnings

    def _passing(
        self, caller: Caller, declaration: ActionDeclaration, body: TargetsBody, plural: str
    ) -> tuple[list[Seen], list[str]]:
        # Read before the rows: a version that is older than the rows only warns once too often.
        version = self._rows.version(declaration.type)
        most = MOST_TARGETS + len(body.minus)
        total, rows = self._rows.passing(
            caller, declaration.type, body.filter or "", body.clouds, body.regions, body.projects, most
        )
        without = set(body.minus)
        found = [self._stored(declaration.type, row["key"], row) for row in rows if row["key"] not in without]
        if total > most or len(found) > MOST_TARGETS:
            raise Refused("targets", f"{total} {plural} pass the filter; one plan may have {MOST_TARGETS} targets")
        changed = body.at_version is not None and body.at_version != version
        return found, [f"the list has changed since it was marked: {len(found)} {plural} now"] if changed else []

    def create(
        self,
        caller: Caller,
        declaration: ActionDeclaration,
        cloud: str | None,
        region: str | None,
        values: dict[str, Any],
    ) -> Target:
        """The target of something that is to be created; resource options in `values` become ids.

        Its row holds the rows of these options by the options' names. Raises Refused.
        """
        place = self._place(caller, cloud, region)
        referred = self.resolve(caller, declaration, place, values)
        project: Row = {}
        for option in declaration.options:
            row = referred.get(option.name, {})
            if option.creates_in:
                project = row
                break
            if option.required and row.get("project_id") and not project:
                project = {"key": (place[0], "", row["project_id"]), "name": row.get("project_name") or ""}
        return Target(
            type=declaration.type,
            key=(*place, ""),
            name=str(values.get("name") or declaration.title.lower()),
            project_id=str(project["key"][2]) if project else "",
            project_name=str(project.get("name") or ""),
            row=referred,
        )

    def resolve(
        self, caller: Caller, declaration: ActionDeclaration, place: tuple[str, str], values: dict[str, Any]
    ) -> dict[str, Row]:
        """The rows that resource options mean, by option; their values become ids. Raises Refused("option")."""
        found: dict[str, Row] = {}
        for option in declaration.options:
            if option.kind == "resource" and option.name in values:
                found[option.name] = row = self._referred(caller, option, place, values[option.name])
                values[option.name] = row["key"][2]
        return found

    def _referred(self, caller: Caller, option: Option, place: tuple[str, str], reference: str) -> Row:
        rows = self._rows.referred(caller, option.type, reference, *place)
        what = option.type.replace("_", " ")
        if not rows:
            raise Refused("option", f"{option.name}: {place[0]} has no {what} {reference!r:.80}")
        if len(rows) > 1:
            ids = ", ".join(str(row["key"][2]) for row in rows[:5])
            raise Refused("option", f"{option.name}: {reference!r:.80} may be any of {len(rows)} ({ids}): give the id")
        return rows[0]

    def _place(self, caller: Caller, cloud: str | None, region: str | None) -> tuple[str, str]:
        clouds = [name for name in self._sessions.names() if caller.clouds is None or name in caller.clouds]
        if cloud is None and len(clouds) != 1:
            raise Refused("targets", f"say in which cloud: {', '.join(clouds) or 'there is none'}")
        chosen = clouds[0] if cloud is None else cloud
        if chosen not in clouds:
            raise Refused("unknown", f"there is no cloud {chosen!r:.80} here")
        regions = self._sessions.regions(chosen)
        if not region and len(regions) != 1:
            raise Refused("targets", f"{chosen} has the regions {', '.join(regions) or 'of nobody'}: say which")
        if region and region not in regions:
            raise Refused("unknown", f"{chosen} has no region {region!r:.80} (it has: {', '.join(regions)})")
        return chosen, region or regions[0]

    def _stored(self, type: str, key: Key, row: Row | None) -> Seen:
        if row is None:
            gone = f"there is no {type.replace('_', ' ')} {key[2]:.80} here any more"
            return Seen(Target(type, key, key[2]), gone)
        return Seen(
            Target(
                type=type,
                key=key,
                name=str(row.get("name") or key[2]),
                project_id=str(row.get("project_id") or ""),
                project_name=str(row.get("project_name") or ""),
                host=str(row.get("host") or ""),
                row=row,
            )
        )

    def owned(self, caller: Caller, found: Sequence[Seen]) -> list[Seen]:
        """The same; what belongs to nobody, or to a project outside the caller's limits, is refused.

        Flavors and shared networks are seen by everybody, and still not changed by a role for some projects.
        """
        if caller.projects is None and caller.domains is None:
            return list(found)
        keys = {(one.target.cloud, "", one.target.project_id) for one in found if one.target.project_id}
        own = {row["key"] for row in self._rows.by_keys(caller, "project", sorted(keys))}
        refusal = "your role is limited to projects that this does not belong to"
        return [
            one
            if one.problem or (one.target.cloud, "", one.target.project_id) in own
            else replace(one, problem=refusal, code="refused")
            for one in found
        ]

    # Live

    def read(self, operation: Operation, found: Sequence[Seen]) -> list[Seen]:
        """The same with the documents as the clouds have them now, several side by side."""
        return list(self._pool.map(lambda one: one if one.problem else self._read(operation, one.target), found))

    def _read(self, operation: Operation, target: Target) -> Seen:
        try:
            doc = live.read(self._sessions, operation, target)
        except Exception as error:  # of the session, the cloud, or no account that may: each a sentence
            return Seen(target, f"{target.cloud} could not be asked: {error}", "cloud")
        if doc is None:
            return Seen(target, f"{target.name} is gone")
        return Seen(with_doc(target, doc))


def with_doc(target: Target, doc: Mapping[str, Any]) -> Target:
    """The target as its document says it is; what is not in there stays as it was stored."""
    return replace(
        target,
        doc=doc,
        name=str(doc.get("name") or target.name),
        project_id=str(doc.get("project_id") or doc.get("tenant_id") or target.project_id),
        host=str(doc.get("OS-EXT-SRV-ATTR:host") or target.host),
    )
