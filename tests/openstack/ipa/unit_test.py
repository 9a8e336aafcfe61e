# SPDX-License-Identifier: Apache-2.0
"""The modules that need no ironic-python-agent."""

from __future__ import annotations

import base64
import gzip
import hashlib
import io
import json
import os
import pathlib
import socket
import tarfile
from typing import Any, Callable, Iterator

import pytest

from libattest_ipa import NodeError, WrongParameters, collect, keylime, parameters

NONCE = bytes(range(20))
UUID = hashlib.sha256(b"an EK").hexdigest()
NOTHING = {"keylime_agent_uuid": None, "keylime_agent_ip": None, "keylime_agent_port": None}


def b64(data: bytes) -> str:
    return base64.b64encode(data).decode()


# --- parameters ---


def test_a_quote_with_all_its_parameters_and_with_none_but_the_nonce() -> None:
    assert parameters.quote(
        {"nonce": b64(NONCE), "pcrs": [10, 0], "bank": "sha384", "ima_entry": 7}
    ) == {
        "nonce": NONCE,
        "pcrs": (0, 10),
        "bank": "sha384",
        "ima_entry": 7,
    }
    assert parameters.quote({"nonce": b64(NONCE), "pcrs": None, "bank": None}) == {
        "nonce": NONCE,
        "pcrs": tuple(range(16)) + tuple(range(17, 23)),
        "bank": "sha256",
        "ima_entry": 0,
    }


@pytest.mark.parametrize("size", range(0, 70))
def test_a_nonce_has_16_to_64_bytes(size: int) -> None:
    given = {"nonce": b64(bytes(size))}
    if 16 <= size <= 64:
        assert parameters.quote(given)["nonce"] == bytes(size)
    else:
        with pytest.raises(WrongParameters, match="nonce must be 16 to 64 bytes as base64"):
            parameters.quote(given)


@pytest.mark.parametrize(
    "nonce",
    [
        None,
        5,
        ["A" * 24],
        "A" * 23,
        "A" * 24 + "=",
        "A" * 22 + "B=",
        "A" * 24 + "\n",
        " " + "A" * 24,
        "A" * 23 + "-",
        "é" * 24,
        "A" * (1 << 20),
    ],
)
def test_a_nonce_is_strict_base64(nonce: object) -> None:
    with pytest.raises(WrongParameters, match="nonce must be"):
        parameters.quote({"nonce": nonce})


@pytest.mark.parametrize(
    "pcrs",
    [[], [24], [-1], [0, 0], [True], [1.0], ["1"], "0", 7, {"0": 1}, list(range(24)) + [0], [[1]]],
)
def test_pcrs_are_a_list_of_different_numbers(pcrs: object) -> None:
    with pytest.raises(
        WrongParameters, match="pcrs must be a list of different numbers from 0 to 23"
    ):
        parameters.quote({"nonce": b64(NONCE), "pcrs": pcrs})


@pytest.mark.parametrize("entry", [-1, 2**32, True, "0", 1.5, None, [0]])
def test_an_entry_is_a_number(entry: object) -> None:
    with pytest.raises(WrongParameters, match="ima_entry must be a number from 0 to 4294967295"):
        parameters.quote({"nonce": b64(NONCE), "ima_entry": entry})


@pytest.mark.parametrize("bank", ["SHA256", "sha1,sha256", "md5", 256, ["sha256"], "sha256:0+sha1"])
def test_a_bank_is_one_of_four(bank: object) -> None:
    with pytest.raises(WrongParameters, match="bank must be one of"):
        parameters.quote({"nonce": b64(NONCE), "bank": bank})


@pytest.mark.parametrize("ek", ["l-1", "L-1 ", "--help", 1, ["L-1"]])
def test_a_template_is_one_of_five(ek: object) -> None:
    assert parameters.identity({}) == parameters.identity({"ek": None}) == {"ek": None}
    assert parameters.identity({"ek": "H-3"}) == {"ek": "H-3"}
    with pytest.raises(WrongParameters, match="ek must be one of"):
        parameters.identity({"ek": ek})


