# SPDX-License-Identifier: Apache-2.0
"""examples/oat-server: real evidence in, PollHosts out, as the clients of OpenAttestation asked for it."""

import contextlib
import datetime
import hashlib
import http.client
import json
import os
import pathlib
import shutil
import signal
import socket
import ssl
import subprocess
import sys
import threading
import time

import pytest
from conftest import ROOT, Boot

import libattest

sys.path[:0] = [str(ROOT / "tests" / "support"), str(ROOT / "examples" / "oat-server")]
import fault_server  # noqa: E402
import oat_clients  # noqa: E402
from oat_clients import V1_0, V1_5, nova_filter, ovirt_engine  # noqa: E402
from oat_service import hosts as oat_hosts  # noqa: E402
from oat_service import web  # noqa: E402
from oat_service.hosts import Host, Verdict  # noqa: E402
from oat_service.nonces import Nonces  # noqa: E402
from oat_service.pollhosts import PollHosts  # noqa: E402
from oat_service.settings import Settings, SettingsError  # noqa: E402

BLOB = "i-am-openstack"
JSON = {"content-type": "application/json"}


@pytest.fixture(scope="session")
def pki(tmp_path_factory: pytest.TempPathFactory) -> fault_server.Pki:
    return fault_server.Pki(tmp_path_factory.mktemp("pki"))


def lay_out(folder: pathlib.Path, boot: Boot, quote: str = "quote_sha256", ak: str = "ak") -> None:
    """An evidence folder as collect writes it."""
    folder.mkdir()
    for part in ("msg", "sig", "pcrs"):
        (folder / f"quote.{part}").write_bytes(boot.read(f"{quote}.{part}"))
    (folder / "ak.tss").write_bytes(boot.node_file(f"{ak}.tss"))
    (folder / "nonce.hex").write_bytes(boot.node_file("nonce.hex"))
    (folder / "eventlog.bin").write_bytes(boot.eventlog)
    (folder / "ima.bin").write_bytes(boot.ima)


class Site:
    """A configuration with a good host, one that is not, and one that has sent nothing."""

    def __init__(self, folder: pathlib.Path, pki: fault_server.Pki, clean: Boot, tampered: Boot, policy) -> None:
        self.folder, self.pki = folder, pki
        lay_out(folder / "good", clean)
        lay_out(folder / "bad", tampered, "quote_ecc", "akecc")
        (folder / "policy.json").write_text(policy.to_json())
        for name in ("server.crt", "server.key"):
            shutil.copy(pki.folder / name, folder / name)
        self.secret("nonce.key", "5a" * 32)
        self.secret("blob", BLOB)
        self.values = {
            "server": {
                "listen": "127.0.0.1:0",
                "certificate": "server.crt",
                "key": "server.key",
                "nonce_key_file": "nonce.key",
            },
            "host": {
                "good.example": self.host("good", clean.node_file("ak.name")),
                "bad.example": self.host("bad", clean.node_file("akecc.name")),
                "away.example": self.host("away", bytes.fromhex("000b" + "77" * 32)),
            },
        }

    def host(self, evidence: str, name: bytes) -> dict:
        return {"evidence": evidence, "policy": "policy.json", "ak_name": name.hex()}

    def secret(self, name: str, text: str) -> None:
        (self.folder / name).write_text(text + "\n")
        (self.folder / name).chmod(0o600)

    def write(self) -> str:
        """TOML. JSON's texts and numbers are the same in it."""
        lines = [f"{key} = {json.dumps(value)}" for key, value in self.values.items() if not isinstance(value, dict)]
        for table, values in self.values.items():
            groups = values.items() if table == "host" else [(None, values)] if isinstance(values, dict) else []
            for name, keys in groups:
                lines.append(f"[{table}]" if name is None else f"[{table}.{json.dumps(name)}]")
                lines += [f"{key} = {json.dumps(value)}" for key, value in keys.items()]
        path = self.folder / "server.toml"
        path.write_text("\n".join(lines) + "\n")
        return str(path)

    def settings(self) -> Settings:
        return Settings.read(self.write())


@pytest.fixture
def taken(monkeypatch: pytest.MonkeyPatch, clean: Boot) -> dict:
    """The samples' nonce counts as one that the server made at taken["at"], for every host."""
    at = {"at": time.time() - 5}
    made_at = Nonces.made_at

    def patched(self: Nonces, host: str, nonce: bytes) -> int | None:
        return int(at["at"]) if nonce == clean.nonce else made_at(self, host, nonce)

    monkeypatch.setattr(Nonces, "made_at", patched)
    return at


