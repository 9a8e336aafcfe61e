# SPDX-License-Identifier: Apache-2.0
"""Evidence of TPMs 1.2."""

import json

import pytest
from conftest import BOOT, ROOT

import libattest

TPM12 = ROOT / "tests" / "vectors" / "tpm12"
NONCE = bytes.fromhex((TPM12 / "nonce.hex").read_text())


def read(*names: str) -> list[bytes]:
    return [(TPM12 / name).read_bytes() for name in names]


def quote(number: int, pcrs: str = "pcrs") -> libattest.Quote:
    stem = f"quote{number}"
    return libattest.Quote.parse(*read(f"{stem}.info", f"{stem}.sig", f"{stem}.{pcrs}"))


@pytest.mark.parametrize(
    ("number", "pcrs", "form"),
    [
        (1, "pcrs", libattest.QuoteFormat.QUOTE_INFO),
        (2, "pcrs", libattest.QuoteFormat.QUOTE_INFO2),
        (2, "text", libattest.QuoteFormat.QUOTE_INFO2),
    ],
)
def test_quotes_say_what_they_are_and_verify(number, pcrs, form):
    claimed = quote(number, pcrs)
    assert claimed.format == form
    assert claimed.nonce == NONCE
    assert claimed.signer is None
    assert (claimed.clock, claimed.reset_count, claimed.clock_safe) == (0, 0, False)
    assert set(claimed.pcrs) == {"sha1"}
    assert len(claimed.pcrs["sha1"]) == 11
    for name in ["aik.tpm_key", "aik.tpm_pubkey", "aik.pem"]:
        key = libattest.Key.load(*read(name))
        assert claimed.verify(key, nonce=NONCE, allow_sha1=True).quote_verified
        report = claimed.verify(key, nonce=NONCE)
        assert not report.quote_verified
        assert "signature-sha1" in [finding.id for finding in report.findings]


def test_keys_have_no_name():
    for name, form in [
        ("aik.tpm_key", libattest.KeyFormat.TPM_KEY),
        ("aik.tpm_pubkey", libattest.KeyFormat.TPM_PUBKEY),
    ]:
        key = libattest.Key.load(*read(name))
        assert key.format == form
        assert key.name is None
        assert key.attributes is None


def test_a_tpm_2_quote_says_that_it_is_one(clean):
    assert libattest.Quote.parse(*clean.quote).format == libattest.QuoteFormat.ATTEST


def test_a_boot_is_trusted_by_the_policy_learned_from_it():
    folder = BOOT / "bios12-tpm12"
    boot = folder / "1-clean"
    nonce = bytes.fromhex((folder / "nonce.hex").read_text()) + bytes(4)
    lines = (boot / "pcrs.txt").read_text().splitlines()[:11]
    pcrs = "".join("{}={}\n".format(*line.upper().split()) for line in lines).encode()

    def evidence(ima: bytes) -> libattest.Evidence:
        return libattest.Evidence(
            ak=(boot / "aik.tpm_key12").read_bytes(),
            quote=((boot / "quote2.info").read_bytes(), (boot / "quote2.sig").read_bytes(), pcrs),
            eventlog=(folder / "binary_bios_measurements").read_bytes(),
            ima=ima,
        )

    ima = (boot / "ima.bin").read_bytes()
    assert libattest.Policy.learn(evidence(ima), nonce=nonce)[0] is None
    policy, report = libattest.Policy.learn(evidence(ima), nonce=nonce, allow_sha1=True)
    assert policy is not None
    assert "policy-sha1" in [finding.id for finding in report.findings]
    content = json.loads(policy.to_json())
    assert (content["bank"], content["allow_sha1"]) == ("sha1", True)
    assert len(content["ak"]["keys"]) == 1
    trusted = libattest.appraise(evidence(ima), policy, nonce=nonce)
    assert trusted.trusted
    assert "quote-tpm12" in [finding.id for finding in trusted.findings]
    changed = libattest.appraise(evidence(ima.replace(b"/init", b"/exit", 1)), policy, nonce=nonce)
    assert not changed.trusted
    node = libattest.Node()
    assert libattest.appraise(evidence(ima), policy, nonce=nonce, node=node).trusted
    assert node.ima_entries == 0
