# SPDX-License-Identifier: Apache-2.0
"""Enumerations, records and exceptions, held against the C headers."""

import copy
import pickle
import re

import pytest
from conftest import ROOT

import libattest

HEADERS = ROOT / "include" / "libattest"

# Our enumeration: the C one, and the prefix of its constants.
ENUMERATIONS = {
    libattest.Verdict: ("attest_verdict", "ATTEST_VERDICT_"),
    libattest.Severity: ("attest_severity", "ATTEST_SEVERITY_"),
    libattest.Component: ("attest_component", "ATTEST_COMPONENT_"),
    libattest.PcrState: ("attest_pcr_state", "ATTEST_PCR_"),
    libattest.Coverage: ("attest_coverage", "ATTEST_COVERAGE_"),
    libattest.Hash: ("attest_hash", "ATTEST_HASH_"),
    libattest.Profile: ("attest_profile", "ATTEST_PROFILE_"),
    libattest.KeyFormat: ("attest_key_format", "ATTEST_KEY_FORMAT_"),
    libattest.QuoteFormat: ("attest_quote_format", "ATTEST_QUOTE_FORMAT_"),
    libattest.EventLogFormat: ("attest_eventlog_format", "ATTEST_EVENTLOG_"),
    libattest.ImaFormat: ("attest_ima_format", "ATTEST_IMA_"),
    libattest.ImaDigest: ("attest_ima_digest", "ATTEST_IMA_"),
}
# Numbers of C for an argument that was not given, which is None in Python, or an empty structure,
# which Python does not see.
NOT_GIVEN = {
    "COMPONENT_NONE",
    "COVERAGE_NONE",
    "EVENTLOG_NONE",
    "HASH_NONE",
    "IMA_DETECT",
    "IMA_DIGEST_DEFAULT",
    "KEY_FORMAT_NONE",
    "QUOTE_FORMAT_NONE",
    "SEVERITY_NONE",
}


# Functions take and give their words.
AS_WORDS = {
    *("attest_keylime_verdict", "attest_keylime_health", "attest_keylime_policy_kind"),
    *("attest_oat_dialect", "attest_oat_reason"),
    *("attest_boot_format", "attest_boot_mode"),
    "attest_host_reason",
}


def enumeration_in_header(name: str) -> dict[str, int]:
    text = "\n".join(path.read_text() for path in sorted(HEADERS.glob("*.h")))
    text = re.sub(r"/\*.*?\*/", "", text, flags=re.DOTALL)
    body = re.search(rf"typedef enum {name} \{{(.*?)\}} {name};", text, flags=re.DOTALL)
    assert body, f"the headers have no enum {name}"
    found = re.findall(r"(ATTEST_\w+)\s*=\s*(0x[0-9A-Fa-f]+|\d+)", body[1])
    return {constant: int(value, 0) for constant, value in found}


@pytest.mark.parametrize("ours", ENUMERATIONS, ids=lambda ours: ours.__name__)
def test_numbers_are_those_of_the_header(ours):
    name, prefix = ENUMERATIONS[ours]
    theirs = {
        constant.removeprefix(prefix): value
        for constant, value in enumeration_in_header(name).items()
        if constant.removeprefix("ATTEST_") not in NOT_GIVEN
    }
    assert theirs == {member.name: member.value for member in ours}


def test_every_enumeration_of_the_headers_is_here():
    text = "".join(path.read_text() for path in HEADERS.glob("*.h"))
    names = set(re.findall(r"typedef enum (attest_\w+)", text))
    assert AS_WORDS <= names
    assert names - {"attest_status"} - AS_WORDS == {name for name, _ in ENUMERATIONS.values()}


@pytest.mark.parametrize("ours", ENUMERATIONS, ids=lambda ours: ours.__name__)
def test_members_are_made_from_their_names_and_say_them(ours):
    for member in ours:
        assert ours(str(member)) is member
        assert f"{member}" == str(member) == f"{member!s:>1}"
        assert re.sub("[-_]", "", str(member)) == member.name.lower().replace("_", "")
    with pytest.raises(ValueError, match="'nonsense' is not a valid"):
        ours("nonsense")
    with pytest.raises(ValueError):
        ours(-1)
    with pytest.raises(ValueError):
        ours(1.5)


def test_names_are_the_librarys():
    assert str(libattest.Verdict.UNTRUSTED) == "untrusted"
    assert str(libattest.Severity.FAILURE) == "failure"
    assert str(libattest.Component.AK) == "ak"
    assert str(libattest.PcrState.APPRAISED) == "appraised"
    assert str(libattest.Coverage.COVERED) == "covered"
    assert str(libattest.Hash.SHA3_384) == "sha3_384"
    assert str(libattest.ImaDigest.PADDED_OLD) == "padded-old"


