"""Find anything: a text, and what it is or was, in all clouds, within what the caller may see."""

from __future__ import annotations

import ipaddress
import time
from collections.abc import Iterable
from datetime import UTC, datetime
from functools import partial
from typing import TYPE_CHECKING, Any

from engine.access.models import Caller
from engine.api.errors import BadRequest
from engine.audit.service import AuditService
from engine.inventory import find_rules
from engine.inventory.lineage import Lineage
from engine.inventory.lineage import none as lineage_of_none
from engine.inventory.reads import InventoryReads
from store import times
from store.estate.reading import find, find_around, find_rows
from store.estate.reading.find_rows import Period
from store.estate.reading.find_terms import Term, understand
from store.estate.reading.models import Scope
from store.types.declaration import ResourceType

if TYPE_CHECKING:
    import duckdb

_MOST_AUDITED = 50


class Finder:
    """Blocks; safe on any thread."""

    def __init__(
        self, reads: InventoryReads, audit: AuditService | None = None, lineage: Lineage = lineage_of_none
    ) -> None:
        """`lineage`: what took the place of what."""
        self._reads = reads
        self._audit = audit
        self._lineage = lineage

    def find(
        self,
        text: str,
        types: Iterable[ResourceType],
        at: datetime | None,
        scope: Scope,
        limit: int,
        *,
        auditor: Caller | None = None,
    ) -> dict[str, Any]:
        """What the text means, best first: see FindAnswer. `auditor`: a caller who may read the audit.

        Raises BadRequest when there is nothing to look for, and what InventoryReads.read raises.
        """
        began = time.perf_counter()
        term = understand(text)
        if term is None:
            raise BadRequest("Invalid parameter: q: say what to find: a name, an address, a MAC, part of an id")
        now = self._reads.clock()

        def work(connection: duckdb.DuckDBPyConnection) -> tuple[list[dict[str, Any]], bool]:
            hits, more = find.hits(connection, term, types, at, scope, limit)
            periods = sorted(find_rows.periods(connection, term, hits, at, scope), key=partial(_place, term))
            kept = periods[:limit]
            around = find_around.around(connection, kept, scope)
            items = [find_rules.item(term, period, around, now) for period in kept]
            _name_networks(items)
            return items, more or len(periods) > limit

        items, more = self._reads.read(work)
        self._place(items)
        items += self._audited(term, at, auditor, now)
        return {
            "query": text,
            "understood": term.kind,
            "at": None if at is None else times.text(at),
            "items": items[:limit],
            "more": more or len(items) > limit,
            "took_ms": round((time.perf_counter() - began) * 1000, 1),
        }

    def _place(self, items: list[dict[str, Any]]) -> None:
        """Say of machines and volumes whose place they took, and what took theirs."""
        places: dict[tuple[str, str], list[str]] = {}
        for item in items:
            if item["type"] in ("server", "volume"):
                places.setdefault(tuple(item["key"][:2]), []).append(item["key"][2])
        lines = {(*place, id): line for place, ids in places.items() for id, line in self._lineage(*place, ids).items()}
        for item in items:
            before, after = lines.get(tuple(item["key"]), ((), ()))
            item["in_place_of"], item["replaced_by"] = next(iter(before), None), next(iter(reversed(after)), None)

    def _audited(self, term: Term, at: datetime | None, auditor: Caller | None, now: datetime) -> list[dict[str, Any]]:
        """Acts of ours whose record names the request."""
        if term.kind != "request" or auditor is None or self._audit is None:
            return []
        only = auditor if auditor.limited else None
        _, records = self._audit.page(text=term.text, until=at, only=only, limit=_MOST_AUDITED)
        return [find_rules.audited(record, now) for record in records]


def _place(term: Term, period: Period) -> tuple[Any, ...]:
    """The better fit first, then what holds still, then the type, then the latest; in a prefix by address."""
    latest = (period.end or period.start).replace(tzinfo=UTC).timestamp()
    address = _number(period.match.value) if term.kind == "prefix" else 0
    fit = (period.match.rank, period.end is not None, find.place_of(period.type))
    return *fit, address, -latest, period.name or "", period.key


def _number(value: str) -> int:
    """An address or prefix as a number."""
    try:
        return int(ipaddress.ip_interface(value))
    except ValueError:
        return 0


def _name_networks(items: list[dict[str, Any]]) -> None:
    """A server's row does not say on which network an address is; its port's does."""
    known = {
        (tuple(item["machine"]["key"]), item["value"]): item["network"]
        for item in items
        if item["type"] == "port" and item["machine"] and item["network"]
    }
    for item in items:
        if item["type"] == "server":
            item["network"] = known.get((tuple(item["key"]), item["value"]))
