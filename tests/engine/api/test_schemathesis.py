"""Whatever is sent to any operation of the API, the engine answers as it is described, and never with a 5xx."""

from __future__ import annotations

import contextlib
from collections.abc import Iterator
from typing import Any

import pytest
import schemathesis
from fastapi import FastAPI
from hypothesis import HealthCheck, Phase, given, settings
from hypothesis.errors import Unsatisfiable
from schemathesis import GenerationMode
from schemathesis.checks import not_a_server_error
from schemathesis.specs.openapi.checks import (
    content_type_conformance,
    response_schema_conformance,
    status_code_conformance,
)

from engine.access.service import CALLER
from engine.app import create_app, open_engine
from engine.process.control import Control
from engine.process.models import Home
from engine.process.status import Status
from tests.engine.api.furniture import ADMIN, quick_hashes
from tests.engine.inventory.reading import DOCUMENTS, take_in

CHECKS = [not_a_server_error, status_code_conformance, content_type_conformance, response_schema_conformance]


@pytest.fixture(scope="module")
def app(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Any]:
    """The whole engine over a small estate, called as a superadmin in its own process."""
    home = Home(tmp_path_factory.mktemp("home"))
    (home.path / "clouds.yaml").write_text("clouds: {}\n")
    home.logs.mkdir()
    (home.logs / "engine.log").write_text('{"level": "info", "event": "x"}\n')
    with quick_hashes(), pytest.MonkeyPatch.context() as patch:
        patch.setenv("OS_CLIENT_CONFIG_FILE", str(home.path / "clouds.yaml"))
        parts = open_engine(home)
        for type, documents in DOCUMENTS.items():
            take_in(parts.estate, type, documents)
        parts.feed.close()  # no long poll holds the test up
        # Without `attach` there is nothing to back up, whatever folder is asked for; stop and restart are only noted.
        control = Control(Status(home=str(home.path), socket=str(home.socket)), lambda event: None)
        composed = create_app(parts, control)

        async def as_superadmin(scope: Any, receive: Any, send: Any) -> None:
            await composed({**scope, "extensions": {CALLER: ADMIN}}, receive, send)

        yield as_superadmin
        parts.close()


def try_everything(app: Any, examples: int) -> list[str]:
    """Send generated requests, valid and not, to each operation; "METHOD path: what is wrong" for each that fails."""
    schema = schemathesis.openapi.from_asgi("/openapi.json", app)
    failures = []
    for result in schema.get_all_operations():
        operation = result.ok()
        for mode in (GenerationMode.POSITIVE, GenerationMode.NEGATIVE):
            try:
                _try(operation, mode, examples)
            except Unsatisfiable:
                # An operation without parameters has no wrong ones; a right request can always be made.
                assert mode is GenerationMode.NEGATIVE, operation.path
            except (Exception, BaseExceptionGroup) as error:
                words = "; ".join(str(inner) for inner in getattr(error, "exceptions", [error]))
                notes = "\n".join(getattr(error, "__notes__", []))
                failures.append(f"{operation.method.upper()} {operation.path} ({mode.value}): {words}\n{notes}")
    return failures


def _try(operation: Any, mode: GenerationMode, examples: int) -> None:
    @settings(
        max_examples=examples,
        deadline=None,
        derandomize=True,
        database=None,
        phases=[Phase.explicit, Phase.generate],
        suppress_health_check=list(HealthCheck),
    )
    @given(operation.as_strategy(generation_mode=mode))
    def calls(case: schemathesis.Case) -> None:
        case.call_and_validate(checks=CHECKS)

    calls()


def test_no_operation_fails(app: Any) -> None:
    failures = try_everything(app, examples=5)
    assert not failures, "\n\n".join(failures)


def test_a_failing_operation_would_be_found() -> None:
    planted = FastAPI()

    @planted.get("/divide")
    def divide(by: int) -> float:
        return 1 / by if by > 0 else 1 / 0

    async def quiet(scope: Any, receive: Any, send: Any) -> None:
        # The framework answers 500 and raises again for the server's log.
        with contextlib.suppress(ZeroDivisionError):
            await planted(scope, receive, send)

    failures = try_everything(quiet, examples=12)
    assert failures and all("GET /divide" in words and "Server error" in words for words in failures)
