"""What every part of the settings is made of."""

from __future__ import annotations

from typing import Any

from pydantic import BaseModel, ConfigDict

# Marks a key that may be changed in the app (the others only in the file: they decide who may do what).
IN_APP: dict[str, Any] = {"in_app": True}


class Section(BaseModel):
    """A table of the settings file: unknown keys are errors, and nothing changes it afterwards."""

    model_config = ConfigDict(extra="forbid", frozen=True)