def test_a_challenge_is_bounded() -> None:
    good = {"credential": b64(bytes(70)), "secret": b64(bytes(258))}
    assert parameters.activate(good) == {"credential": bytes(70), "secret": bytes(258)}
    for name, most in (("credential", 256), ("secret", 1024)):
        for size in (0, 2, most + 1):
            with pytest.raises(WrongParameters, match=f"{name} must be 3 to {most} bytes"):
                parameters.activate({**good, name: b64(bytes(size))})
        with pytest.raises(WrongParameters, match=name):
            parameters.activate({other: value for other, value in good.items() if other != name})


@pytest.mark.parametrize(
    "check", [parameters.nothing, parameters.identity, parameters.activate, parameters.quote]
)
def test_no_other_parameters(check: parameters.Check) -> None:
    with pytest.raises(WrongParameters, match="there is no parameter 'state'"):
        check({"state": "/etc"})


# --- collect ---


@pytest.fixture
def program(
    tmp_path: pathlib.Path, monkeypatch: pytest.MonkeyPatch
) -> Callable[[str], pathlib.Path]:
    """Puts a shell script in collect's place; returns the file that gets its arguments."""

    def put(script: str) -> pathlib.Path:
        path = tmp_path / "collect"
        path.write_text(f'#!/bin/sh\nprintf "%s\\n" "$@" >"{tmp_path}/arguments"\n{script}\n')
        path.chmod(0o755)
        return tmp_path / "arguments"

    for name in [name for name in os.environ if name.startswith("LIBATTEST_")]:
        monkeypatch.delenv(name)
    monkeypatch.setenv("LIBATTEST_COLLECT", str(tmp_path / "collect"))
    return put


def members(names: tuple[str, ...]) -> str:
    return json.dumps({name: None for name in names})


def test_what_collect_is_called_with(
    program: Callable[[str], pathlib.Path], monkeypatch: pytest.MonkeyPatch
) -> None:
    arguments = program(f"echo '{members(collect.QUOTE)}'")
    collect.quote(NONCE, (0, 7, 10), "sha1", 5)
    assert arguments.read_text().split() == (
        [
            "quote",
            "--state",
            "/run/libattest",
            "--nonce",
            NONCE.hex(),
            "--pcrs",
            "sha1:0,7,10",
            "--ima-entry",
            "5",
        ]
    )
    monkeypatch.setenv("LIBATTEST_TCTI", "device:/dev/tpm0")
    monkeypatch.setenv("LIBATTEST_STATE", "/run/other")
    monkeypatch.setenv("LIBATTEST_IMA", "/ima")
    monkeypatch.setenv("LIBATTEST_EVENTLOG", "/eventlog")
    collect.quote(NONCE, (0,), "sha1", 0)
    call = arguments.read_text().split()
    assert call[:5] == ["quote", "--state", "/run/other", "--tcti", "device:/dev/tpm0"]
    assert call[-4:] == ["--eventlog", "/eventlog", "--ima", "/ima"]
    program(f"echo '{members(collect.IDENTITY)}'")
    collect.identity(None)
    assert "--ek" not in arguments.read_text().split()
    collect.identity("H-3")
    assert arguments.read_text().split()[-2:] == ["--ek", "H-3"]
    program(f"echo '{members(collect.ANSWER)}'")
    collect.activate(b"abc", b"defg")
    assert arguments.read_text().split()[-4:] == ["--credential", "YWJj", "--secret", "ZGVmZw=="]


@pytest.mark.parametrize(
    "output", ["", "[]", "{}", "null", '{"answer": 1, "more": 2}', "no JSON", '{"answer": "a"} x']
)
def test_another_collect_is_noticed(program: Callable[[str], pathlib.Path], output: str) -> None:
    program(f"echo '{output}'")
    with pytest.raises(NodeError, match="not of one version"):
        collect.activate(b"abc", b"def")


def test_a_failure_is_one_short_line(program: Callable[[str], pathlib.Path]) -> None:
    program(
        "echo '{\"answer\": null}'; printf 'left out\\ncollect: no TPM\\033[2J\\n\\n' >&2; exit 2"
    )
    with pytest.raises(NodeError, match=r"^collect: no TPM\?\[2J$"):
        collect.activate(b"abc", b"def")
    program("head -c 100000 /dev/zero | tr '\\0' x >&2; exit 2")
    with pytest.raises(NodeError, match="^x{500}$"):
        collect.activate(b"abc", b"def")
    program("kill -9 $$")
    with pytest.raises(NodeError, match="^collect ended with -9$"):
        collect.activate(b"abc", b"def")


