"""What restore jobs made, what is kept after them, who took whose place, and what people answered: on disk.

Every resource has its row, with the token that goes into it, before the cloud is asked for it; clean-up deletes
nothing that has no row here.
"""

from __future__ import annotations

from collections.abc import Callable, Collection, Mapping, Sequence
from datetime import datetime
from typing import TYPE_CHECKING, Any, Literal

from sqlalchemy import Connection, Table, delete, insert, select, update

from engine.restore.models import Key
from store import times
from store.ids import uuid7
from store.ops.restore_tables import restore_answers as answers
from store.ops.restore_tables import restore_kept as kept_rows
from store.ops.restore_tables import restore_lineage as lineage_rows
from store.ops.restore_tables import restore_plans as plans
from store.ops.restore_tables import restore_resources as resources

if TYPE_CHECKING:
    from store.ops.ops import Ops

Row = dict[str, Any]
Answer = Literal["yes", "no"]
# States of a resource: asked for, there, in use for good, taken over by a retry, gone again.
BEGUN, MADE, HANDED_OVER, PASSED_ON, REMOVED = "begun", "made", "handed_over", "passed_on", "removed"
KEPT, RELEASED = "kept", "released"  # and of what is kept, beside REMOVED
LONGEST_CHAIN = 50  # retries of retries


def is_safety(row: Mapping[str, Any]) -> bool:
    """Whether a resource is a safety copy: when its job has ended, that is a restore point like others."""
    return str(row["purpose"]).startswith("safety:")


