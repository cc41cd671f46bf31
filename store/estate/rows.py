"""From documents to rows. One `RowBuilder` serves one listing; it is used by one thread at a time.

    writer = estate.begin(listing)
    builder = writer.builder()            # knows the current hashes, so unchanged rows cost a hash and nothing else
    for doc in page: builder.add(doc)     # redacted documents
    writer.add(builder.take())            # every 1,000 rows or so; `builder.full` says when
    writer.finish(ended_at=utcnow())

Documents are hostile: whatever a JSON parser can make is stored or counted as rejected, never raised.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

from store.estate.documents import BLOB_BYTES, Blobs, hasher
from store.estate.schema import own_columns

if TYPE_CHECKING:
    import pyarrow

    from store.types.declaration import ResourceType

BATCH_ROWS = 1000
# Types whose `revision_number` only moves when they themselves are written. That of a security group moves with its
# rules and that of a router with its interfaces, which are told by themselves.
COUNTED = frozenset({"network", "subnet", "port", "floating_ip"})
_ID_CHARACTERS = 1024
_SEARCH_CHARACTERS = 1000  # of one value
_SEARCH_ITEMS = 100  # of one list
_TEXT_CHARACTERS = 8192  # of one typed column; the document keeps the whole


@dataclass(slots=True)
class Batch:
    """Rows on their way to the store.

    rows       wide rows: (id, scope, hash, denied, deleted, *typed columns, search, doc)
    ids        id -> index of its wide row, or -1 when the row is unchanged; the last row of an id wins
    bare       ids seen without a document
    volatile   id -> values of the type's volatile columns
    blobs      hash -> (bytes, value) of values kept apart; `blob_uses` are (hash, id)
    rejected   documents without a usable id
    revisions  id -> Neutron's number of writes, of the types whose number is watched
    """

    rows: list[tuple[Any, ...]] = field(default_factory=list)
    ids: dict[str, int] = field(default_factory=dict)
    bare: list[str] = field(default_factory=list)
    volatile: dict[str, tuple[Any, ...]] = field(default_factory=dict)
    blobs: dict[str, tuple[int, str]] = field(default_factory=dict)
    blob_uses: list[tuple[str, str]] = field(default_factory=list)
    rejected: int = 0
    revisions: dict[str, int] = field(default_factory=dict)

    def __len__(self) -> int:
        return len(self.ids) + len(self.bare) + self.rejected


class RowBuilder:
    """Makes batches of rows of one type out of documents."""

    def __init__(self, type: ResourceType, *, known: Mapping[str, bytes] | None = None) -> None:
        """`known` maps ids to the hash they were last listed with; rows that match it are not built."""
        from store.types import extract

        self.type = type
        self._known = known if known is not None else {}
        self._extract = extract.extractor(type)
        self._denied = extract.denied if any(column.guarded for column in type.columns) else None
        self.identity = extract.identifier(type)
        self._hash = hasher(volatile_paths(type))
        names = [column.name for column in type.columns]
        self._own = [names.index(name) for name, _ in own_columns(type)]
        self._all_own = self._own == list(range(len(names)))
        self._search = [i for i, column in enumerate(type.columns) if column.search]
        self._volatile = [i for i, column in enumerate(type.columns) if column.volatile]
        self._project = names.index(type.owner) if type.owner else -1
        self._text = [i for i, column in enumerate(type.columns) if column.sql == "VARCHAR"]
        self._counted = type.name in COUNTED
        self._batch = Batch()

    def __len__(self) -> int:
        """Rows added since the last `take`."""
        return len(self._batch)

    @property
    def full(self) -> bool:
        """Whether it is time to `take`."""
        return len(self._batch) >= BATCH_ROWS

    def add(self, doc: dict[str, Any], *, deleted: bool = False, bare: bool = False) -> bool:
        """One redacted document; answers whether it is new or changed.

        deleted  the API reports the resource as deleted: its current version is closed
        bare     the row of a down cell: it was seen, its last state is kept
        """
        batch = self._batch
        id = self.identity(doc) if isinstance(doc, dict) else None
        if id is None or len(id) > _ID_CHARACTERS:
            batch.rejected += 1
            return False
        if bare:
            batch.bare.append(id)
            return False
        if self._counted and (revision := doc.get("revision_number")) is not None and type(revision) is int:
            batch.revisions[id] = revision
        digest, data = self._hash(doc)
        blobs = None
        if len(data) > BLOB_BYTES:
            blobs = Blobs()
            doc = blobs.shrink(doc)
            digest, data = self._hash(doc)
        if not deleted and self._known.get(id) == digest:
            batch.ids[id] = -1
            if self._volatile:
                self._measure(id, self._extract(doc))
            return False
        self._wide(id, doc, digest, deleted, data)
        if blobs is not None:
            batch.blobs.update(blobs.found)
            batch.blob_uses.extend((hash, id) for hash in blobs.found)
        return True

    def add_id(self, id: str) -> None:
        """An id of an "ids" listing: the resource exists, nothing else is known."""
        self._batch.bare.append(id)

    def take(self) -> Batch:
        """The rows added since the last call; the builder starts the next batch."""
        batch, self._batch = self._batch, Batch()
        return batch

    def values(self, doc: dict[str, Any], *, short: bool = False) -> tuple[str, list[str], list[Any], str]:
        """(scope, denied, typed columns in table order, search text) of a document.

        `short`: the whole document is shorter than a text column may be, so none of its texts need be cut.
        """
        values = self._extract(doc)
        for i in () if short else self._text:
            value = values[i]
            if value is not None and len(value) > _TEXT_CHARACTERS:
                values[i] = value[:_TEXT_CHARACTERS]
        scope = (values[self._project] or "") if self._project >= 0 else ""
        denied = self._denied(self.type, doc) if self._denied else []
        search = self._search_text(values)
        return scope, denied, values if self._all_own else [values[i] for i in self._own], search

    def _measure(self, id: str, values: list[Any]) -> None:
        self._batch.volatile[id] = tuple(values[i] for i in self._volatile)

    def _wide(self, id: str, doc: dict[str, Any], digest: bytes, deleted: bool, data: bytes) -> None:
        scope, denied, values, search = self.values(doc, short=len(data) <= _TEXT_CHARACTERS)
        if self._volatile:
            self._measure(id, self._extract(doc))
        row = (id, scope, digest, denied, deleted, *values, f"{search} {id.lower()}", data)
        self._batch.ids[id] = len(self._batch.rows)
        self._batch.rows.append(row)

    def _search_text(self, values: list[Any]) -> str:
        words = []
        for i in self._search:
            value = values[i]
            if type(value) is str:
                words.append(value)
            elif type(value) is list:
                words += value[:_SEARCH_ITEMS]
            elif value is not None:
                words.append(str(value))
        text = " ".join(words)
        if len(text) > _SEARCH_CHARACTERS:
            text = " ".join(word[:_SEARCH_CHARACTERS] for word in words)
        return text.lower()


def volatile_paths(type: ResourceType) -> list[tuple[str, ...]]:
    """Paths of a document that are left out of its hash."""
    return [*type.volatile_paths, *(column.path for column in type.columns if column.volatile and column.path)]


def arrow_columns(type: ResourceType) -> list[tuple[str, str]]:
    """(name, SQL type) of a wide row, in order; "UTF-8" is a text whose bytes are there already."""
    leading = [("id", "VARCHAR"), ("scope", "VARCHAR"), ("hash", "BLOB"), ("denied", "VARCHAR[]")]
    return [*leading, ("deleted", "BOOLEAN"), *own_columns(type), ("search", "VARCHAR"), ("doc", "UTF-8")]


def to_arrow(columns: list[tuple[str, str]], rows: list[tuple[Any, ...]]) -> pyarrow.Table:
    """An Arrow table of rows; a value that does not fit its column's type becomes NULL."""
    import pyarrow as pa

    kinds = {
        "VARCHAR": pa.string(),
        "BIGINT": pa.int64(),
        "INTEGER": pa.int32(),
        "DOUBLE": pa.float64(),
        "BOOLEAN": pa.bool_(),
        "TIMESTAMP": pa.timestamp("us"),
        "VARCHAR[]": pa.list_(pa.string()),
        "BLOB": pa.binary(),
        "UTF-8": pa.binary(),
    }
    arrays = []
    values: Any = list(zip(*rows, strict=True)) if rows else [()] * len(columns)
    for (_, sql), column in zip(columns, values, strict=True):
        try:
            array = pa.array(column, kinds[sql])
            arrays.append(array.view(pa.string()) if sql == "UTF-8" else array)
        except (pa.ArrowException, ValueError, TypeError, OverflowError):
            arrays.append(pa.array([_fitting(value, kinds[sql]) for value in column], kinds[sql]))
    return pa.table(arrays, names=[name for name, _ in columns])


def _fitting(value: Any, kind: pyarrow.DataType) -> Any:
    import pyarrow as pa

    if isinstance(value, str):
        value = value.encode("utf-8", "replace").decode("utf-8")
    try:
        return pa.scalar(value, kind).as_py()
    except (pa.ArrowException, ValueError, TypeError, OverflowError):
        return None