def test_output_is_bounded_in_time_and_size(
    program: Callable[[str], pathlib.Path], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(collect, "TIMEOUT", 0.2)
    program("exec sleep 5")
    with pytest.raises(NodeError, match="did not end within"):
        collect.identity(None)
    monkeypatch.setattr(collect, "TIMEOUT", 30)
    monkeypatch.setattr(collect, "MAX_OUTPUT", 1000)
    program(f"echo '{members(collect.IDENTITY)}'; head -c 1000 /dev/zero | tr '\\0' ' '")
    with pytest.raises(NodeError, match="larger than"):
        collect.identity(None)


def test_the_log_of_a_launch(
    program: Callable[[str], pathlib.Path],
    monkeypatch: pytest.MonkeyPatch,
    tmp_path: pathlib.Path,
) -> None:
    program(f"echo '{members(collect.QUOTE)}'")
    log = tmp_path / "launchlog"
    monkeypatch.setenv("LIBATTEST_LAUNCH_LOG", str(log))
    assert collect.quote(NONCE, (0,), "sha256", 0)["launchlog"] is None
    log.write_bytes(b"abc")
    assert collect.quote(NONCE, (0,), "sha256", 0)["launchlog"] == "YWJj"
    monkeypatch.setattr(collect, "MAX_LAUNCH_LOG", 2)
    with pytest.raises(NodeError, match="larger than"):
        collect.quote(NONCE, (0,), "sha256", 0)
    monkeypatch.setenv("LIBATTEST_LAUNCH_LOG", str(tmp_path))
    with pytest.raises(NodeError, match="cannot read .*: Is a directory"):
        collect.quote(NONCE, (0,), "sha256", 0)


def test_both_logs_together_are_bounded(
    program: Callable[[str], pathlib.Path], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(collect, "MAX_LOGS", 8)
    answer: dict[str, Any] = dict.fromkeys(collect.QUOTE)
    answer.update(ima="AAAA", eventlog="AAAA")
    program(f"echo '{json.dumps(answer)}'")
    assert collect.quote(NONCE, (0,), "sha256", 0) == {**answer, "launchlog": None}
    answer.update(ima="AAAAAAAA")
    program(f"echo '{json.dumps(answer)}'")
    with pytest.raises(NodeError, match="larger than"):
        collect.quote(NONCE, (0,), "sha256", 0)


def test_no_collect(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("LIBATTEST_COLLECT", "/nonexistent")
    with pytest.raises(NodeError, match="cannot run /nonexistent: No such file"):
        collect.identity(None)


# --- Keylime ---


@pytest.fixture
def root(tmp_path: pathlib.Path, monkeypatch: pytest.MonkeyPatch) -> pathlib.Path:
    monkeypatch.setattr(keylime, "ROOT", tmp_path)
    (tmp_path / "etc/keylime/agent.conf.d").mkdir(parents=True)
    (tmp_path / "root").mkdir()
    return tmp_path


@pytest.fixture
def port() -> Iterator[int]:
    with socket.create_server(("127.0.0.1", 0)) as server:
        yield server.getsockname()[1]


def answer(port: int, ip: str = "192.0.2.7") -> dict[str, Any]:
    return {"keylime_agent_uuid": UUID, "keylime_agent_ip": ip, "keylime_agent_port": port}


def test_the_rust_agents_configuration(root: pathlib.Path, port: int) -> None:
    conf = root / "etc/keylime/agent.conf"
    conf.write_text(f'[agent]\nuuid = "generate"\nip = "0.0.0.0"\nport = {port}\n')
    assert keylime.info("192.0.2.7") == NOTHING
    (root / "etc/keylime/agent.conf.d/20-uuid.conf").write_text(f'[agent]\nuuid = "{UUID}"\n')
    assert keylime.info("192.0.2.7") == answer(port)
    (root / "etc/keylime/agent.conf.d/30-contact.conf").write_text(
        '[agent]\ncontact_ip = "203.0.113.1"\ncontact_port = 19002\n'
    )
    assert keylime.info("192.0.2.7") == answer(19002, "203.0.113.1")


def test_the_python_agents_configurations(root: pathlib.Path, port: int) -> None:
    (root / "etc/keylime.conf").write_text(
        f"[general]\n[cloud_agent]\nagent_uuid = {UUID}\n"
        f"cloudagent_ip = 127.0.0.1\ncloudagent_port = {port}\n"
    )
    assert keylime.info("192.0.2.7") == answer(port)
    (root / "etc/keylime/agent.conf").write_text(
        f"[agent]\nuuid = {UUID}\nip = 127.0.0.1\nport = {port}\ncontact_ip = ::\n"
    )
    assert keylime.info("2001:db8::1") == answer(port, "2001:db8::1")
    assert keylime.info(None) == NOTHING


@pytest.mark.parametrize(
    "uuid", ["", "hash_ek", "generate", keylime.SHIPPED_UUID, UUID[1:], UUID + "\n", "../" + UUID]
)
def test_a_uuid_that_names_no_node_is_none(root: pathlib.Path, port: int, uuid: str) -> None:
    (root / "etc/keylime/agent.conf").write_text(
        f"[agent]\nuuid = {json.dumps(uuid)}\nport = {port}\n"
    )
    assert keylime.info("192.0.2.7") == NOTHING


def test_an_agent_that_does_not_listen_is_none(root: pathlib.Path) -> None:
    assert keylime.info("192.0.2.7") == NOTHING
    with socket.create_server(("127.0.0.1", 0)) as server:
        port = server.getsockname()[1]
    conf = root / "etc/keylime/agent.conf"
    for value in (str(port), '"none"', "0", "65536", "-1", "true"):
        conf.write_text(f'[agent]\nuuid = "{UUID}"\nport = {value}\n')
        assert keylime.info("192.0.2.7") == NOTHING


def test_a_configuration_that_cannot_be_read_is_an_error(root: pathlib.Path) -> None:
    conf = root / "etc/keylime/agent.conf"
    conf.write_text("no = [configuration")
    with pytest.raises(NodeError, match="neither TOML nor INI"):
        keylime.info(None)
    conf.write_bytes(b"#" * (keylime.MAX_CONFIGURATION + 1))
    with pytest.raises(NodeError, match="larger than"):
        keylime.info(None)
    conf.unlink()
    conf.symlink_to("/etc/passwd")
    with pytest.raises(NodeError, match="symbolic links"):
        keylime.info(None)


def test_the_files_are_packed_in_order_and_nothing_else(root: pathlib.Path) -> None:
    (root / "root/allowlist.txt").write_bytes(b"00 boot_aggregate\n")
    (root / "root/checksum.txt").write_bytes(b"11  allowlist.txt\n")
    packed = keylime.attestation_files()
    assert packed == keylime.attestation_files()
    assert set(packed) == {"file_list"}
    with tarfile.open(
        fileobj=io.BytesIO(gzip.decompress(base64.b64decode(packed["file_list"], validate=True)))
    ) as tar:
        found = [
            (member.name, member.isreg(), member.mode, member.uid, member.mtime) for member in tar
        ]
        assert found == [
            ("root/allowlist.txt", True, 0o644, 0, 0),
            ("root/checksum.txt", True, 0o644, 0, 0),
        ]
        assert [tar.extractfile(name).read() for name in keylime.FILES] == [  # type: ignore[union-attr]
            b"00 boot_aggregate\n",
            b"11  allowlist.txt\n",
        ]


def test_files_that_are_too_large_or_none_are_errors(
    root: pathlib.Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    allowlist, checksum = root / "root/allowlist.txt", root / "root/checksum.txt"
    with pytest.raises(NodeError, match="/root/allowlist.txt: No such file"):
        keylime.attestation_files()
    monkeypatch.setattr(keylime, "MAX_FILES", 10)
    allowlist.write_bytes(bytes(8))
    checksum.write_bytes(bytes(3))
    with pytest.raises(NodeError, match="checksum.txt is larger than 2 bytes"):
        keylime.attestation_files()
    checksum.unlink()
    os.mkfifo(checksum)
    with pytest.raises(NodeError, match="is not a file"):
        keylime.attestation_files()
    checksum.unlink()
    checksum.symlink_to("allowlist.txt")
    with pytest.raises(NodeError, match="symbolic links"):
        keylime.attestation_files()
