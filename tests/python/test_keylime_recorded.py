# SPDX-License-Identifier: Apache-2.0
"""The Keylime client against recordings of real verifiers and registrars."""

import itertools
import sys

import pytest
from conftest import ROOT

import libattest

sys.path.insert(0, str(ROOT / "tests" / "support"))
import fault_server  # noqa: E402
from keylime_double import KeylimeDouble  # noqa: E402

UUID = "7d1f5a3e-0000-4000-8000-00000000000a"
AK = b"\x00\x04abcd"
POLICY = '{"digests": {}}'


@pytest.fixture(scope="module")
def pki(tmp_path_factory: pytest.TempPathFactory) -> fault_server.Pki:
    return fault_server.Pki(tmp_path_factory.mktemp("pki"))


@pytest.fixture(params=["7.14.3", "6.3.1"])
def double(request, pki):
    with KeylimeDouble(pki, request.param) as running:
        yield running


@pytest.fixture
def keylime(pki, double) -> libattest.Keylime:
    return libattest.Keylime(
        verifier=double.verifier,
        registrar=double.registrar,
        ca=pki.text("ca.crt"),
        cert=pki.text("client.crt"),
        key=pki.text("client.key"),
    )


def added(double, keylime, verdict: str) -> None:
    double.register(UUID, ak=AK)
    double.verdicts[UUID] = verdict
    agent = keylime.lookup(UUID)
    assert agent is not None
    keylime.add(agent, runtime_policy=POLICY)


def test_versions_are_negotiated(double, keylime):
    newest = double.version == "7.14.3"
    assert keylime.versions() == (("2.6", "2.6") if newest else ("2.0", "2.0"))


def test_a_version_that_is_known_is_not_asked_for_again(double, keylime):
    double.register(UUID, ak=AK)
    for _ in range(3):
        assert keylime.lookup(UUID) is not None
        assert keylime.list() == []
    # Before 7.12 a registrar does not say its version: lists are asked for downwards.
    assert double.requests.count("GET /version") == 2
    double.requests.clear()
    keylime.lookup(UUID)
    keylime.list()
    version = keylime.versions()[0]
    assert double.requests[:2] == [f"GET /v{version}/agents/{UUID}", f"GET /v{version}/agents/"]


def test_an_unknown_agent_costs_one_more_question(double, keylime):
    keylime.versions()
    double.requests.clear()
    assert keylime.status(UUID) is None
    assert [line.rpartition("/")[2] for line in double.requests] == [UUID, "version"]


@pytest.mark.parametrize("double", ["7.14.3", "6.3.1"], indirect=True)
def test_a_service_of_another_release_is_asked_anew_once(double, keylime):
    """What was asked in a version that is no more was not done, and is asked again."""
    double.register(UUID, ak=AK)
    agent = keylime.lookup(UUID)
    assert keylime.list() == []
    other = "6.3.1" if double.version == "7.14.3" else "7.14.3"
    double.become(other)
    double.requests.clear()
    keylime.add(agent, runtime_policy=POLICY)
    # What an upgraded verifier does not know of an old body it would pass over, the policy with it.
    assert double.requests[0] == "GET /version"
    assert ("allowlist" in double.added[UUID]) == (other == "6.3.1")
    assert ("runtime_policy" in double.added[UUID]) == (other == "7.14.3")
    assert keylime.list() == [UUID]
    assert keylime.lookup(UUID) == agent
    double.verdicts[UUID] = "trusted"
    assert keylime.wait(UUID, 20.0).trusted
    keylime.delete(UUID)
    assert double.added == {}


def test_policies_are_stored_as_soon_as_the_verifier_can(pki):
    with KeylimeDouble(pki, "6.3.1") as double:
        keylime = libattest.Keylime(
            verifier=double.verifier,
            ca=pki.text("ca.crt"),
            cert=pki.text("client.crt"),
            key=pki.text("client.key"),
        )
        with pytest.raises(libattest.KeylimeError, match="stores no runtime policies"):
            keylime.create_policy("golden", POLICY)
        double.become("7.14.3")
        keylime.create_policy("golden", POLICY)
        assert keylime.list_policies() == ["golden"]
        assert double.policies == {"golden": POLICY}


def test_a_service_that_lacks_each_version_in_turn_ends(pki):
    """One that changes its mind under a call is asked anew once, not for ever."""
    versions = itertools.cycle(["2.5", "2.6"])

    def version(connection):
        one = next(versions)
        answer = {"current_version": one, "supported_versions": [one]}
        connection.sendall(fault_server.json_answer(answer))

    answers = {"GET /version": version}
    with fault_server.FaultServer(pki, answers) as server:
        keylime = libattest.Keylime(
            verifier=f"127.0.0.1:{server.port}",
            ca=pki.text("ca.crt"),
            cert=pki.text("client.crt"),
            key=pki.text("client.key"),
        )
        assert keylime.status(UUID) is None
        before = len(server.requests)
        assert keylime.status(UUID) is None
        assert server.requests[before:] == [
            f"GET /v2.5/agents/{UUID}",
            "GET /version",
            f"GET /v2.6/agents/{UUID}",
        ]