@pytest.fixture
def site(tmp_path, pki, clean, tampered, policy, taken) -> Site:
    del taken
    return Site(tmp_path, pki, clean, tampered, policy)


@contextlib.contextmanager
def serving(settings: Settings):
    """The port."""
    with web.Server(settings) as server:
        thread = threading.Thread(target=server.serve_forever, args=(0.02,))
        thread.start()
        try:
            yield server.server_address[1]
        finally:
            server.shutdown()
            thread.join()


@pytest.fixture
def port(site):
    with serving(site.settings()) as number:
        yield number


@pytest.fixture
def ca(pki) -> pathlib.Path:
    return pki.folder / "ca.crt"


ALL = ["good.example", "bad.example", "away.example", "nobody.example"]


# The clients of OAT.


@pytest.mark.parametrize("url", [V1_0, V1_5])
def test_novas_old_filter_sees_who_is_trusted(port, ca, taken, url):
    before = datetime.datetime.now(datetime.UTC).replace(tzinfo=None, microsecond=0)
    seen = nova_filter(port, ca, ALL, url=url)
    assert {name: level for name, (level, _) in seen.items()} == {
        "good.example": "trusted",
        "bad.example": "untrusted",
        "away.example": "unknown",
        "nobody.example": "unknown",
    }
    # Stored evidence is as old as its nonce; that nothing is known is known now.
    asked = datetime.datetime.fromtimestamp(int(taken["at"]), datetime.UTC).replace(tzinfo=None)
    assert seen["good.example"][1] == seen["bad.example"][1] == asked
    assert seen["away.example"][1] >= before


def test_novas_own_parser_reads_the_times(port, ca):
    timeutils = pytest.importorskip("oslo_utils.timeutils")
    body = json.dumps({"count": 1, "hosts": ["good.example"]})
    _, text = oat_clients.post(port, ca, V1_0 + "/PollHosts", body, JSON)
    (host,) = json.loads(text)["hosts"]
    when = timeutils.normalize_time(timeutils.parse_isotime(host["vtime"]))
    assert abs((timeutils.utcnow() - when).total_seconds()) < 60


def test_novas_first_filter_asked_for_one_host(port, ca):
    assert oat_clients.nova_first_filter(port, ca, "good.example") == "trusted"
    assert oat_clients.nova_first_filter(port, ca, "bad.example") == "untrusted"


def test_ovirts_engine_sees_who_is_trusted(port, ca):
    assert ovirt_engine(port, ca, ALL) == {
        "good.example": "TRUSTED",
        "bad.example": "UNTRUSTED",
        "away.example": "UNKNOWN",
        "nobody.example": "UNKNOWN",
    }


def test_clients_that_read_members_in_one_order_can_read_them(port, ca):
    assert oat_clients.oat_1_streaming_client(port, ca, ALL)["good.example"] == "trusted"


def test_each_host_is_answered_once(port, ca):
    body = json.dumps({"hosts": ["good.example", "x", "good.example"]})
    _, text = oat_clients.post(port, ca, V1_5 + "/PollHosts", body, JSON)
    assert [host["host_name"] for host in json.loads(text)["hosts"]] == ["good.example", "x"]


@pytest.mark.parametrize("url", [V1_0, V1_5])
def test_our_own_client_sees_who_is_trusted(site, ca, taken, url):
    site.values["server"]["auth_blob_file"] = "blob"
    names = [*ALL, *(f"compute{n}.example" for n in range(1000))]

    def client(port, blob):
        return libattest.OatClient("127.0.0.1", port=port, ca=ca.read_text(), api_url=url, auth_blob=blob)

    with serving(site.settings()) as port:
        seen = client(port, BLOB).poll(names, timeout=30)
        with pytest.raises(libattest.OatError):
            client(port, "i-am-somebody").poll(names, timeout=30)
    assert [(host.name, str(host.verdict)) for host in seen[:3]] == [
        ("good.example", "trusted"),
        ("bad.example", "untrusted"),
        ("away.example", "unknown"),
    ]
    assert {host.verdict for host in seen[3:]} == {libattest.Verdict.UNKNOWN}
    assert len(seen) == len(names)
    assert seen.ignored == 0
    assert seen[0].measured_at == seen[1].measured_at == int(taken["at"])


