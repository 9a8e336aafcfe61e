# SPDX-License-Identifier: Apache-2.0
"""EventLog and Ima."""

import hashlib
import json

import pytest

import libattest


def test_an_event_log_replays_to_the_quoted_values(clean):
    log = libattest.EventLog.parse(clean.eventlog)
    assert log.format == libattest.EventLogFormat.CRYPTO_AGILE
    quoted = libattest.parse_pcrs(clean.quote[2])["sha256"]
    assert {n: log.pcrs["sha256"][n] for n in range(8)} == {n: quoted[n] for n in range(8)}


def test_events_say_what_they_are(clean):
    log = libattest.EventLog.parse(clean.eventlog)
    events = log.events
    assert [event.index for event in events] == list(range(len(events)))
    offsets = [event.offset for event in events]
    assert offsets == sorted(set(offsets))
    assert offsets[-1] < len(clean.eventlog)
    separators = [event for event in events if event.type == 4]
    assert separators
    for event in separators:
        assert event.type_name == "EV_SEPARATOR"
        assert event.coverage == libattest.Coverage.COVERED
        assert event.digests["sha256"] == hashlib.sha256(event.data).digest()
        assert event.data in clean.eventlog
    assert {len(event.digests["sha1"]) for event in separators} == {20}
    assert log.events == events


def test_a_bank_is_chosen_by_name_or_number(clean):
    for bank in ("sha1", libattest.Hash.SHA1, 4):
        assert libattest.EventLog.parse(clean.eventlog, bank=bank).events
    with pytest.raises(ValueError, match="'md5' is not a valid Hash"):
        libattest.EventLog.parse(clean.eventlog, "md5")
    with pytest.raises(ValueError):
        libattest.EventLog.parse(clean.eventlog, bank="sha512")
    with pytest.raises(ValueError):
        libattest.EventLog.parse(clean.eventlog, bank=0)


def test_an_event_log_cut_short_is_malformed_and_says_where(clean):
    with pytest.raises(libattest.MalformedError, match=r"\d"):
        libattest.EventLog.parse(clean.eventlog[:-1])


def test_an_empty_log_has_no_events():
    log = libattest.EventLog.parse(b"")
    assert (log.events, log.pcrs) == ([], {})


def test_data_that_is_not_what_was_measured_is_a_finding(clean):
    events = libattest.EventLog.parse(clean.eventlog).events
    event = next(event for event in events if event.type == 4)
    end = events[event.index + 1].offset
    assert clean.eventlog[:end].endswith(event.data)
    changed = bytearray(clean.eventlog)
    changed[end - 1] ^= 0xFF
    findings = libattest.EventLog.parse(changed).findings
    hit = [f for f in findings if f.index == event.index]
    assert hit
    assert hit[0].component == libattest.Component.EVENTLOG
    assert hit[0].offset == event.offset


def test_a_logs_json_says_what_its_properties_say(clean):
    log = libattest.EventLog.parse(clean.eventlog)
    shown = json.loads(log.to_json())
    assert len(shown["events"]) == len(log.events)
    assert shown["banks"]["sha256"]["0"] == log.pcrs["sha256"][0].hex()
    assert len(shown["findings"]) == len(log.findings)


def replayed(data: bytes, step: int, **options) -> libattest.Ima:
    ima = libattest.Ima(**options)
    for at in range(0, len(data), step):
        ima.feed(data[at : at + step])
    ima.finish()
    return ima


@pytest.mark.parametrize("step", [1, 7, 4096, 10**9])
def test_a_list_replays_to_the_quoted_value_in_chunks_of_any_size(clean, step):
    ima = replayed(clean.ima, step)
    quoted = libattest.parse_pcrs(clean.quote[2])["sha256"][10]
    assert ima.pcrs == {"sha256": {10: quoted}}
    assert ima.entries == int(clean.read("ima.count"))
    assert ima.violations == int(clean.read("ima.violations"))


def test_the_text_form_replays_to_the_same(clean):
    text = clean.read("ima.ascii")
    assert replayed(text, 100).pcrs == replayed(clean.ima, 100).pcrs
    assert replayed(text, 100, format="ascii").pcrs == replayed(clean.ima, 100).pcrs
    with pytest.raises(libattest.MalformedError):
        replayed(text, 100, format="binary")
    with pytest.raises(libattest.MalformedError):
        replayed(clean.ima, 100, format=libattest.ImaFormat.ASCII)


def test_other_banks_are_other_values(clean):
    quoted = libattest.parse_pcrs(clean.read("quote_both.pcrs"))
    ima = replayed(clean.ima, 4096, bank="sha1", list_bank="sha1")
    assert ima.pcrs == {"sha1": {10: quoted["sha1"][10]}}
    padded = replayed(clean.ima, 4096, digest="padded")
    assert padded.pcrs["sha256"][10] != quoted["sha256"][10]


def test_pcrs_can_be_asked_for_on_the_way(clean):
    ima = libattest.Ima()
    assert (ima.entries, ima.pcrs) == (0, {})
    half = len(clean.ima) // 2
    ima.feed(clean.ima[:half])
    before = ima.pcrs
    ima.feed(clean.ima[half:])
    ima.finish()
    assert 0 < len(before["sha256"])
    assert ima.pcrs != before


@pytest.mark.parametrize(
    "wrong", [{"bank": "sha42"}, {"list_bank": ""}, {"format": "xml"}, {"digest": "none"}]
)
def test_an_unknown_option_is_a_value_error(wrong):
    with pytest.raises(ValueError, match="is not a valid"):
        libattest.Ima(**wrong)


def test_a_list_that_ends_inside_an_entry_is_malformed(clean):
    ima = libattest.Ima()
    ima.feed(clean.ima[:-1])
    with pytest.raises(libattest.MalformedError):
        ima.finish()


def test_what_is_no_list_is_malformed_and_the_replay_is_over():
    ima = libattest.Ima()
    with pytest.raises(libattest.MalformedError):
        ima.feed(b"\xff" * 100)
        ima.finish()
    with pytest.raises(libattest.StateError):
        ima.feed(b"more")


def test_nothing_can_be_fed_after_the_end(clean):
    ima = replayed(clean.ima, 4096)
    with pytest.raises(libattest.StateError):
        ima.feed(b"more")


def test_violations_are_counted_and_found(clean):
    boot = type(clean)(clean.folder.parent / "3-violation")
    ima = replayed(boot.ima, 4096)
    assert ima.violations == int(boot.read("ima.violations")) > 0
    assert "ima-violation" in [finding.id for finding in ima.findings]
    assert json.loads(ima.to_json())["violations"] == ima.violations
