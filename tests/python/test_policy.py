# SPDX-License-Identifier: Apache-2.0
"""Policy and Node."""

import hashlib
import json

import pytest
from conftest import ROOT

import libattest

DRTM = ROOT / "tests" / "vectors" / "drtm"


def test_a_policy_reads_what_it_writes(policy):
    text = policy.to_json()
    assert json.loads(text)["version"] == 1
    for form in (text, text.encode(), memoryview(text.encode())):
        assert libattest.Policy.parse(form).to_json() == text


@pytest.mark.parametrize(
    "text, words",
    [
        ("", "empty"),
        ("{}", 'has no "version"'),
        ('{"version": 2}', "/version"),
        ('{"version": 1, "bunk": "sha256"}', "/bunk"),
        ('{"version": 1, "bank": "md5"}', "/bank"),
        ('{"version": 1, "version": 1}', "twice"),
        ('{"version": 1} trailing', "byte 15"),
    ],
)
def test_a_policy_that_is_not_understood_is_malformed(text, words):
    with pytest.raises(libattest.MalformedError, match=words):
        libattest.Policy.parse(text)


def test_an_empty_policy_trusts_nothing(clean):
    report = libattest.appraise(clean.evidence(), libattest.Policy(), nonce=clean.nonce)
    assert report.verdict == libattest.Verdict.UNKNOWN


def test_sha1_is_allowed_on_purpose_only():
    text = '{"version": 1, "bank": "sha1", "allow_sha1": true}'
    assert json.loads(libattest.Policy.parse(text).to_json())["allow_sha1"] is True
    assert json.loads(libattest.Policy(allow_sha1=True).to_json())["allow_sha1"] is True
    policy = libattest.Policy()
    digest = "0123456789abcdef0123456789abcdef01234567"
    with pytest.raises(libattest.MalformedError):
        policy.add_allowlist(f"{digest} /bin/true\n")
    policy.set_allow_sha1(True)
    policy.add_allowlist(f"{digest} /bin/true\n")
    with pytest.raises(TypeError):
        libattest.Policy(True)


ALLOWLIST = "\n".join(f"{n:064x} /usr/bin/tool{n}" for n in range(1, 5)) + "\n"


@pytest.mark.parametrize("form", [str, str.encode, lambda text: bytearray(text.encode())])
def test_an_allowlist_with_checksum_and_excludelist(form):
    checksum = hashlib.sha256(ALLOWLIST.encode()).hexdigest()
    policy = libattest.Policy()
    policy.add_allowlist(form(ALLOWLIST), form(checksum), form("/tmp/.*\n"))
    rules = json.loads(policy.to_json())["ima"]["runtime_policy"]
    assert set(rules["digests"]) == {f"/usr/bin/tool{n}" for n in range(1, 5)}
    assert rules["excludes"] == ["/tmp/.*"]


def test_a_wrong_checksum_is_refused_before_anything_is_parsed():
    for checksum in ("0" * 64, "", "nonsense"):
        with pytest.raises(libattest.MalformedError):
            libattest.Policy().add_allowlist(ALLOWLIST, checksum=checksum)


def test_two_sources_of_rules_are_not_merged():
    policy = libattest.Policy()
    policy.add_allowlist(ALLOWLIST)
    with pytest.raises(libattest.StateError):
        policy.add_allowlist(ALLOWLIST)


def test_keylimes_tpm_policy_becomes_reference_values():
    policy = libattest.Policy()
    policy.add_tpm_policy(json.dumps({"22": ["ab" * 32], "mask": "0x400000"}))
    assert json.loads(policy.to_json())["pcrs"] == {"22": ["ab" * 32]}
    with pytest.raises(libattest.MalformedError):
        libattest.Policy().add_tpm_policy('{"24": ["00"]}')


# OpenAttestation's whitelists, held against the quotes of real TPMs.


def mle(name, values):
    """An MLE record of PCR values, as it was given to OAT."""
    owner = {"OemName": "Vendor"} if name == "BIOS" else {"OsName": "Linux", "OsVersion": "7"}
    manifests = [{"Name": str(pcr), "Value": value} for pcr, value in values.items()]
    record = {"Name": name, "Version": "1", "Attestation_Type": "PCR", "MLE_Type": name}
    return record | owner | {"MLE_Manifests": manifests}


def imported(*records):
    policy = libattest.Policy(allow_sha1=True)
    policy.add_oat_whitelist(json.dumps(records))
    return policy


def sha1_values(pcrs):
    return {pcr: value.hex() for pcr, value in pcrs["sha1"].items()}


def another(value):
    return ("0" if value[0] != "0" else "1") + value[1:]


def test_a_bios_of_oats_whitelist_is_that_machines_and_no_other(clean):
    quote = tuple(clean.read(f"quote_both.{part}") for part in ("msg", "sig", "pcrs"))
    values = sha1_values(libattest.Quote.parse(*quote).pcrs)
    bios = {pcr: values[pcr] for pcr in range(8)}
    evidence = libattest.Evidence(ak=clean.ak, quote=quote)
    assert libattest.appraise(evidence, imported(mle("BIOS", bios)), nonce=clean.nonce).trusted
    for pcr in bios:
        changed = imported(mle("BIOS", bios | {pcr: another(bios[pcr])}))
        report = libattest.appraise(evidence, changed, nonce=clean.nonce)
        assert report.verdict == libattest.Verdict.UNTRUSTED
        assert [f.pcr for f in report.findings if f.severity == libattest.Severity.FAILURE] == [pcr]
    # The SHA-256 bank satisfies no rule of it.
    sha256_only = libattest.Evidence(ak=clean.ak, quote=clean.quote)
    assert not libattest.appraise(
        sha256_only, imported(mle("BIOS", bios)), nonce=clean.nonce
    ).trusted