# Evidence.


@pytest.mark.parametrize("age, level", [(3590, "trusted"), (3700, "unknown"), (-4, "trusted"), (-60, "unknown")])
def test_evidence_of_another_time_says_nothing(port, ca, taken, age, level):
    taken["at"] = time.time() - age
    seen, when = nova_filter(port, ca, ["good.example"])["good.example"]
    assert seen == level
    assert when <= datetime.datetime.now(datetime.UTC).replace(tzinfo=None)


def test_max_age_is_the_hosts(site, ca, taken):
    site.values["host"]["good.example"]["max_age"] = 100
    taken["at"] = time.time() - 200
    with serving(site.settings()) as port:
        seen = nova_filter(port, ca, ALL)
    assert (seen["good.example"][0], seen["bad.example"][0]) == ("unknown", "untrusted")


def test_a_nonce_that_was_not_made_here_says_nothing(port, ca, monkeypatch):
    monkeypatch.undo()  # the samples' nonce is nobody's now
    assert nova_filter(port, ca, ["good.example"])["good.example"][0] == "unknown"


def test_a_nonce_is_of_one_host_one_time_and_one_key():
    nonces = Nonces(b"k" * 32)
    nonce = nonces.make("a", 1_700_000_000.9)
    assert len(nonce) == 20
    assert nonces.made_at("a", nonce) == 1_700_000_000
    assert nonces.made_at("b", nonce) is None
    assert Nonces(b"l" * 32).made_at("a", nonce) is None
    later = (1_700_000_001).to_bytes(4, "big")
    for other in (b"", nonce[:4], nonce[:19], nonce + b"\0", later + nonce[4:], nonce[:19] + bytes([nonce[19] ^ 1])):
        assert nonces.made_at("a", other) is None


def test_the_evidence_of_one_host_is_not_anothers(site, port, ca, clean):
    """Under its own name each has its own key; the other's folder is the other's machine."""
    shutil.rmtree(site.folder / "bad")
    lay_out(site.folder / "bad", clean)
    assert nova_filter(port, ca, ["bad.example"])["bad.example"][0] == "untrusted"


def test_a_host_cannot_bring_its_own_key_along(site, port, ca, clean):
    shutil.rmtree(site.folder / "good")
    lay_out(site.folder / "good", clean, "quote_ecc", "akecc")
    assert nova_filter(port, ca, ["good.example"])["good.example"][0] == "untrusted"


def break_link(folder):
    (folder / "ima.bin").rename(folder / "list")
    (folder / "ima.bin").symlink_to("list")


def break_pipe(folder):
    (folder / "quote.sig").unlink()
    os.mkfifo(folder / "quote.sig")


def break_folder(folder):
    (folder / "eventlog.bin").unlink()
    (folder / "eventlog.bin").mkdir()


def break_size(folder):
    os.truncate(folder / "quote.msg", (1 << 20) + 1)


def break_nonce(folder):
    (folder / "nonce.hex").write_text("zz")


def break_bytes(folder):
    (folder / "nonce.hex").write_bytes(b"\xff\xfe")


def break_quote(folder):
    os.truncate(folder / "quote.msg", 40)


def break_list(folder):
    os.truncate(folder / "ima.bin", 100)


def remove_signature(folder):
    (folder / "quote.sig").unlink()


def remove_all(folder):
    shutil.rmtree(folder)


@pytest.mark.parametrize(
    "harm",
    [break_link, break_pipe, break_folder, break_size, break_nonce, break_bytes, break_quote, break_list,
     remove_signature, remove_all],
)  # fmt: skip
def test_a_folder_that_is_not_as_collect_writes_it_is_not_trusted(site, port, ca, harm):
    harm(site.folder / "good")
    start = time.monotonic()
    seen = nova_filter(port, ca, ["good.example", "bad.example"])
    assert seen["good.example"][0] == "unknown"
    assert seen["bad.example"][0] == "untrusted"
    assert time.monotonic() - start < 5


def test_only_files_of_a_bounded_size_are_read(tmp_path):
    (tmp_path / "file").write_bytes(b"12345")
    os.mkfifo(tmp_path / "pipe")
    (tmp_path / "link").symlink_to("file")
    folder = os.open(tmp_path, os.O_RDONLY)
    try:
        assert oat_hosts.read(folder, "file", 5) == b"12345"
        for name, most, error in (
            ("file", 4, ValueError),
            ("pipe", 5, ValueError),
            ("link", 5, OSError),
            ("none", 5, FileNotFoundError),
        ):
            with pytest.raises(error):
                oat_hosts.read(folder, name, most)
    finally:
        os.close(folder)


