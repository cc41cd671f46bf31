"""Log files: JSON lines, private, rotated, without secrets, and never in anybody's way."""

import json
import logging
import os
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
import structlog

from engine.process import logs

NEEDLE = "s3cr3t-needle"  # planted everywhere below


@pytest.fixture(autouse=True)
def _undone() -> Iterator[None]:
    """Logging is the process's: put back what other tests use."""
    root = logging.getLogger()
    handlers, level, raising = root.handlers[:], root.level, logging.raiseExceptions
    levels = {name: logging.getLogger(name).level for name in ("uvicorn", "httpx", "asyncio")}
    yield
    logs.close()
    root.handlers[:] = handlers
    root.setLevel(level)
    logging.raiseExceptions = raising
    for name, old in levels.items():
        logging.getLogger(name).setLevel(old)
    structlog.reset_defaults()


def entries(path: Path) -> list[dict[str, Any]]:
    return [json.loads(line) for line in path.read_text().splitlines()]


def test_entries_are_json_lines_of_the_owner_alone(tmp_path: Path) -> None:
    logs.configure(tmp_path, "engine.log")
    structlog.get_logger("qdeck.x").info("something happened", count=3, path=Path("/a"), bad="\ud800", big=10**30)
    logging.getLogger("library").warning("old %s", "style")
    file = tmp_path / "engine.log"
    first, second = entries(file)
    assert (first["event"], first["logger"], first["level"], first["count"]) == (
        "something happened",
        "qdeck.x",
        "INFO",
        3,
    )
    assert first["timestamp"].endswith("Z") and first["pid"] == os.getpid()
    assert (second["event"], second["level"], second["logger"]) == ("old style", "WARNING", "library")
    assert file.stat().st_mode & 0o777 == 0o600


def test_level_can_be_changed(tmp_path: Path) -> None:
    logs.configure(tmp_path, "engine.log", level="WARNING")
    log = structlog.get_logger("qdeck.x")
    log.info("no")
    logs.set_level("DEBUG")
    log.debug("yes")
    assert [entry["event"] for entry in entries(tmp_path / "engine.log")] == ["yes"]


def test_files_are_rotated_by_size_and_stay_private(tmp_path: Path) -> None:
    logs.configure(tmp_path, "engine.log", most_megabytes=1, keep=2)
    log = structlog.get_logger("qdeck.x")
    for number in range(400):
        log.info("filling", number=number, text="x" * 10_000)
    assert sorted(p.name for p in tmp_path.iterdir()) == ["engine.log", "engine.log.1", "engine.log.2"]
    for path in tmp_path.iterdir():
        assert path.stat().st_size <= 1024 * 1024
        assert path.stat().st_mode & 0o777 == 0o600
    assert entries(tmp_path / "engine.log")[-1]["number"] == 399


@pytest.mark.parametrize(
    "fields",
    [
        {"password": NEEDLE},
        {"adminPass": NEEDLE},
        {"request": {"headers": {"X-Auth-Token": NEEDLE, "Authorization": NEEDLE, "Cookie": NEEDLE}}},
        {"items": [{"deep": {"application_credential_secret": NEEDLE}}]},
        {"text": f"Authorization: Bearer {NEEDLE}"},
        {"text": f"curl -H 'X-Auth-Token: {NEEDLE}' http://x"},
        {"text": f'{{"password": "{NEEDLE}", "name": "x"}}'},
        {"url": f"https://me:{NEEDLE}@example.org/x"},
        {"text": f"got gAAAAA{NEEDLE}abcdefghijklmnop"},
        {"raw": f"password={NEEDLE}".encode()},
        {"d": {"a": {"b": {"c": {"d": {"e": {"f": {"token": NEEDLE}}}}}}}},
    ],
)
def test_secrets_are_never_written(tmp_path: Path, fields: dict[str, Any]) -> None:
    logs.configure(tmp_path, "engine.log")
    structlog.get_logger("qdeck.x").info("called", **fields)
    logging.getLogger("library").error("%s", json.dumps(fields, default=repr))
    text = (tmp_path / "engine.log").read_text()
    assert text.count("\n") == 2
    assert NEEDLE not in text


def test_secrets_in_tracebacks_are_never_written(tmp_path: Path) -> None:
    logs.configure(tmp_path, "engine.log")
    try:
        raise ValueError(f"login failed with password={NEEDLE}")
    except ValueError:
        structlog.get_logger("qdeck.x").exception("failed")
    (entry,) = entries(tmp_path / "engine.log")
    assert "ValueError" in entry["exception"]
    assert NEEDLE not in json.dumps(entry)


def test_a_huge_value_is_cut(tmp_path: Path) -> None:
    logs.configure(tmp_path, "engine.log")
    structlog.get_logger("qdeck.x").info("big", text="y" * 10_000_000)
    assert (tmp_path / "engine.log").stat().st_size < 20_000


def test_a_disk_that_takes_nothing_stops_nobody_and_the_loss_is_told(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    logs.configure(tmp_path, "engine.log")
    log = structlog.get_logger("qdeck.x")
    log.info("before")
    (handler,) = logging.getLogger().handlers
    assert isinstance(handler, logs.PrivateRotatingFile)
    handler.close()
    handler.stream = None
    with monkeypatch.context() as disk:
        disk.setattr(handler, "_open", lambda: Path("/dev/full").open("a"))  # noqa: SIM115
        log.info("lost one")
        log.info("lost two")
    log.info("after")
    found = entries(tmp_path / "engine.log")
    assert [entry["event"] for entry in found] == ["before", "after"]
    assert found[-1]["lost"] == 2


@pytest.mark.parametrize("text", ["x" * 16000, "a-b_" * 4000, "http://" * 2000, "token " * 2500, "basic " * 2000,
                                  "eyJ" * 5000, "eyJaaaaaaaa." * 1300, "gAAAA" * 3000, "password: " * 1600,
                                  "://a:" * 3000, "cookie=\\\\" * 2000])  # fmt: skip
def test_no_text_takes_long_to_clean(text: str) -> None:
    began = time.process_time()
    logs.clean_text(text)
    assert time.process_time() - began < 0.5
