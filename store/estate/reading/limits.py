"""Which rows a caller may read, as a condition on the relation. What the role cannot see does not exist for it."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from store.estate.reading.models import Scope
from store.estate.reading.relation import Relation

Sql = tuple[str, list[Any]]


def _one_of(expression: str, values: Sequence[str]) -> Sql:
    if not values:
        return "false", []
    return f"{expression} IN ({', '.join('?' * len(values))})", list(values)


def condition(relation: Relation, scope: Scope) -> Sql:
    """The condition of lying within the scope; `true` without one."""
    parts: list[Sql] = []
    for name, values in (("cloud", scope.clouds), ("cloud", scope.in_clouds), ("region", scope.in_regions)):
        if values is not None:
            found, parameters = _one_of(relation.column(name), values)
            # Identity resources belong to no region, so a choice of region leaves them in.
            keep = relation.type.listing.global_ and name == "region"
            parts.append((f"({found} OR {relation.column('region')} = '')" if keep else found, parameters))
    owner = relation.type.limited_by or relation.type.owner
    if scope.in_projects is not None and owner:
        parts.append(_one_of(relation.column(owner), scope.in_projects))
    if scope.limited:
        parts.append(_limited(relation, scope, owner))
    if not parts:
        return "true", []
    return " AND ".join(sql for sql, _ in parts), [value for _, values in parts for value in values]


def _limited(relation: Relation, scope: Scope, owner: str) -> Sql:
    """The role's projects and domains. Types that nobody owns are shown only when every token sees the same of them."""
    parts: list[Sql] = []
    if scope.projects is not None:
        parts.append(_one_of(relation.column(owner), scope.projects) if owner else ("false", []))
    if scope.domains is not None:
        parts.append(_in_domains(relation, scope.domains, owner))
    within = " AND ".join(f"({sql})" for sql, _ in parts)
    parameters = [value for _, values in parts for value in values]
    open_to_all: list[Sql] = [("true", [])] if relation.type.listing.needs == "reader" else []
    open_to_all += [(f"{relation.column(column)} = ?", [value]) for column, value in relation.type.open_when]
    for sql, values in open_to_all:
        within, parameters = f"{within} OR {sql}", [*parameters, *values]
    return f"({within})", parameters


def _in_domains(relation: Relation, domains: Sequence[str], owner: str) -> Sql:
    parts: list[Sql] = []
    if owner:
        inside, parameters = _one_of("limit_p.domain_id", domains)
        parts.append(
            (
                f"({relation.alias}.cloud, {relation.column(owner)}) IN (SELECT (limit_p.cloud, limit_p.id) "
                f"FROM {relation.of('project', 'limit_p')} WHERE {relation.at('limit_p')} AND {inside})",
                parameters,
            )
        )
    if relation.type.domain:
        parts.append(_one_of(relation.column(relation.type.domain), domains))
    if relation.type.name == "role_assignment":
        inside, parameters = _one_of(relation.column("domain_id"), domains)
        parts.append((f"({relation.column('scope_kind')} = 'domain' AND {inside})", parameters))
    if not parts:
        return "false", []
    return "(" + " OR ".join(sql for sql, _ in parts) + ")", [value for _, values in parts for value in values]