def test_a_vmm_of_oats_whitelist_is_that_launch_and_no_other():
    read = {name: (DRTM / name).read_bytes() for name in ("quote.msg", "quote.sig", "quote.pcrs")}
    ak, nonce = (DRTM / "ak.tss").read_bytes(), bytes.fromhex((DRTM / "nonce.hex").read_text())
    evidence = libattest.Evidence(ak=ak, quote=tuple(read.values()))
    values = sha1_values(libattest.Quote.parse(*read.values()).pcrs)
    assert set(values) == {17, 18}
    assert libattest.appraise(evidence, imported(mle("VMM", values)), nonce=nonce).trusted
    for pcr in values:
        changed = imported(mle("VMM", values | {pcr: another(values[pcr])}))
        assert not libattest.appraise(evidence, changed, nonce=nonce).trusted
    # A host has both of its MLEs: a BIOS that nobody quoted is not passed over.
    both = imported(mle("VMM", values), mle("BIOS", {0: "11" * 20}))
    assert not libattest.appraise(evidence, both, nonce=nonce).trusted


def test_oats_whitelist_is_sha1_and_of_one_host():
    bios = mle("BIOS", {0: "ab" * 20})
    with pytest.raises(libattest.StateError, match="SHA-1"):
        libattest.Policy().add_oat_whitelist(json.dumps(bios))
    policy = imported(bios)
    written = json.loads(policy.to_json())
    assert (written["bank"], written["allow_sha1"]) == ("sha1", True)
    assert written["pcrs"] == {"0": ["ab" * 20]}
    with pytest.raises(libattest.StateError, match="not merged"):
        policy.add_oat_whitelist(json.dumps(bios))
    with pytest.raises(libattest.MalformedError, match="not mixed"):
        imported(bios, bios | {"Name": "other"})
    for form in (str, str.encode, lambda text: bytearray(text.encode())):
        again = libattest.Policy(allow_sha1=True)
        again.add_oat_whitelist(form(json.dumps(bios)))
        assert again.to_json() == policy.to_json()


def test_keylimes_runtime_policy_is_read_as_it_is(policy):
    rules = json.loads(policy.to_json())["ima"]["runtime_policy"]
    other = libattest.Policy()
    other.add_runtime_policy(json.dumps(rules))
    assert json.loads(other.to_json())["ima"]["runtime_policy"]["digests"] == rules["digests"]
    with pytest.raises(libattest.MalformedError):
        libattest.Policy().add_runtime_policy("{}")


@pytest.mark.parametrize("digest", ["native", "padded", "padded-old", libattest.ImaDigest.PADDED])
def test_what_the_kernel_extends_is_said_by_name(digest):
    policy = libattest.Policy()
    policy.set_ima_digest(digest)
    assert json.loads(policy.to_json())["ima"]["digest"] == str(digest)
    with pytest.raises(ValueError, match="is not a valid ImaDigest"):
        policy.set_ima_digest("unheard of")


def test_nothing_is_learned_from_evidence_that_is_not_sound(clean):
    learned, report = libattest.Policy.learn(clean.evidence(), nonce=bytes(16))
    assert learned is None
    assert not report.trusted
    assert "nonce-mismatch" in [finding.id for finding in report.findings]


def test_what_was_learned_trusts_its_node_and_no_other(clean, tampered):
    learned, report = libattest.Policy.learn(clean.evidence(), nonce=clean.nonce, now=1700000000)
    assert report.quote_verified
    assert libattest.appraise(clean.evidence(), learned, nonce=clean.nonce).trusted
    other = libattest.appraise(tampered.evidence(), learned, nonce=tampered.nonce)
    assert other.verdict == libattest.Verdict.UNTRUSTED
    hit = [f for f in other.findings if f.id == "ima-not-listed"]
    assert hit
    assert hit[0].pcr == 10
    assert hit[0].index is not None
    assert hit[0].found


def test_a_node_is_remembered_when_it_was_trusted(clean, policy):
    node = libattest.Node()
    fresh = node.export()
    assert isinstance(fresh, bytes)
    libattest.appraise(clean.evidence(), policy, nonce=bytes(16), node=node)
    assert node.export() == fresh
    assert libattest.appraise(clean.evidence(), policy, nonce=clean.nonce, node=node).trusted
    seen = node.export()
    assert seen != fresh
    restored = libattest.Node.load(seen)
    assert restored.export() == seen
    assert json.loads(seen)


def sealed(state):
    """A node's state as export() writes it: its last member is a digest of what is before it."""
    members = {name: value for name, value in state.items() if name != "sha256"}
    front = json.dumps(members, separators=(",", ":"))[:-1]
    return f'{front},"sha256":"{hashlib.sha256(front.encode()).hexdigest()}"}}'.encode()


def test_a_quote_that_is_older_than_the_last_is_not_trusted(clean, tampered, policy):
    node = libattest.Node()
    assert libattest.appraise(clean.evidence(), policy, nonce=clean.nonce, node=node).trusted
    later = libattest.Quote.parse(*tampered.quote).clock
    state = json.loads(node.export())
    assert later > libattest.Quote.parse(*clean.quote).clock

    node = libattest.Node.load(sealed(state | {"clock": later}))
    report = libattest.appraise(clean.evidence(), policy, nonce=clean.nonce, node=node)
    assert report.verdict == libattest.Verdict.UNTRUSTED
    assert "node-clock" in [finding.id for finding in report.findings]


@pytest.mark.parametrize("data", [b"", b"{}", b"not json", b'{"version": 99}'])
def test_what_is_no_node_state_is_malformed(data):
    with pytest.raises(libattest.MalformedError):
        libattest.Node.load(data)
