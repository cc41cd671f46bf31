"""The process in which a model's statement runs: it holds the asker's rows and nothing else, and may be ended any time.

It speaks with the engine over its standard input and output: requests and answers are JSON after their length, rows
come as an Arrow stream. It opens no file, and it is limited by the kernel: memory, processor time, no file larger than
nothing. What it prints elsewhere is nobody's business.
"""

from __future__ import annotations

import json
import math
import os
import resource
import struct
import sys
import threading
from collections.abc import Sequence
from datetime import date, datetime, time
from decimal import Decimal
from typing import TYPE_CHECKING, Any, BinaryIO

if TYPE_CHECKING:
    import duckdb

LENGTH = struct.Struct(">I")
MAX_REQUEST = 16 << 20  # bytes
RESERVED = 64 << 20  # bytes that are set aside, as stacks are, and not used
MAX_CELL = 2000  # characters
MAX_PARTS = 100  # of a list
MAX_ANSWER = 2 << 20  # characters of all rows
MAX_COUNTED = 100_000  # rows
_DEPTH = 4


def main() -> None:
    """Answer requests until standard input ends. Arguments: bytes of memory, seconds."""
    memory, seconds = int(sys.argv[1]), int(sys.argv[2])
    source, sink = os.fdopen(0, "rb"), os.fdopen(os.dup(1), "wb")
    _limit(memory, seconds)
    connection = _database(memory)
    while request := _request(source):
        try:
            answer = _answer(connection, request, source)
        except MemoryError:
            answer = {"error": "memory", "message": ""}
        except Exception as error:
            answer = {"error": _kind(error), "message": str(error)[:4000]}
        if peak := _peak():
            answer["peak"] = peak
        body = json.dumps(answer).encode()
        sink.write(LENGTH.pack(len(body)) + body)
        sink.flush()


def _limit(memory: int, seconds: int) -> None:
    """Before anything is read: what this process may use at most. The engine has the processor first."""
    os.nice(5)
    for kind, most in (
        (resource.RLIMIT_CORE, 0),
        (resource.RLIMIT_FSIZE, 0),
        (resource.RLIMIT_CPU, 2 * seconds + 2),
        (resource.RLIMIT_DATA, memory + RESERVED),
    ):
        resource.setrlimit(kind, (most, most))
    # The engine ends this process in time. Where the engine is gone, it ends itself.
    timer = threading.Timer(seconds + 5, os._exit, (3,))
    timer.daemon = True
    timer.start()


def _database(memory: int) -> duckdb.DuckDBPyConnection:
    import duckdb

    connection = duckdb.connect(
        ":memory:",
        config={
            "threads": 1,
            "memory_limit": f"{memory * 6 // 10}B",
            "python_enable_replacements": "false",
            "autoinstall_known_extensions": "false",
            "autoload_known_extensions": "false",
            "allow_community_extensions": "false",
        },
    )
    connection.execute("SET temp_directory = ''")
    connection.execute("SET enable_external_access = false")
    # The parser's own writing of a lambda is the old arrow.
    connection.execute("SET lambda_syntax = 'ENABLE_SINGLE_ARROW'")
    connection.execute("SET TimeZone = 'UTC'")
    connection.execute("SET lock_configuration = true")
    return connection


def _request(source: BinaryIO) -> dict[str, Any] | None:
    head = _exactly(source, LENGTH.size)
    if head is None:
        return None
    body = _exactly(source, min(LENGTH.unpack(head)[0], MAX_REQUEST))
    return None if body is None else dict(json.loads(body))


def _exactly(source: BinaryIO, count: int) -> bytes | None:
    parts = b""
    while len(parts) < count:
        part = source.read(count - len(parts))
        if not part:
            return None
        parts += part
    return parts


def _answer(connection: duckdb.DuckDBPyConnection, request: dict[str, Any], source: BinaryIO) -> dict[str, Any]:
    if request["do"] == "ask":
        return {"rows": connection.execute(request["sql"], request["values"]).fetchall()}
    if request["do"] == "load":
        return _load(connection, request["table"], source)
    return _run(connection, request["sql"], request["limit"])


def _load(connection: duckdb.DuckDBPyConnection, table: str, source: BinaryIO) -> dict[str, Any]:
    import pyarrow

    try:
        with pyarrow.ipc.open_stream(source) as reader:
            connection.register("arriving", reader)
            connection.execute(f'CREATE TABLE "{table}" AS SELECT * FROM arriving')
            connection.unregister("arriving")
    except BaseException:
        # The rest of the rows stands in the input: whatever follows would be read as a request.
        os.close(0)
        raise
    return {}


def _run(connection: duckdb.DuckDBPyConnection, sql: str, limit: int) -> dict[str, Any]:
    connection.execute("BEGIN TRANSACTION READ ONLY")
    try:
        return _rows(connection, sql, limit)
    finally:
        connection.execute("ROLLBACK")


def _rows(connection: duckdb.DuckDBPyConnection, sql: str, limit: int) -> dict[str, Any]:
    """The rows, of which more are counted than given."""
    result = connection.execute(f"SELECT * FROM ({sql}) LIMIT {MAX_COUNTED + 1}")
    columns = [{"name": str(one[0])[:MAX_CELL], "type": str(one[1])[:40]} for one in result.description]
    found = result.fetchmany(limit)
    total = len(found)
    rows: list[list[Any]] = []
    size = 0
    for row in found:
        values = [_plain(value) for value in row]
        size += sum(len(json.dumps(value)) for value in values)
        if size > MAX_ANSWER:
            break
        rows.append(values)
    while found and (found := result.fetchmany(1000)):
        total += len(found)
    return {"columns": columns, "rows": rows, "total": total, "cut": size > MAX_ANSWER}


def _plain(value: Any, depth: int = _DEPTH) -> Any:
    """A value as JSON has it; times as RFC 3339."""
    if value is None or isinstance(value, bool | int):
        return value
    if isinstance(value, float):
        return value if math.isfinite(value) else None
    if isinstance(value, str):
        return value[:MAX_CELL]
    if isinstance(value, Decimal):
        return int(value) if value == value.to_integral_value() else float(value)
    if isinstance(value, datetime):
        return f"{value.replace(tzinfo=None).isoformat()}Z"
    if isinstance(value, date | time):
        return value.isoformat()
    if depth and isinstance(value, dict):
        return {str(key)[:MAX_CELL]: _plain(part, depth - 1) for key, part in list(value.items())[:MAX_PARTS]}
    if depth and isinstance(value, Sequence) and not isinstance(value, bytes | bytearray):
        return [_plain(part, depth - 1) for part in value[:MAX_PARTS]]
    return str(value)[:MAX_CELL]


def _kind(error: Exception) -> str:
    import duckdb

    return "memory" if isinstance(error, duckdb.OutOfMemoryException) else type(error).__name__


def _peak() -> int:
    """The most memory that was in use, in bytes; 0 where the system does not tell."""
    try:
        with open("/proc/self/status") as status:  # noqa: PTH123 - pathlib is not worth its import here
            return next(int(line.split()[1]) * 1024 for line in status if line.startswith("VmHWM:"))
    except (OSError, StopIteration):
        return 0


if __name__ == "__main__":
    main()