@pytest.mark.parametrize("log", ["ima.bin", "eventlog.bin"])
def test_a_log_that_the_policy_asks_for_is_missed(site, port, ca, log):
    (site.folder / "good" / log).unlink()
    assert nova_filter(port, ca, ["good.example"])["good.example"][0] == "untrusted"


def test_a_folder_may_be_replaced_by_another_at_any_time(site, port, ca, tampered):
    (site.folder / "good").rename(site.folder / "first")
    (site.folder / "good").symlink_to("first")
    assert nova_filter(port, ca, ["good.example"])["good.example"][0] == "trusted"
    lay_out(site.folder / "second", tampered)
    (site.folder / "new").symlink_to("second")
    (site.folder / "new").replace(site.folder / "good")
    assert nova_filter(port, ca, ["good.example"])["good.example"][0] == "untrusted"


# Who may ask.


def test_the_blob_is_asked_for_where_there_is_one(site, ca):
    site.values["server"]["auth_blob_file"] = "blob"
    body = json.dumps({"hosts": ["good.example"]})
    with serving(site.settings()) as port:
        assert nova_filter(port, ca, ["good.example"], blob=BLOB)["good.example"][0] == "trusted"
        status, _ = oat_clients.post(port, ca, V1_0 + "/PollHosts", body, {**JSON, "Auth_blob": BLOB})
        assert status == 200
        for wrong in ("", BLOB[:-1], BLOB + "x", BLOB.upper(), "\xe9"):
            assert nova_filter(port, ca, ["good.example"], blob=wrong) is None
        status, text = oat_clients.post(port, ca, V1_0 + "/PollHosts", body, JSON)
        assert status == 401
        assert json.loads(text).keys() == {"error_code", "error_message"}


# What is no question.


def ask(port, ca, body, path=V1_5 + "/PollHosts", headers=JSON):
    status, text = oat_clients.post(port, ca, path, body, headers)
    answer = json.loads(text)
    if status != 200:
        assert answer.keys() == {"error_code", "error_message"}
        assert answer["error_code"] == status
    return status, answer


@pytest.mark.parametrize(
    "body",
    [
        b"",
        b"not JSON",
        b'{"hosts": ["good.example"]',
        b'{"hosts": ["good.example"]} x',
        b"\xff\xfe",
        b"[" * 100_000,
        b'{"hosts": ' + b"[" * 100_000,
        b"9" * 10_000,
        b"[]",
        b"null",
        b'"good.example"',
        b"{}",
        b'{"hosts": []}',
        b'{"hosts": ""}',
        b'{"hosts": null}',
        b'{"hosts": {"good.example": 1}}',
        b'{"hosts": [1]}',
        b'{"hosts": [["good.example"]]}',
        b'{"hosts": ["good.example", ""]}',
        b'{"hosts": ["' + b"x" * 256 + b'"]}',
        b'{"hosts": ["bad.example"], "hosts": ["good.example"]}',
        b'{"hosts": ["good.example"], "analysisType": "load-time,l_req=l4"}',
        b'{"hosts": ["good.example"], "PCRmask": "FFFFFF"}',
    ],
)
def test_a_body_that_is_not_understood_is_answered_as_oat_did(port, ca, body):
    status, answer = ask(port, ca, body)
    assert status == 400
    assert "\n" not in answer["error_message"]


@pytest.mark.parametrize(
    "name",
    ["../good", "/etc/passwd", "good.example/../../x", "..", ".", "good.example\0", "a\nb", "%2e%2e%2f", "\ud800", "é", "*",
     "GOOD.example", "good.example.", " good.example", "x" * 255, "<b>", "__class__"],
)  # fmt: skip
def test_a_name_is_looked_up_and_nothing_else(port, ca, name):
    status, answer = ask(port, ca, json.dumps({"hosts": [name, "good.example"]}))
    assert status == 200
    assert [(host["host_name"], host["trust_lvl"]) for host in answer["hosts"]] == [
        (name, "unknown"),
        ("good.example", "trusted"),
    ]


