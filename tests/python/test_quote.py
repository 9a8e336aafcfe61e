# SPDX-License-Identifier: Apache-2.0
"""Key, Quote and files of PCR values."""

import array
import base64
import hashlib

import pytest
from conftest import ROOT

import libattest

TPM2 = ROOT / "tests" / "vectors" / "tpm2"


def test_a_key_says_what_it_is(clean):
    key = libattest.Key.load(clean.ak)
    assert key.format == libattest.KeyFormat.TPM2B_PUBLIC
    assert key.description == "RSA-2048"
    assert key.name == clean.node_file("ak.name")
    # fixedTPM, fixedParent, sensitiveDataOrigin, restricted, sign (TPM 2.0 Part 2, section 8.3).
    wanted = 1 << 1 | 1 << 4 | 1 << 5 | 1 << 16 | 1 << 18
    assert key.attributes & wanted == wanted
    assert repr(key) == "<libattest.Key: RSA-2048>"


def test_a_pem_key_has_no_name_and_no_attributes(clean):
    key = libattest.Key.load(clean.node_file("ak.pem"))
    assert key.format == libattest.KeyFormat.PEM
    assert key.name is None
    assert key.attributes is None


@pytest.mark.parametrize("data", [b"", b"\x00", b"-----BEGIN PUBLIC KEY-----\n", b"\xff" * 300])
def test_what_is_no_key_is_malformed(data):
    with pytest.raises(libattest.MalformedError) as caught:
        libattest.Key.load(data)
    assert str(caught.value)
    assert "\n" not in str(caught.value)


def test_a_quotes_claims_can_be_read(clean):
    quote = libattest.Quote.parse(*clean.quote)
    assert quote.magic == 0xFF544347
    assert quote.type == 0x8018
    assert quote.nonce == clean.nonce
    assert quote.signer is not None
    assert quote.signer[:2] == b"\x00\x0b"
    assert quote.clock > 0
    assert quote.reset_count > 0
    assert quote.restart_count == 0
    assert quote.clock_safe is True
    assert quote.firmware_version != 0
    assert set(quote.pcrs) == {"sha256"}
    assert all(len(value) == 32 for value in quote.pcrs["sha256"].values())
    assert quote.pcrs == libattest.parse_pcrs(clean.quote[2])


def test_two_banks_are_two_dicts(clean):
    pcrs = libattest.parse_pcrs(clean.read("quote_both.pcrs"))
    assert set(pcrs) == {"sha1", "sha256"}
    assert {len(value) for value in pcrs["sha1"].values()} == {20}
    assert pcrs["sha1"].keys() == pcrs["sha256"].keys()


def test_a_good_quote_verifies_but_is_not_a_verdict(clean):
    quote = libattest.Quote.parse(*clean.quote)
    report = quote.verify(libattest.Key.load(clean.ak), nonce=clean.nonce)
    assert report.quote_verified is True
    assert report.trusted is False
    assert report.pcrs["sha256"].keys() == quote.pcrs["sha256"].keys()


@pytest.mark.parametrize(
    "what, expected",
    [("key", "signature-invalid"), ("nonce", "nonce-mismatch"), ("message", "signature-invalid")],
)
def test_a_quote_that_is_not_good_has_findings(clean, what, expected):
    message, signature, pcrs = clean.quote
    ak, nonce = clean.ak, clean.nonce
    if what == "key":
        ak = (TPM2 / "ak_rsassa_sha256" / "ak.tss").read_bytes()
    elif what == "nonce":
        nonce = bytes(16)
    else:
        message = message[:-1] + bytes([message[-1] ^ 1])
    report = libattest.Quote.parse(message, signature, pcrs).verify(
        libattest.Key.load(ak), nonce=nonce
    )
    assert report.quote_verified is False
    assert report.pcrs == {}
    assert expected in [finding.id for finding in report.findings]


def test_sha1_signatures_are_refused_unless_they_are_allowed():
    folder = TPM2 / "ak_rsassa_sha1"
    key = libattest.Key.load((folder / "ak.tss").read_bytes())
    parts = [(folder / "quote_sha1" / f"quote.{x}").read_bytes() for x in ("msg", "sig", "pcrs")]
    nonce = bytes.fromhex((TPM2 / "nonce.hex").read_text())
    quote = libattest.Quote.parse(*parts)
    refused = quote.verify(key, nonce=nonce)
    assert refused.quote_verified is False
    assert "signature-sha1" in [finding.id for finding in refused.findings]
    assert quote.verify(key, nonce=nonce, allow_sha1=True).quote_verified is True


