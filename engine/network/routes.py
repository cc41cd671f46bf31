"""The documented changes of networks, security groups and rules, below /admin. Administrators only."""

from typing import Annotated

from fastapi import APIRouter, Depends, Path
from starlette.responses import Response

from engine.access.models import Caller
from engine.access.service import AccessService
from engine.api.answers import JsonAnswer
from engine.api.mounting import mount
from engine.compute.models import Given, given
from engine.compute.service import Changes
from engine.gate.refusals import Refused
from engine.network import networks, security_groups
from engine.network.models import GroupBody, NetworkBody, RuleBody

Asked = Annotated[Given, Depends(given)]
Id = Annotated[str, Path(max_length=255)]


def routes(changes: Changes, access: AccessService) -> APIRouter:
    """They block until the change is done, so they are plain functions on threads."""
    router = APIRouter(tags=["infrastructure"], default_response_class=JsonAnswer)
    mount(router, _networks(changes, access))
    mount(router, _groups(changes, access))
    return router


def _networks(changes: Changes, access: AccessService) -> APIRouter:
    router = APIRouter()
    admin = Annotated[Caller, Depends(access.requires("networks:admin"))]

    @router.post("/admin/networks", status_code=201)
    def create(body: NetworkBody, asked: Asked, caller: admin) -> Response:
        """Create a network; answers it as the list of networks does."""
        options = {name: value for name, value in body.options().items() if value is not None}
        if problem := networks.provider_problem(options):
            raise Refused("option", problem)
        made = changes.create(caller, "network.create", options, asked.over(body))
        return JsonAnswer(made, status_code=201)

    @router.delete("/admin/networks/{network_id}")
    def delete(network_id: Id, asked: Asked, caller: admin) -> Response:
        """Delete a network with its subnets; refused while its ports are in use."""
        return JsonAnswer(changes.delete(caller, "network.delete", network_id, asked))

    return router


def _groups(changes: Changes, access: AccessService) -> APIRouter:
    router = APIRouter()
    admin = Annotated[Caller, Depends(access.requires("security_groups:admin"))]

    @router.post("/admin/security-groups", status_code=201)
    def create_group(body: GroupBody, asked: Asked, caller: admin) -> Response:
        """Create a security group; answers it as the list of groups does."""
        made = changes.create(caller, "security_group.create", body.options(), asked.over(body))
        return JsonAnswer(made, status_code=201)

    @router.delete("/admin/security-groups/{sg_id}")
    def delete_group(sg_id: Id, asked: Asked, caller: admin) -> Response:
        """Delete a security group and all its rules; refused while ports use it."""
        return JsonAnswer(changes.delete(caller, "security_group.delete", sg_id, asked))

    @router.post("/admin/security-group-rules", status_code=201)
    def create_rule(body: RuleBody, asked: Asked, caller: admin) -> Response:
        """Create a rule of a security group; answers it as the list of rules does."""
        options = {name: value for name, value in body.options().items() if value is not None}
        if problem := security_groups.rule_problem(options):
            raise Refused("option", problem)
        made = changes.create(caller, "security_group_rule.create", options, asked.over(body))
        return JsonAnswer(made, status_code=201)

    @router.delete("/admin/security-group-rules/{rule_id}")
    def delete_rule(rule_id: Id, asked: Asked, caller: admin) -> Response:
        """Delete a rule: what it let through is refused from now on."""
        return JsonAnswer(changes.delete(caller, "security_group_rule.delete", rule_id, asked))

    return router