@pytest.mark.parametrize(
    "path",
    ["/", "/PollHosts", V1_0, V1_5 + "/PollHosts/", V1_5 + "/pollhosts", V1_5 + "/PollHosts?x=1", V1_5 + "/hosts",
     V1_5 + "/../resources/PollHosts", "/../../etc/passwd", V1_5 + "/%50ollHosts"],
)  # fmt: skip
def test_only_pollhosts_is_there(port, ca, path):
    assert ask(port, ca, b'{"hosts": ["good.example"]}', path)[0] == 404


def test_ten_thousand_hosts_are_answered(port, ca):
    names = [f"compute{n}.example" for n in range(9_999)] + ["good.example"]
    start = time.monotonic()
    seen = ovirt_engine(port, ca, names)
    assert time.monotonic() - start < 30
    assert len(seen) == 10_000
    assert [name for name, level in seen.items() if level == "TRUSTED"] == ["good.example"]


# Bytes on the wire.


@contextlib.contextmanager
def tls(port, ca):
    context = oat_clients.context_of(ca)
    with socket.create_connection(("127.0.0.1", port), 30) as raw:
        with context.wrap_socket(raw, server_hostname="127.0.0.1") as connection:
            yield connection


def say(port, ca, request: bytes) -> bytes:
    """All that is answered until the connection ends."""
    out = b""
    with tls(port, ca) as connection:
        connection.sendall(request)
        with contextlib.suppress(ConnectionError):
            while part := connection.recv(65536):
                out += part
    return out


def request(*headers: str, method: str = "POST", body: bytes = b"") -> bytes:
    lines = [f"{method} {V1_5}/PollHosts HTTP/1.1", "Host: x", *headers]
    return "\r\n".join(lines).encode() + b"\r\n\r\n" + body


@pytest.mark.parametrize(
    "length",
    ["Content-Length: 1048577", "Content-Length: 99999999999999999999999", "Content-Length: -1", "Content-Length: +2",
     "Content-Length: 0x10", "Content-Length: ²", "X: y", "Transfer-Encoding: chunked"],
)  # fmt: skip
def test_a_body_of_no_or_too_great_a_length_is_not_read(port, ca, length):
    answer = say(port, ca, request(length))
    assert answer.startswith(b"HTTP/1.1 400 ")
    assert b'"error_code": 400' in answer


def test_a_body_has_one_length(port, ca):
    lengths = ("Content-Length: 27", "Transfer-Encoding: chunked")
    answer = say(port, ca, request(*lengths, body=b'{"hosts": ["good.example"]}'))
    assert not answer.startswith(b"HTTP/1.1 200")


def test_a_body_as_long_as_it_may_be_is_read(port, ca):
    body = b'{"hosts": ["good.example"]}'.ljust(1 << 20)
    assert ask(port, ca, body)[0] == 200


@pytest.mark.parametrize("method", ["GET", "PUT", "DELETE", "HEAD", "OPTIONS", "TRACE", "CONNECT", "X"])
def test_other_methods_are_answered_as_oat_did(port, ca, method):
    answer = say(port, ca, request("Content-Length: 0", method=method))
    assert answer.startswith(b"HTTP/1.1 501 ")
    assert b'"error_code": 501' in answer


@pytest.mark.parametrize("rubbish", [b"\r\n\r\n", b"\0" * 100 + b"\r\n\r\n", b"POST\r\n\r\n", b"POST / HTTP/9.9\r\n\r\n",
                                     b"POST " + b"/" * 70_000, b"POST / HTTP/1.1\r\n" + b"X: y\r\n" * 1000 + b"\r\n"])  # fmt: skip
def test_what_is_no_request_harms_nothing(port, ca, rubbish):
    answer = say(port, ca, rubbish)
    assert b"<html" not in answer.lower()
    assert b'"hosts"' not in answer
    assert ovirt_engine(port, ca, ["good.example"]) == {"good.example": "TRUSTED"}


def test_a_connection_is_for_one_request(port, ca):
    one = request("Content-Length: 27", body=b'{"hosts": ["good.example"]}')
    answer = say(port, ca, one + one)
    assert answer.count(b"HTTP/1.1 200 OK") == 1
    assert b"Connection: close" in answer


def test_plain_http_is_answered_with_nothing(port, ca):
    connection = http.client.HTTPConnection("127.0.0.1", port, timeout=30)
    with pytest.raises((http.client.HTTPException, OSError)):
        connection.request("POST", V1_0 + "/PollHosts", b'{"hosts": ["good.example"]}', JSON)
        connection.getresponse()
    connection.close()
    assert ovirt_engine(port, ca, ["good.example"]) == {"good.example": "TRUSTED"}


