"""What can go wrong between us and a cloud: one clear sentence each, and never a secret in it."""

from __future__ import annotations

import difflib
import re
import socket
import ssl
from collections.abc import Iterable, Iterator
from typing import Literal
from urllib.parse import urlsplit

Kind = Literal[
    "no_file",  # no clouds.yaml
    "bad_file",  # a clouds.yaml that can't be read or understood
    "no_entry",  # the entry is not in it
    "bad_entry",  # the entry lacks something
    "password",  # refused: wrong user, password, project, or expired credential
    "refused",
    "dns",
    "timeout",
    "unreachable",
    "tls",
    "no_service",  # not in the catalog
    "unscoped",  # no project, domain or system in the token
    "no_projects",
    "denied",  # 403
    "not_found",  # 404 on a list: the cloud does not offer it
    "bad_request",  # 400: the cloud does not understand the call
    "busy",  # 429 and 503 to the end of all retries
    "broken",  # any other answer that is not usable
    "exists",
    "unknown",  # no such cloud or account here
]


class CloudError(Exception):
    """A failure in talking to a cloud; `str()` is the sentence shown. `status` is the HTTP status if there was one."""

    def __init__(self, kind: Kind, message: str, *, status: int | None = None) -> None:
        super().__init__(message)
        self.kind = kind
        self.status = status


UNREACHABLE = ("refused", "dns", "timeout", "unreachable", "tls")


def no_file(places: Iterable[str]) -> CloudError:
    """No clouds.yaml anywhere."""
    return CloudError(
        "no_file",
        f"no clouds.yaml was found (looked at {', '.join(places)}); put one there or set OS_CLIENT_CONFIG_FILE",
    )


def no_entry(name: str, known: Iterable[str], files: Iterable[str]) -> CloudError:
    """The entry is missing; the nearest names are offered."""
    names = sorted(known)
    near = difflib.get_close_matches(name, names, n=3, cutoff=0.5)
    hint = f"did you mean {' or '.join(near)}?" if near else f"it has {', '.join(names[:8]) or 'no entries'}"
    return CloudError("no_entry", f"there is no cloud {name!r:.80} in {' or '.join(files)}; {hint}")


def explain(error: BaseException, what: str, url: str = "") -> CloudError:
    """The sentence for an exception of keystoneauth, requests, urllib3, ssl or socket.

    `what` names who was asked ("the identity service of prod"); `url` is where, shown without its path's secrets.
    """
    if isinstance(error, CloudError):
        return error
    host = _host(url) or "the address in clouds.yaml"
    for cause in causes(error):
        found = _from_cause(cause, what, host)
        if found:
            return found
    return _from_keystoneauth(error, what, host)


def _from_cause(cause: BaseException, what: str, host: str) -> CloudError | None:
    if (
        isinstance(cause, ssl.SSLError)
        or "CERTIFICATE_VERIFY_FAILED" in str(cause)
        or "SSLError" in type(cause).__name__
    ):
        return CloudError("tls", _tls(cause, what, host))
    name = type(cause).__name__
    if isinstance(cause, ConnectionRefusedError):
        return CloudError("refused", f"{what} refused the connection ({host}); is it running, and is the port right?")
    if isinstance(cause, socket.gaierror) or name == "NameResolutionError":
        return CloudError("dns", f"the host name of {what} is not known ({host}); check auth_url and the name servers")
    if isinstance(cause, TimeoutError) or name in (
        "ConnectTimeout",
        "ReadTimeout",
        "ConnectTimeoutError",
        "ReadTimeoutError",
    ):
        return CloudError("timeout", f"{what} did not answer in time ({host})")
    if isinstance(cause, ConnectionResetError | BrokenPipeError) or name in (
        "RemoteDisconnected",
        "ProtocolError",
        "IncompleteRead",
    ):
        return CloudError("unreachable", f"{what} broke the connection off ({host})")
    if isinstance(cause, OSError) and cause.errno in (101, 113):
        return CloudError("unreachable", f"there is no route to {what} ({host})")
    return None


def _tls(cause: BaseException, what: str, host: str) -> str:
    text = str(cause)
    if "self-signed" in text or "self signed" in text:
        why = "its certificate is self-signed; give its authority as `cacert` in clouds.yaml"
    elif "expired" in text:
        why = "its certificate has expired"
    elif "Hostname mismatch" in text or "IP address mismatch" in text or "doesn't match" in text:
        why = "its certificate is for another host name"
    elif "unable to get local issuer" in text:
        why = "the authority that signed its certificate is not known here; give it as `cacert` in clouds.yaml"
    elif "WRONG_VERSION_NUMBER" in text or "wrong version number" in text or "record layer failure" in text:
        why = "it does not speak TLS on this port; is it http, not https?"
    elif "Could not find a suitable TLS CA" in text or "No such file" in text:
        why = "the `cacert` file named in clouds.yaml does not exist"
    else:
        why = re.sub(r"[^\x20-\x7e]", "?", text)[:120]
    return f"no trusted connection to {what} ({host}): {why}"


