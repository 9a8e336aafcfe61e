# SPDX-License-Identifier: Apache-2.0
"""EndorsementKey, CredentialChallenge, and lists that go on where the last one ended."""

import pathlib

import pytest

import libattest

VECTORS = pathlib.Path(__file__).resolve().parents[1] / "vectors"
EK = (VECTORS / "tpm2/ek_rsa.tss").read_bytes()
CERTIFICATE = (VECTORS / "tpm2/ekcert/nv_01c00002_rsa2048.der").read_bytes()
CA = (VECTORS / "tpm2/ekcert/swtpm-localca-rootca-cert.pem").read_bytes()
ISSUER = (VECTORS / "tpm2/ekcert/issuercert.pem").read_bytes()
NOW = 1900000000


def test_an_ek_is_the_same_from_either_source():
    by_area = libattest.EndorsementKey(EK)
    by_certificate = libattest.EndorsementKey(certificate=CERTIFICATE + b"\xff" * 20)
    both = libattest.EndorsementKey(public=EK, certificate=CERTIFICATE)
    assert by_area.sha256 == by_certificate.sha256 == both.sha256
    assert len(by_area.sha256) == 64
    assert by_area.description == "RSA-2048"


def test_what_is_no_ek_raises():
    other = (VECTORS / "tpm2/ek_ecc.tss").read_bytes()
    with pytest.raises(libattest.RefusedError, match="another key"):
        libattest.EndorsementKey(other, CERTIFICATE)
    with pytest.raises(libattest.MalformedError):
        libattest.EndorsementKey(EK[:-1])
    with pytest.raises(ValueError, match="public area"):
        libattest.EndorsementKey()


def test_a_chain_is_good_or_raises_with_one_line():
    ek = libattest.EndorsementKey(certificate=CERTIFICATE)
    assert ek.verify_chain([CA], [ISSUER], now=NOW) is None
    assert ek.verify_chain([CA + ISSUER], now=NOW) is None
    with pytest.raises(libattest.ChainError, match="local issuer") as raised:
        ek.verify_chain([CA], now=NOW)
    assert "\n" not in str(raised.value)
    assert isinstance(raised.value, libattest.RefusedError)
    with pytest.raises(libattest.ChainError, match="not yet valid"):
        ek.verify_chain([CA], [ISSUER], now=1)
    with pytest.raises(libattest.ChainError, match="no certificate"):
        libattest.EndorsementKey(EK).verify_chain([CA], now=NOW)
    with pytest.raises(ValueError, match="no CA certificates"):
        ek.verify_chain([], now=NOW)
    with pytest.raises(TypeError, match="a list of bytes"):
        ek.verify_chain(CA, now=NOW)
    with pytest.raises(libattest.MalformedError):
        ek.verify_chain([b"text"], now=NOW)


def test_a_wrong_answer_binds_nothing_and_ends_the_challenge(clean):
    challenge = libattest.CredentialChallenge(
        libattest.EndorsementKey(EK), libattest.Key.load(clean.ak)
    )
    assert challenge.credential[:2] == (len(challenge.credential) - 2).to_bytes(2, "big")
    assert challenge.secret[:2] == (256).to_bytes(2, "big")
    assert challenge.ak is None
    assert challenge.check(bytes(32)) is False
    assert challenge.check(b"") is False
    assert challenge.ak is None


def test_a_key_without_a_name_is_not_challenged():
    pem = (VECTORS / "boot/grub-ima-ng/ak.pem").read_bytes()
    with pytest.raises(libattest.RefusedError, match="public area"):
        libattest.CredentialChallenge(libattest.EndorsementKey(EK), libattest.Key.load(pem))


def test_a_list_goes_on_only_where_the_node_is(clean, policy):
    node = libattest.Node()
    assert node.ima_entries == 0
    assert libattest.appraise(clean.evidence(), policy, nonce=clean.nonce, node=node).trusted
    entries = node.ima_entries
    assert entries > 0
    assert libattest.Node.load(node.export()).ima_entries == entries
    evidence = clean.evidence()
    evidence.set_ima(clean.ima, first_entry=entries + 1)
    report = libattest.appraise(evidence, policy, nonce=clean.nonce, node=node)
    assert "ima-position" in [finding.id for finding in report.findings]
    assert not report.trusted
    with pytest.raises(TypeError):
        evidence.set_ima(clean.ima, first_entry=-1)
