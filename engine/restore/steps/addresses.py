"""Moving addresses: the old machine's ports give up their addresses and MACs, and floating IPs point to the new ones.

Neutron lets no two ports of a network have one address or one MAC, so the old port loses its own first. It stays the
old machine's, without addresses and with a MAC of no importance. What real Neutron wants on the way: a floating IP is
taken off before the address that it points at is; a MAC cannot change while the port is bound to a host, so the port of
a machine that is only stopped is unbound for the moment; addresses that Neutron makes of the MAC are left to it.
"""

from __future__ import annotations

import hashlib
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from engine.jobs.models import StepResult
from engine.restore.models import FixedIp, Floating, Nic
from engine.restore.steps import looking
from engine.restore.steps.failing import Cancelled, Failed
from engine.restore.steps.looking import Doc
from engine.restore.steps.work import Work

_SPARES = 8  # MAC addresses that are tried until a free one is found
_TAKEN_SECONDS = 5.0
_UNBOUND = ("", "unbound", "binding_failed")


@dataclass(frozen=True, slots=True)
class Wanted:
    """How a port of the old machine is to be.

    fixed  its addresses; None: as they are
    mac    its MAC; None: as it is; "": any but the plan's
    host   that it is bound to; None: as it is
    """

    fixed: tuple[FixedIp, ...] | None
    mac: str | None
    host: str | None


def given_up(work: Work) -> tuple[Nic, ...]:
    """The ports whose addresses or MACs the new machine gets."""
    return tuple(nic for nic in work.plan.nics if nic.keep_mac or _shares(work, nic))


def _shares(work: Work, nic: Nic) -> bool:
    """Whether any port of the new machine gets an address of this old one."""
    wanted = {(fixed.subnet_id, fixed.address) for one in work.plan.nics for fixed in one.wanted if fixed.address}
    return any((fixed.subnet_id, fixed.address) in wanted for fixed in nic.fixed)


# Giving up


def move_addresses(work: Work) -> StepResult:
    """MOVE_ADDRESSES: the old ports without what the new ones get."""
    looking.old_machine(work)
    moved = []
    for nic in given_up(work):
        work.progress(f"frees the addresses of {looking.name(work)} on {nic.network_name or nic.network_id}")
        shares = _shares(work, nic)
        if shares:
            for one in nic.floating:
                take_off(work, nic, one)
        arrange(work, nic, Wanted(() if shares else None, "" if nic.keep_mac else None, _host_meanwhile(work)))
        fixed = [one.address for one in nic.fixed] if shares else []
        moved.append({"port_id": nic.port_id, "mac": nic.mac if nic.keep_mac else "", "fixed": fixed})
    count = sum(len(one["fixed"]) for one in moved)
    macs = sum(bool(one["mac"]) for one in moved)
    return work.done(f"{count} addresses and {macs} MAC addresses are free for the new machine", ports=moved)


def _host_meanwhile(work: Work) -> str | None:
    """Where the old port belongs while the new machine has its addresses: nowhere when the host is dead and fenced, so
    that nothing is wired there again should it come back; else where its machine is."""
    return "" if work.plan.park == "leave" else looking.host(looking.server(work, work.server_id, admin=True))


def host_again(work: Work) -> str:
    """Where the old port belongs when it has its addresses back: with its machine, which is nowhere while shelved."""
    if work.plan.park == "leave":
        return work.plan.machine.host
    return looking.host(looking.server(work, work.server_id, admin=True))


def arrange(work: Work, nic: Nic, wanted: Wanted) -> None:
    """Make an old port as it is wanted, however far an earlier attempt came. Raises Failed."""
    found = looking.port(work, nic.port_id)
    if found is None:
        raise Failed(f"the port {nic.name or nic.port_id} of {looking.name(work)} is gone: somebody deleted it")
    automatic = looking.automatic(work, str(found.get("network_id") or nic.network_id))
    unbind = wanted.mac is not None and not _mac_is(found, nic, wanted.mac)
    if _bound(found) and (unbind or wanted.host == ""):
        _put(work, nic, {"device_id": "", "device_owner": "", "binding:host_id": ""}, lambda port: not _bound(port))
    for number in range(_SPARES):
        change: dict[str, Any] = {}
        if wanted.fixed is not None:
            change["fixed_ips"] = _fixed_ips(wanted.fixed, automatic)
        if wanted.mac is not None:
            change["mac_address"] = wanted.mac or spare_mac(work.job_id, nic, number)
        if _try(work, nic, change, wanted, automatic, last=bool(wanted.mac) or number == _SPARES - 1):
            break
    _give_back(work, nic, wanted, found)


def _try(work: Work, nic: Nic, change: Doc, wanted: Wanted, automatic: frozenset[str], last: bool) -> bool:
    """Ask for addresses and MAC; False when the spare MAC is somebody's and another one should be tried."""

    def is_so(port: Doc) -> bool:
        return _addresses_are(port, wanted.fixed, automatic) and (wanted.mac is None or _mac_is(port, nic, wanted.mac))

    if not change:
        return True
    try:
        _put(work, nic, change, is_so, None if last else _TAKEN_SECONDS)
    except Cancelled:
        raise
    except Failed as problem:
        if last or "mac" not in problem.detail.lower():
            raise
        return False
    return True


