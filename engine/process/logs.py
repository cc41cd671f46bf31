"""Structured logs: one JSON object a line, in files of the owner's alone that are rotated by size.

Worker and parent write to files of their own (`engine.log`, `parent.log`), since two processes can't rotate one file.
What looks like a secret is taken out of every entry here, whoever wrote it.
"""

from __future__ import annotations

import contextlib
import logging
import os
import re
from collections.abc import MutableMapping
from logging.handlers import RotatingFileHandler
from pathlib import Path
from typing import Any

import orjson
import structlog

from store.redact import HIDDEN, is_secret

WORKER_LOG = "engine.log"
PARENT_LOG = "parent.log"
_LONGEST_TEXT = 16 * 1024
_DEPTH = 6

# Headers whose value alone grants access; their names don't all look like a secret.
_HEADERS = frozenset({"authorization", "cookie", "set-cookie", "x-subject-token"})
# Linear on any text: nothing before a keyword is matched, and every repetition ends at a class it does not hold.
_IN_TEXT = re.compile(
    r"""(?ix)
    (?P<keep>
        authorization (?:\\*["'])? \s*[:=]\s* (?:\\*["'])? (?:(?:bearer|basic)\s+)?
      | (?:password|passwd|passphrase|secret|adminpass|token|cookie|api[_-]?key) (?:\\*["'])? \s*[:=]\s* (?:\\*["'])?
      | \b (?:bearer|basic) \s+
    ) [^\s"',;}\\]+
    | (?P<scheme> ://[^\s/:@]{0,200}: ) [^\s/@]{1,200} (?=@)
    | \b gAAAA [\w-]{20,} ={0,2}
    | \b eyJ [\w-]{8,} \. [\w-]{8,} \. [\w-]*
    """
)


class PrivateRotatingFile(RotatingFileHandler):
    """A rotated log file with mode 0600. A full disk loses entries, counted in the next one, and stops nobody."""

    def __init__(self, path: Path, most_bytes: int, keep: int) -> None:
        self.lost = 0
        self._bytes = 0
        super().__init__(path, maxBytes=most_bytes, backupCount=keep, encoding="utf-8", delay=True)

    def _open(self) -> Any:
        flags = os.O_WRONLY | os.O_APPEND | os.O_CREAT | os.O_NOFOLLOW | os.O_CLOEXEC
        descriptor = os.open(self.baseFilename, flags, 0o600)
        self._bytes = os.fstat(descriptor).st_size
        return os.fdopen(descriptor, "a", encoding="utf-8", errors="backslashreplace")

    def emit(self, record: logging.LogRecord) -> None:
        """Write one entry, by our own count of the file's bytes: the base class renders each entry twice and asks the
        file system four times, and each time another thread may take the interpreter from an answer that somebody
        waits for.
        """
        if self.lost:
            record.msg = f"{record.msg}" if not isinstance(record.msg, dict) else {**record.msg, "lost": self.lost}
        try:
            line = self.format(record) + self.terminator
            size = len(line.encode(errors="backslashreplace"))
            if self.stream is None:
                self.stream = self._open()
            if 0 < self.maxBytes < self._bytes + size:
                self.doRollover()
                self.stream = self._open()
            self.stream.write(line)
            self.flush()
        except Exception:
            self.handleError(record)
        else:
            self._bytes += size
            self.lost = 0

    def handleError(self, record: logging.LogRecord) -> None:
        self.lost += 1
        # What waits in its buffer would be written again and again, and grow.
        stream, self.stream = self.stream, None  # type: ignore[assignment]
        if stream is not None:
            with contextlib.suppress(OSError, ValueError):
                stream.close()


