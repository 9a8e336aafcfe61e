# SPDX-License-Identifier: Apache-2.0
"""A dynamic launch: its log, the policy that is learned of it, and what is said without one."""

import json

import pytest
from conftest import ROOT

import libattest

DRTM = ROOT / "tests" / "vectors" / "drtm"
NONCE = bytes.fromhex((DRTM / "nonce.hex").read_text())


def launch_log(form: str = "agile") -> bytes:
    return (DRTM / f"launchlog.{form}.bin").read_bytes()


def evidence(**changes) -> libattest.Evidence:
    parts = {
        "ak": (DRTM / "ak.tss").read_bytes(),
        "quote": tuple((DRTM / f"quote.{part}").read_bytes() for part in ("msg", "sig", "pcrs")),
        "launch_log": launch_log(),
    }
    return libattest.Evidence(**(parts | changes))


@pytest.fixture(scope="module")
def policy() -> libattest.Policy:
    learned, report = libattest.Policy.learn(evidence(), nonce=NONCE, profile="trusted-boot")
    assert learned is not None
    assert "policy-pcr" in [finding.id for finding in report.findings]
    return learned


@pytest.mark.parametrize(
    ("form", "bank"), [("agile", "sha256"), ("legacy", "sha256"), ("container", "sha1")]
)
def test_a_launch_log_is_read_in_each_form(form, bank):
    log = libattest.EventLog.parse_launch(launch_log(form), bank)
    assert str(log.format) in ("crypto-agile", "txt-legacy", "txt-container")
    assert len(log.events) == 20
    assert log.events[1].type_name == "HASH_START"
    assert set(log.pcrs[bank]) == {17, 18}
    assert not log.findings
    with pytest.raises(libattest.MalformedError, match="launch log"):
        libattest.EventLog.parse_launch(launch_log(form)[:-1] + b"\1\1")


def test_a_policy_of_a_launch_trusts_it(policy):
    report = libattest.appraise(evidence(), policy, nonce=NONCE)
    assert report.trusted
    claims = report.to_dict()["claims"]
    assert claims["measured_launch"] is True
    assert claims["untrusted_launch_mapping"] == "details-authorities"
    assert json.loads(policy.to_json())["launch"] == {"required": True, "log_required": True}


def test_a_changed_event_is_named(policy):
    changed = bytearray(launch_log())
    event = libattest.EventLog.parse_launch(changed).events[11]
    changed[event.offset + 12 + 22 + 2] ^= 1
    report = libattest.appraise(evidence(launch_log=changed), policy, nonce=NONCE)
    assert not report.trusted
    hit = next(f for f in report.findings if f.id == "event-unknown")
    assert hit.component == libattest.Component.LAUNCHLOG
    assert (hit.pcr, hit.index, hit.offset) == (17, 11, event.offset)
    assert "module 0 (the kernel)" in hit.message


def test_the_log_that_the_policy_asks_for_may_be_set_later(policy):
    late = evidence(launch_log=None)
    report = libattest.appraise(late, policy, nonce=NONCE)
    assert [f.id for f in report.findings if str(f.severity) == "failure"] == ["launchlog-missing"]
    late.set_launch_log(launch_log())
    assert libattest.appraise(late, policy, nonce=NONCE).trusted
    with pytest.raises(libattest.MalformedError):
        late.set_launch_log(b"\x11")
    assert libattest.appraise(late, policy, nonce=NONCE).trusted


def test_profiles(clean):
    learned, report = libattest.Policy.learn(
        clean.evidence(), nonce=clean.nonce, profile=libattest.Profile.TRUSTED_BOOT
    )
    assert learned is None
    assert not report.trusted
    learned, _ = libattest.Policy.learn(
        clean.evidence(), nonce=clean.nonce, profile="measured-boot"
    )
    assert learned is not None
    rules = json.loads(learned.to_json())
    assert sorted(rules["pcrs"], key=int) == [str(n) for n in range(10)]
    assert "ima" not in rules
    assert rules["event_log"]["known_events"]["9"][0]["type"] == "EV_IPL"
    with pytest.raises(ValueError, match="is not a valid Profile"):
        libattest.Policy.learn(clean.evidence(), nonce=clean.nonce, profile="unheard of")
