# SPDX-License-Identifier: Apache-2.0
"""If only one test file is run then this is the one."""

import libattest


def test_a_clean_node_is_trusted_and_a_tampered_one_is_not(clean, tampered, policy):
    good = libattest.appraise(clean.evidence(), policy, nonce=clean.nonce)
    assert good.trusted
    assert good.verdict == libattest.Verdict.TRUSTED
    assert not [f for f in good.findings if f.severity == libattest.Severity.FAILURE]

    bad = libattest.appraise(tampered.evidence(), policy, nonce=tampered.nonce)
    assert not bad.trusted
    assert bad.verdict == libattest.Verdict.UNTRUSTED
    assert [f for f in bad.findings if f.severity == libattest.Severity.FAILURE]


def test_without_a_policy_nothing_is_trusted(clean):
    report = libattest.appraise(clean.evidence(), nonce=clean.nonce)
    assert report.verdict == libattest.Verdict.UNKNOWN
    assert not report.trusted


def test_another_nonce_is_not_trusted(clean, policy):
    report = libattest.appraise(clean.evidence(), policy, nonce=libattest.make_nonce())
    assert report.verdict == libattest.Verdict.UNTRUSTED
    assert "nonce-mismatch" in [finding.id for finding in report.findings]