def _give_back(work: Work, nic: Nic, wanted: Wanted, before: Doc) -> None:
    """The port is its machine's again, on its host where it has one."""
    owner = str(before.get("device_owner") or "") or f"compute:{work.plan.machine.zone or 'nova'}"

    def is_so(port: Doc) -> bool:
        return port.get("device_id") == work.server_id and (wanted.host in (None, _host(port)))

    change = {"device_id": work.server_id, "device_owner": owner}
    if wanted.host:
        change["binding:host_id"] = wanted.host
    _put(work, nic, change, is_so)


def _put(work: Work, nic: Nic, change: Doc, is_so: Any, seconds: float | None = None) -> None:
    call = looking.change(work, "port", nic.port_id, change, f"port {nic.name or nic.port_id}: {', '.join(change)}")

    def look() -> bool:
        found = looking.port(work, nic.port_id)
        if found is None:
            raise Failed(f"the port {nic.name or nic.port_id} of {looking.name(work)} is gone: somebody deleted it")
        return bool(is_so(found))

    if seconds is None:
        work.act(call, look)
    else:
        work.act(call, look, seconds=seconds)


def _host(port: Doc) -> str:
    return str(port.get("binding:host_id") or "")


def _bound(port: Doc) -> bool:
    """Whether it is wired to a host: its MAC cannot change then."""
    return bool(_host(port)) and str(port.get("binding:vif_type") or "ovs") not in _UNBOUND[1:]


def _mac_is(port: Doc, nic: Nic, wanted: str) -> bool:
    now = str(port.get("mac_address") or "").lower()
    return now == wanted.lower() if wanted else now != nic.mac.lower()


def _addresses_are(port: Doc, wanted: Sequence[FixedIp] | None, automatic: frozenset[str]) -> bool:
    if wanted is None:
        return True
    now = {address for _, address in looking.addresses(port, automatic)}
    return now == {fixed.address for fixed in wanted if fixed.subnet_id not in automatic}


def _fixed_ips(wanted: Sequence[FixedIp], automatic: frozenset[str]) -> list[dict[str, str]]:
    rows = [fixed for fixed in wanted if fixed.subnet_id not in automatic]
    return [{"subnet_id": row.subnet_id, "ip_address": row.address} if row.subnet_id else {"ip_address": row.address}
            for row in rows]  # fmt: skip


def spare_mac(job_id: str, nic: Nic, number: int) -> str:
    """A MAC of Neutron's own range that no machine will ever ask for: the same at every attempt."""
    digest = hashlib.sha256(f"{job_id} {nic.port_id} {number}".encode()).digest()
    return "fa:16:3e:" + ":".join(f"{byte:02x}" for byte in digest[:3])


# Floating IPs


def take_off(work: Work, nic: Nic, one: Floating) -> None:
    """A floating IP no longer points at the old port: Neutron does not let go of the address before."""
    found = looking.floating(work, one.id)
    if found is None or found.get("port_id") != nic.port_id:
        return  # gone, or pointed elsewhere: not ours to change
    call = looking.change(
        work, "floating_ip", one.id, {"port_id": None}, f"take {one.address} off {looking.name(work)}"
    )

    def is_so() -> bool:
        return (looking.floating(work, one.id) or {}).get("port_id") != nic.port_id

    work.act(call, is_so)


def point(work: Work, one: Floating, port_id: str, fixed: str, from_ports: Sequence[str | None]) -> str:
    """Have a floating IP point at an address of a port; "" when it does, else a sentence why it was left alone.

    from_ports  ids of the ports that it may be taken from; it is never taken from anybody else
    """
    found = looking.floating(work, one.id)
    if found is None:
        return f"the floating IP {one.address} is gone"

    def is_so() -> bool:
        now = looking.floating(work, one.id) or {}
        return now.get("port_id") == port_id and (not fixed or now.get("fixed_ip_address") == fixed)

    if not is_so() and found.get("port_id") not in (None, "", port_id, *from_ports):
        return f"the floating IP {one.address} was pointed at another port meanwhile, and is left there"
    change = {"port_id": port_id, **({"fixed_ip_address": fixed} if fixed else {})}
    work.act(looking.change(work, "floating_ip", one.id, change, f"point {one.address} at {fixed or port_id}"), is_so)
    return ""


def move_floating_ips(work: Work) -> StepResult:
    """MOVE_FLOATING_IPS: each points at the same port's successor, at the same address where that has it."""
    moved: list[str] = []
    left: list[str] = []
    for nic in work.plan.nics:
        if not nic.floating:
            continue
        id = work.made(port_purpose(nic))
        found = looking.port(work, id) if id else None
        if found is None:
            raise Failed(
                f"the new port on {nic.network_name or nic.network_id} is gone: floating IPs cannot move to it"
            )
        has = [address for _, address in looking.addresses(found) if ":" not in address]
        for one in nic.floating:
            fixed = one.fixed_address if one.fixed_address in has else next(iter(has), "")
            said = point(work, one, id, fixed, (nic.port_id,)) if fixed else "the new port has no IPv4 address"
            (left if said else moved).append(said or one.address)
    return work.done("; ".join([f"{len(moved)} moved", *left]), moved=moved, left=left)


def port_purpose(nic: Nic) -> str:
    """What the new port is called in the records."""
    return f"port:{nic.order}"


STEPS = {"MOVE_ADDRESSES": move_addresses, "MOVE_FLOATING_IPS": move_floating_ips}
