"""The room put together. Nothing is read or made until somebody asks."""

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING

from engine.copilot import asking_models, routes
from engine.copilot.asking_models import Model
from engine.copilot.configuring import Configuring
from engine.copilot.history import History
from engine.copilot.service import CopilotService

if TYPE_CHECKING:
    from fastapi import APIRouter

    from engine.access.service import AccessService
    from engine.audit.service import AuditService
    from engine.copilot.asking import Copilot
    from engine.copilot.rooms import Rooms
    from engine.settings.copilot_section import Copilot as Section
    from engine.settings.service import SettingsService
    from store.ops.ops import Ops


def built_in() -> Copilot:
    """The copilot itself, loaded with the first question."""
    from copilot.service import Copilot as BuiltIn

    return BuiltIn()


class CopilotRoom:
    """Questions in plain words about everything that the asker may see."""

    def __init__(
        self,
        ops: Ops,
        audit: AuditService,
        settings: SettingsService,
        rooms: Rooms,
        copilot: Callable[[], Copilot] = built_in,
        model: Model = asking_models.ask,
    ) -> None:
        def section() -> Section:
            return settings.current.copilot

        self.rooms = rooms
        history = History(ops, lambda: section().max_history_per_user, lambda: rooms.reads.clock())
        self.service = CopilotService(rooms, audit, history, section, copilot, model)
        self.configuring = Configuring(settings, audit)

    def close(self) -> None:
        """Ask no model any further."""
        self.service.close()

    def routes(self, access: AccessService) -> APIRouter:
        """The room's part of the API."""
        return routes.routes(self.service, self.configuring, access)