def _from_keystoneauth(error: BaseException, what: str, host: str) -> CloudError:
    from keystoneauth1 import exceptions as ksa

    status = getattr(error, "http_status", None) or None
    if isinstance(error, ksa.Unauthorized):
        return CloudError(
            "password",
            f"{what} refused the login (401): wrong user name or password, an expired credential, or no role in the "
            "project",
            status=401,
        )
    if isinstance(error, ksa.Forbidden):
        return CloudError("denied", f"{what} does not allow this login (403)", status=403)
    if isinstance(error, ksa.EndpointNotFound | ksa.EmptyCatalog):
        return CloudError("no_service", f"{what} is not in the catalog of this token")
    if isinstance(error, ksa.MissingRequiredOptions | ksa.NoMatchingPlugin | ksa.OptionError):
        return CloudError("bad_entry", f"the clouds.yaml entry is not complete: {plain(error)}")
    if isinstance(error, ksa.DiscoveryFailure | ksa.NotFound | ksa.InvalidResponse):
        return CloudError(
            "broken",
            f"{what} answers, but not as an OpenStack identity service ({host}); check auth_url",
            status=status,
        )
    if isinstance(error, ksa.HttpError):
        return CloudError("broken", f"{what} answered {status} ({plain(error)})", status=status)
    return CloudError("unreachable", f"{what} can not be used ({host}): {type(error).__name__}: {plain(error)}")


def of_status(status: int, body: bytes, what: str) -> CloudError:
    """The sentence for an HTTP answer that is not 200; the cloud's own words are quoted, shortened."""
    words = reason(body)
    said = f": {words}" if words else ""
    if status == 401:
        return CloudError("password", f"{what} no longer accepts this login (401){said}", status=status)
    if status == 403:
        return CloudError("denied", f"{what}: not permitted for this account{said}", status=status)
    if status == 404:
        return CloudError("not_found", f"{what}: this cloud does not offer it (404)", status=status)
    if status in (429, 503):
        return CloudError("busy", f"{what}: the service is overloaded or down ({status}){said}", status=status)
    kind: Kind = "bad_request" if status == 400 else "broken"
    return CloudError(kind, f"{what}: the service answered {status}{said}", status=status)


def reason(body: bytes) -> str:
    """The message in an OpenStack error body, printable and at most 160 characters; "" when there is none."""
    import orjson

    try:
        answer = orjson.loads(body[:65536])
    except orjson.JSONDecodeError:
        return ""
    for _ in range(3):
        if not isinstance(answer, dict):
            break
        message = answer.get("message") or answer.get("detail")
        if isinstance(message, str):
            plain = re.sub(r"<[^>]*>|\s+", " ", message)
            return "".join(c if c.isprintable() else "?" for c in " ".join(plain.split()))[:160]
        answer = next((value for value in answer.values() if isinstance(value, dict | list)), None)
        if isinstance(answer, list):
            answer = answer[0] if answer else None
    return ""


def causes(error: BaseException) -> Iterator[BaseException]:
    """The exception and everything behind it, also what libraries hide in `reason` and `args`; each once."""
    waiting: list[BaseException] = [error]
    seen: set[int] = set()
    while waiting and len(seen) < 30:
        one = waiting.pop(0)
        if id(one) in seen:
            continue
        seen.add(id(one))
        yield one
        behind = (getattr(one, "reason", None), one.__cause__, one.__context__, *one.args)
        waiting.extend(other for other in behind if isinstance(other, BaseException))


def _host(url: str) -> str:
    try:
        parts = urlsplit(url)
        return f"{parts.scheme}://{parts.hostname}{f':{parts.port}' if parts.port else ''}" if parts.hostname else ""
    except ValueError:
        return ""


def plain(error: BaseException | str) -> str:
    """Printable text of an error, at most 240 characters, with anything that looks like a secret taken out."""
    text = re.sub(r"(?i)(password|secret|token)\S*\s*[=:]\s*\S+", r"\1=***", " ".join(str(error).split()))
    return "".join(c if c.isprintable() else "?" for c in text)[:240]
