"""What each key allows, in words: for error messages, the reference page and the app alike."""

from __future__ import annotations

import types
import typing
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Literal, Union, get_args, get_origin

from pydantic import BaseModel
from pydantic.fields import FieldInfo

from engine.settings.models import Settings


@dataclass(frozen=True, slots=True)
class Key:
    """One key: dotted `name`, `default`, what is `allowed`, `description`, and whether the app may change it."""

    name: str
    default: Any
    allowed: str
    description: str
    in_app: bool


def every_key(model: type[BaseModel] = Settings, prefix: str = "") -> Iterator[Key]:
    """Every key, in the order of the sections. Tables by name (`access.users`) are one key each."""
    for name, field in model.model_fields.items():
        section = field.annotation
        if isinstance(section, type) and issubclass(section, BaseModel):
            yield from every_key(section, f"{prefix}{name}.")
            continue
        yield Key(
            f"{prefix}{name}",
            None if field.is_required() else field.get_default(call_default_factory=True),
            words(field),
            field.description or "",
            bool(_extra(field).get("in_app")),
        )


def field_at(path: tuple[Any, ...]) -> FieldInfo | None:
    """The field at a path of the settings; names of users and groups are passed over. None when there is none."""
    model: Any = Settings
    field: FieldInfo | None = None
    for part in path:
        if isinstance(model, type) and issubclass(model, BaseModel):
            field = model.model_fields.get(part)
            if field is None:
                return None
            model = _bare(field.annotation)
        elif get_origin(model) is dict:
            model, field = get_args(model)[1], None
        else:
            break
    return field


def section_at(path: tuple[Any, ...]) -> type[BaseModel] | None:
    """The section (model) at a path; None when a plain value stands there."""
    model: Any = Settings
    for part in path:
        if isinstance(model, type) and issubclass(model, BaseModel) and part in model.model_fields:
            model = _bare(model.model_fields[part].annotation)
        elif get_origin(model) is dict:
            model = get_args(model)[1]
        else:
            return None
    return model if isinstance(model, type) and issubclass(model, BaseModel) else None


def words(field: FieldInfo) -> str:
    """What a field allows: "a whole number from 1 to 1440"."""
    stated = _extra(field).get("allowed")
    if stated:
        return stated
    kind = _bare(field.annotation)
    if get_origin(kind) is Literal:
        return "one of " + ", ".join(f"`{value}`" for value in get_args(kind))
    if get_origin(kind) is dict:
        return "a table by name, each with `role` and optional `clouds`, `domains`, `projects`"
    if get_origin(kind) in (tuple, list):
        return "a list of texts"
    bounds = {type(m).__name__: m for m in field.metadata}
    low = bounds.get("Ge") or bounds.get("Gt")
    high = bounds.get("Le") or bounds.get("Lt")
    named = {bool: "true or false", int: "a whole number", float: "a number", Path: "a path", str: "a text"}
    text = named.get(kind, "a value")
    if low is not None:
        text += f" {'above' if 'Gt' in bounds else 'from'} {getattr(low, 'ge', getattr(low, 'gt', None))}"
    if high is not None:
        text += f" {'up ' if 'Gt' in bounds else ''}to {getattr(high, 'le', getattr(high, 'lt', None))}"
    return text


def _bare(annotation: Any) -> Any:
    """A type without `| None` and `Annotated`."""
    if get_origin(annotation) is typing.Annotated:
        return _bare(get_args(annotation)[0])
    if get_origin(annotation) in (Union, types.UnionType):
        left = [a for a in get_args(annotation) if a is not type(None)]
        return _bare(left[0])
    return annotation


def _extra(field: FieldInfo) -> dict[str, Any]:
    found = field.json_schema_extra
    if isinstance(found, dict):
        return found
    for argument in get_args(field.annotation):  # `SecretReference | None` keeps its words inside
        for inner in get_args(argument):
            if isinstance(inner, FieldInfo) and isinstance(inner.json_schema_extra, dict):
                return inner.json_schema_extra
    return {}
