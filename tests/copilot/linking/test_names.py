from __future__ import annotations

import pytest

from copilot.linking.names import Names
from copilot.linking.shelves import NAMED, Shelves
from store.estate.reading.models import Scope
from tests.copilot.linking.estate import Given


def called(names: list) -> list[str]:  # type: ignore[type-arg]
    return [one.name for one in names]


@pytest.fixture
def given() -> Given:
    return Given()


def test_case_and_signs_do_not_matter_where_no_name_is_nearer(given: Given) -> None:
    for name in ("Web-01", "web_01", "web.01"):
        given.put("server", name)
    names = given.names()
    assert called(names.exact("WEB-01")) == ["Web-01"]
    assert called(names.exact("web_01")) == ["web_01"]
    assert sorted(called(names.exact("web 01"))) == ["Web-01", "web.01", "web_01"]


@pytest.mark.parametrize(
    ("name", "text"),
    [
        ("café-01", "cafe-01"),
        ("\uff37\uff25\uff22-01", "web-01"),
        ("we\u200bb-01", "web-01"),
        ("Straße", "STRASSE"),
        ("日本-サーバ", "日本 サーバ"),
        ("\u202eevil\u202c", "evil"),
        ("tab\tname", "tab name"),
        ("two  blanks", "two blanks"),
        ("(((", "((("),
        ("🚀", "🚀"),
        ("x" * 255, "X" * 255),
    ],
)
def test_names_as_they_look(given: Given, name: str, text: str) -> None:
    given.put("server", name)
    assert called(given.names().exact(text)) == [name]


def test_a_host_is_also_known_by_the_first_part_of_its_name(given: Given) -> None:
    given.put("hypervisor", "cmp-001.rack.example")
    given.put("hypervisor", "10.0.0.1")
    names = given.names()
    assert called(names.exact("cmp-001")) == ["cmp-001.rack.example"]
    assert called(names.exact("10")) == []
    given.put("hypervisor", "cmp-001")
    assert called(given.names().exact("cmp-001")) == ["cmp-001"]


def test_numbers_at_the_end(given: Given) -> None:
    for name in ("cmp-003", "cmp-013", "gpu-3", "cmp-030", "cmp3-a"):
        given.put("hypervisor", name)
    names = given.names()
    assert sorted(called(names.numbered(3, "hypervisor"))) == ["cmp-003", "gpu-3"]
    assert called(names.numbered("013", "hypervisor")) == ["cmp-013"]
    assert names.numbered(4, "hypervisor") == names.numbered(3, "server") == names.numbered("x", "hypervisor") == []


@pytest.mark.parametrize("name", ["cmp-3", "cmp-03", "cmp-003", "cmp-000003", "cmp3", "CMP 03"])
@pytest.mark.parametrize("typed", ["cmp-3", "cmp-03", "cmp003", "cmp 3", "cmp-0003"])
def test_zeros_before_numbers_may_be_left_out(given: Given, name: str, typed: str) -> None:
    given.put("hypervisor", name)
    given.put("hypervisor", "cmp-13")
    given.put("hypervisor", "cmp-30")
    (best, score), *_ = given.names().fuzzy(typed)
    assert best.name == name
    assert score > 0.9


def test_ids_whole_begun_and_in_pieces(given: Given) -> None:
    given.put("server", "web", id="3f2a9c1b-0000-4000-8000-00000000aaaa")
    given.put("volume", "disk", id="77773f2a-0000-4000-8000-00000000bbbb")
    given.put("project", "acme", id="0123456789abcdef0123456789abcdef")
    names = given.names()
    assert called(names.ids("3f2a9c1b-0000-4000-8000-00000000aaaa")) == ["web"]
    assert called(names.ids("3F2A9C1B0000400080000000000000aaaa"[:32])) == []
    assert called(names.ids("3f2a9c1b00004000800000000000aaaa")) == ["web"]
    assert called(names.ids("01234567-89ab-cdef-0123-456789abcdef")) == ["acme"]
    assert called(names.ids("3f2a")) == ["web"]
    assert called(names.ids("3f2a", ["volume"])) == []  # in the middle, four are not enough
    assert called(names.ids("773f2a", ["volume"])) == ["disk"]
    assert called(names.ids("3f2")) == called(names.ids("%")) == called(names.ids("")) == []


def test_resources_without_a_name_are_known_by_their_id(given: Given) -> None:
    id = given.put("port", "")
    assert called(given.names().ids(id)) == [id]
    assert given.names().exact("") == given.names().near("") == []


def test_parts_and_typos_best_first(given: Given) -> None:
    for name in ("acme-prod", "acme-prod-db", "old-acme-prod", "amce-test", "acme"):
        given.put("project", name)
    names = given.names()
    assert called([one for one, _ in names.fuzzy("acme-prod")])[0] == "acme-prod"
    assert called([one for one, _ in names.fuzzy("acmeprod")]) == ["acme-prod"]
    assert called([one for one, _ in names.fuzzy("acme-porduction")]) == []
    assert called([one for one, _ in names.fuzzy("amce-prod")])[0] == "acme-prod"
    assert set(called([one for one, _ in names.fuzzy("prod")])) == {"acme-prod", "acme-prod-db", "old-acme-prod"}
    assert len(names.fuzzy("prod", limit=2)) == 2


def test_an_address_is_no_typo_of_another(given: Given) -> None:
    given.put("floating_ip", "203.0.113.17")
    names = given.names()
    assert called(names.exact("203.0.113.17")) == ["203.0.113.17"]
    assert names.exact("203.01.13.17") == names.near("203.0.113.18") == []