class Records:
    """Thread-safe. Every method raises OpsError when the database cannot be written or read."""

    def __init__(self, ops: Ops, clock: Callable[[], datetime] = times.utcnow) -> None:
        self._ops, self._clock = ops, clock

    # What a job makes

    def begin(
        self,
        job_id: str,
        seq: int,
        purpose: str,
        type: str,
        token: str,
        name: str,
        key: Key,
        project_id: str,
    ) -> None:
        """A resource is about to be asked for. Harmless when it is noted with that token already.

        token  what the resource carries; `key` says where it will be, its id is empty
        What was noted for the purpose with another token is set aside under
        another purpose, never forgotten; one that was removed is replaced.
        """
        now = self._clock()
        with self._ops.begin() as connection:
            known = _one(connection, resources, job_id=job_id, purpose=purpose)
            if known is not None and known["token"] == token and known["state"] != REMOVED:
                return
            if known is not None:
                aside = f"{purpose}#{known['seq']}.{times.text(now)}"[:255]
                connection.execute(update(resources).where(*_where(known)).values(purpose=aside))
            row = {
                "job_id": job_id, "purpose": purpose, "type": type, "id": "", "seq": seq, "token": token,
                "name": name, "cloud": key[0], "region": key[1], "project_id": project_id, "state": BEGUN, "at": now,
                "changed_at": now,
            }  # fmt: skip
            connection.execute(insert(resources).values(**row))

    def made(self, job_id: str, purpose: str, id: str) -> None:
        """The cloud made it, under that id."""
        self._change(job_id, purpose, id=id, state=MADE)

    def removed(self, job_id: str, purpose: str) -> None:
        """It is gone again, or was never made."""
        self._change(job_id, purpose, state=REMOVED)

    def handed_over(self, job_id: str, but: Collection[str] = ()) -> None:
        """The job has succeeded: what it made is in use, and no job's to delete any more; `but`: purposes left out."""

        def act(connection: Connection) -> None:
            where = (
                resources.c.job_id == job_id,
                resources.c.state == MADE,
                resources.c.purpose.not_in(list(but)),
            )
            connection.execute(update(resources).where(*where).values(state=HANDED_OVER, changed_at=self._clock()))

        self._ops.finish(act)

    def of_job(self, job_id: str) -> list[Row]:
        """All that a job noted, in the order in which it did."""
        with self._ops.read() as connection:
            query = select(resources).where(resources.c.job_id == job_id)
            return [dict(row) for row in connection.execute(query.order_by(resources.c.seq, resources.c.at)).mappings()]

    def found(self, job_id: str, purpose: str) -> Row | None:
        """What the job noted for that purpose, in whatever state; None when it noted nothing."""
        with self._ops.read() as connection:
            return _one(connection, resources, job_id=job_id, purpose=purpose)

    def by_id(self, cloud: str, region: str, id: str) -> list[Row]:
        """Every row of that resource, of any job."""
        with self._ops.read() as connection:
            where = (resources.c.cloud == cloud, resources.c.region == region, resources.c.id == id)
            return [dict(row) for row in connection.execute(select(resources).where(*where)).mappings()]

    def adopt(self, connection: Connection, job_id: str, from_job: str, purposes: Collection[str]) -> list[Row]:
        """A retry takes over what the failed job made for these purposes, with its tokens; the rows of the retry.

        The failed job has passed it on then: two jobs never clean up the same thing.
        """
        now, taken = self._clock(), []
        where = (resources.c.job_id == from_job, resources.c.state == MADE, resources.c.purpose.in_(list(purposes)))
        query = select(resources).where(*where).order_by(resources.c.seq)
        for row in [dict(row) for row in connection.execute(query).mappings()]:
            own = {**row, "job_id": job_id, "changed_at": now}
            connection.execute(update(resources).where(*_where(row)).values(state=PASSED_ON, changed_at=now))
            connection.execute(insert(resources).values(**own))
            taken.append(own)
        return taken

    def return_adopted(self, job_id: str, from_job: str) -> None:
        """The retry was not begun: what it took over is the failed job's again."""

        def act(connection: Connection) -> None:
            where = (resources.c.job_id == job_id,)
            purposes = list(connection.execute(select(resources.c.purpose).where(*where)).scalars())
            connection.execute(delete(resources).where(*where))
            passed = (resources.c.job_id == from_job, resources.c.state == PASSED_ON, resources.c.purpose.in_(purposes))
            connection.execute(update(resources).where(*passed).values(state=MADE, changed_at=self._clock()))

        self._ops.finish(act)

    def left(self) -> list[Row]:
        """What jobs made or began, and neither handed over nor removed; of open jobs, too. The oldest first."""
        with self._ops.read() as connection:
            query = select(resources).where(resources.c.state.in_((BEGUN, MADE))).order_by(resources.c.at)
            return [dict(row) for row in connection.execute(query).mappings()]

    def chain(self, job_id: str) -> list[str]:
        """The job and those it retries, itself first."""
        found = [job_id]
        with self._ops.read() as connection:
            while len(found) < LONGEST_CHAIN:
                before = connection.scalar(select(plans.c.retry_of).where(plans.c.id == found[-1]))
                if not before or before in found:
                    break
                found.append(before)
        return found

    # What is kept

    def keep(
        self,
        job_id: str,
        kind: str,
        key: Key,
        project_id: str,
        name: str,
        until: datetime | None,
        *,
        at_end: str = "none",
        detail: str = "",
    ) -> None:
        """Note what is kept for a time: "machine", "volume" or "disk_beside". Harmless when the job noted it before.

        until   None: until somebody says
        at_end  "none": that its time is over is only told; "delete"
        """
        now = self._clock()
        with self._ops.begin() as connection:
            if _one(connection, kept_rows, job_id=job_id, kind=kind, resource_id=key[2]) is not None:
                return
            row = {
                "id": uuid7(), "job_id": job_id, "kind": kind, "cloud": key[0], "region": key[1],
                "project_id": project_id, "resource_id": key[2], "name": name, "since": now, "until": until,
                "at_end": at_end, "state": KEPT, "detail": detail, "changed_at": now,
            }  # fmt: skip
            connection.execute(insert(kept_rows).values(**row))

    def kept(self, *, state: str = KEPT, due: datetime | None = None, job_id: str = "") -> list[Row]:
        """What is kept ("" = of every state), what ends first before the rest; `due`: only what ends by then."""
        where: list[Any] = [kept_rows.c.state == state] if state else []
        where += [kept_rows.c.until <= due] if due is not None else []
        where += [kept_rows.c.job_id == job_id] if job_id else []
        with self._ops.read() as connection:
            query = select(kept_rows).where(*where).order_by(kept_rows.c.until.nulls_last(), kept_rows.c.id)
            return [dict(row) for row in connection.execute(query).mappings()]

    def kept_row(self, id: str) -> Row | None:
        """One of them, in whatever state."""
        with self._ops.read() as connection:
            return _one(connection, kept_rows, id=id)

    def keeps(self, cloud: str, region: str, resource_id: str) -> Row | None:
        """The row by which that resource is kept now, if it is."""
        with self._ops.read() as connection:
            where = {"cloud": cloud, "region": region, "resource_id": resource_id, "state": KEPT}
            return _one(connection, kept_rows, **where)

    def change_kept(self, id: str, connection: Connection | None = None, **values: Any) -> None:
        """Change such a row."""

        def act(connection: Connection) -> None:
            changed = update(kept_rows).where(kept_rows.c.id == id).values(**values, changed_at=self._clock())
            connection.execute(changed)

        if connection is not None:
            act(connection)
        else:
            self._ops.finish(act)

    # Lineage

    def lineage(self, job_id: str, type: str, old: Key, new: Key) -> None:
        """`new` took the place of `old`, in the same cloud and region. Harmless when it was noted before."""
        row = {"cloud": new[0], "region": new[1], "type": type, "old_id": old[2], "new_id": new[2]}

        def act(connection: Connection) -> None:
            if _one(connection, lineage_rows, **row) is None:
                connection.execute(insert(lineage_rows).values(**row, job_id=job_id, at=self._clock()))

        self._ops.finish(act)

    def line(self, cloud: str, region: str, *ids: str) -> list[Row]:
        """All replacements that machines or volumes have part in, before and after them, the oldest first."""
        found: dict[tuple[str, str], Row] = {}
        with self._ops.read() as connection:
            for known, other in (("new_id", "old_id"), ("old_id", "new_id")):
                ahead: Collection[str] = set(ids)
                while ahead:
                    where = (
                        lineage_rows.c.cloud == cloud, lineage_rows.c.region == region,
                        lineage_rows.c[known].in_(list(ahead)),
                    )  # fmt: skip
                    rows = [dict(row) for row in connection.execute(select(lineage_rows).where(*where)).mappings()]
                    fresh = [row for row in rows if (row["old_id"], row["new_id"]) not in found]
                    found |= {(row["old_id"], row["new_id"]): row for row in fresh}
                    ahead = {str(row[other]) for row in fresh}
        return sorted(found.values(), key=lambda row: (row["at"], row["old_id"], row["new_id"]))

    def before(self, cloud: str, region: str, id: str) -> list[str]:
        """Ids of what it took the place of, the nearest first."""
        return _walked(self.line(cloud, region, id), id, "new_id", "old_id")

    def lines(self, cloud: str, region: str, ids: Sequence[str]) -> dict[str, tuple[list[str], list[str]]]:
        """{id: (ids of what it took the place of, ids of what took its place)}, of those that have any; the nearest
        first. As engine/inventory/lineage.py: Lineage."""
        rows = self.line(cloud, region, *ids) if ids else []
        if not rows:
            return {}
        found = {id: (_walked(rows, id, "new_id", "old_id"), _walked(rows, id, "old_id", "new_id")) for id in ids}
        return {id: line for id, line in found.items() if line != ([], [])}

    # What people said

    def answer(self, job_id: str) -> Answer | None:
        """What a person answered when the job asked; None: nothing yet."""
        with self._ops.read() as connection:
            found: Answer | None = connection.scalar(select(answers.c.answer).where(answers.c.job_id == job_id))
        return found

    def say(self, connection: Connection, job_id: str, answer: Answer, by: str) -> bool:
        """Note a person's answer; False when there is one already (the first one counts)."""
        if _one(connection, answers, job_id=job_id) is not None:
            return False
        row = {"job_id": job_id, "answer": answer, "by": by[:255], "at": self._clock()}
        connection.execute(insert(answers).values(**row))
        return True

    def _change(self, job_id: str, purpose: str, **values: Any) -> None:
        """Raises LookupError when nothing was noted for the purpose: then the order of things is broken."""

        def act(connection: Connection) -> int:
            where = (resources.c.job_id == job_id, resources.c.purpose == purpose)
            changed = update(resources).where(*where).values(**values, changed_at=self._clock())
            return connection.execute(changed).rowcount

        if not self._ops.finish(act):
            raise LookupError(f"the restore job {job_id} noted nothing for {purpose}")


def _one(connection: Connection, table: Table, **values: Any) -> Row | None:
    where = [table.c[name] == value for name, value in values.items()]
    row = connection.execute(select(table).where(*where)).mappings().first()
    return None if row is None else dict(row)


def _walked(rows: Collection[Row], id: str, known: str, other: str) -> list[str]:
    """From one end of replacements to the other, the nearest first."""
    found: list[str] = []
    ahead = [id]
    while ahead:
        now = ahead.pop(0)
        fresh = [row[other] for row in rows if row[known] == now and row[other] not in (*found, id)]
        found += fresh
        ahead += fresh
    return found


def _where(row: Mapping[str, Any]) -> tuple[Any, ...]:
    return (resources.c.job_id == row["job_id"], resources.c.purpose == row["purpose"])
