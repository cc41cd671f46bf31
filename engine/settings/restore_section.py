"""Settings of restores: what they may do, how long they wait, and what proves that a machine answers."""

from __future__ import annotations

import re
from typing import Annotated

from pydantic import AfterValidator, Field

from engine.settings.roles import Role
from engine.settings.section import IN_APP, Section


def _pattern(value: str) -> str:
    try:
        re.compile(value)
    except re.error as error:
        raise ValueError(f"is not a regular expression: {error}") from error
    return value


Pattern = Annotated[str, AfterValidator(_pattern), Field(min_length=1, max_length=200)]
Word = Annotated[str, Field(min_length=1, max_length=1000)]


class CloudRestore(Section):
    """What restores may do in one cloud, where it differs from `[restore]`."""

    enabled: bool | None = Field(default=None, strict=True, description="As `restore.enabled`, for this cloud.")
    dry_run: bool | None = Field(default=None, strict=True, description="As `restore.dry_run`, for this cloud.")
    cleanup_volumes: bool | None = Field(
        default=None, strict=True, description="As `restore.cleanup_volumes`, for this cloud."
    )


class Restore(Section):
    """Restores; see docs/restore.md. The first three may differ by cloud: `[clouds.NAME.restore]`."""

    enabled: bool = Field(
        default=True,
        strict=True,
        description="Off: the documented endpoints answer 404, and nothing is planned or begun.",
        json_schema_extra=IN_APP,
    )
    dry_run: bool = Field(
        default=False,
        strict=True,
        description="Restores are planned and shown step by step, and none is begun.",
        json_schema_extra=IN_APP,
    )
    cleanup_volumes: bool = Field(
        default=False,
        strict=True,
        description="A restore that fails also deletes the volumes that it made; else they wait for a retry.",
        json_schema_extra=IN_APP,
    )
    keep_days: int = Field(
        default=7,
        strict=True,
        ge=1,
        le=365,
        description="Days that the old machine, an old volume, or a copy of a disk is kept, unless said.",
        json_schema_extra=IN_APP,
    )
    replace_role: Role = Field(
        default="admin", description="The weakest role that may put a new machine in the place of an old one."
    )
    prove_console: tuple[Pattern, ...] = Field(
        default=("login:", r"[Cc]loud-init.*finished"),
        max_length=20,
        description="A machine answers when its console log has any of these regular expressions.",
    )
    prove_seconds: int = Field(
        default=300,
        strict=True,
        ge=0,
        le=7200,
        description="Seconds that an answer of the machine is waited for before a person is asked.",
        json_schema_extra=IN_APP,
    )
    answer_minutes: int = Field(
        default=60,
        strict=True,
        ge=1,
        le=10_080,
        description="Minutes that a person is waited for; without an answer the restore goes on, and nothing old is "
        "deleted.",
        json_schema_extra=IN_APP,
    )
    prove_command: tuple[Word, ...] = Field(
        default=(),
        max_length=50,
        description="Program of the engine's host, with its arguments, that says (0) whether a machine answers.",
    )
    stop_seconds: int = Field(
        default=300,
        strict=True,
        ge=1,
        le=7200,
        description="Seconds that a machine gets to shut down.",
        json_schema_extra=IN_APP,
    )
    parallel_per_backend: int = Field(
        default=4,
        strict=True,
        ge=1,
        le=64,
        description="Restores side by side on one storage back end, when many are begun at once.",
        json_schema_extra=IN_APP,
    )
    parallel_per_project: int = Field(
        default=4,
        strict=True,
        ge=1,
        le=64,
        description="Restores side by side in one project, when many are begun at once.",
        json_schema_extra=IN_APP,
    )

    def at(self, cloud: CloudRestore) -> Restore:
        """The same with what differs in one cloud."""
        return self.model_copy(update=cloud.model_dump(exclude_none=True))
