"""How the gate says no: an API error with a `code` that a program can read."""

from __future__ import annotations

from typing import Any

from engine.api.errors import ApiError

_STATUS = {
    "read_only": 403,
    "hands_off": 409,
    "locked": 409,
    "protected": 409,
    "held": 409,
    "refused": 409,
    "expired": 409,
    "executed": 409,
    "changed": 409,
    "wrong_project": 409,
    "no_role": 409,
    "reason": 422,
    "ticket": 422,
    "typed": 422,
    "override": 422,
    "option": 422,
    "targets": 422,
    "unknown": 404,
    "cloud": 502,
    "jobs": 503,
}


class Refused(ApiError):
    """The gate refuses. `code` says which rule; `fields` go into the answer beside `detail`."""

    def __init__(self, code: str, detail: str, **fields: Any) -> None:
        super().__init__(detail, _STATUS[code])
        self.code = code
        self.fields = {"code": code, **fields}


class NotDone(Refused):
    """The cloud did not do it. `uncertain`: no answer came, so it may have; `retry_after`: seconds that it asks for."""

    def __init__(
        self, detail: str, *, status: int | None = None, uncertain: bool = False, retry_after: float | None = None
    ) -> None:
        super().__init__("cloud", detail, cloud_status=status, uncertain=uncertain)
        self.cloud_status = status
        self.uncertain = uncertain
        self.retry_after = retry_after
