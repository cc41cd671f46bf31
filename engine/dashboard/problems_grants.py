"""Problems of what the engine was lent: roles for the length of a job that could not be given back."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from datetime import datetime
from typing import Any

from engine.dashboard.problems_rules import Problem


def provider(rows: Callable[[], Iterable[Mapping[str, Any]]]) -> Callable[[datetime], list[Problem]]:
    """The source for ProblemService.register; `rows` as engine/clouds/grants.py: Grants.problems."""

    def found(now: datetime) -> list[Problem]:
        return [
            Problem(
                "grant",
                (row["id"],),
                "warning",
                f"the role {row['role_name']} of {row['user_name']} could not be taken back",
                str(row["problem"]),
                cloud=row["cloud"],
                type="project",
                key=(row["cloud"], "", row["project_id"]),
                project_id=row["project_id"],
                since=row["since"],
            )
            for row in rows()
        ]

    return found
