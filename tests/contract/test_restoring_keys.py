"""What belongs to people and is written on machines: key pairs, tags, metadata; images, and hosts that have room."""

from __future__ import annotations

import base64
import struct
from typing import Any

import pytest
import requests

from tests.contract.conftest import Cloud
from tests.contract.restoring import COMPUTE, STORAGE, boot, booted, flavor_of, refused, show
from tests.contract.wire import Actor
from tests.live.projects import Project

PATCH = {"Content-Type": "application/openstack-images-v2.1-json-patch"}


def public_key(fill: int = 1) -> str:
    """A public key that nobody has the other half of."""
    parts = (b"ssh-ed25519", bytes([fill]) * 32)
    blob = b"".join(struct.pack(">I", len(part)) + part for part in parts)
    return f"ssh-ed25519 {base64.b64encode(blob).decode()} test"


def keypair(actor: Actor, name: str, **more: Any) -> requests.Response:
    body = {"keypair": {"name": name, "type": "ssh", "public_key": public_key(), **more}}
    return actor("compute", "/os-keypairs", "POST", version=COMPUTE, json=body)


def test_a_key_is_brought_in_for_the_moment_of_the_boot(cloud: Cloud, tenant: Project) -> None:
    """A key pair is its user's: the acting user needs one of that name, and the machine keeps the name."""
    assert keypair(tenant.member, "mykey").status_code == 201
    mine = tenant.member.get("compute", "/os-keypairs/mykey", COMPUTE)["keypair"]
    assert (mine["public_key"], mine["user_id"]) == (public_key(), tenant.users["member"])
    # Another user of the same project has none; an administrator reads it by the user's id.
    assert refused(boot(tenant, actor=tenant.user("manager"), key_name="mykey")) == (400, "Invalid key_name provided.")
    assert tenant.reader("compute", "/os-keypairs/mykey", version=COMPUTE).status_code == 404
    path = f"/os-keypairs/mykey?user_id={tenant.users['member']}"
    assert cloud.admin.get("compute", path, COMPUTE)["keypair"]["fingerprint"] == mine["fingerprint"]
    assert tenant.reader("compute", path, version=COMPUTE).status_code == 403
    assert refused(keypair(tenant.member, "mykey", public_key=public_key(2))) == (
        409,
        "Key pair 'mykey' already exists.",
    )
    id = booted(tenant, key_name="mykey")["id"]
    assert tenant.member("compute", "/os-keypairs/mykey", "DELETE", version=COMPUTE).status_code == 204
    assert show(tenant.member, id)["key_name"] == "mykey"
    assert tenant.member("compute", "/os-keypairs/mykey", "DELETE", version=COMPUTE).status_code == 404


def test_keys_that_are_none(tenant: Project) -> None:
    words = "Keypair data is invalid: failed to generate fingerprint"
    for text in ("nonsense", "ssh-ed25519 AAAA x"):
        assert refused(keypair(tenant.member, "bad", public_key=text)) == (400, words)
    body = {"keypair": {"name": "made", "type": "ssh"}}
    for version, status in (("2.91", 201), (COMPUTE, 400)):
        answer = tenant.member("compute", "/os-keypairs", "POST", version=version, json=body)
        assert answer.status_code == status, answer.text
    assert tenant.member("compute", "/os-keypairs/made", "DELETE", version=COMPUTE).status_code == 204


def test_an_administrator_keeps_the_keys_of_others(cloud: Cloud, tenant: Project) -> None:
    owner = tenant.users["member"]
    assert keypair(cloud.admin, "given", user_id=owner).status_code == 201
    assert [row["keypair"]["name"] for row in tenant.member.get("compute", "/os-keypairs", COMPUTE)["keypairs"]] == [
        "given"
    ]
    assert keypair(tenant.reader, "given", user_id=owner).status_code == 403
    path = f"/os-keypairs/given?user_id={owner}"
    assert tenant.reader("compute", path, "DELETE", version=COMPUTE).status_code == 403
    assert cloud.admin("compute", path, "DELETE", version=COMPUTE).status_code == 204


