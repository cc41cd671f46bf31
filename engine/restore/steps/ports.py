"""The new machine's ports: one for each of the old one's, with all that the old one had.

Made by an administrator's session, in the machine's own project, so that addresses, MAC addresses and networks of other
projects can be had. The description carries the mark until the port is known by its id; then it is what it was.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from typing import Any

from engine.gate.refusals import NotDone
from engine.jobs.models import StepResult
from engine.restore.models import JOB, Nic
from engine.restore.steps import finding, looking
from engine.restore.steps.addresses import port_purpose
from engine.restore.steps.failing import Cancelled, Failed
from engine.restore.steps.looking import Doc
from engine.restore.steps.work import Work

MOST_DESCRIPTION = 255
# What Neutron answers when an address or a MAC cannot be had: somebody's, outside the subnet, not allowed.
_NOT_TO_BE_HAD = (400, 403, 404, 409)
_ADDRESS = re.compile(r"\bip\b|address|subnet|fixed_ip|mac", re.IGNORECASE)


def create_ports(work: Work) -> StepResult:
    """CREATE_PORTS: a port for each of the old machine's."""
    made, notes = [], []
    for number, nic in enumerate(work.plan.nics, 1):
        work.progress(f"port {number} of {len(work.plan.nics)} on {nic.network_name or nic.network_id}")
        port, said = _make(work, nic)
        notes += [*said, *_finish(work, nic, port)]
        has = [address for _, address in looking.addresses(port)]
        made.append({"port_id": port["id"], "order": nic.order, "mac": port.get("mac_address"), "fixed": has})
    count = "1 port" if len(made) == 1 else f"{len(made)} ports"
    got = ", ".join(address for one in made for address in one["fixed"])
    first = str(made[0]["port_id"]) if made else ""
    return work.done("; ".join([f"{count}: {got}" if got else count, *notes]), created=first, ports=made, differs=notes)


def tag(work: Work) -> str:
    """The tag of the ports that a job made: they outlive their machine, so that whoever removes it finds them."""
    return f"{JOB}:{work.job_id}"


def token_of(work: Work, purpose: str) -> str:
    """The mark of what was begun for a purpose, also by the job that this one retries; else the one of this step."""
    row = work.records.found(work.job_id, purpose)
    begun = row is not None and row["state"] == "begun" and row["token"]
    return str(row["token"]) if begun and row is not None else work.mark(purpose)


def find(work: Work, purpose: str) -> Doc | None:
    """The port that carries the mark of that purpose."""
    mark = token_of(work, purpose)[:MOST_DESCRIPTION]

    def get(service: str, path: str, microversion: str, query: Any) -> Doc | None:
        return work.get(service, path, microversion, query, kind="admin")

    return finding.port(get, mark)


def _make(work: Work, nic: Nic) -> tuple[Doc, list[str]]:
    """The new port, made now or before, and sentences of what could not be had."""
    purpose = port_purpose(nic)
    if id := work.made(purpose):
        if found := looking.port(work, id):
            return found, _differs(nic, found)
        work.records.removed(work.job_id, purpose)
    automatic = looking.automatic(work, nic.network_id)
    called = nic.name or f"{work.plan.new_name or looking.name(work)}-{nic.order}"
    bodies = list(_bodies(work, nic, automatic))
    for number, body in enumerate(bodies):
        call = work.call(
            "network", "POST", "/ports", {"port": body}, session="admin", creates=True,
            what=f"create the port {called}", type="port",
        )  # fmt: skip
        try:
            id = work.create(purpose, "port", call, lambda: find(work, purpose), name=called)
            break
        except Cancelled:
            raise
        except Failed as problem:
            if number == len(bodies) - 1 or not _taken(problem):
                raise
    found = looking.port(work, id)
    if found is None:
        raise Failed(f"the new port {id} is gone again: somebody deleted it")
    return found, _differs(nic, found)


