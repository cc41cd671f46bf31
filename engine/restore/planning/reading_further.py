"""What is asked of every machine, there or gone, once its document is known.

Flavor, server group, quotas, key pair, hosts, networks, and what points at the machine: the second round of questions,
and the third, which their answers lead to.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any

from engine.inventory.events_rules import items
from engine.restore.models import Access, Boot, Key, Machine, Nic, Request
from engine.restore.planning import reading_fit as fit
from engine.restore.planning import reading_machine as docs
from engine.restore.planning import reading_network as network
from engine.restore.planning.asking import Asking, Doc, Tried, or_else, text
from engine.restore.planning.facts import Entries, Event, Hosts, NetworkAddresses
from engine.restore.planning.reading_rights import KeyReading
from engine.restore.planning.steps import NO_HELPER

MOST_ACTIONS = 10  # instance actions that are read, newest first
FAILED = 3  # of those that failed, whose reasons are read


@dataclass(frozen=True, slots=True)
class First:
    """Answers of the first round that lead on; see asking.py for what a sentence in their place means."""

    flavors: Sequence[Doc]
    actions: Doc | str | None
    services: Sequence[Doc] | str
    providers: Mapping[str, str] | str
    access: tuple[Access, str, str, str]

    @property
    def events(self) -> list[dict[str, Any]] | None:
        """The last instance actions, newest first; None when they may not be read."""
        if isinstance(self.actions, str) or self.actions is None:
            return None
        return items(self.actions.get("instanceActions"))[:MOST_ACTIONS]


class Further:
    """See the module. The questions are sent when it is made."""

    def __init__(
        self, ask: Asking, key: Key, request: Request, server: Doc, boot: Boot, ports: Sequence[Doc], first: First,
        whole: bool,
    ) -> None:  # fmt: skip
        """`server`: the machine's document; `ports` in the machine's order; `whole`: see reading.py: Purpose."""
        self._ask, self._key, self._request, self._server, self._first = ask, key, request, server, first
        self._flavor = docs.embedded(server) or docs.flavor_of(server, first.flavors)
        self._other = request.network_override_id
        self._may_use = ask.try_later(network.may_use, ask, self._other) if self._other else None
        groups = tuple(dict.fromkeys(request.security_group_ids or ())) if whole else ()
        self._no_groups = ask.try_later(network.no_groups, ask, groups) if groups else None
        self.network = network.NetworkReading(ask, ports, [self._other] if self._other else [])
        self.quotas: Mapping[str, Tried[Entries]] = fit.quotas(ask, ask.project_id) if whole else {}
        self.keys = KeyReading(ask, server if whole else {}, first.access[3])
        self._group = ask.try_later(fit.group_of, ask, server)
        self._balancers = network.LoadBalancers(ask, ask.project_id) if whole else None
        image = docs.image_id(server) if whole else ""
        self._image = ask.try_later(ask.get, "image", f"/images/{image}") if image else None
        self._helper_id = request.helper if request.helper not in ("", NO_HELPER, key[2]) else ""
        self._helper = (
            ask.later(ask.one, "compute", f"/servers/{self._helper_id}", "server", docs.SERVER)
            if self._helper_id
            else None
        )
        failed = [text(one.get("request_id")) for one in first.events or [] if docs.failed(one)]
        path = f"/servers/{key[2]}/os-instance-actions"
        self._details = {
            id: ask.try_later(ask.one, "compute", f"{path}/{id}", "instanceAction", docs.DETAILS)
            for id in failed[:FAILED]
            if id
        }
        self._whole = whole
        query = fit.resources(self._flavor, boot) if whole else None
        self._candidates = ask.try_later(fit.candidates, ask, query) if query else None

    def machine(self, machine: Machine) -> Machine:
        """With its flavor as it is now, and its server group."""
        group = or_else(self._group.result(), None) or {}
        return replace(
            machine,
            flavor=dict(self._flavor),
            flavor_id=docs.flavor_now(self._flavor, self._first.flavors),
            group_id=text(group.get("id")),
            group_name=text(group.get("name")),
            group_policy=docs.group_policy(group),
        )

    def events(self) -> tuple[Event, ...] | None:
        """The last instance actions; None when they may not be read."""
        if self._first.events is None:
            return None
        return docs.events_of(self._first.events, {id: answer.result() for id, answer in self._details.items()})

    def hosts(self, machine: Machine) -> Hosts:
        """Where it could run; asks where the group's members are."""
        if not self._whole:
            return Hosts()
        group = or_else(self._group.result(), None)
        first = self._first
        zone = fit.zone_of(machine, self._request)
        return fit.hosts_from(self._ask, machine, group, first.services, first.providers, self._candidates, zone)

    def networks(self, seen: network.Seen) -> dict[str, NetworkAddresses]:
        """What is free on the machine's networks, and on the one that was asked for where its project may use it."""
        found = network.addresses_of(seen, self._ask.project_id, admin=self._ask.admin)
        own = {text(port.get("network_id")) for port in seen.ports}
        if self._may_use is not None and self._may_use.result() is not True and self._other not in own:
            found.pop(self._other, None)
        return found

    def no_groups(self) -> tuple[str, ...]:
        """Security groups that were asked for, and that the project does not have."""
        return or_else(self._no_groups.result(), ()) if self._no_groups is not None else ()

    def references(self, machine: Machine, nics: Sequence[Nic], seen: network.Seen) -> tuple[str, ...]:
        """Sentences for what points at it."""
        if self._balancers is None:
            return ()
        members = self._balancers.begin()
        return (*network.references_of(machine, nics, seen), *self._balancers.references(members, nics))

    def image_problem(self) -> str:
        """Why the image that it was booted from cannot be used any more; "" when it can, or there is none."""
        if self._image is None:
            return ""
        found, id = self._image.result(), docs.image_id(self._server)
        if isinstance(found, str):
            return f"the image {id} that it was booted from could not be looked at: {found}"
        if found is None:
            return f"the image {id} that it was booted from is gone"
        status = text(found.get("status"))
        return "" if status == "active" else f"the image {text(found.get('name')) or id} it was booted from is {status}"

    def helper(self) -> Machine | None:
        """The machine that gets a copy of a disk; None where the project has none of that id."""
        found = self._helper.result() if self._helper is not None else None
        if found is None or text(found.get("tenant_id")) != self._ask.project_id:
            return None
        return docs.machine_of((*self._key[:2], self._helper_id), found)

    def unread(self) -> list[str]:
        """Sentences for what could not be read."""
        asked = {
            "the machine's server group could not be read": self._group,
            "whether the project has the security groups could not be read": self._no_groups,
        }
        answers = {words: one.result() for words, one in asked.items() if one is not None}
        return [f"{words}: {said}" for words, said in answers.items() if isinstance(said, str)]
