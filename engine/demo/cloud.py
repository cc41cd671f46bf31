"""The demo cloud as one thing: six services behind one address, its clock, its faults."""

from __future__ import annotations

import sys
import time
import traceback
import uuid
from collections.abc import Callable

from engine.demo.access import Tokens
from engine.demo.answers import Refusal, answer
from engine.demo.automation import Automation
from engine.demo.build import build
from engine.demo.changes import Changes
from engine.demo.clock import Clock
from engine.demo.compute import Compute
from engine.demo.faults import Faults
from engine.demo.identity import Identity
from engine.demo.image import Images
from engine.demo.lifecycle import Lifecycle
from engine.demo.network import Networking
from engine.demo.placement import Placement
from engine.demo.routing import Service
from engine.demo.serving import Request, Response
from engine.demo.tenants import DAY
from engine.demo.volume import BlockStorage

UNEXPECTED = "Unexpected API Error. The demo cloud wrote the reason to its log."
COMPUTE_ID = ("compute", "volume")


class Cloud:
    """Six services; `roots` has the address of each, by name ("compute": "http://127.0.0.1:PORT").

    `epoch` is when the seed's cloud stood as it was made, in seconds; the clock starts at `start` (not before the
    epoch) and what would have happened meanwhile has happened. `until` is when the nightly snapshots of the people
    before us end (default: the epoch). `still` switches the background changes off, and the nights. `pace` is how long
    a change takes, as a part of what it usually takes: 0.01 lets a machine that boots in 2 s be there after 20 ms.
    """

    def __init__(
        self,
        *,
        roots: dict[str, str],
        password: str,
        servers: int = 50,
        seed: str = "1",
        epoch: int | None = None,
        start: float | None = None,
        until: float | None = None,
        still: bool = False,
        pace: float = 1.0,
        wall: Callable[[], float] = time.monotonic,
    ) -> None:
        begin = time.time() if start is None else start
        epoch = int(begin) if epoch is None else epoch
        self.roots, self.servers, self.seed = roots, servers, seed
        self.clock = Clock(max(begin, epoch), wall=wall)
        self.clock.pace = pace
        self.state, maker, nets = build(seed, servers, epoch, self.clock)
        self.tokens = Tokens(self.state, password)
        self.lifecycle = Lifecycle(self.state, maker, nets)
        self.faults = Faults(self.state, self.tokens)
        self.identity = Identity(self.state, self.tokens, roots)
        self.services: dict[str, Service] = {
            "identity": self.identity,
            "compute": Compute(self.state, self.tokens, roots, self.lifecycle),
            "volume": BlockStorage(self.state, self.tokens, roots, self.lifecycle),
            "network": Networking(self.state, self.tokens, roots, self.lifecycle),
            "image": Images(self.state, self.tokens, roots),
            "placement": Placement(self.state, self.tokens, roots),
        }
        self.changes = Changes(self.state, self.lifecycle, per_day=0 if still else max(4, servers // 50))
        self.automation = Automation(self.state, self.lifecycle, epoch if still or until is None else until)
        self.changes.start()
        self.automation.start()
        self.requests = 0
        self.settle()

    def settle(self) -> None:
        """Lets everything happen that is due by the clock."""
        self.clock.run_due()

    def advance(self, seconds: float) -> None:
        """Puts the clock forward in steps of a day, so that what happens keeps its order."""
        while seconds > 0:
            step = min(seconds, DAY)
            self.clock.advance(step)
            self.settle()
            seconds -= step

    async def handle(self, name: str, request: Request) -> Response:
        """Answers one request to the service `name`; a fault of ours is a 500, as a real service's would be."""
        self.requests += 1
        request_id = f"req-{uuid.uuid4()}"
        try:
            self.settle()
            rule = self.faults.match(name, request.path, request)
            response = self.faults.before(rule, name) if rule else None
            if response is None:
                response = self._answer(name, request, request_id)
                if rule:
                    response = self.faults.after(rule, name, request, response)
        except Exception:
            traceback.print_exc(file=sys.stderr)
            response = self.services[name].refused(Refusal(500, UNEXPECTED), request_id)
        response.delay += self.faults.latency
        response.headers.append(("X-Openstack-Request-Id", request_id))
        if name == "identity":
            response.headers.append(("Vary", "X-Auth-Token"))
        if name in COMPUTE_ID:
            response.headers.append(("X-Compute-Request-Id", request_id))
        return response

    def _answer(self, name: str, request: Request, request_id: str) -> Response:
        service = self.services[name]
        if name in self.faults.missing:
            return answer({"message": "The resource could not be found."}, 404)
        try:
            return service.handle(request, request.path, request_id)
        except Refusal as refusal:
            return service.refused(refusal, request_id)