def test_tags_and_metadata_of_a_machine(tenant: Project) -> None:
    id = booted(tenant)["id"]
    path = f"/servers/{id}"

    def status(method: str, rest: str, body: Any = None) -> int:
        return tenant.member("compute", f"{path}{rest}", method, version=COMPUTE, json=body).status_code

    assert [status("PUT", "/tags", {"tags": ["x", "y"]}), status("PUT", "/tags/z"), status("PUT", "/tags/z")] == [
        200,
        201,
        204,
    ]
    assert [status("DELETE", "/tags/z"), status("DELETE", "/tags/z")] == [204, 404]
    assert status("POST", "/metadata", {"metadata": {"a": "1"}}) == 200
    assert status("POST", "/metadata", {"metadata": {"b": "2"}}) == 200
    assert [status("DELETE", "/metadata/a"), status("DELETE", "/metadata/a")] == [204, 404]
    body = {"server": {"name": "kept-until-friday", "description": "parked"}}
    assert status("PUT", "", body) == 200
    now = show(tenant.member, id)
    assert (set(now["tags"]), now["metadata"]) == ({"x", "y"}, {"b": "2"})
    assert (now["name"], now["description"]) == ("kept-until-friday", "parked")


@pytest.mark.parametrize("policy", ["anti-affinity", "affinity", "soft-anti-affinity", "soft-affinity", "nonsense"])
def test_policies_of_groups(tenant: Project, policy: str) -> None:
    body = {"server_group": {"name": "g", "policy": policy}}
    answer = tenant.member("compute", "/os-server-groups", "POST", version=COMPUTE, json=body)
    if policy == "nonsense":
        assert answer.status_code == 400 and "'nonsense' is not one of" in answer.text
        return
    group = answer.json()["server_group"]
    assert (group["policy"], group["members"], group["project_id"]) == (policy, [], tenant.id)
    path = f"/os-server-groups/{group['id']}"
    assert tenant.member("compute", path, "DELETE", version=COMPUTE).status_code == 204
    assert tenant.member("compute", path, version=COMPUTE).status_code == 404


def test_an_image_is_made_and_shut(cloud: Cloud, tenant: Project) -> None:
    body = {"name": "made", "disk_format": "raw", "container_format": "bare", "visibility": "private", "mark": "t"}
    answer = tenant.member("image", "/v2/images", "POST", json=body)
    assert answer.status_code == 201 and answer.json()["status"] == "queued", answer.text
    path = f"/v2/images/{answer.json()['id']}"
    for status in (204, 409):
        sent = tenant.member(
            "image", f"{path}/file", "PUT", json={"a": 1}, headers={"Content-Type": "application/octet-stream"}
        )
        assert sent.status_code == status, sent.text
    image = tenant.member.get("image", path)
    assert (image["status"], image["owner"], image["mark"]) == ("active", tenant.id, "t") and image["size"] > 0
    changes = [{"op": "replace", "path": "/name", "value": "named"}, {"op": "add", "path": "/zone", "value": "z"}]
    changed = tenant.member("image", path, "PATCH", json=changes, headers=PATCH)
    assert (changed.json()["name"], changed.json()["zone"]) == ("named", "z"), changed.text
    assert cloud.admin("image", f"{path}/actions/deactivate", "POST").status_code == 204
    assert tenant.member.get("image", path)["status"] == "deactivated"
    assert refused(boot(tenant, imageRef=image["id"])) == (400, f"Image {image['id']} is not active.")
    volume = {"volume": {"name": "x", "size": 1, "imageRef": image["id"]}}
    refusal = refused(tenant.member("block-storage", "/volumes", "POST", version=STORAGE, json=volume))
    assert refusal == (400, f"Invalid input received: Image {image['id']} is not active.")
    assert cloud.admin("image", f"{path}/actions/reactivate", "POST").status_code == 204
    assert tenant.member("image", path, "DELETE").status_code == 204
    assert tenant.member("image", path).status_code == 404


def test_which_hosts_have_room(cloud: Cloud, tenant: Project) -> None:
    flavor = flavor_of(tenant)
    asked = f"resources=VCPU:{flavor['vcpus']},MEMORY_MB:{flavor['ram']}"
    found = cloud.admin.get("placement", f"/allocation_candidates?{asked}", "1.39")
    hosts = [next(iter(row["allocations"])) for row in found["allocation_requests"]]
    assert hosts and set(hosts) <= set(found["provider_summaries"])
    summary = found["provider_summaries"][hosts[0]]["resources"]["VCPU"]
    assert summary["used"] + flavor["vcpus"] <= summary["capacity"]
    only = cloud.admin.get("placement", f"/allocation_candidates?{asked}&limit=1", "1.39")
    assert len(only["allocation_requests"]) == 1
    none = cloud.admin.get("placement", "/allocation_candidates?resources=VCPU:1000000", "1.39")
    assert (none["allocation_requests"], none["provider_summaries"]) == ([], {})
    assert tenant.member("placement", f"/allocation_candidates?{asked}", version="1.39").status_code == 403
