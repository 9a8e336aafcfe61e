# SPDX-License-Identifier: Apache-2.0
"""Evidence and appraise()."""

import gc
import io
import json
import sys
import weakref

import pytest

import libattest


def appraised(boot, policy, **changes) -> libattest.Report:
    return libattest.appraise(boot.evidence(**changes), policy, nonce=boot.nonce)


def test_a_report_says_the_same_in_all_its_forms(tampered, policy):
    report = appraised(tampered, policy)
    shown = report.to_dict()
    assert json.loads(report.to_json()) == shown
    assert shown["verdict"] == str(report.verdict) == "untrusted"
    assert shown["findings_dropped"] == report.dropped == 0
    assert len(shown["findings"]) == len(report.findings)
    for there, here in zip(shown["findings"], report.findings):
        for name in ("code", "id", "pcr", "index", "offset", "expected", "found", "message"):
            assert there[name] == getattr(here, name)
        assert there["severity"] == str(here.severity)
        assert there["component"] == str(here.component)
    assert repr(report).startswith("<libattest.Report: untrusted, ")


def test_pcrs_are_the_quoted_ones_with_their_end(clean, policy):
    report = appraised(clean, policy)
    quoted = libattest.parse_pcrs(clean.quote[2])["sha256"]
    claims = report.pcrs["sha256"]
    assert {number: claim.value for number, claim in claims.items()} == quoted
    assert claims[10].state == libattest.PcrState.APPRAISED
    assert (claims[10].bank, claims[10].index) == ("sha256", 10)


def test_a_report_is_neither_true_nor_false(clean, policy):
    with pytest.raises(TypeError, match="report.trusted"):
        if appraised(clean, policy):
            pytest.fail("somebody was admitted")


def test_the_key_is_bytes_or_a_key(clean, policy):
    key = libattest.Key.load(clean.ak)
    assert appraised(clean, policy, ak=key).trusted
    evidence = clean.evidence(ak=None, quote=None)
    evidence.set_ak(key)
    del key
    evidence.set_quote(*clean.quote)
    assert libattest.appraise(evidence, policy, nonce=clean.nonce).trusted
    with pytest.raises(TypeError):
        evidence.set_ak(7)


def test_evidence_can_be_gathered_part_by_part(clean, policy):
    evidence = libattest.Evidence()
    assert libattest.appraise(evidence, policy, nonce=clean.nonce).verdict != 1
    evidence.set_ak(clean.ak)
    evidence.set_quote(*clean.quote)
    evidence.set_eventlog(clean.eventlog)
    evidence.set_ima(clean.ima)
    assert libattest.appraise(evidence, policy, nonce=clean.nonce).trusted
    assert libattest.appraise(evidence, policy, nonce=clean.nonce).trusted


def test_what_is_set_again_replaces_and_what_is_malformed_does_not(clean, tampered, policy):
    evidence = tampered.evidence()
    evidence.set_quote(*clean.quote)
    evidence.set_ima(clean.ima)
    for setter in (evidence.set_ak, evidence.set_eventlog, evidence.set_keylime_quote):
        with pytest.raises(libattest.MalformedError):
            setter(b"\xff")
    with pytest.raises(libattest.MalformedError):
        evidence.set_quote(b"", b"", b"")
    assert libattest.appraise(evidence, policy, nonce=clean.nonce).trusted


def test_a_keylime_quote_is_a_quote(clean, policy):
    import base64

    string = "r" + ":".join(base64.b64encode(part).decode() for part in clean.quote)
    assert appraised(clean, policy, quote=None, keylime_quote=string).trusted
    with pytest.raises(ValueError, match="not both"):
        clean.evidence(keylime_quote=string)


@pytest.mark.parametrize("quote", [(), (b"", b""), (b"", b"", b"", b"")])
def test_a_quote_has_three_parts(quote):
    with pytest.raises(ValueError, match="attest, signature, pcrs"):
        libattest.Evidence(quote=quote)


def test_arguments_are_named(clean, policy):
    with pytest.raises(TypeError):
        libattest.Evidence(clean.quote)
    with pytest.raises(TypeError):
        libattest.appraise(clean.evidence(), policy)
    with pytest.raises(TypeError):
        libattest.appraise(clean.evidence(), policy, clean.nonce)
    with pytest.raises(TypeError):
        libattest.appraise(None, policy, nonce=clean.nonce)
    with pytest.raises(TypeError):
        libattest.appraise(clean.evidence(), "policy", nonce=clean.nonce)
    with pytest.raises(TypeError):
        libattest.appraise(clean.evidence(), policy, nonce=clean.nonce.hex())


def test_a_missing_part_is_not_trusted(clean, policy):
    for part in ("ak", "quote", "ima"):
        report = appraised(clean, policy, **{part: None})
        assert report.verdict == libattest.Verdict.UNTRUSTED, part


def test_a_malformed_list_is_an_exception_of_the_appraisal(clean, policy):
    evidence = clean.evidence(ima=clean.ima[:-1])
    with pytest.raises(libattest.MalformedError):
        libattest.appraise(evidence, policy, nonce=clean.nonce)


# Lists that are read while they are appraised.


def chunks(data: bytes, step: int):
    for at in range(0, len(data), step):
        yield data[at : at + step]


class Reads:
    """A binary file that gives a few bytes at a time."""

    def __init__(self, data, most=1000):
        self.file = io.BytesIO(data)
        self.most = most
        self.sizes = []

    def read(self, size):
        self.sizes.append(size)
        return self.file.read(min(size, self.most))


