"""What an engine holds as long as it lives: its home, the lock in it, and the listening socket."""

from __future__ import annotations

import contextlib
import errno
import fcntl
import grp
import json
import os
import socket
import stat
import time
from pathlib import Path

from engine.process.failures import StartFailure, of_error
from engine.process.filesystems import check_local
from engine.process.models import Exit, Home, credentials, folder_fault

BACKLOG = 1024  # clients wait in it while a worker is replaced


def prepare_home(home: Home) -> None:
    """Make the folder (0700) and check that it is ours, local and closed to others. Raises StartFailure."""
    check_local(home.path)
    try:
        home.path.mkdir(mode=0o700, parents=True, exist_ok=True)
        for folder in (home.path, home.logs):
            folder.mkdir(mode=0o700, exist_ok=True)
        fault = folder_fault(home.path)
    except FileExistsError as error:
        raise StartFailure(
            f"the home {home.path} can't be made: {error.filename} is not a folder; name another with QDECK_HOME",
            Exit.READ_ONLY,
        ) from error
    except OSError as error:
        failure = of_error(error)
        raise StartFailure(f"the home {home.path} can't be used: {failure}", failure.code) from error
    if fault:
        raise StartFailure(
            f"{fault}, so the engine's files would not be safe there; `chmod go-w` it or name another home",
            Exit.UNSAFE_HOME,
        )


def take_lock(home: Home, *, wait: float = 10.0) -> int:
    """Lock the home; returns the descriptor that holds the lock, also for processes forked later.

    wait: seconds to wait for a holder whose parent process is already gone and that is therefore ending.
    Raises StartFailure ALREADY_RUNNING when another engine holds it.
    """
    try:
        descriptor = os.open(home.lock, os.O_RDWR | os.O_CREAT | os.O_CLOEXEC | os.O_NOFOLLOW, 0o600)
    except OSError as error:
        failure = of_error(error)
        raise StartFailure(f"the lock {home.lock} can't be made: {failure}", failure.code) from error
    deadline = time.monotonic() + wait
    while True:
        try:
            fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            holder = lock_holder(home)
            if (holder is None or not _lives(holder)) and time.monotonic() < deadline:
                time.sleep(0.05)
                continue
            os.close(descriptor)
            named = f" as process {holder}" if holder else ""
            raise StartFailure(
                f"an engine for {home.path} already runs{named}; `qdeck engine status` shows it", Exit.ALREADY_RUNNING
            ) from None
        except OSError as error:
            os.close(descriptor)
            raise StartFailure(
                f"{home.lock} can't be locked ({error.strerror}); name a home on a local disk with QDECK_HOME",
                Exit.NETWORK_HOME,
            ) from error
        write_holder(descriptor)
        return descriptor


def write_holder(descriptor: int) -> None:
    """Note this process in the lock file, for messages only: the lock itself is the kernel's."""
    with contextlib.suppress(OSError):  # a full disk must not keep an engine from stopping or starting
        os.ftruncate(descriptor, 0)
        os.pwrite(descriptor, json.dumps({"pid": os.getpid()}).encode(), 0)


def lock_holder(home: Home) -> int | None:
    """Process id that the lock file names, if any."""
    try:
        return int(json.loads(home.lock.read_text())["pid"])
    except (OSError, ValueError, KeyError, TypeError):
        return None


def _lives(pid: int) -> bool:
    try:
        os.kill(pid, 0)
    except ProcessLookupError:
        return False
    except PermissionError:
        return True
    try:
        return Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()[0] not in ("Z", "X")
    except (OSError, IndexError):
        return True


def listen(path: Path, group: str | None = None) -> socket.socket:
    """A listening Unix socket at `path`: 0600, or 0660 for `group`. Call only with the lock held.

    What a dead engine left there is removed; anything else is not. Raises StartFailure.
    """
    _prepare_folder(path.parent)
    _remove_stale(path)
    listener = socket.socket(socket.AF_UNIX, socket.SOCK_STREAM)
    mask = os.umask(0o177)
    try:
        listener.bind(os.fspath(path))
        if group is not None:
            os.chown(path, -1, _group_id(group))
            path.chmod(0o660)
        listener.listen(BACKLOG)
        listener.setblocking(False)
    except (OSError, StartFailure) as error:
        listener.close()
        if isinstance(error, StartFailure):
            path.unlink(missing_ok=True)
            raise
        failure = of_error(error)
        code = Exit.SOCKET_TAKEN if error.errno == errno.EADDRINUSE else failure.code
        why = failure if failure.permanent else error.strerror
        raise StartFailure(f"the socket {path} can't be made: {why}", code) from error
    finally:
        os.umask(mask)
    return listener


def _prepare_folder(folder: Path) -> None:
    try:
        folder.mkdir(mode=0o700, exist_ok=True)
        fault = folder_fault(folder)
    except OSError as error:
        failure = of_error(error)
        raise StartFailure(f"the socket's folder {folder} can't be used: {failure}", failure.code) from error
    if fault:
        raise StartFailure(
            f"{fault}, so another user could take the engine's place there; remove it or name another home",
            Exit.UNSAFE_HOME,
        )


def _remove_stale(path: Path) -> None:
    """Remove a socket on which nobody listens. Raises StartFailure when the place is taken by anything else."""
    try:
        found = path.lstat()
    except FileNotFoundError:
        return
    if not stat.S_ISSOCK(found.st_mode):
        raise StartFailure(f"{path} is not a socket; move it away, the engine listens there", Exit.SOCKET_TAKEN)
    if found.st_uid != os.getuid():
        raise StartFailure(
            f"the socket {path} was made by user {found.st_uid}, not by you; remove it, then start the engine again",
            Exit.SOCKET_TAKEN,
        )
    with socket.socket(socket.AF_UNIX, socket.SOCK_STREAM) as probe:
        probe.settimeout(2)
        try:
            probe.connect(os.fspath(path))
        except ConnectionRefusedError:
            path.unlink(missing_ok=True)
            return
        except OSError as error:
            raise StartFailure(
                f"the socket {path} does not answer ({error.strerror or 'time-out'}); remove it and start again",
                Exit.SOCKET_TAKEN,
            ) from error
        owner = credentials(probe)
    raise StartFailure(
        f"process {owner.pid} of user {owner.uid} listens on {path} and is not an engine of this home; stop it first",
        Exit.SOCKET_TAKEN,
    )


def _group_id(name: str) -> int:
    try:
        return grp.getgrnam(name).gr_gid
    except KeyError:
        raise StartFailure(
            f"engine.group is {name}, and this host has no such group; make it or correct qdeck.toml",
            Exit.CONFIGURATION,
        ) from None