def configure(
    folder: Path, name: str, *, level: str = "INFO", most_megabytes: int = 10, keep: int = 5, echo: bool = False
) -> None:
    """Send structlog's and the standard library's entries of this process to `folder/name`.

    level           least serious entries that are written
    most_megabytes  size at which the file is rotated; `keep` older ones are kept
    echo            also to stderr, for an engine in the foreground
    """
    logging.raiseExceptions = False  # a terminal that went away must not turn log entries into errors
    handlers: list[logging.Handler] = [PrivateRotatingFile(folder / name, most_megabytes * 1024 * 1024, keep)]
    if echo:
        handlers.append(logging.StreamHandler())
    shared: list[Any] = [
        structlog.contextvars.merge_contextvars,
        structlog.stdlib.add_logger_name,
        structlog.stdlib.add_log_level,
        structlog.stdlib.ExtraAdder(allow=()),
        structlog.processors.TimeStamper(fmt="iso", utc=True),
        structlog.processors.format_exc_info,
        without_secrets,
    ]
    formatter = structlog.stdlib.ProcessorFormatter(
        foreign_pre_chain=shared,
        processors=[structlog.stdlib.ProcessorFormatter.remove_processors_meta, _process, _render],
    )
    root = logging.getLogger()
    for old in root.handlers[:]:
        root.removeHandler(old)
        old.close()
    for handler in handlers:
        handler.setFormatter(formatter)
        root.addHandler(handler)
    set_level(level)
    # Libraries say at INFO what is our own business at DEBUG at best.
    for library in ("uvicorn", "httpx", "httpcore", "keystoneauth", "openstack", "asyncio", "urllib3"):
        logging.getLogger(library).setLevel(logging.WARNING)
    structlog.configure(
        processors=[
            structlog.stdlib.filter_by_level,
            structlog.stdlib.PositionalArgumentsFormatter(),
            *shared,
            structlog.stdlib.ProcessorFormatter.wrap_for_formatter,
        ],
        logger_factory=structlog.stdlib.LoggerFactory(),
        wrapper_class=structlog.stdlib.BoundLogger,
        cache_logger_on_first_use=False,
    )


def set_level(level: str) -> None:
    """Change the least serious level that is written."""
    logging.getLogger().setLevel(level)


def close() -> None:
    """Write out and close the files."""
    for handler in logging.getLogger().handlers[:]:
        handler.close()


def without_secrets(logger: Any, method: str, entry: MutableMapping[str, Any]) -> MutableMapping[str, Any]:
    """A structlog processor that hides values by the name of their field and by their look."""
    for key, value in entry.items():
        if key.startswith("_"):
            continue  # structlog's own
        entry[key] = _clean(key, value, _DEPTH)
    return entry


def _clean(key: str, value: Any, depth: int) -> Any:
    if value is None or isinstance(value, bool | int | float):
        return value
    if is_secret(key) or key.lower() in _HEADERS:
        return HIDDEN
    if isinstance(value, bytes):
        value = value.decode("utf-8", "replace")
    if isinstance(value, str):
        return clean_text(value)
    if depth <= 0:
        return clean_text(str(value))
    if isinstance(value, dict):
        return {str(k): _clean(str(k), v, depth - 1) for k, v in value.items()}
    if isinstance(value, list | tuple | set | frozenset):
        return [_clean("", v, depth - 1) for v in value]
    return clean_text(str(value))


def clean_text(text: str) -> str:
    """The text without what looks like a token, a password or a login in an address; at most 16 KB of it."""
    if len(text) > _LONGEST_TEXT:
        text = f"{text[:_LONGEST_TEXT]}... ({len(text)} characters)"
    return _IN_TEXT.sub(lambda found: f"{found['keep'] or found['scheme'] or ''}{HIDDEN}", text)


def _process(logger: Any, method: str, entry: MutableMapping[str, Any]) -> MutableMapping[str, Any]:
    entry["pid"] = os.getpid()
    return entry


def _render(logger: Any, method: str, entry: MutableMapping[str, Any]) -> str:
    level = str(entry.pop("level", "info")).upper()
    line = {"timestamp": entry.pop("timestamp", None), "level": level, "event": entry.pop("event", ""), **entry}
    try:
        return orjson.dumps(line, default=str, option=orjson.OPT_NON_STR_KEYS).decode()
    except (TypeError, ValueError):  # lone surrogates, integers beyond 64 bits
        import json

        return json.dumps(line, default=str)
