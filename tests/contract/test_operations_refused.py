"""An account that may not: the plan cannot know, the cloud refuses, and that is told. (One engine at a time.)"""

from __future__ import annotations

import pytest

from tests.contract.conftest import Cloud
from tests.contract.operating import Operator
from tests.live.projects import COMPUTE, Project


def test_what_the_cloud_refuses_is_told_in_its_words(
    cloud: Cloud, tenant: Project, tmp_path_factory: pytest.TempPathFactory
) -> None:
    server = tenant.server("theirs")
    auth = {
        **cloud.admin_auth,
        "username": f"{tenant.name}-reader",
        "password": tenant.password,
        "project_name": tenant.name,
    }
    with Operator(tmp_path_factory.mktemp("reader"), auth) as reader:
        reader.collect("project", "server")
        reader.lift()
        key = reader.key("server", server["id"])
        job = reader.do("server.stop", key)
        (step,) = job["steps"]
        assert (job["state"], step["state"]) == ("failed", "failed")
        assert "refused it (403): Policy doesn't allow os_compute_api:servers:stop" in step["detail"]
        failed = reader.records("server.stop", job)[-1]
        assert (failed["outcome"], failed["detail"]["status"]) == ("failed", 403)
        assert failed["detail"]["request_ids"][0].startswith("req-")
    assert tenant.member.get("compute", f"/servers/{key[2]}", COMPUTE)["server"]["status"] == "ACTIVE"
