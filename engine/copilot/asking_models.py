"""The language model that the settings name: what it is asked with, and whether it answers."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Protocol

from engine.settings.secrets import SecretUnreadable, read_secret

if TYPE_CHECKING:
    from copilot.answers import Answer, Context, Usage
    from copilot.backends.base import Cancel, Config, Limits, Redactor
    from engine.copilot.sources import CallerSources
    from engine.settings.copilot_section import Copilot as Settings


class CannotAsk(Exception):
    """A model cannot be asked; one clear sentence."""


@dataclass(frozen=True, slots=True)
class Task:
    """A question that the built-in copilot is not sure of.

    answer   what it would say
    say      say(piece): more of the model's answer, as it arrives
    doing    doing(words): what the model does now
    """

    question: str
    context: Context
    sources: CallerSources
    answer: Answer
    say: Callable[[str], None]
    doing: Callable[[str], None]
    cancel: Cancel


class Model(Protocol):
    """Asks a language model."""

    def __call__(self, task: Task, settings: Settings) -> tuple[Answer, Usage]:
        """Its answer, found with the copilot's own tools within the asker's rights.

        Raises CannotAsk and BackendError."""
        ...


def ask(task: Task, settings: Settings) -> tuple[Answer, Usage]:
    """A Model: the one that the settings name, by the copilot's own backends."""
    from copilot.backends.asking import Setup, ask_model
    from copilot.backends.conversation import Budget

    setup = Setup(
        config_of(settings), redactor_of(settings, task.sources), settings.system_prompt,
        Budget(seconds=settings.timeout_seconds), limits_of(settings),
    )  # fmt: skip
    try:
        found, usage, _ = ask_model(
            task.question, task.context, task.sources, task.answer, setup, task.cancel, say=task.say, doing=task.doing
        )
    except ValueError as error:  # the outlet's last look: nothing leaves the machine as it is
        raise CannotAsk(str(error)) from error
    return found, usage


def redactor_of(settings: Settings, sources: CallerSources) -> Redactor | None:
    """What hides names from the model; None where nothing is to be hidden, which is on this machine only.

    Raises CannotAsk where something is to be hidden, and the names cannot be read.
    """
    if not settings.redacts:
        return None
    from copilot.redaction.redactor import Redactor
    from copilot.sources import NotAvailable

    try:
        return Redactor.of(sources)
    except NotAvailable as error:
        raise CannotAsk(str(error)) from error


def not_ready(settings: Settings) -> str:
    """Why the model that is configured cannot be asked; "" when it can, as far as one knows without asking."""
    if settings.backend in ("anthropic", "openai"):
        if settings.api_key is None and not settings.local:
            return f"no key is set: write copilot.{settings.backend}_api_key into qdeck.toml, as env:NAME or file:/path"
        try:
            _key(settings)
        except SecretUnreadable as error:
            return str(error)
    return ""


def config_of(settings: Settings) -> Config:
    """How the copilot's backends are told. Raises CannotAsk."""
    from copilot.backends.base import Config, Price

    if settings.backend == "builtin" or settings.model is None:
        raise CannotAsk("the built-in copilot answers alone: no language model is configured")
    try:
        key = _key(settings)
    except SecretUnreadable as error:
        raise CannotAsk(str(error)) from error
    prices = (settings.price_input, settings.price_output)
    price = None if prices == (None, None) else Price(prices[0] or 0.0, prices[1] or 0.0)
    urls = {"ollama": settings.ollama_url, "openai": settings.openai_base_url or ""}
    return Config(settings.backend, settings.model, urls.get(settings.backend, ""), key, price=price)


def limits_of(settings: Settings) -> Limits:
    """How long and how much."""
    from copilot.backends.base import Limits

    total = settings.timeout_seconds
    return Limits(connect=settings.connect_timeout_seconds, first=min(60.0, total), total=total,
                  tokens=settings.max_tokens)  # fmt: skip


def tried(settings: Settings) -> dict[str, Any]:
    """A Tested: one word is asked of the model; nothing of the estate is sent."""
    if settings.backend == "builtin":
        return {"success": True, "message": "The built-in copilot needs no connection", "latency_ms": 0, "models": []}
    if reason := not_ready(settings):
        return {"success": False, "message": reason, "latency_ms": None, "models": []}
    from copilot.backends.connection import test_connection

    found = test_connection(config_of(settings))
    models: Sequence[str] = found.models
    return {"success": found.success, "message": found.message, "latency_ms": found.latency_ms, "models": list(models)}


def _key(settings: Settings) -> str:
    return "" if settings.api_key is None else read_secret(settings.api_key)
