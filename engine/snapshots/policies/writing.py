"""Decisions written to the metadata of volumes, where other tools read them: one volume at a time, through the gate."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import replace
from typing import TYPE_CHECKING, Any

from engine.access.models import Caller
from engine.gate.models import Actor, Answer, Call
from engine.gate.refusals import NotDone
from engine.snapshots import making
from engine.snapshots.models import Volume
from engine.snapshots.policies import metadata

if TYPE_CHECKING:
    from engine.snapshots.policies.service import PolicyService


class MetadataWriter:
    """See the module. `perform` and `ask` are the gate's."""

    def __init__(
        self,
        policies: PolicyService,
        perform: Callable[[Actor, Call], Answer],
        ask: Callable[[Caller, Call], Answer],
    ) -> None:
        self._policies, self._perform, self._ask = policies, perform, ask

    def write(self, actor: Actor, volume: Volume) -> str:
        """Read the volume's metadata live and write what is missing or stale; answers what was done, as a sentence.

        Repeating it is harmless: what stands there already is not sent. A person's own metadata and excluded volumes
        are left alone. Raises Refused, NotDone, NoRole, Forbidden, OpsError, as the gate does; the caller calls
        `moved` of the policies once, after the last volume.
        """
        live = self._live(actor.caller, volume)
        if live is None:
            return "the volume is gone"
        now = replace(volume, metadata=live)
        found = self._policies.assignments([now])
        if not found:
            return self._why_not(now)
        changes = found[0][1]
        self._policies.wrote(volume.key, changes, done=False)
        values = {key: value for key, value in changes.items() if value is not None}
        if values:
            self._perform(actor, making.write_metadata(now, values))
        for key, value in changes.items():
            if value is None:
                self._perform(actor, making.remove_metadata(now, key))
        self._policies.wrote(volume.key, changes)
        return f"metadata written: {_told(changes)}"

    def _why_not(self, volume: Volume) -> str:
        entries = metadata.relevant(volume.metadata)
        decision = self._policies.decide([volume])[volume.key]
        if decision.excluded is not None:
            return f"not written: {decision.excluded}"
        wrote = self._policies.state().wrote.get(volume.key, ())
        if metadata.is_persons(entries, wrote) and metadata.written(decision.held) != entries:
            return "not written: its metadata are its owner's own, and are not written over"
        return "its metadata say so already" if decision.held else "it has no policy, and its metadata name none"

    def _live(self, caller: Caller, volume: Volume) -> dict[str, str] | None:
        call = Call(
            volume.cloud, volume.region, "block-storage", "GET", f"/volumes/{volume.id}/metadata", session="read",
            project_id=volume.project_id, what=f"metadata of {volume.name or volume.id}", key=volume.key,
            type="volume",
        )  # fmt: skip
        try:
            document: Any = self._ask(caller, call).document.get("metadata")
        except NotDone as error:
            if error.cloud_status == 404:
                return None
            raise
        entries = document if isinstance(document, dict) else {}
        return {str(key): value for key, value in entries.items() if isinstance(value, str)}


def _told(changes: Mapping[str, str | None]) -> str:
    return ", ".join(f"{key}={value}" if value is not None else f"{key} taken away" for key, value in changes.items())
