"""Opens the configured backend, and tries whether it answers."""

from __future__ import annotations

import time
from dataclasses import dataclass

from copilot.backends import wire
from copilot.backends.base import Backend, Cancel, Config, Limits, Message, Request
from copilot.backends.errors import BackendError
from copilot.backends.untrusted import clean

TEST = Limits(connect=5.0, first=20.0, between=10.0, total=30.0, tokens=16, characters=2_000, bytes=2_000_000)
_MOST_MODELS = 200


@dataclass(frozen=True, slots=True)
class Tried:
    """How a test of the connection went.

    models  what the server offers, as far as it lists any
    latency_ms  from the request to the end of a short answer; of a failed one, to the failure
    """

    success: bool
    message: str
    latency_ms: int
    models: tuple[str, ...] = ()


def open_backend(config: Config) -> Backend:
    """The backend for a configuration. Makes no connection and loads no client yet."""
    if config.backend == "ollama":
        from copilot.backends.ollama import Ollama

        return Ollama(config)
    if config.backend == "anthropic":
        from copilot.backends.anthropic import Anthropic

        return Anthropic(config)
    from copilot.backends.openai import OpenAI

    return OpenAI(config)


def is_local(config: Config) -> bool:
    """Whether what is asked stays on this machine: the address is loopback and no proxy lies between."""
    return not config.proxy and wire.is_loopback(wire.url_of(config))


def test_connection(config: Config, limits: Limits = TEST, cancel: Cancel | None = None) -> Tried:
    """Ask the model for one word. Sends nothing of the estate. Never raises BackendError."""
    from copilot.backends.outlet import Outlet

    cancel = cancel or Cancel()
    backend = open_backend(config)
    begun = time.monotonic()
    try:
        request = Request("Answer with the word OK.", (Message("user", "Are you there?"),))
        for _ in Outlet(backend, None).send(request, cancel, limits):
            pass
    except BackendError as error:
        return Tried(False, str(error), _since(begun), _models(backend, cancel, limits) if _lists(error) else ())
    took = _since(begun)
    name = clean(config.model, 80)
    return Tried(True, f"{wire.WHO[config.backend]} answers with {name}.", took, _models(backend, cancel, limits))


def _lists(error: BackendError) -> bool:
    """Whether it is worth asking for the names: the server is there, it is the model that is wrong."""
    from copilot.backends.errors import UnknownModel

    return isinstance(error, UnknownModel)


def _models(backend: Backend, cancel: Cancel, limits: Limits) -> tuple[str, ...]:
    try:
        return tuple(clean(one, 80) for one in backend.models(cancel, limits)[:_MOST_MODELS])
    except BackendError:
        return ()


def _since(begun: float) -> int:
    return round((time.monotonic() - begun) * 1000)
