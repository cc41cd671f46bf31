"""Quotas that a restore raises for its time: noted before the cloud is asked, and given back by what was added.

Several restores of a project may do so at once, and people change quotas meanwhile. So each row has two numbers: the
limit as it is without any raise of ours, and what this job adds. With all that is added the limit is what we made it;
where it is anything else somebody changed it, and it is left alone. A row, of type "quota":

    begun             the raise is about to be asked for
    made, "raised"    it is there
    made, "lowering"  giving it back is about to be asked for
    removed           given back, never done, or ("changed") somebody's own by now

Whoever has the lock of a limit settles first what a crash left in doubt: at most one row of a limit ever is.
"""

from __future__ import annotations

import re
import threading
from collections.abc import Callable, Collection, Mapping
from dataclasses import dataclass
from typing import Any, Protocol

from engine.clouds.quota import every
from engine.gate.models import Key
from engine.gate.refusals import NotDone

TYPE = "quota"  # of the rows
PERMISSION = "project_quotas:write"  # of whoever has a quota raised, beside the restore's own
RAISED, LOWERING, CHANGED = "raised", "lowering", "changed"
_NUMBERS = re.compile(r"(\d+)\+(\d+)")  # a row's token: the limit without ours, and what is added
# Where a limit is read together with what is used of it: path, microversion, query.
_READS: Mapping[str, tuple[str, str, tuple[tuple[str, str], ...]]] = {
    "compute": ("/os-quota-sets/{project}/detail", "2.87", ()),
    "block-storage": ("/os-quota-sets/{project}", "3.65", (("usage", "true"),)),
}
_locks: dict[tuple[str, ...], threading.Lock] = {}
_guard = threading.Lock()

Row = Mapping[str, Any]  # of restore_resources
Get = Callable[..., dict[str, Any] | None]  # of an administrator's session
Wait = Callable[[Callable[[], bool | None]], bool | None]  # asks again for a while, until it is not None


class Rows(Protocol):
    """What is asked of engine/restore/records.py."""

    def begin(
        self, job_id: str, seq: int, purpose: str, type: str, token: str, name: str, key: Key, project_id: str
    ) -> None: ...
    def made(self, job_id: str, purpose: str, id: str) -> None: ...
    def removed(self, job_id: str, purpose: str) -> None: ...
    def found(self, job_id: str, purpose: str) -> Row | None: ...
    def left(self) -> list[dict[str, Any]]: ...


@dataclass(frozen=True, slots=True)
class Place:
    """One limit of one project: `service` "compute" or "block-storage", `name` as the service calls it."""

    cloud: str
    region: str
    project: str
    service: str
    name: str

    @property
    def purpose(self) -> str:
        return f"quota:{self.service}:{self.name}"

    @property
    def lock(self) -> threading.Lock:
        """Of all limits of that service in the project: one engine changes them one after another."""
        with _guard:
            return _locks.setdefault((self.cloud, self.region, self.project, self.service), threading.Lock())

    @property
    def path(self) -> str:
        """Where it is set."""
        return f"/os-quota-sets/{self.project}"

    def body(self, limit: int, *, lower: bool) -> dict[str, Any]:
        """What sets it. Nova sets nothing below what is used unless it is forced; Cinder does, and knows no such word.

        What the job made is used by then: that the limit is below it is what giving it back means.
        """
        forced = {"force": True} if lower and self.service == "compute" else {}
        return {"quota_set": {self.name: limit, **forced}}

    def read(self, get: Get) -> Mapping[str, int | None]:
        """{limit, in_use, reserved} as they are now. Raises NotDone when it is not said, and what `get` does."""
        path, version, query = _READS[self.service]
        found = (get(self.service, path.format(project=self.project), version, query) or {}).get("quota_set")
        entry = every(found).get(self.name) if isinstance(found, dict) else None
        if entry is None or entry["limit"] is None:
            raise NotDone(f"the cloud does not say what the quota {self.name} is", status=404)
        return entry


def place_of(row: Row) -> Place:
    """The limit that a row is about."""
    _, service, name = str(row["purpose"]).split(":", 2)
    return Place(row["cloud"], row["region"], row["project_id"], service, name)