@pytest.mark.parametrize(
    "source",
    [
        io.BytesIO,
        lambda data: io.BufferedReader(io.BytesIO(data)),
        Reads,
        lambda data: chunks(data, 100),
        lambda data: [data[:1], b"", bytearray(data[1:500]), memoryview(data)[500:]],
        lambda data: iter([data]),
        bytearray,
    ],
    ids=["BytesIO", "BufferedReader", "short reads", "generator", "list", "one chunk", "bytearray"],
)
def test_a_list_is_read_from_files_and_iterables(clean, policy, source):
    assert appraised(clean, policy, ima=source(clean.ima)).trusted


def test_a_list_is_read_from_a_real_file(clean, policy):
    with open(clean.folder / "ima.bin", "rb") as file:
        assert appraised(clean, policy, ima=file).trusted
    with open(clean.folder / "ima.bin", "rb", buffering=0) as file:
        assert appraised(clean, policy, ima=file).trusted


def test_a_read_may_give_more_than_was_asked_for(clean, policy):
    class Generous(Reads):
        def read(self, size):
            self.sizes.append(size)
            return self.file.read()

    source = Generous(clean.ima * 1)
    assert appraised(clean, policy, ima=source).trusted
    assert all(size > 0 for size in source.sizes)


def test_a_source_is_read_once(clean, policy):
    evidence = clean.evidence(ima=io.BytesIO(clean.ima))
    assert libattest.appraise(evidence, policy, nonce=clean.nonce).trusted
    with pytest.raises(libattest.StateError):
        libattest.appraise(evidence, policy, nonce=clean.nonce)
    evidence.set_ima(clean.ima)
    assert libattest.appraise(evidence, policy, nonce=clean.nonce).trusted


def test_a_policy_is_learned_from_a_file(clean):
    learned, _ = libattest.Policy.learn(
        clean.evidence(ima=io.BytesIO(clean.ima)), nonce=clean.nonce
    )
    assert appraised(clean, learned).trusted


class Broken(Exception):
    pass


def broken_generator(data):
    yield data[:100]
    raise Broken("the disk is gone")


class BrokenFile(Reads):
    def read(self, size):
        if self.sizes:
            raise Broken("the disk is gone")
        return super().read(size)


@pytest.mark.parametrize("source", [broken_generator, BrokenFile])
def test_what_a_source_raises_is_raised(clean, policy, source):
    evidence = clean.evidence(ima=source(clean.ima))
    with pytest.raises(Broken, match="the disk is gone") as caught:
        libattest.appraise(evidence, policy, nonce=clean.nonce)
    assert caught.traceback[-1].name in ("broken_generator", "read")
    with pytest.raises(libattest.StateError):
        libattest.appraise(evidence, policy, nonce=clean.nonce)
    with pytest.raises(Broken):
        libattest.Policy.learn(clean.evidence(ima=source(clean.ima)), nonce=clean.nonce)


@pytest.mark.parametrize("raised", [KeyboardInterrupt, SystemExit, StopIteration])
def test_interrupts_pass_through(clean, policy, raised):
    class File(Reads):
        def read(self, size):
            raise raised

    with pytest.raises(raised):
        appraised(clean, policy, ima=File(b""))


@pytest.mark.parametrize("wrong", ["text", None, 7])
def test_a_source_that_gives_no_bytes_is_a_type_error(clean, policy, wrong):
    class File:
        def read(self, size):
            return wrong

    with pytest.raises(TypeError, match="bytes-like"):
        appraised(clean, policy, ima=File())
    with pytest.raises(TypeError, match="bytes-like"):
        appraised(clean, policy, ima=[wrong])


@pytest.mark.parametrize("wrong", ["/sys/kernel/security/ima", 7, object()])
def test_what_is_no_source_is_a_type_error_at_once(wrong):
    with pytest.raises(TypeError):
        libattest.Evidence(ima=wrong)


def test_a_failed_report_leaves_no_exception_behind(clean, policy):
    with pytest.raises(Broken):
        appraised(clean, policy, ima=broken_generator(clean.ima))
    assert sys.exc_info() == (None, None, None)
    assert appraised(clean, policy).trusted


def test_a_source_that_was_read_is_let_go(clean, policy):
    source = Reads(clean.ima)
    gone = weakref.ref(source)
    evidence = clean.evidence(ima=source)
    del source
    assert gone() is not None
    libattest.appraise(evidence, policy, nonce=clean.nonce)
    gc.collect()
    assert gone() is None


def test_a_source_may_not_change_what_is_being_appraised(clean, policy):
    seen = []

    def meddling():
        for meddle in (
            lambda: evidence.set_ima(b""),
            lambda: evidence.set_ak(clean.ak),
            lambda: libattest.appraise(evidence, policy, nonce=clean.nonce),
            lambda: policy.set_allow_sha1(True),
            lambda: node.export(),
        ):
            with pytest.raises(libattest.StateError, match="in use") as caught:
                meddle()
            seen.append(str(caught.value))
        # What only reads, and what is somebody else's, is free.
        policy.to_json()
        assert appraised(clean, policy).trusted
        yield clean.ima

    node = libattest.Node()
    evidence = clean.evidence(ima=meddling())
    report = libattest.appraise(evidence, policy, nonce=clean.nonce, node=node)
    assert report.trusted
    assert len(seen) == 5
    policy.set_allow_sha1(False)
    evidence.set_ima(clean.ima)
    assert node.export()