def test_choices_are_told_apart_by_what_differs(given: Given) -> None:
    given.put("domain", "retail", id="d1")
    given.put("domain", "media", id="d2")
    given.put("project", "shop", id="p1", domain_id="d1")
    given.put("project", "shop", id="p2", domain_id="d2")
    given.put("server", "web", project_id="p1")
    given.put("server", "web", project_id="p1", cloud="west")
    given.put("volume", "shop", id="v1")
    given.put("user", "ada", domain_id="d1", id="u1")
    given.put("user", "ada", domain_id="d1", id="u2")
    names = given.names()
    assert names.told_apart(names.exact("shop", ["project"])) == ["shop in domain retail", "shop in domain media"]
    assert names.told_apart(names.exact("web")) == ["web in cloud west", "web in project shop, cloud c"]
    assert names.told_apart(names.exact("shop")) == [
        "volume shop",
        "project shop in domain retail",
        "project shop in domain media",
    ]
    assert names.told_apart(names.exact("ada")) == ["ada (id u1)", "ada (id u2)"]


def test_limits_of_the_role_hold_also_for_the_words(given: Given) -> None:
    given.put("project", "secret", id="theirs")
    given.put("image", "debian", visibility="public", project_id="theirs")
    given.scope = Scope(projects=("mine",))
    (image,) = given.names().exact("debian")
    assert image.project == ""
    assert given.names().exact("secret") == []


def test_types_that_may_not_be_read_are_not_there(given: Given) -> None:
    given.put("user", "ada")
    given.put("server", "ada")
    given.refused = {"user"}
    assert [one.type for one in given.names().exact("ada")] == ["server"]
    assert given.names().exact("ada", ["user"]) == []


def test_nothing_is_read_before_it_is_asked_for_and_nothing_twice(given: Given) -> None:
    given.put("server", "web")
    shelves = Shelves()
    names = given.names(shelves)
    assert given.reads == 0
    for _ in range(3):
        assert called(names.exact("web", ["server"])) == ["web"]
        assert called(Names.of(given, shelves).exact("web", ["server"])) == ["web"]
    # Servers; and projects, that say whose a server is, are not needed for one that has none.
    assert given.reads == 1


def test_changes_are_seen_and_only_what_changed_is_read_again(given: Given) -> None:
    web = given.put("server", "web")
    shelves = Shelves()
    assert called(given.names(shelves).exact("web")) == ["web"]
    before = {shelf.type: shelf for shelf in shelves.of(given, ["server", "volume"])}
    given.connection.execute("UPDATE server_versions SET name = 'db' WHERE id = ?", [web])
    given.put("network", "inner")
    assert called(given.names(shelves).exact("web")) == []
    assert called(given.names(shelves).exact("db")) == ["db"]
    after = {shelf.type: shelf for shelf in shelves.of(given, ["server", "volume"])}
    assert after["volume"] is before["volume"]
    assert after["server"] is not before["server"]


def test_what_was_closed_has_no_name_any_more(given: Given) -> None:
    given.put("server", "gone")
    shelves = Shelves()
    assert called(given.names(shelves).exact("gone")) == ["gone"]
    given.connection.execute("UPDATE server_versions SET valid_to = TIMESTAMP '2026-11-02'")
    given.put("network", "inner")
    assert given.names(shelves).exact("gone") == []


def test_few_names_are_kept_of_those_that_asked_long_ago(given: Given) -> None:
    given.put_servers(f"web-{number}" for number in range(100))
    shelves = Shelves(most_rows=250)
    for number in range(5):
        given.scope = Scope(in_clouds=("c", str(number)))
        assert len(given.names(shelves).exact("web-7")) == 1
        assert shelves.rows <= 250
    reads = given.reads
    assert len(given.names(shelves).exact("web-8")) == 1
    assert given.reads == reads


def test_only_types_whose_data_changed_are_looked_at_again(given: Given) -> None:
    given.put("server", "web")
    given.versions = dict.fromkeys(NAMED, 1)
    shelves = Shelves()
    given.names(shelves).exact("web")
    reads = given.reads
    given.versions["volume"] = 2
    assert called(given.names(shelves).exact("web", ["server"])) == ["web"]
    assert given.reads == reads
    given.versions["server"] = 2
    given.names(shelves).exact("web", ["server"])
    assert given.reads == reads + 1


def test_a_project_that_moves_takes_its_servers_out_of_the_domains_sight(given: Given) -> None:
    given.put("project", "acme", id="p1", domain_id="mine")
    given.put("server", "web", project_id="p1")
    given.scope = Scope(domains=("mine",))
    given.versions = dict.fromkeys(NAMED, 1)
    shelves = Shelves()
    assert called(given.names(shelves).exact("web", ["server"])) == ["web"]
    given.connection.execute("UPDATE project_versions SET domain_id = 'other'")
    given.versions["project"] = 2
    assert given.names(shelves).exact("web", ["server"]) == []


def test_names_are_those_of_now_also_where_an_older_reading_ends_later(given: Given) -> None:
    """One reads; before it puts away what it read, the name changes and another one reads."""
    web = given.put("server", "web")
    shelves = Shelves()

    class Slow(Given):
        def read(self, work):  # type: ignore[no-untyped-def]
            found = super().read(work)
            given.connection.execute("UPDATE server_versions SET name = 'db' WHERE id = ?", [web])
            given.put("network", "inner")
            assert called(given.names(shelves).exact("db", ["server"])) == ["db"]
            return found

    slow = Slow()
    slow.connection, slow._version = given.connection, given.version()
    Names.of(slow, shelves).exact("web", ["server"])
    assert called(given.names(shelves).exact("db", ["server"])) == ["db"]
    assert given.names(shelves).exact("web", ["server"]) == []