def _taken(problem: Failed) -> bool:
    """Whether it was refused for the sake of its address or MAC."""
    cause = problem.__cause__
    refused = isinstance(cause, NotDone) and cause.cloud_status in _NOT_TO_BE_HAD
    return refused and _ADDRESS.search(problem.detail) is not None


def _bodies(work: Work, nic: Nic, automatic: frozenset[str]) -> Iterator[Doc]:
    """What is asked for: all that is wanted first; where another address will do, less and less."""
    wanted = [one for one in nic.wanted if one.subnet_id not in automatic]
    exact = [_fixed(one.subnet_id, one.address) for one in wanted]
    loose = [_fixed(one.subnet_id, "") for one in wanted if one.subnet_id]
    mac = {"mac_address": nic.mac} if nic.keep_mac and nic.mac else {}
    common = _common(work, nic)
    # Addresses that Neutron makes by itself: an empty list asks for those alone, none at all for any.
    only_automatic = bool(nic.wanted) and not wanted
    yield common | mac | ({"fixed_ips": exact} if exact or only_automatic else {})
    if nic.fall_back:
        yield common | mac | ({"fixed_ips": loose} if loose else {})
        if mac:
            yield common | ({"fixed_ips": exact} if exact or only_automatic else {})
        yield common


def _fixed(subnet_id: str, address: str) -> dict[str, str]:
    return ({"subnet_id": subnet_id} if subnet_id else {}) | ({"ip_address": address} if address else {})


def _common(work: Work, nic: Nic) -> Doc:
    body: Doc = {
        "network_id": nic.network_id,
        "project_id": work.project_id,
        "name": nic.name,
        "description": work.mark(port_purpose(nic))[:MOST_DESCRIPTION],
        "security_groups": list(nic.security_groups) if nic.port_security else [],
    }
    if not nic.port_security:
        body["port_security_enabled"] = False
    if not nic.admin_state_up:
        body["admin_state_up"] = False
    if nic.allowed_address_pairs and nic.port_security:
        body["allowed_address_pairs"] = [dict(one) for one in nic.allowed_address_pairs]
    if nic.vnic_type and nic.vnic_type != "normal":
        body["binding:vnic_type"] = nic.vnic_type
    if nic.qos_policy_id:
        body["qos_policy_id"] = nic.qos_policy_id
    if nic.dns_name:
        body["dns_name"] = nic.dns_name
    if nic.extra_dhcp_opts:
        body["extra_dhcp_opts"] = [dict(one) for one in nic.extra_dhcp_opts]
    return body


def _differs(nic: Nic, port: Doc) -> list[str]:
    """What of the wanted addresses the port did not get."""
    has = {address for _, address in looking.addresses(port)}
    where = nic.network_name or nic.network_id
    missing = [one.address for one in nic.wanted if one.address and one.address not in has]
    notes = [f"{', '.join(missing)} could not be had on {where}"] if missing else []
    if nic.keep_mac and str(port.get("mac_address") or "").lower() != nic.mac.lower():
        notes.append(f"the MAC address {nic.mac} could not be had on {where}")
    return notes


def _finish(work: Work, nic: Nic, port: Doc) -> list[str]:
    """The original's description and tags, now that the port is known by its id."""
    id, notes = str(port["id"]), []
    call = looking.change(work, "port", id, {"description": nic.description}, f"describe the port {nic.name or id}")
    work.act(call, lambda: str((looking.port(work, id) or {}).get("description") or "") == nic.description)
    tags = [*nic.tags, *([tag(work)] if tag(work) not in nic.tags else [])]
    call = work.call(
        "network", "PUT", f"/ports/{id}/tags", {"tags": tags}, session="admin", what=f"tag the port {nic.name or id}",
        type="port", id=id,
    )  # fmt: skip
    try:
        work.act(call, lambda: set(tags) <= set((looking.port(work, id) or {}).get("tags") or ()))
    except Cancelled:
        raise
    except Failed as problem:
        notes.append(f"the port's tags could not be set: {problem}")
    return notes


STEPS = {"CREATE_PORTS": create_ports}
