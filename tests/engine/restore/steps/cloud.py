"""The whole simulated cloud, which is also the gate of the steps under test."""

from __future__ import annotations

from tests.engine.restore.steps.cloud_machines import MachineParts
from tests.engine.restore.steps.cloud_quotas import QuotaParts
from tests.engine.restore.steps.cloud_storage import StorageParts


class FakeCloud(StorageParts, MachineParts, QuotaParts):
    """See the parts."""