def test_an_agent_is_looked_up_added_listed_and_deleted(double, keylime):
    assert keylime.lookup(UUID) is None
    assert keylime.status(UUID) is None
    assert keylime.list() == []
    double.register(UUID, ak=AK, ek=b"\0\1e", ek_certificate=b"0\0", ip="192.0.2.9", port=9)
    agent = keylime.lookup(UUID)
    assert agent == libattest.KeylimeAgent(UUID, AK, b"\0\1e", b"0\0", "", "192.0.2.9", 9)
    keylime.add(agent, runtime_policy=POLICY)
    assert keylime.list() == [UUID]
    with pytest.raises(libattest.KeylimeError) as again:
        keylime.add(agent, runtime_policy=POLICY)
    assert again.value.status == 409
    keylime.delete(UUID)
    assert keylime.status(UUID) is None
    keylime.delete_registration(UUID)
    assert keylime.lookup(UUID) is None


def test_a_node_is_trusted_when_it_was_attested(double, keylime):
    added(double, keylime, "trusted")
    first = keylime.status(UUID)
    assert (first.verdict, first.state) == ("pending", 1)
    status = keylime.wait(UUID, 20.0)
    assert status.trusted
    assert (status.attestation_count is None) == (double.version == "6.3.1")


def test_a_node_fails_with_keylimes_reason(double, keylime):
    added(double, keylime, "failed")
    status = keylime.wait(UUID, 20.0)
    assert status.verdict == "failed"
    assert (status.last_event_id, status.severity) == ("ima.validation.ima-ng.not_in_allowlist", 6)


def test_state_3_of_an_agent_that_never_answered_is_not_trusted(double, keylime):
    """The real answer of both releases while they ask an agent in vain."""
    added(double, keylime, "asked-in-vain")
    with pytest.raises(libattest.KeylimeError) as raised:
        keylime.wait(UUID, 7.0)
    assert raised.value.reason == "timeout"
    status = keylime.status(UUID)
    assert (status.verdict, status.state) == ("pending", 3)


@pytest.mark.parametrize("verdict", ["not-reached", "lost"])
def test_an_agent_that_is_lost_is_not_trusted(double, keylime, verdict):
    added(double, keylime, verdict)
    status = keylime.wait(UUID, 20.0)
    assert (status.verdict, status.last_event_id) == ("failed", "internal.verifier.not_reachable")


def test_the_body_is_what_that_release_takes(double, keylime):
    added(double, keylime, "trusted")
    body = double.added[UUID]
    assert ("runtime_policy" in body) == (double.version == "7.14.3")
    assert ("allowlist" in body) == (double.version == "6.3.1")
    assert body["ak_tpm"] == "AARhYmNk"


def test_a_diagnosis_says_what_it_can_not_know(keylime):
    checks = {check.id: check for check in keylime.diagnose(now=2_000_000_000)}
    assert checks["ca-certificate"].health == "bad"  # by then it has expired
    assert "expired" in checks["client-certificate"].message
    assert checks["verifier"].health == checks["registrar"].health == "ok"
    for name in ("revocation", "ek-certificate-check", "addresses"):
        assert checks[name].health == "unknown"


GOOD_CONFIGURATION = """
[verifier]
ip = "192.0.2.1"
[revocations]
enabled_revocation_notifications = []
[registrar]
ip = 192.0.2.1
[tenant]
require_ek_cert = False
"""


@pytest.mark.parametrize(
    "change, bad",
    [
        (("", ""), None),
        (("[]", "['agent']"), "revocation"),
        (("require_ek_cert = False", "require_ek_cert = True"), "ek-certificate-check"),
        (('"192.0.2.1"', "0.0.0.0"), "addresses"),
        (("ip = 192.0.2.1", "ip ="), "addresses"),
        (("ip = 192.0.2.1", "ip: '::'"), "addresses"),
        # Keylime 6
        (("[tenant]", "[cloud_verifier]\nrevocation_notifier = True\n[tenant]"), "revocation"),
        (("[tenant]", "[cloud_verifier]\ncloudverifier_ip = 0.0.0.0\n[tenant]"), "addresses"),
        (("require_ek_cert", "check_ek_cert"), None),
    ],
)
def test_a_diagnosis_reads_keylimes_configuration(keylime, change, bad):
    configuration = GOOD_CONFIGURATION.replace(*change, 1) if change[0] else GOOD_CONFIGURATION
    checks = {c.id: c for c in keylime.diagnose(now=0, configuration=configuration)}
    for name in ("revocation", "ek-certificate-check", "addresses"):
        assert checks[name].health == ("bad" if name == bad else "ok"), checks[name]
    assert "not yet valid" in checks["ca-certificate"].message


def test_a_diagnosis_of_services_that_are_down_says_so(pki):
    keylime = libattest.Keylime(
        verifier="127.0.0.1:1",
        registrar="127.0.0.1:1",
        ca=pki.text("ca.crt"),
        cert=pki.text("client.crt"),
        key=pki.text("client.key"),
    )
    checks = {check.id: check for check in keylime.diagnose(now=0)}
    assert checks["verifier"].health == checks["registrar"].health == "bad"
