"""The roles of people who use the console, weakest first. Standard library only: the client reads them too."""

from __future__ import annotations

from typing import Literal, get_args

Role = Literal["viewer", "operator", "technical", "admin", "superadmin"]

ROLES: tuple[Role, ...] = get_args(Role)