@pytest.mark.parametrize("part", [0, 1, 2])
def test_a_quote_cut_short_or_too_long_is_malformed(clean, part):
    for change in (lambda data: data[:-1], lambda data: data + b"\0", lambda data: b""):
        parts = list(clean.quote)
        parts[part] = change(parts[part])
        with pytest.raises(libattest.MalformedError):
            libattest.Quote.parse(*parts).verify(libattest.Key.load(clean.ak), nonce=clean.nonce)


def test_another_structure_than_a_quote_is_parsed_as_far_as_its_type(clean):
    message, signature, pcrs = clean.quote
    certify = message[:4] + b"\x80\x17" + message[6:]
    quote = libattest.Quote.parse(certify, signature, pcrs)
    assert quote.type == 0x8017
    assert quote.nonce is None
    assert quote.signer is None
    report = quote.verify(libattest.Key.load(clean.ak), nonce=clean.nonce)
    assert "quote-type" in [finding.id for finding in report.findings]


def test_keylimes_quote_string_is_text_or_bytes(clean):
    string = "r" + ":".join(base64.b64encode(part).decode() for part in clean.quote)
    key = libattest.Key.load(clean.ak)
    for form in (string, string.encode(), bytearray(string.encode())):
        quote = libattest.Quote.parse_keylime(form)
        assert quote.verify(key, nonce=clean.nonce).quote_verified
    with pytest.raises(libattest.MalformedError):
        libattest.Quote.parse_keylime(string[1:])


def test_any_contiguous_buffer_of_bytes_will_do(clean):
    name = libattest.Key.load(clean.ak).name
    padded = b"--" + clean.ak + b"--"
    forms = [
        bytearray(clean.ak),
        memoryview(clean.ak),
        memoryview(bytearray(clean.ak)),
        memoryview(padded)[2:-2],
        array.array("B", clean.ak),
    ]
    for form in forms:
        assert libattest.Key.load(form).name == name


@pytest.mark.parametrize(
    "wrong, error",
    [
        ("text", TypeError),
        (None, TypeError),
        (7, TypeError),
        ([1, 2], TypeError),
        (array.array("I", [1, 2]), TypeError),
        (memoryview(b"abcd").cast("B", [2, 2]), TypeError),
        (memoryview(b"abcd")[::2], BufferError),
    ],
    ids=repr,
)
def test_what_is_not_bytes_is_refused(wrong, error, clean):
    with pytest.raises(error):
        libattest.Key.load(wrong)
    with pytest.raises(error):
        libattest.Quote.parse(clean.quote[0], clean.quote[1], wrong)
    with pytest.raises(error):
        libattest.Quote.parse(*clean.quote).verify(libattest.Key.load(clean.ak), nonce=wrong)


def test_a_bytearray_can_be_resized_after_the_call(clean):
    data = bytearray(clean.ak)
    libattest.Key.load(data)
    data.extend(b"more")
    bad = bytearray(b"no key")
    with pytest.raises(libattest.MalformedError):
        libattest.Key.load(bad)
    bad.extend(b"more")


def test_text_with_lone_surrogates_is_a_value_error():
    with pytest.raises(ValueError):
        libattest.Quote.parse_keylime("r\udc80")


def test_nonces_are_random_and_of_the_size_that_was_asked_for():
    assert len(libattest.make_nonce()) == 32
    assert [len(libattest.make_nonce(n)) for n in (16, 20, 64)] == [16, 20, 64]
    assert len({libattest.make_nonce() for _ in range(100)}) == 100
    for n in (0, 15, 65, 10**6):
        with pytest.raises(ValueError):
            libattest.make_nonce(n)
    with pytest.raises(TypeError):
        libattest.make_nonce(-1)


def test_the_names_digest_is_the_keys(clean):
    # nameAlg, then the hash of the TPMT_PUBLIC (TPM 2.0 Part 1, section 16).
    digest = hashlib.sha256(clean.ak[2:]).digest()
    assert libattest.Key.load(clean.ak).name == b"\x00\x0b" + digest
