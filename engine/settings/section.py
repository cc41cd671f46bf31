"""What every part of the settings is made of."""

from __future__ import annotations

import re
from typing import Annotated, Any

from pydantic import AfterValidator, BaseModel, ConfigDict, Field

# Marks a key that may be changed in the app (the others only in the file: they decide who may do what).
IN_APP: dict[str, Any] = {"in_app": True}


class Section(BaseModel):
    """A table of the settings file: unknown keys are errors, and nothing changes it afterwards."""

    model_config = ConfigDict(extra="forbid", frozen=True)


def _secret_reference(value: str) -> str:
    if not re.fullmatch(r"env:[A-Za-z_][A-Za-z0-9_]*|file:/.+", value):
        raise ValueError("is a secret: refer to it, as env:NAME or file:/absolute/path")
    return value


SecretReference = Annotated[
    str,
    AfterValidator(_secret_reference),
    Field(json_schema_extra={"allowed": "`env:NAME` or `file:/absolute/path` (mode 0600)"}),
]
