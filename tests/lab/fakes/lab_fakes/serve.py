"""Run one OpenStack WSGI application on a loopback port.

usage: python -m lab_fakes.serve APP PORT --access-log FILE [--threads N] [--config FILE]...

One process, a few threads, HTTP/1.1 keep-alive, and one line per request in
the access log: time, method, path, status, bytes, milliseconds.
"""

from __future__ import annotations

import argparse
import importlib
import logging
import sys
import time
from collections.abc import Callable, Iterable
from pathlib import Path
from typing import Any, TextIO

APPS = {
    "keystone": "keystone.wsgi.api",
    "glance": "glance.wsgi.api",
    "nova": "nova.wsgi.osapi_compute",
    "cinder": "cinder.wsgi.api",
    "neutron": "neutron.wsgi.api",
    "placement": "placement.wsgi.api",
}


class AccessLog:
    """WSGI middleware that writes one line per request."""

    def __init__(self, app: Callable[..., Iterable[bytes]], out: TextIO) -> None:
        self.app = app
        self.out = out

    def __call__(self, environ: dict[str, Any], start_response: Callable[..., Any]) -> Iterable[bytes]:
        began = time.monotonic()
        seen = {"status": "-", "size": "-"}

        def start(status: str, headers: list[tuple[str, str]], exc_info: Any = None) -> Any:
            seen["status"] = status.split(" ", 1)[0]
            seen["size"] = next((value for key, value in headers if key.lower() == "content-length"), "-")
            return start_response(status, headers, exc_info)

        try:
            return self.app(environ, start)
        finally:
            path = environ.get("SCRIPT_NAME", "") + environ.get("PATH_INFO", "")
            if environ.get("QUERY_STRING"):
                path += "?" + environ["QUERY_STRING"]
            spent = (time.monotonic() - began) * 1000
            when = time.strftime("%Y-%m-%d %H:%M:%S")
            line = f"{when} {environ['REQUEST_METHOD']} {path} {seen['status']} {seen['size']} {spent:.0f}ms"
            self.out.write(line + "\n")


def main() -> None:
    """Parse the arguments, load the application, serve until killed."""
    parser = argparse.ArgumentParser()
    parser.add_argument("app", choices=sorted(APPS))
    parser.add_argument("port", type=int)
    parser.add_argument("--threads", type=int, default=4)
    parser.add_argument("--config", action="append", default=[])
    parser.add_argument("--access-log", required=True, type=Path)
    args = parser.parse_args()

    # The services parse sys.argv themselves.
    sys.argv = [f"{args.app}-api"]
    for name in args.config:
        sys.argv += ["--config-file", name]
    application = importlib.import_module(APPS[args.app]).application

    import waitress

    logging.getLogger("waitress.queue").setLevel(logging.ERROR)
    with args.access_log.open("a", buffering=1) as out:
        waitress.serve(
            AccessLog(application, out),
            listen=f"127.0.0.1:{args.port}",
            threads=args.threads,
            channel_timeout=120,
            ident="lab",
            max_request_body_size=8 << 30,
            clear_untrusted_proxy_headers=True,
        )


if __name__ == "__main__":
    main()
