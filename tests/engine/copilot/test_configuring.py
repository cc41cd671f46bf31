"""The documented configuration: a view on the settings, without keys."""

from pathlib import Path
from typing import Any

import pytest

from copilot.backends import connection
from copilot.sources import NotAvailable
from engine.copilot import asking_models
from engine.copilot.asking_models import CannotAsk
from engine.settings.copilot_section import Copilot, is_loopback
from store.estate.reading.models import Scope
from tests.engine.api.furniture import ADMIN
from tests.engine.copilot.house import House

CONFIG = "/api/copilot/config"
KEY = "sk-" + "x" * 20


async def test_what_is_shown(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("QDECK_TEST_KEY", KEY)
    house = House(tmp_path, '[copilot]\nopenai_api_key = "env:QDECK_TEST_KEY"\nollama_model = "qwen3"\n', filled=False)
    try:
        shown = await house.send("GET", CONFIG)
        assert shown == {
            "backend": "builtin", "ollama_url": "http://localhost:11434", "ollama_model": "qwen3",
            "openai_base_url": None, "openai_model": "gpt-4o-mini", "openai_api_key": "env:QDECK_TEST_KEY",
            "anthropic_model": "claude-sonnet-4-20250514", "anthropic_api_key": None, "redact_sensitive": True,
            "system_prompt": "", "max_history_per_user": 200,
        }  # fmt: skip
        assert KEY not in repr(shown)
        refused = await house.send("PUT", CONFIG, expect=409, json={"backend": "ollama", "ollama_model": "llama3"})
        assert "qdeck.toml" in refused["detail"]
        assert (await house.send("GET", CONFIG))["backend"] == "builtin"  # all or nothing
    finally:
        house.close()


async def test_a_change_takes_effect_at_once_and_is_audited(house: House) -> None:
    change = {"backend": "ollama", "ollama_url": "http://127.0.0.1:11434/", "ollama_model": "qwen3"}
    told = await house.send("PUT", CONFIG, json=change)
    assert (told["backend"], told["ollama_url"], told["ollama_model"]) == ("ollama", "http://127.0.0.1:11434", "qwen3")
    await house.send("PUT", CONFIG, json={"redact_sensitive": False})
    status = await house.send("GET", "/q/copilot/status")
    assert status == {"backend": "ollama", "model": "qwen3", "address": "http://127.0.0.1:11434", "local": True,
                      "external": False, "ready": True, "reason": ""}  # fmt: skip
    records = house.parts.audit.page(action="settings.change")[1]
    changed = [record["target"] for record in records][1:]
    assert changed == ["copilot.ollama_model", "copilot.ollama_url", "copilot.backend"]
    assert records[1]["detail"] == {"before": "llama3", "after": "qwen3"} and records[1]["actor"] == ADMIN.name


@pytest.mark.parametrize(
    ("change", "status", "words"),
    [
        ({"openai_api_key": KEY}, 400, "keys are never sent or stored here"),
        ({"anthropic_api_key": KEY}, 400, '"env:NAME" or "file:/path"'),
        ({"openai_api_key": "file:/etc/shadow"}, 409, "only in the configuration file"),
        ({"openai_base_url": "http://evil.example"}, 409, "only in the configuration file"),
        ({"ollama_url": "ftp://x"}, 400, "is not an address"),
        ({"ollama_url": "http://user:secret@x"}, 400, "is not an address"),
        ({"backend": "ollama", "ollama_url": "http://gpu.example:11434", "redact_sensitive": False}, 400,
         "always redacted"),
        ({"max_history_per_user": 0}, 422, ""),
        ({"backend": "bard"}, 422, ""),
        ({"unknown": 1}, 422, ""),
    ],
)  # fmt: skip
async def test_what_is_refused_changes_nothing(house: House, change: dict[str, Any], status: int, words: str) -> None:
    before = await house.send("GET", CONFIG)
    async with house.as_() as asking:
        answer = await asking.put(CONFIG, json=change)
    assert answer.status_code == status or (status == 422 and answer.status_code == 400)
    assert words in answer.json()["detail"] and KEY not in answer.text
    assert await house.send("GET", CONFIG) == before
    assert house.parts.audit.page(action="settings.change")[0] == 0


async def test_redaction_that_is_off_holds_for_this_machine_only(house: House) -> None:
    await house.send("PUT", CONFIG, json={"backend": "ollama", "redact_sensitive": False})
    refused = await house.send("PUT", CONFIG, expect=400, json={"ollama_url": "http://gpu.example:11434"})
    assert "redact_sensitive" in refused["detail"]
    # Whatever the settings say: what leaves the machine is redacted.
    house.parts.settings.change("copilot.ollama_url", "http://gpu.example:11434", "root")
    current = house.parts.settings.current.copilot
    assert current.redact_sensitive is False and current.redacts is True


@pytest.mark.parametrize(
    ("address", "own"),
    [("http://localhost:11434", True), ("http://127.0.0.1", True), ("http://127.9.9.9/v1", True),
     ("http://[::1]:1", True),
     ("http://localhost.example", False), ("http://127.0.0.1.example", False), ("http://10.0.0.1", False),
     ("http://0.0.0.0:1", False), ("https://api.openai.com/v1", False), ("http://[bad", False), ("", False)],
)  # fmt: skip
def test_loopback(address: str, own: bool) -> None:
    assert is_loopback(address) == own


@pytest.mark.parametrize(
    ("values", "address", "model", "local"),
    [
        ({}, None, None, True),
        ({"backend": "ollama"}, "http://localhost:11434", "llama3", True),
        ({"backend": "anthropic"}, "https://api.anthropic.com", "claude-sonnet-4-20250514", False),
        ({"backend": "openai"}, "https://api.openai.com/v1", "gpt-4o-mini", False),
        ({"backend": "openai", "openai_base_url": "http://localhost:8000/v1"}, "http://localhost:8000/v1",
         "gpt-4o-mini", True),
    ],
)  # fmt: skip
def test_where_questions_go(values: dict[str, Any], address: str | None, model: str | None, local: bool) -> None:
    section = Copilot.model_validate(values)
    assert (section.address, section.model, section.local) == (address, model, local)
    assert section.redacts


@pytest.mark.parametrize(
    ("input", "output", "cost"), [(None, None, None), (1.0, 10.0, 0.012), (None, 10.0, 0.01), (0.0, 0.0, 0.0)]
)
def test_cost(input: float | None, output: float | None, cost: float | None) -> None:
    found = Copilot(price_input=input, price_output=output).cost(2000, 1000)
    assert found == (cost if cost is None else pytest.approx(cost))


@pytest.mark.parametrize(
    ("values", "words"),
    [
        ({"backend": "openai"}, "no key is set"),
        ({"backend": "anthropic"}, "copilot.anthropic_api_key"),
        ({"backend": "openai", "openai_api_key": "env:QDECK_TEST_UNSET_KEY"}, "QDECK_TEST_UNSET_KEY is not set"),
        ({"backend": "openai", "openai_base_url": "http://localhost:8000/v1", "redact_sensitive": False}, ""),
        ({"backend": "ollama", "redact_sensitive": False}, ""),
        ({"backend": "ollama"}, ""),
        ({}, ""),
    ],
)
def test_what_is_missing(values: dict[str, Any], words: str) -> None:
    reason = asking_models.not_ready(Copilot.model_validate(values))
    assert words in reason and bool(reason) == bool(words)


def test_backends_are_told_what_the_settings_say(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("QDECK_TEST_KEY", KEY)
    section = Copilot(
        backend="openai", openai_api_key="env:QDECK_TEST_KEY", openai_base_url="http://localhost:8000/v1",
        price_input=1.0, timeout_seconds=30, max_tokens=500,
    )  # fmt: skip
    config, limits = asking_models.config_of(section), asking_models.limits_of(section)
    assert (config.backend, config.model, config.url, config.key) == (
        "openai", "gpt-4o-mini", "http://localhost:8000/v1", KEY,
    )  # fmt: skip
    assert config.price is not None and config.price.of(1_000_000, 5) == 1.0 and KEY not in repr(config)
    assert (limits.total, limits.first, limits.tokens, limits.connect) == (30, 30, 500, 5)
    with pytest.raises(CannotAsk, match="no language model"):
        asking_models.config_of(Copilot())


def test_nothing_is_sent_that_is_to_be_hidden_and_cannot_be() -> None:
    off = Copilot(backend="ollama", redact_sensitive=False)
    sources = Unreadable()
    assert asking_models.redactor_of(off, sources) is None  # type: ignore[arg-type]
    for section in (
        Copilot(backend="ollama"),
        Copilot(backend="ollama", ollama_url="http://gpu.example", redact_sensitive=False),
        Copilot(backend="anthropic", redact_sensitive=False),
    ):
        with pytest.raises(CannotAsk, match="being closed"):
            asking_models.redactor_of(section, sources)  # type: ignore[arg-type]


class Unreadable:
    """Sources whose names cannot be read just now."""

    scope = Scope(projects=("nobody-else-has-this",))

    def may(self, entity: str) -> bool:
        return True

    def version(self, type: str | None = None) -> int:
        return 1

    def read(self, work: Any) -> Any:
        raise NotAvailable("the store is being closed")


async def test_the_connection_is_tried(house: House, monkeypatch: pytest.MonkeyPatch) -> None:
    tried = "/api/copilot/test-connection"
    assert (await house.send("POST", tried))["success"] is True
    asked: list[Any] = []

    def test(config: Any) -> Any:
        asked.append(config)
        return connection.Tried(True, "Ollama answers with qwen3.", 245, ("qwen3",))

    monkeypatch.setattr(connection, "test_connection", test)
    body = {"backend": "ollama", "ollama_url": "http://localhost:1", "ollama_model": "qwen3"}
    assert await house.send("POST", tried, json=body) == {
        "success": True, "message": "Ollama answers with qwen3.", "latency_ms": 245, "models": ["qwen3"],
    }  # fmt: skip
    assert (asked[0].url, asked[0].model) == ("http://localhost:1", "qwen3")
    failed = await house.send("POST", tried, json={"backend": "anthropic"})
    assert failed["success"] is False and "no key is set" in failed["message"] and len(asked) == 1
    await house.send("POST", tried, expect=400, json={"backend": "ollama", "ollama_url": "nonsense"})


async def test_nobody_at_the_address_is_an_answer(house: House) -> None:
    body = {"backend": "ollama", "ollama_url": "http://127.0.0.1:9"}
    told = await house.send("POST", "/api/copilot/test-connection", json=body)
    assert told["success"] is False and told["message"]
