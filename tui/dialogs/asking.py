"""From the options of an action to the fields of its form."""

from __future__ import annotations

from collections.abc import Callable, Sequence

from store.types.actions import ActionDeclaration, Option
from tui.dialogs.completion import Match, ResourceField
from tui.dialogs.fields import ChoiceField, Field, field_of
from tui.table.cells import clean
from tui.targets import Targets

Search = Callable[[ResourceField, str, str], None]  # the field, what is typed, the cloud ("" = any)


def fields_for(
    declaration: ActionDeclaration, targets: Targets | None, places: Sequence[tuple[str, str]], search: Search
) -> list[Field]:
    """A field for every option; for a create that could be made in several places, first which one.

    The name of the one resource, and the resource or project under the cursor, are filled in where they are asked for.
    """
    fields: list[Field] = []
    place: ChoiceField | None = None
    if len(places) > 1:
        words = [(pair, clean("/".join(part for part in pair if part))) for pair in places]
        place = ChoiceField(Option("place", "Where", "choice", required=True), words, places[0])
        fields.append(place)

    def look(field: ResourceField, text: str) -> None:
        chosen = place.value() if place is not None else places[0] if places else None
        search(field, text, chosen[0] if chosen else (targets.clouds[0] if targets and targets.clouds else ""))

    for option in declaration.options:
        if option.kind == "resource":
            fields.append(ResourceField(option, look, _known(option, targets)))
        else:
            fields.append(field_of(option, _start(declaration, option, targets)))
    return fields


def _start(declaration: ActionDeclaration, option: Option, targets: Targets | None) -> str | None:
    if declaration.verb == "rename" and option.name == "name" and targets is not None:
        return clean(targets.name) if targets.count == 1 else "{name}"
    return None


def _known(option: Option, targets: Targets | None) -> Match | None:
    """What the row under the cursor says of it: itself, its project, its group."""
    if targets is None or targets.count != 1:
        return None
    if targets.type == option.type:
        return Match(str(targets.body["keys"][0][-1]), targets.name)
    row = targets.row
    id = row.get(f"{option.name}_id") or row.get(f"{option.type}_id")
    return Match(str(id), clean(row.get(f"{option.type}_name") or "")) if id and option.required else None
