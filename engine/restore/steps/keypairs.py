"""Key pairs for the moment of a boot.

A key pair belongs to a user, and Nova takes one by its name, among those of whoever boots. So the public key of the old
machine's user is imported under the acting user with the same name, and taken away again once Nova has it: under a lock
for each (acting user, name), for two tenants may both have a `mykey`. A key of that name with another public key is
somebody else's, and never put on a machine.
"""

from __future__ import annotations

import re
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass

from engine.restore.steps.failing import Failed
from engine.restore.steps.looking import Doc
from engine.restore.steps.work import Work

PURPOSE = "keypair"
VERSION = "2.10"  # an administrator may ask for another user's keys
CLASH_SECONDS = 30.0  # that another job's key of the same name is waited for
_NAME = re.compile(r"[A-Za-z0-9_.@-]{1,255}")


@dataclass(frozen=True, slots=True)
class Borrowed:
    """The key pair to boot with ("" = none), and why there is none."""

    name: str
    note: str = ""


@contextmanager
def borrowed(work: Work) -> Iterator[Borrowed]:
    """The machine's key pair under the acting user; what was imported for it is gone afterwards."""
    name = work.plan.machine.key_name
    if not name:
        yield Borrowed("")
        return
    user = work.kit.gate.user_id(work.cloud, work.project_id)
    if user == work.plan.machine.user_id:
        found = _own(work, name)
        yield Borrowed(name) if found else Borrowed("", f"the key pair {name} is gone, so the machine has none")
        return
    if not _NAME.fullmatch(name):
        yield Borrowed("", f"the name of the key pair {name!r} cannot be asked for, so the machine has none")
        return
    public = _public_key(work, name)
    if not public:
        yield Borrowed("", f"the public key of {name} cannot be read any more, so the machine has none")
        return
    with _lock(work, user, name):
        given = _have(work, name, public)
        try:
            yield given
        except Exception:
            _forget(work, name, public)
            raise
        _forget(work, name, public)


def forget(work: Work) -> None:
    """Take away what an attempt that was killed has left under the acting user."""
    name = work.plan.machine.key_name
    row = work.records.found(work.job_id, PURPOSE)
    if not name or row is None or row["state"] not in ("begun", "made"):
        return
    user = work.kit.gate.user_id(work.cloud, work.project_id)
    with _lock(work, user, name):
        _forget(work, name, _public_key(work, name))


@contextmanager
def _lock(work: Work, user: str, name: str) -> Iterator[None]:
    lock = work.kit.key_lock(work.cloud, user, name)
    while not lock.acquire(timeout=0.2):
        work.look_up()
    try:
        yield
    finally:
        lock.release()


def _own(work: Work, name: str) -> Doc | None:
    """A key pair of the acting user. The list is asked, for a name may have characters that no path has."""
    rows = (work.get("compute", "/os-keypairs", VERSION) or {}).get("keypairs")
    for row in rows or ():
        inner = row.get("keypair") if isinstance(row, dict) else None
        if isinstance(inner, dict) and inner.get("name") == name:
            return inner
    return None


def _public_key(work: Work, name: str) -> str:
    """The public key that the old machine was made with, as its user has it now; "" when it cannot be had."""
    try:
        query = [("user_id", work.plan.machine.user_id)]
        found = work.get("compute", f"/os-keypairs/{name}", VERSION, query, kind="admin")
    except Failed:
        work.look_up()
        return ""
    inner = (found or {}).get("keypair")
    key = inner.get("public_key") if isinstance(inner, dict) else None
    return key.strip() if isinstance(key, str) else ""


def _same(row: Doc | None, public: str) -> bool:
    return row is not None and str(row.get("public_key") or "").strip() == public


def _have(work: Work, name: str, public: str) -> Borrowed:
    """The key under the acting user: one that is there already, or one that is imported for the moment."""
    deadline = time.monotonic() + CLASH_SECONDS
    while (found := _own(work, name)) is not None and not _same(found, public):
        # Another engine's, or a killed job's that has not been taken up again yet.
        if time.monotonic() >= deadline:
            return Borrowed("", f"the acting user has another key pair called {name}, so the machine has none")
        work.look_up()
        work.context.sleep(0.5)
    if found is not None:
        return Borrowed(name)
    body = {"name": name, "public_key": public}
    call = work.call(
        "compute", "POST", "/os-keypairs", {"keypair": body}, what=f"import the public key {name} for the boot",
        type="keypair",
    )  # fmt: skip

    def find() -> Doc | None:
        row = _own(work, name)
        return {"id": name} if _same(row, public) else None

    try:
        work.create(PURPOSE, "keypair", call, find, name=name)
    except Failed as problem:
        work.look_up()
        return Borrowed("", f"the public key {name} could not be imported, so the machine has none: {problem}")
    return Borrowed(name)


def _forget(work: Work, name: str, public: str) -> None:
    """Remove the import; the records say whether it was ours."""
    row = work.records.found(work.job_id, PURPOSE)
    if row is None or row["state"] not in ("begun", "made"):
        return
    found = _own(work, name)
    if found is None or (public and not _same(found, public)):
        work.records.removed(work.job_id, PURPOSE)  # never there, or somebody else's by now
        return
    if row["state"] == "begun" or row["id"] != name:
        work.records.made(work.job_id, PURPOSE, name)
    call = work.call(
        "compute", "DELETE", f"/os-keypairs/{name}", what=f"remove the imported key {name}", type="keypair", id=name
    )  # fmt: skip
    work.remove(PURPOSE, call, lambda: _own(work, name) is None)
