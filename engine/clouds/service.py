"""Clouds and the accounts they are read with: add, try, remove, list. All methods block; call them from threads."""

from __future__ import annotations

import re
import threading
from collections.abc import Callable, Iterable
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path
from typing import TYPE_CHECKING, Any, Protocol

from engine.clouds import accounts, entries, errors
from engine.clouds.accounts import Account
from engine.clouds.entries import Entry
from engine.clouds.errors import CloudError
from engine.clouds.session import CloudSession, Timeouts, Token
from store.estate.decisions import in_force
from store.times import text, utcnow

if TYPE_CHECKING:
    from engine.access.models import Caller
    from engine.audit.service import AuditService
    from store.estate.estate import Estate
    from store.ops.ops import Ops

_NAME = re.compile(r"[a-z0-9][a-z0-9._-]{0,62}")
_TRIED = ("compute", "block-storage", "network", "image")
# A cloud's state from those of its lists, worst first.
_WORST = ("failed", "suspect", "partial", "degraded")


class HasCollection(Protocol):
    """The part of the settings that is used here: `collection` with time-outs in seconds."""

    @property
    def collection(self) -> Any: ...


@dataclass(frozen=True, slots=True)
class Connected:
    """A logged-in account."""

    account: Account
    session: CloudSession
    token: Token


