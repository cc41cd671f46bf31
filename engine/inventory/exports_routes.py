"""`POST /q/exports`."""

from typing import Annotated

from fastapi import APIRouter, Depends
from starlette.responses import Response, StreamingResponse

from engine.access import rules
from engine.access.models import Caller
from engine.access.service import AccessService
from engine.audit.service import AuditService
from engine.inventory.asked import window_of
from engine.inventory.exports import Exports
from engine.inventory.exports_models import ExportBody
from engine.inventory.reads import InventoryReads, find_type
from store.estate.reading.exporting import Picked


def routes(reads: InventoryReads, access: AccessService, audit: AuditService | None = None) -> APIRouter:
    """The one route of exports. Each is kept in the audit: who took which list away."""
    router = APIRouter(tags=["exports"])
    exports = Exports(reads)
    reader = Annotated[Caller, Depends(access.requires("inventory:read"))]

    @router.post("/q/exports", response_class=Response)
    async def export(body: ExportBody, caller: reader) -> Response:
        """The whole list as a file: CSV, JSON, an Excel workbook or Parquet; `x-qdeck-rows` says how many rows."""
        type = find_type(body.type)
        access.check(caller, f"{rules.resource_of_type(type.plural)}:read")
        window = window_of(body, caller, reads.clock())
        picked = Picked(body.keys, body.minus)
        made = await exports.begin(window, picked, body.format, body.limit)
        if audit is not None:
            facts = {"format": body.format, "rows": made.count, "filter": body.filter, "columns": made.names}
            await reads.run(audit.record, caller, "inventory.export", type.plural, facts)
        name = f"{type.plural}-{reads.clock():%Y%m%d-%H%M}.{made.format.ending}"
        headers = {"content-disposition": f'attachment; filename="{name}"', "x-qdeck-rows": str(made.count)}
        return StreamingResponse(exports.stream(made), media_type=made.format.media_type, headers=headers)

    return router
