# SPDX-License-Identifier: Apache-2.0
"""How programs use the package, for mypy --strict: types are right and wrong ones are refused."""

import itertools
import pathlib
from collections.abc import Iterator
from typing import BinaryIO, assert_type

import libattest


def admit(ak: bytes, quote: tuple[bytes, bytes, bytes], ima: BinaryIO, nonce: bytes) -> bool:
    policy = libattest.Policy.parse("{}")
    policy.add_allowlist("", excludelist=b"")
    evidence = libattest.Evidence(ak=libattest.Key.load(ak), quote=quote, ima=ima)
    report = libattest.appraise(evidence, policy, nonce=nonce, now=0, node=libattest.Node())
    for finding in report.findings:
        assert_type(finding.pcr, int | None)
        assert_type(finding.severity, libattest.Severity)
    assert_type(report.pcrs["sha256"][0].state, libattest.PcrState)
    return report.trusted


def chunks() -> Iterator[bytes]:
    yield b""


def sources() -> None:
    libattest.Evidence(ima=chunks())
    libattest.Evidence(ima=[b"", bytearray(), memoryview(b"")])
    libattest.Evidence(ima="path")  # type: ignore[arg-type]
    libattest.Evidence(b"")  # type: ignore
    libattest.Key.load("text")  # type: ignore[arg-type]


def learned(evidence: libattest.Evidence, nonce: bytes) -> None:
    policy, report = libattest.Policy.learn(evidence, nonce=nonce)
    assert_type(policy, libattest.Policy | None)
    assert_type(report, libattest.Report)
    libattest.appraise(evidence, policy)  # type: ignore[call-arg]


def logs(data: bytes) -> None:
    ima = libattest.Ima(bank=libattest.Hash.SHA384, format="ascii")
    ima.feed(memoryview(data))
    assert_type(ima.pcrs, dict[str, dict[int, bytes]])
    assert_type(libattest.EventLog.parse(data, bank="sha1").events, list[libattest.Event])


def keylime(pem: str) -> bool:
    client = libattest.Keylime(verifier="127.0.0.1:8881", ca=pem, cert=pem.encode(), key=pem)
    agent = client.lookup("node", timeout=5)
    assert_type(agent, libattest.KeylimeAgent | None)
    if agent is None:
        return False
    client.add(agent, allowlist="", excludelist=None, policy_name=None)
    client.add(agent, "policy")  # type: ignore[misc]
    client.wait("node")  # type: ignore[call-arg]
    assert_type(client.list(), list[str])
    assert_type(client.integrity_quote(agent, "nonce", 0x400).ima, bytes | None)
    try:
        return client.wait("node", 60.0).trusted
    except libattest.KeylimeError as error:
        assert_type(error.status, int | None)
        return False


def oat(pem: str, names: list[str]) -> set[str]:
    client = libattest.OatClient("oat.example", ca=pem, auth_blob=b"", dialect="2")
    hosts = client.poll(names, timeout=5)
    assert_type(hosts, libattest.OatHosts)
    assert_type(hosts[0], libattest.HostVerdict)
    assert_type(hosts.reasons, dict[str, str])
    libattest.OatClient("oat.example")  # type: ignore[call-arg]
    client.poll(names, 5)  # type: ignore[misc]
    libattest.HostVerdicts(ttl=60).put(hosts, now=0, monotonic=0)
    return {host.name for host in hosts if host.verdict == libattest.Verdict.TRUSTED}


def hosts(names: list[str], now: float, monotonic: float) -> Iterator[str]:
    verdicts = libattest.HostVerdicts(ttl=60)
    verdicts.put(
        [libattest.HostVerdict("a", libattest.Verdict.TRUSTED, now)], now=now, monotonic=monotonic
    )
    decision = verdicts.decide(names, now=now, monotonic=monotonic)
    assert_type(decision.to_fetch, list[str])
    assert_type(decision.counts["expired"], int)
    assert_type(decision.reason(0), str)
    verdicts.decide(names)  # type: ignore[call-arg]
    libattest.HostVerdict("a", "trusted")  # type: ignore[arg-type]
    libattest.HostVerdicts()  # type: ignore[call-arg]
    return itertools.compress(names, decision.trusted)


def boot(path: pathlib.Path) -> bool:
    text = libattest.render_boot_config("grub", kernel="/k", ramdisk="/r", complete=True)
    assert_type(text, str)
    libattest.render_boot_config("grub", "/k", "/r")  # type: ignore[misc]
    for problem in libattest.check_boot_config(text, boot_root=path):
        assert_type(problem.line, int | None)
        assert_type(problem.severity, libattest.Severity)
    return libattest.switch_boot_config(path, "trusted_boot", boot_mode="uefi")