class CloudService:
    """See the module."""

    def __init__(
        self,
        ops: Ops,
        settings: HasCollection | Callable[[], HasCollection],
        audit: AuditService,
        estate: Estate | None = None,
    ) -> None:
        """`settings` may be a function, called whenever they are needed. Without `estate` clouds are listed without
        data."""
        self._ops = ops
        self._settings = settings
        self._audit = audit
        self._estate = estate
        self._adding = threading.Lock()
        self._on_remove: list[Callable[[str], None]] = []
        # Whether a cloud may be changed now, and until when; the gate says so (`tell_writes`).
        self._writes: Callable[[str], tuple[bool, datetime | None]] | None = None

    # Looking

    def names(self) -> list[str]:
        """Names of all clouds."""
        return sorted({account.cloud for account in accounts.every(self._ops)})

    def accounts(self, cloud: str) -> list[Account]:
        """The cloud's accounts; raises CloudError("unknown")."""
        found = accounts.every(self._ops, cloud)
        if not found:
            known = ", ".join(self.names()) or "none yet; `qdeck cloud add` adds one"
            raise CloudError("unknown", f"there is no cloud {cloud!r:.80} here (there is: {known})")
        return found

    def clouds(self) -> list[dict[str, Any]]:
        """All clouds as GET /q/clouds answers them."""
        found: dict[str, list[Account]] = {}
        for account in accounts.every(self._ops):
            found.setdefault(account.cloud, []).append(account)
        return [self._describe(name, members) for name, members in sorted(found.items())]

    def cloud(self, name: str) -> dict[str, Any]:
        """One cloud as GET /q/clouds answers it; raises CloudError("unknown")."""
        return self._describe(name, self.accounts(name))

    def candidates(self) -> list[dict[str, Any]]:
        """Entries of the clouds.yaml files; raises CloudError when there is none, or one can't be read."""
        taken = {(account.name, str(account.file)): account.cloud for account in accounts.every(self._ops)}
        return [
            {
                "name": entry.name,
                "file": str(entry.file),
                "auth_url": entry.auth_url,
                "added": taken.get((entry.name, str(entry.file))),
            }
            for file in entries.files()
            for entry in entries.entries(file)
        ]

    def try_entry(self, account: str, file: Path | None = None) -> dict[str, Any]:
        """Log in with an entry and keep nothing: who that is, where, and what does not answer. Raises CloudError."""
        session = CloudSession(entries.find(account, file), timeouts=self.timeouts())
        token, regions = session.login(), session.regions()
        try:
            return {
                "account": account,
                "auth_url": session.identity_url(),
                "user": token.user_name,
                "scope": token.scope,
                "scope_name": token.scope_name,
                "roles": list(token.roles),
                "regions": list(regions),
                "problem": self._try_services(session, token, regions) or None,
            }
        finally:
            session.close()

    # Changing

    def add(
        self, caller: Caller, account: str, name: str | None = None, file: Path | None = None, *, writable: bool = False
    ) -> dict[str, Any]:
        """Log in with an entry and add it; accounts of one identity endpoint become one cloud. Raises CloudError."""
        try:
            entry = entries.find(account, file)
            session = CloudSession(entry, timeouts=self.timeouts())
            token = session.login()
            identity, regions = session.identity_url(), session.regions()
            with self._adding:
                cloud = self._place(entry, identity, name)
                self._audit.record(caller, "cloud.add", cloud, {"account": account, "file": str(entry.file)}, "intent")
                with self._ops.begin() as connection:
                    accounts.insert(connection, entry, cloud, identity, token, regions, caller.name, writable)
        except CloudError as error:
            self._audit.record(caller, "cloud.add", name or account, {"reason": str(error)}, "failed")
            raise
        self._audit.record(caller, "cloud.add", cloud, {"account": account, "user": token.user_name}, "ok")
        broken = self._try_services(session, token, regions)
        for one in accounts.every(self._ops, cloud):
            if one.name == account:
                accounts.note(self._ops, one, broken)
        return self.cloud(cloud)

    def remove(self, caller: Caller, name: str) -> None:
        """Forget a cloud and what was collected of it; raises CloudError("unknown"). clouds.yaml is not touched."""
        self.accounts(name)
        self._audit.record(caller, "cloud.remove", name, {}, "intent")
        with self._ops.begin() as connection:
            accounts.remove(connection, name)
        for callback in self._on_remove:
            callback(name)
        if self._estate is not None:
            self._estate.forget_cloud(name)
        self._audit.record(caller, "cloud.remove", name, {}, "ok")

    def tell_writes(self, state: Callable[[str], tuple[bool, datetime | None]]) -> None:
        """Have `state(cloud)` say whether a cloud may be changed now, and until when (None: no end)."""
        self._writes = state

    def on_remove(self, callback: Callable[[str], None]) -> None:
        """Have `callback(cloud)` called when a cloud is removed, before its data is dropped."""
        self._on_remove.append(callback)

    def test(self, name: str) -> dict[str, Any]:
        """Log in with every account of a cloud and ask every service for its version; answers the cloud."""
        for account in self.accounts(name):
            try:
                connected = self.connect(account)
            except CloudError:
                continue  # connect() has noted it
            session, token = connected.session, connected.token
            accounts.note(self._ops, account, self._try_services(session, token, session.regions()))
            session.close()
        return self.cloud(name)

    # Using

    def connect(self, account: Account) -> Connected:
        """A session with a new token; what the login showed is kept with the account. Raises CloudError."""
        try:
            session = CloudSession(account.entry, timeouts=self.timeouts())
            token = session.login()
            if session.identity_url() != account.identity:
                raise CloudError(
                    "bad_entry",
                    f"the entry {account.name!r} now points to another cloud ({session.identity_url()}, before "
                    f"{account.identity}); remove {account.cloud} and add it again, or correct clouds.yaml",
                )
            regions = session.regions()
        except CloudError as error:
            accounts.note(self._ops, account, str(error))
            raise
        accounts.note(self._ops, account, "", token, regions)
        return Connected(account, session, token)

    def timeouts(self) -> Timeouts:
        """Time-outs from the settings."""
        settings: Any = self._settings() if callable(self._settings) else self._settings
        read = float(settings.collection.read_timeout_seconds)
        return Timeouts(float(settings.collection.connect_timeout_seconds), read, read * 5)

    def _place(self, entry: Entry, identity: str, name: str | None) -> str:
        """The name of the cloud that the entry belongs to; raises CloudError("exists")."""
        present = accounts.every(self._ops)
        for account in present:
            if account.identity == identity and account.name == entry.name and account.file == entry.file:
                raise CloudError("exists", f"the entry {entry.name!r} is already used for the cloud {account.cloud}")
        same = {account.cloud for account in present if account.identity == identity}
        taken = {account.cloud for account in present}
        if same:
            cloud = sorted(same)[0]
            if name and name != cloud:
                raise CloudError("exists", f"{identity} is already watched as {cloud}; add the entry without a name")
            if any(account.cloud == cloud and account.name == entry.name for account in present):
                raise CloudError("exists", f"{cloud} already has an account {entry.name!r} from another file")
            return cloud
        wanted = name or re.sub(r"[^a-z0-9._-]+", "-", entry.name.lower()).strip("-._")[:60] or "cloud"
        if not _NAME.fullmatch(wanted):
            raise CloudError("bad_entry", f"{wanted!r:.80} is no name for a cloud: use a-z, 0-9, '.', '_' and '-'")
        if wanted in taken:
            raise CloudError("exists", f"there is another cloud named {wanted}; give this one a name of its own")
        return wanted

    def _try_services(self, session: CloudSession, token: Token, regions: Iterable[str]) -> str:
        """One sentence about services that do not answer; "" when all do."""
        broken = []
        for region in regions:
            for service in _TRIED if token.project_id else ():
                try:
                    endpoint = session.endpoint(service, region)
                    if not endpoint.top:
                        answer = session.get(f"{endpoint.url}/")
                        if answer.status >= 500:
                            raise errors.of_status(
                                answer.status, answer.body, f"the {service} service of {session.name}"
                            )
                except CloudError as error:
                    broken.append(str(error))
        if not broken:
            return ""
        more = f" (and {len(broken) - 1} more)" if len(broken) > 1 else ""
        return f"identity answers, but {broken[0]}{more}"

    def _describe(self, name: str, members: list[Account]) -> dict[str, Any]:
        states = in_force(self._estate.states(name)) if self._estate is not None else []
        current = [state for state in states if state["state"] != "not_permitted"]
        wholes = [state["whole_ended_at"] for state in current if state["whole_ended_at"]]
        fresh = [state["fresh_ended_at"] for state in current if state["fresh_ended_at"]]
        state, reason = _judge(current, members)
        rows: dict[str, int] = {}
        for one in states:
            rows[one["type"]] = rows.get(one["type"], 0) + (one["rows"] or 0)
        writable, until = any(account.writable for account in members), None
        if self._writes is not None:
            writable, until = self._writes(name)
        return {
            "name": name,
            "accounts": [
                {
                    "name": account.name,
                    "file": str(account.file),
                    "auth_url": account.auth_url,
                    "user": account.user or None,
                    "scope": account.scope or None,
                    "scope_name": account.details.get("scope_name"),
                    "roles": list(account.roles),
                    "last_error": account.last_error or None,
                }
                for account in members
            ],
            "regions": sorted({region for account in members for region in account.regions}),
            "state": state,
            "reason": reason,
            "last_whole_listing": text(min(wholes)) if wholes else None,
            "age_seconds": (utcnow() - min(fresh)).total_seconds() if fresh else None,
            "writable": writable,
            "writable_until": text(until) if until else None,
            "rows": rows,
        }


def _judge(states: list[dict[str, Any]], members: list[Account]) -> tuple[str, str | None]:
    """(state, reason) of a cloud from those of its lists and accounts."""
    errors_ = [account.last_error for account in members if account.last_error]
    if errors_ and len(errors_) == len(members):
        return "failed", errors_[0]
    for bad in _WORST:
        found = [state for state in states if state["state"] == bad]
        if found:
            types = ", ".join(sorted({state["type"] for state in found}))
            return ("suspect" if bad == "suspect" else "degraded"), f"{types}: {found[0]['reason']}"
    if errors_:
        return "degraded", errors_[0]
    return ("ok", None) if states else ("new", "not collected yet")
