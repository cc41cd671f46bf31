"""The durable-workflow library (DBOS Transact), kept behind one class: launched late, silent, in the operations file.

Its tables lie in `ops.sqlite`, so a step's result and the library's own checkpoint are one transaction (its SQLAlchemy
data source) and a backup of ops copies both. It has an SQLAlchemy engine of its own on that file, because it expects
the driver to open transactions and `Ops` opens them itself; write-ahead log and full syncing are the same.

`application_version` is a constant: by default it is a hash of the workflow's source, and a job that is open when one
line changes would silently never be picked up again.
"""

from __future__ import annotations

import logging
import threading
from collections.abc import Callable
from pathlib import Path
from typing import Any

# The library loads it with the first job: statements that other threads make while it is half loaded would fail.
import sqlalchemy.orm  # noqa: F401
import structlog
from sqlalchemy import Connection, Engine, create_engine, event

from store.ops.errors import OpsDiskFull, OpsError, translate

APPLICATION_VERSION = "quarterdeck-jobs-1"  # changes only with code that takes over the open jobs of the one before
_WORKFLOW = "quarterdeck.job"
_BUSY_SECONDS = 30.0
# An error that was checkpointed is told again at every resumption; more of them than this in a row is a fault of ours.
_MOST_ERRORS = 100
_TIDIED = 1000  # most workflows that have ended whose rows are taken away at one launch

_log = structlog.get_logger("qdeck.jobs")


class Leave(BaseException):
    """Ends a workflow's thread without an outcome: it stays pending and is resumed at the next launch.

    Not an Exception: the library would record one as the workflow's failure.
    """


class Durable:
    """Runs `body(job_id)` as one workflow a job, again after every crash until it returns."""

    def __init__(self, path: Path, body: Callable[[str], None], relieve: Callable[[], bool] = lambda: False) -> None:
        """`relieve`: frees space for a record that found none; False when it can't."""
        self._path = path
        self._body = body
        self._relieve = relieve
        self._lock = threading.Lock()
        self._engine: Engine | None = None
        self._workflow: Any = None
        self._source: Any = None

    @property
    def launched(self) -> bool:
        """Whether it runs."""
        return self._workflow is not None

    def launch(self) -> None:
        """Start it, and with it the jobs of an earlier life; does nothing when it runs. About 50 ms the first time.

        Raises OpsError when its tables cannot be opened.
        """
        with self._lock:
            if self._workflow is not None:
                return
            _quiet()
            try:
                self._start()
            except Exception as error:
                self._stop()
                raise self._ops_error(error) or error from error

    def start(self, job_id: str) -> None:
        """Begin the job's workflow; a second start of the same job joins the first. Raises OpsError."""
        from dbos import DBOS, SetWorkflowID

        try:
            with SetWorkflowID(job_id):
                DBOS.start_workflow(self._workflow, job_id)
        except Exception as error:
            raise self._ops_error(error) or error from error

    def resume(self, job_id: str) -> None:
        """Run a workflow that was left (`Leave`) once more, within a second or two. Raises OpsError."""
        from dbos import DBOS

        try:
            DBOS.resume_workflow(job_id)
        except Exception as error:
            raise self._ops_error(error) or error from error

    def status(self, job_id: str) -> tuple[str, str] | None:
        """(state as the library says it, application version) of a job's workflow; None when it has none."""
        from dbos import DBOS

        found = DBOS.get_workflow_status(job_id)
        return None if found is None else (str(found.status), str(found.app_version))

    def write(self, job_id: str, act: Callable[[Connection], Any], there: Callable[[], bool]) -> None:
        """Write to the journal in one transaction with the library's checkpoint, until `there()` says it is there.

        Called by the workflow. The journal is the truth: a resumed workflow is handed the checkpoints of its earlier
        life in their order, without `act`, and goes on until the journal has what it wants to write. Raises OpsError.
        """
        errors = 0
        while not there():
            try:
                self._source.run_tx_step({"name": "journal"}, lambda: act(self._source.sql_session().connection()))
            except Exception as error:
                if (known := self._ops_error(error)) is not None:
                    if isinstance(known, OpsDiskFull) and self._relieve():
                        continue
                    raise known from error
                errors += 1
                if errors >= _MOST_ERRORS:
                    raise

    def close(self) -> None:
        """End its threads; workflows that run must have been told to leave before."""
        with self._lock:
            self._stop()

    def _start(self) -> None:
        import dbos
        from dbos._utils import GlobalParams

        GlobalParams.dbos_cloud = False  # an environment variable of the vendor's service would change the set-up
        self._engine = _engine(self._path)
        serializer = dbos.DBOSPortableJSONSerializer()
        dbos.DBOS(
            config={
                "name": "quarterdeck",
                "system_database_engine": self._engine,
                "application_version": APPLICATION_VERSION,
                "executor_id": "engine",
                "serializer": serializer,
                "enable_otlp": False,
                "use_listen_notify": False,
                "log_level": "WARNING",
            }
        )
        self._source = dbos.SQLAlchemyDatasource.create(
            f"sqlite:///{self._path}", engine=self._engine, serializer=serializer
        )
        # Recovery is unlimited: a job that is resumed for the hundredth time is still not given up.
        workflow = dbos.DBOS.workflow(name=_WORKFLOW, max_recovery_attempts=None)(_body(self._body))
        dbos.DBOS.launch()
        # Our journal keeps what was done; the library's copy of it serves jobs that are open.
        over = dbos.DBOS.list_workflows(status="SUCCESS", limit=_TIDIED, load_input=False, load_output=False)
        if over:
            dbos.DBOS.delete_workflows([found.workflow_id for found in over])
        self._workflow = workflow

    def _stop(self) -> None:
        if self._engine is None:
            return
        import dbos

        dbos.DBOS.destroy(destroy_registry=True)
        self._engine.dispose()
        self._engine = self._workflow = self._source = None

    def _ops_error(self, error: BaseException) -> OpsError | None:
        return error if isinstance(error, OpsError) else translate(error, self._path)


def _body(run: Callable[[str], None]) -> Callable[[str], str]:
    # A function of its own, not a method: the library binds a method to a registered class and instance.
    def job(job_id: str) -> str:
        run(job_id)
        return "ended"

    return job


def _engine(path: Path) -> Engine:
    engine = create_engine(
        f"sqlite:///{path}",
        connect_args={"timeout": _BUSY_SECONDS, "check_same_thread": False, "isolation_level": "IMMEDIATE"},
        pool_size=8,
        max_overflow=120,  # a workflow is a thread, and none may wait for another's connection
    )

    @event.listens_for(engine, "connect")
    def _configure(connection: Any, record: Any) -> None:
        for pragma in ("journal_mode = WAL", "synchronous = FULL", "foreign_keys = ON", "trusted_schema = OFF"):
            connection.execute(f"PRAGMA {pragma}")

    return engine


class _Forward(logging.Handler):
    """The library's warnings go to the engine's log; its console handler is never made where one is present."""

    def emit(self, record: logging.LogRecord) -> None:
        """Write it."""
        error = record.exc_info[1] if record.exc_info else None
        if isinstance(error, Leave):
            return
        _log.warning("durable workflows: " + record.getMessage(), level_name=record.levelname, error=str(error or ""))


def _quiet() -> None:
    logger = logging.getLogger("dbos")
    logger.propagate = False
    logger.setLevel(logging.WARNING)
    if not any(isinstance(handler, _Forward) for handler in logger.handlers):
        logger.addHandler(_Forward())
