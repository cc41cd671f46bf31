"""Domains, projects, users and who may do what of a world's cloud."""

from __future__ import annotations

from typing import TYPE_CHECKING

from tests.copilot.evaluation.world import Row

if TYPE_CHECKING:
    from tests.copilot.evaluation.generate import Maker


def fill(make: Maker, cloud: str, names: tuple[tuple[str, str], ...]) -> tuple[list[Row], list[Row]]:
    """(projects, users)."""
    place = (cloud, "")
    domains = {
        name: make.add("domain", place, id=make.id(short=True), name=name)
        for name in dict.fromkeys(d for d, _ in names)
    }
    projects = [
        make.add(
            "project",
            place,
            id=make.id(short=True),
            name=name,
            domain=domain,
            domain_id=domains[domain]["id"],
            enabled=n != len(names) - 2,
            description="",
        )
        for n, (domain, name) in enumerate(names)
    ]
    first = next(iter(domains.values()))
    users = [
        make.add(
            "user",
            place,
            id=make.id(short=True),
            name=name,
            domain=first["name"],
            domain_id=first["id"],
            enabled=n != 3,
            email=f"{name}@example.org",
        )
        for n, name in enumerate(make.style.users)
    ]
    roles = {name: make.add("role", place, id=make.id(short=True), name=name) for name in ("admin", "member", "reader")}
    for n, user in enumerate(users):
        make.add(
            "keypair",
            (cloud, dict(make.style.clouds)[cloud][0]),
            id=f"{user['id']}:key-{user['name']}",
            name=f"key-{user['name']}",
            user=user["name"],
            user_id=user["id"],
            kind="ssh",
        )
        for project in projects[n % 3 : n % 3 + 3]:
            role = roles["admin" if n == 0 else "reader" if n == 4 else "member"]
            make.add(
                "role_assignment",
                place,
                id=f"{role['id']}/u:{user['id']}/project:{project['id']}",
                role=role["name"],
                role_id=role["id"],
                user=user["name"],
                user_id=user["id"],
                project=project["name"],
                project_id=project["id"],
                domain=project["domain"],
                domain_id=project["domain_id"],
            )
    return projects, users