def test_tls_before_1_2_is_refused(port):
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)
    context.check_hostname, context.verify_mode = False, ssl.CERT_NONE
    context.set_ciphers("ALL:@SECLEVEL=0")
    with pytest.warns(DeprecationWarning):
        context.minimum_version = ssl.TLSVersion.TLSv1
        context.maximum_version = ssl.TLSVersion.TLSv1_1
    with socket.create_connection(("127.0.0.1", port), 30) as raw, pytest.raises((ssl.SSLError, OSError)):
        context.wrap_socket(raw)


@pytest.mark.parametrize("start", [b"", b"POST ", request("Content-Length: 100", body=b'{"hosts": [')])
def test_a_slow_peer_holds_a_worker_for_a_bounded_time(site, ca, monkeypatch, start):
    monkeypatch.setattr(web, "SECONDS", 1.0)
    site.values["server"]["workers"] = 1
    with serving(site.settings()) as port, tls(port, ca) as slow:
        begin = time.monotonic()

        def trickle():
            with contextlib.suppress(OSError):
                slow.sendall(start)
                while time.monotonic() < begin + 20:
                    slow.sendall(b" ")  # each byte begins a socket's own timeout anew
                    time.sleep(0.1)

        thread = threading.Thread(target=trickle)
        thread.start()
        assert ovirt_engine(port, ca, ["good.example"]) == {"good.example": "TRUSTED"}
        assert time.monotonic() - begin < 10
        thread.join()
        assert time.monotonic() - begin < 15


def test_peers_that_never_speak_keep_nobody_out_for_long(site, ca, monkeypatch):
    monkeypatch.setattr(web, "SECONDS", 1.0)
    site.values["server"]["workers"] = 2
    with serving(site.settings()) as port, contextlib.ExitStack() as silent:
        for _ in range(6):
            silent.enter_context(socket.create_connection(("127.0.0.1", port)))
        begin = time.monotonic()
        assert ovirt_engine(port, ca, ["good.example"]) == {"good.example": "TRUSTED"}
        assert time.monotonic() - begin < 15


def test_a_peer_that_takes_no_answer_is_hung_up_on(site, ca, monkeypatch):
    monkeypatch.setattr(web, "SECONDS", 1.0)
    site.values["server"]["workers"] = 1
    names = [f"{n:05}" for n in range(100_000)]  # an answer that no buffer holds
    body = json.dumps({"hosts": names}).encode()
    with serving(site.settings()) as port, tls(port, ca) as greedy:
        greedy.sendall(request(f"Content-Length: {len(body)}", body=body))
        begin = time.monotonic()
        assert ovirt_engine(port, ca, ["good.example"]) == {"good.example": "TRUSTED"}
        assert time.monotonic() - begin < 15
        taken = b""
        with contextlib.suppress(OSError):
            while part := greedy.recv(1 << 20):
                taken += part
    whole = int(taken.partition(b"Content-Length: ")[2].partition(b"\r\n")[0])
    assert len(taken) < whole