@dataclass(frozen=True, slots=True)
class Limit:
    """One limit, under its lock.

    get   asks with an administrator's session
    set_to  set_to(limit, lower): have it set, and see that it is; raises what says that it is not
    wait  see Wait
    """

    place: Place
    rows: Rows
    get: Get
    set_to: Callable[[int, bool], None]
    wait: Wait

    def now(self) -> int:
        """The limit; -1 = none."""
        return int(self.place.read(self.get)["limit"] or 0)

    def raised(self, job_id: str, seq: int, need: int) -> str:
        """Raise it so that `need` more fits; a sentence of what was done. Harmless when it was done before."""
        self._settle()
        own = self.rows.found(job_id, self.place.purpose)
        if own is not None and own["state"] == "made":
            return f"{self.place.name} is raised"
        entry, steady = self.place.read(self.get), self._rows()
        limit, used = int(entry["limit"] or 0), (entry["in_use"] or 0) + (entry["reserved"] or 0)
        if steady and limit != _expected(steady):
            for row in steady:
                self._changed(row)
            steady = []
        # What others have it raised by is theirs, whether they have taken it by now or not.
        wanted = used + need + sum(_added(row) for row in steady)
        if limit < 0 or wanted <= limit:
            return f"{self.place.name} fits as it is"
        base = _base(steady[0]) if steady else limit
        place = self.place
        self.rows.begin(
            job_id, seq, place.purpose, TYPE, f"{base}+{wanted - limit}", f"{place.name} from {limit} to {wanted}",
            (place.cloud, place.region, ""), place.project,
        )  # fmt: skip
        self.set_to(wanted, False)
        self.rows.made(job_id, place.purpose, RAISED)
        return f"{place.name} from {limit} to {wanted}"

    def lowered(self, job_id: str) -> str:
        """Give back what the job added; a sentence of what was done, "" for nothing. Harmless when it was done."""
        purpose, name = self.place.purpose, self.place.name
        self._settle()
        own = self.rows.found(job_id, purpose)
        if own is None or (own["state"] == "removed" and not own["id"]):
            return ""
        if own["state"] == "removed":
            return self._left() if own["id"] == CHANGED else f"{name} is given back"
        limit = self.now()
        if limit != _expected(self._rows()):
            self._changed(own)
            return self._left()
        self.rows.made(job_id, purpose, LOWERING)
        self.set_to(limit - _added(own), True)
        self.rows.removed(job_id, purpose)
        return f"{name} from {limit} back to {limit - _added(own)}"

    def _left(self) -> str:
        return f"somebody changed {self.place.name} meanwhile: it is left at {self.now()}"

    def _settle(self) -> None:
        """See whether what a crash, or an answer that did not come, left in doubt was done."""
        for row in self._rows(steady=False):
            before = _expected([one for one in self._rows() if _base(one) == _base(row)]) or _base(row)
            after = before + _added(row)
            begun = row["state"] == "begun"
            if self._becomes(after, there=begun) == begun:
                self.rows.made(row["job_id"], row["purpose"], RAISED)
            else:
                self._gone(row)

    def _becomes(self, limit: int, *, there: bool) -> bool:
        """Whether it is that limit (`there`), or is not, within the time that is waited for what may still be done."""
        return bool(self.wait(lambda: (self.now() == limit) == there or None))

    def _gone(self, row: Row) -> None:
        self.rows.removed(row["job_id"], row["purpose"])

    def _changed(self, row: Row) -> None:
        self.rows.made(row["job_id"], row["purpose"], CHANGED)
        self._gone(row)

    def _rows(self, *, steady: bool = True) -> list[dict[str, Any]]:
        """What jobs have it raised by for certain; or what is in doubt."""
        return [
            row for row in self.rows.left()
            if row["type"] == TYPE and place_of(row) == self.place and (row["id"] == RAISED) == steady
        ]  # fmt: skip


def _numbers(row: Row) -> tuple[int, int]:
    found = _NUMBERS.fullmatch(str(row["token"]))
    if found is None:
        raise NotDone(f"the records of {row['purpose']} cannot be read: {str(row['token'])!r:.80}", status=409)
    return int(found[1]), int(found[2])


def _base(row: Row) -> int:
    return _numbers(row)[0]


def _added(row: Row) -> int:
    return _numbers(row)[1]


def _expected(rows: Collection[Row]) -> int:
    """What the limit is when nobody else changed it; 0 without rows."""
    return max((_base(row) for row in rows), default=0) + sum(_added(row) for row in rows)
