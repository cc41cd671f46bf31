"""Accounts as the operations database keeps them: names and files, never a credential."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING, Any

from sqlalchemy import Connection, delete, select, update

from engine.clouds.entries import Entry
from engine.clouds.session import Token
from store.ids import uuid7
from store.ops.tables import accounts
from store.times import utcnow

if TYPE_CHECKING:
    from store.ops.ops import Ops


@dataclass(frozen=True, slots=True)
class Account:
    """One row of the accounts table. `identity` is the cloud's identity endpoint: accounts that share it are one
    cloud."""

    id: str
    cloud: str
    name: str
    auth_url: str
    file: Path
    identity: str
    scope: str = ""
    user: str = ""
    roles: tuple[str, ...] = ()
    regions: tuple[str, ...] = ()
    writable: bool = False
    last_error: str = ""
    details: dict[str, Any] = field(default_factory=dict)

    @property
    def entry(self) -> Entry:
        """Where its credentials are."""
        return Entry(self.name, self.file, self.auth_url)


def every(ops: Ops, cloud: str | None = None) -> list[Account]:
    """All accounts, or those of one cloud, by name."""
    query = select(accounts).order_by(accounts.c.cloud, accounts.c.account)
    if cloud is not None:
        query = query.where(accounts.c.cloud == cloud)
    with ops.read() as connection:
        return [_account(row) for row in connection.execute(query).mappings()]


def insert(
    connection: Connection, entry: Entry, cloud: str, identity: str, token: Token, regions: Iterable[str], by: str,
    writable: bool,
) -> None:  # fmt: skip
    """Add an account to a cloud."""
    connection.execute(
        accounts.insert().values(
            id=uuid7(),
            cloud=cloud,
            account=entry.name,
            auth_url=entry.auth_url,
            source=str(entry.file),
            scope=token.scope,
            user_name=token.user_name,
            roles=list(token.roles),
            regions=list(regions),
            details={"identity": identity, "scope_name": token.scope_name},
            writable=writable,
            created_at=utcnow(),
            created_by=by,
        )
    )


def note(ops: Ops, account: Account, error: str, token: Token | None = None, regions: Iterable[str] = ()) -> None:
    """Keep what the last use of an account showed: an error, or who it is now. Writes only what changed."""
    account = next((one for one in every(ops, account.cloud) if one.id == account.id), account)
    values: dict[str, Any] = {}
    if error != account.last_error:
        values.update(last_error=error or None, last_error_at=utcnow() if error else None)
    if token is not None:
        now = {"scope": token.scope, "user_name": token.user_name, "roles": list(token.roles), "regions": list(regions)}
        was: dict[str, Any] = {"scope": account.scope, "user_name": account.user}
        was |= {"roles": list(account.roles), "regions": list(account.regions)}
        values.update({name: value for name, value in now.items() if value != was[name]})
    if values:
        with ops.begin() as connection:
            connection.execute(update(accounts).where(accounts.c.id == account.id).values(**values))


def remove(connection: Connection, cloud: str) -> int:
    """Remove all accounts of a cloud; answers how many there were."""
    return connection.execute(delete(accounts).where(accounts.c.cloud == cloud)).rowcount


def _account(row: Any) -> Account:
    details = row["details"] or {}
    return Account(
        id=row["id"],
        cloud=row["cloud"],
        name=row["account"],
        auth_url=row["auth_url"],
        file=Path(row["source"]),
        identity=str(details.get("identity") or row["auth_url"]),
        scope=row["scope"] or "",
        user=row["user_name"] or "",
        roles=tuple(row["roles"] or ()),
        regions=tuple(row["regions"] or ()),
        writable=bool(row["writable"]),
        last_error=row["last_error"] or "",
        details=details,
    )