def test_many_at_once_get_what_one_gets(port, ca):
    seen = []

    def ask_often():
        for _ in range(4):
            seen.append(ovirt_engine(port, ca, ["good.example", "bad.example"]))

    threads = [threading.Thread(target=ask_often) for _ in range(8)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert seen == [{"good.example": "TRUSTED", "bad.example": "UNTRUSTED"}] * 32


# Judging.


class Stub:
    """A source that does as it is told."""

    def __init__(self, judge) -> None:
        self.asked = 0
        self._judge = judge

    def judge(self, _policy, _deadline) -> Verdict:
        self.asked += 1
        return self._judge()


def answer_of(source, names=("h",), *, timeout=5.0, reuse=0):
    service = PollHosts({"h": Host("h", source, libattest.Policy(), reuse)}, 2, timeout)
    try:
        return [host["trust_lvl"] for host in service.answer(names)], service
    finally:
        service.close()


def good() -> Verdict:
    return Verdict("trusted", time.time())


def failing(error):
    def judge():
        raise error

    return judge


def test_a_host_that_is_not_judged_in_time_is_a_timeout():
    release = threading.Event()
    source = Stub(lambda: release.wait(10) and good())
    service = PollHosts({"h": Host("h", source, libattest.Policy())}, 1, 0.2)
    try:
        # The one judge is busy with the first; the second's turn does not come.
        for _ in range(2):
            assert [host["trust_lvl"] for host in service.answer(["h"])] == ["timeout"]
        release.set()
    finally:
        service.close()


@pytest.mark.parametrize(
    "error", [OSError("x"), ValueError("x"), libattest.StateError("x"), RuntimeError("x"), MemoryError(), KeyError("x")]
)
def test_whatever_goes_wrong_is_not_trusted(error):
    assert answer_of(Stub(failing(error)))[0] == ["unknown"]


def test_a_report_that_is_not_trusted_is_never_called_so(clean, tampered, policy):
    def level(boot, rules):
        report = libattest.appraise(boot.evidence(), rules, nonce=boot.nonce)
        return oat_hosts.verdict_of(report, 0).level

    assert level(clean, policy) == "trusted"
    assert level(tampered, policy) == "untrusted"
    assert level(clean, libattest.Policy()) == "unknown"


@pytest.mark.parametrize("reuse, asked", [(0, 3), (60, 1)])
def test_a_verdict_is_used_again_for_as_long_as_it_may(reuse, asked):
    source = Stub(good)
    service = PollHosts({"h": Host("h", source, libattest.Policy(), reuse)}, 2, 5)
    try:
        times = {service.answer(["h"])[0]["vtime"] for _ in range(3)}
    finally:
        service.close()
    assert source.asked == asked
    assert reuse == 0 or len(times) == 1  # with the time that it is of


def test_what_a_policy_needs_is_what_an_agent_is_asked_for(policy):
    def needs(text):
        return oat_hosts.judged_pcrs(json.loads(libattest.Policy.parse(text).to_json()))

    hexes = ["ab" * 32]
    assert needs('{"version": 1}') == set()
    assert needs(json.dumps({"version": 1, "pcrs": {"0": hexes, "22": hexes}})) == {0, 22}
    events = {"events": {"4": hexes}, "pcrs": [4]}
    assert needs(json.dumps({"version": 1, "event_log": events})) == {4}
    launch = {"version": 1, "pcrs": {"17": hexes}, "launch": {"required": True}}
    assert needs(json.dumps(launch)) == {17}
    assert needs('{"version": 1, "ima": {"pcr": 11}}') == {*range(10), 11}
    assert needs(policy.to_json()) >= {*range(11)}


# The configuration.


def test_a_pin_of_the_policy_file_gives_way_to_the_hosts(site, port, ca, clean):
    """policy.json was learned, and pins the good host's key: the other host's is its own."""
    assert json.loads((site.folder / "policy.json").read_text())["ak"]["names"] == [clean.node_file("ak.name").hex()]
    lay_out(site.folder / "new", clean, "quote_ecc", "akecc")
    shutil.rmtree(site.folder / "bad")
    (site.folder / "new").rename(site.folder / "bad")
    assert nova_filter(port, ca, ["bad.example"])["bad.example"][0] == "trusted"


def test_a_key_without_a_name_is_pinned_by_its_digest(site, ca, clean):
    der = subprocess.run(
        ["openssl", "pkey", "-pubin", "-in", clean.folder.parent / "ak.pem", "-outform", "DER"],
        capture_output=True, check=True,
    ).stdout  # fmt: skip
    host = site.values["host"]["good.example"]
    del host["ak_name"]
    for digest, level in ((hashlib.sha256(der).hexdigest(), "trusted"), ("00" * 32, "untrusted")):
        host["ak_sha256"] = digest
        with serving(site.settings()) as port:
            assert nova_filter(port, ca, ["good.example"])["good.example"][0] == level




def at(table, **keys):
    def change(site):
        target = site.values["host"]["good.example"] if table == "host" else site.values.setdefault(table, {})
        for key, value in keys.items():
            if value is None:
                target.pop(key, None)
            else:
                target[key] = value

    return change


def other_key(site):
    site.values["host"]["bad.example"]["ak_name"] = site.values["host"]["good.example"]["ak_name"].upper()


@pytest.mark.parametrize(
    "change, words",
    [
        (at("server", port=1), "'port' is not known"),
        (at("more", x=1), "'more' is not known"),
        (at("host", color="blue"), "'color' is not known"),
        (at("server", certificate=None), "certificate is missing"),
        (at("server", certificate="nowhere.crt"), "No such file"),
        (at("server", key="nonce.key"), "SSL"),
        (at("server", listen="127.0.0.1"), "ADDRESS:PORT"),
        (at("server", listen="127.0.0.1:65536"), "ADDRESS:PORT"),
        (at("server", listen=":1"), "ADDRESS:PORT"),
        (at("server", workers=0), "from 1 to"),
        (at("server", workers=-1), "from 1 to"),
        (at("server", workers=True), "not of type int"),
        (at("server", timeout="60"), "not of type int"),
        (at("server", nonce_key_file=None), "nonce_key_file"),
        (at("server", nonce_key_file="nowhere"), "No such file"),
        (at("server", nonce_key_file="blob"), "non-hexadecimal"),
        (at("server", auth_blob_file="policy.json"), "read by others"),
        (at("server", auth_blob_file="empty"), "is empty"),
        (at("server", nonce_key_file="short"), "fewer than 32 bytes"),
        (at("host", ak_name=None), "one of ak_name and ak_sha256"),
        (at("host", ak_sha256="00" * 32), "one of ak_name and ak_sha256"),
        (at("host", ak_name="good.example"), "/ak/names/0"),
        (at("host", ak_name="000b00"), "/ak/names/0"),
        (at("host", policy=None), "policy is missing"),
        (at("host", policy="nowhere.json"), "No such file"),
        (at("host", policy="server.crt"), "appraisal policy"),
        (at("host", evidence=None), "one of evidence and agent"),
        (at("host", agent="x"), "one of evidence and agent"),
        (at("host", evidence=None, agent="x"), "no table keylime"),
        (at("host", max_age=0), "from 1 to"),
        (at("keylime", registrar="127.0.0.1:1"), "ca is missing"),
        (other_key, "has the key of host"),
    ],
)  # fmt: skip
def test_a_configuration_that_is_not_right_is_refused_in_one_line(site, change, words):
    site.secret("empty", "")
    site.secret("short", "5a" * 31)
    change(site)
    with pytest.raises(SettingsError) as raised:
        site.settings()
    assert words in str(raised.value)
    assert "\n" not in str(raised.value)


@pytest.mark.parametrize("text", ["", "x", "[server]\n[server]\n", "server = 1\nhost = 1\n", "[host]\n", "\0"])
def test_what_is_no_configuration_is_refused(tmp_path, text):
    path = tmp_path / "server.toml"
    path.write_text(text)
    with pytest.raises(SettingsError):
        Settings.read(str(path))


# The program.


def program(*arguments, **how):
    command = [sys.executable, "-B", "-W", "error", str(ROOT / "examples" / "oat-server"), *arguments]
    return subprocess.Popen(command, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True, **how)


def test_the_program_hands_out_nonces_of_its_hosts(site):
    path = site.write()
    with program(path, "--nonce", "good.example") as process:
        out, err = process.communicate(timeout=30)
    assert (process.returncode, err) == (0, "")
    made = Nonces(b"\x5a" * 32).made_at("good.example", bytes.fromhex(out))
    assert made is not None
    assert abs(time.time() - made) < 60
    for arguments in ([path, "--nonce", "nobody.example"], [str(site.folder / "nowhere.toml")]):
        with program(*arguments) as process:
            out, err = process.communicate(timeout=30)
        assert (process.returncode, out) == (2, "")
        assert err.startswith("oat-server: ")
        assert err.count("\n") == 1


def test_the_program_serves_until_it_is_told_to_end(site, ca):
    with program(site.write()) as process:
        try:
            line = process.stderr.readline()
            number = int(line.split("'127.0.0.1', ")[1].split(")")[0])
            # In a process of its own the samples' nonce is nobody's.
            assert ovirt_engine(number, ca, ["good.example", "x"]) == {"good.example": "UNKNOWN", "x": "UNKNOWN"}
            process.send_signal(signal.SIGTERM)
            _, err = process.communicate(timeout=30)
        finally:
            process.kill()
    assert process.returncode == 0
    assert "good.example: unknown: its evidence answers no nonce that was made here for it" in err
    assert "stopped" in err
    assert "Traceback" not in err


def test_the_address_is_taken(site):
    with socket.create_server(("127.0.0.1", 0)) as taken_port:
        site.values["server"]["listen"] = f"127.0.0.1:{taken_port.getsockname()[1]}"
        with program(site.write()) as process:
            out, err = process.communicate(timeout=30)
    assert (process.returncode, out) == (2, "")
    assert "Address already in use" in err