@pytest.mark.parametrize("ours", ENUMERATIONS, ids=lambda ours: ours.__name__)
def test_a_number_of_a_newer_library_is_kept_and_equals_no_known_one(ours):
    newer = ours(4711)
    assert newer == 4711
    assert isinstance(newer, ours)
    assert all(newer != member for member in ours)
    assert isinstance(str(newer), str)


def test_a_verdict_is_neither_true_nor_false():
    # As a plain number UNTRUSTED would be true.
    for verdict in libattest.Verdict:
        with pytest.raises(TypeError, match="compare it with Verdict.TRUSTED"):
            bool(verdict)


def finding(**changes) -> libattest.Finding:
    fields = {
        "code": 510,
        "id": "ima-not-listed",
        "severity": libattest.Severity.FAILURE,
        "component": libattest.Component.IMA,
        "pcr": 10,
        "index": 212,
        "offset": None,
        "expected": None,
        "found": "sha256:00",
        "message": "IMA entry 212: /usr/bin/ncat is not listed",
    }
    return libattest.Finding(**(fields | changes))


def test_findings_are_frozen_values():
    one = finding()
    assert one == finding()
    assert hash(one) == hash(finding())
    assert one != finding(index=213)
    assert str(one) == "failure: IMA entry 212: /usr/bin/ncat is not listed"
    assert "ima-not-listed" in repr(one)
    with pytest.raises(AttributeError):
        one.code = 1
    with pytest.raises((AttributeError, TypeError)):
        one.note = "slots"
    assert pickle.loads(pickle.dumps(one)) == one


def test_exceptions_are_the_standard_ones_too():
    assert issubclass(libattest.MalformedError, ValueError)
    assert issubclass(libattest.MalformedError, libattest.Error)
    assert issubclass(libattest.StateError, RuntimeError)
    assert issubclass(libattest.StateError, libattest.Error)
    assert not issubclass(libattest.Error, ValueError)


def test_public_names_live_in_the_package():
    for name in libattest.__all__:
        assert getattr(libattest, name).__module__.startswith("libattest"), name
    assert libattest.MalformedError.__module__ == "libattest"


def objects(clean, policy):
    return {
        "Evidence": clean.evidence(),
        "EventLog": libattest.EventLog.parse(clean.eventlog),
        "HostVerdicts": libattest.HostVerdicts(ttl=60),
        "Ima": libattest.Ima(),
        "Key": libattest.Key.load(clean.ak),
        "Node": libattest.Node(),
        "Policy": policy,
        "Quote": libattest.Quote.parse(*clean.quote),
        "Report": libattest.appraise(clean.evidence(), policy, nonce=clean.nonce),
    }


CLASSES = ["Evidence", "EventLog", "HostVerdicts", "Ima", "Key", "Node", "Policy", "Quote", "Report"]


@pytest.mark.parametrize("name", CLASSES)
def test_handles_are_not_copied_or_pickled(name, clean, policy):
    handle = objects(clean, policy)[name]
    for refused in (pickle.dumps, copy.copy, copy.deepcopy):
        with pytest.raises(TypeError, match=f"cannot pickle .*{name}"):
            refused(handle)


@pytest.mark.parametrize("name", CLASSES)
def test_an_object_that_was_never_made_is_empty_and_does_no_harm(name, clean):
    made_by_nobody = getattr(libattest, name).__new__(getattr(libattest, name))
    for attribute in dir(made_by_nobody):
        if isinstance(getattr(type(made_by_nobody), attribute), property):
            try:
                assert not getattr(made_by_nobody, attribute)
            except (TypeError, ValueError):
                pass  # a Verdict, or the library's refusal of NULL
    if hasattr(made_by_nobody, "to_json"):
        with pytest.raises(ValueError):
            made_by_nobody.to_json()


def test_a_call_with_an_object_that_was_never_made_trusts_nothing(clean, policy):
    never = {name: getattr(libattest, name) for name in CLASSES}
    never = {name: cls.__new__(cls) for name, cls in never.items()}
    with pytest.raises(ValueError):
        libattest.appraise(never["Evidence"], policy, nonce=clean.nonce)
    with pytest.raises(ValueError):
        libattest.Quote.parse(*clean.quote).verify(never["Key"], nonce=clean.nonce)
    with pytest.raises(ValueError):
        clean.evidence(ak=never["Key"])
    report = libattest.appraise(clean.evidence(), never["Policy"], nonce=clean.nonce)
    assert not report.trusted


@pytest.mark.parametrize("name", ["EventLog", "Key", "Quote", "Report"])
def test_what_is_parsed_has_no_constructor(name):
    with pytest.raises(TypeError, match="No constructor"):
        getattr(libattest, name)()
