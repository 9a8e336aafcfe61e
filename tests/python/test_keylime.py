# SPDX-License-Identifier: Apache-2.0
"""The Keylime client against a server that lies, is slow, breaks off, or is somebody else."""

import base64
import json
import os
import pathlib
import pickle
import signal
import socket
import ssl
import subprocess
import sys
import threading
import time

import pytest
from conftest import ROOT

import libattest

sys.path.insert(0, str(ROOT / "tests" / "support"))
import fault_server  # noqa: E402
from fault_server import VERSION, FaultServer, answer, json_answer  # noqa: E402

UUID = "d432fbb3-d2f1-4a97-9ef7-75bd81c00000"
AGENT = f"/v2.6/agents/{UUID}"
NONCE = "abcdefghij0123456789"
AK = b"\x00\x04abcd"
POLICY = json.dumps({"digests": {"/a": ["00"]}})
GOOD = {"operational_state": 3, "attestation_count": 1, "attestation_status": "PASS"}


@pytest.fixture(scope="session")
def pki(tmp_path_factory: pytest.TempPathFactory) -> fault_server.Pki:
    made = fault_server.Pki(tmp_path_factory.mktemp("pki"))
    made.self_signed("agent")
    made.self_signed("again", key="agent.key")  # another certificate of the same key
    return made


def client(pki: fault_server.Pki, server: FaultServer | None = None, **changes) -> libattest.Keylime:
    address = server.address if server is not None else "127.0.0.1:1"
    how = {
        "verifier": address,
        "registrar": address,
        "ca": pki.text("ca.crt"),
        "cert": pki.text("client.crt"),
        "key": pki.text("client.key"),
    }
    return libattest.Keylime(**(how | changes))


def agent_at(port: int, certificate: str) -> libattest.KeylimeAgent:
    return libattest.KeylimeAgent(UUID, AK, b"", b"", certificate, "127.0.0.1", port)


def status_of(pki: fault_server.Pki, wanted: fault_server.Answer, timeout: float = 5.0, **how):
    with FaultServer(pki, {"GET /version": VERSION, f"GET {AGENT}": wanted}, **how) as server:
        return client(pki, server).status(UUID, timeout)


def failure_of(call, *arguments, **how) -> libattest.KeylimeError:
    with pytest.raises(libattest.KeylimeError) as raised:
        call(*arguments, **how)
    assert "\n" not in str(raised.value)
    return raised.value


def then_hang_up(text: bytes) -> fault_server.Answer:
    return lambda connection: connection.sendall(text)


# A good answer, so that each of the others differs from it in one thing.


def test_a_good_answer_is_trusted(pki):
    status = status_of(pki, json_answer(GOOD))
    assert status == libattest.KeylimeStatus("trusted", 3, "Get Quote", 1, "", None)
    assert status.trusted
    with pytest.raises(TypeError):
        bool(status)


def test_an_agent_that_is_not_known_is_none(pki):
    assert status_of(pki, answer(404, b"")) is None


@pytest.mark.parametrize(
    "wanted, reason",
    [
        (answer(500, b""), "refused"),
        (answer(500, b"<html>oops</html>"), "refused"),
        (answer(403, json.dumps({"errors": [{"detail": "no"}]}).encode()), "refused"),
        (answer(503, b""), "refused"),
        (answer(400, b""), "refused"),
        (answer(200, b""), "answer"),
        (answer(204), "answer"),
        (answer(200, b"not JSON"), "answer"),
        (answer(200, b"{}"), "answer"),
        (answer(200, b"null"), "answer"),
        (answer(200, json.dumps({"code": 500, "status": "", "results": GOOD}).encode()), "answer"),
        (answer(200, json.dumps({"code": 200, "status": "", "results": []}).encode()), "answer"),
        (json_answer(GOOD | {"operational_state": None}), "answer"),
        (json_answer(GOOD | {"operational_state": 12}), "answer"),
        (then_hang_up(json_answer(GOOD)[:-1]), "answer"),
        (answer(200, b"[" * 100000), "answer"),
        (answer(301, b"", "Location: https://127.0.0.1:1/"), "answer"),
        (answer(302, json_answer(GOOD), f"Location: {AGENT}"), "answer"),
        (answer(307, b"", "Location: file:///etc/passwd"), "answer"),
        (b"HTTP/1.1 100 Continue\r\n\r\n" + answer(500), "refused"),
        (then_hang_up(b"no HTTP"), "answer"),
        (then_hang_up(b"HTTP/1.1 200 OK\r\nContent-Le"), "answer"),
        (fault_server.huge, "answer"),
        (fault_server.endless_headers, "answer"),
        (lambda connection: connection.close(), "network"),
        (lambda connection: connection.unwrap(), "network"),
    ],
)
def test_what_is_not_understood_is_never_a_verdict(pki, wanted, reason):
    error = failure_of(status_of, pki, wanted, timeout=10.0)
    assert error.reason == reason, error
    assert (error.status is not None) == (reason == "refused" or "redirect" in str(error))


def test_a_refusal_says_what_the_server_says_in_one_line(pki):
    words = json.dumps({"code": 409, "status": "already\r\nthere\x1b[2J", "results": {}}).encode()
    error = failure_of(status_of, pki, answer(409, words))
    assert (error.reason, error.status) == ("refused", 409)
    assert "already\\x0d\\x0athere\\x1b[2J" in str(error)
    assert pickle.loads(pickle.dumps(error)).status == 409


# Who answers.


def test_nobody_listens(pki):
    with socket.create_server(("127.0.0.1", 0)) as listener:
        port = listener.getsockname()[1]
    error = failure_of(client(pki, verifier=f"127.0.0.1:{port}").status, UUID)
    assert error.reason == "network"
    assert f"127.0.0.1:{port}" in str(error)


def test_a_server_of_another_ca_is_refused_in_each_mode(pki):
    for check_name in (True, False):
        with FaultServer(pki, {"GET /version": VERSION}, "foreign") as server:
            error = failure_of(client(pki, server, check_name=check_name).versions)
        assert error.reason == "peer"
        assert server.requests == []


def test_an_expired_certificate_is_refused(pki):
    with FaultServer(pki, {"GET /version": VERSION}, "expired") as server:
        assert failure_of(client(pki, server, check_name=False).versions).reason == "peer"


def test_a_wrong_name_is_refused_unless_names_are_not_asked_for(pki):
    with FaultServer(pki, {"GET /version": VERSION}, "misnamed") as server:
        assert failure_of(client(pki, server).versions).reason == "peer"
        assert server.requests == []
        assert client(pki, server, check_name=False).versions() == ("2.6", "2.6")


def test_a_server_without_tls_is_refused(pki):
    with socket.create_server(("127.0.0.1", 0)) as listener:
        def serve():
            connection, _ = listener.accept()
            with connection:
                connection.sendall(VERSION)

        threading.Thread(target=serve, daemon=True).start()
        address = f"127.0.0.1:{listener.getsockname()[1]}"
        assert failure_of(client(pki, verifier=address).status, UUID).reason == "peer"


def test_tls_before_1_2_is_refused(pki):
    with FaultServer(pki, {}, maximum=ssl.TLSVersion.TLSv1_1) as server:
        assert failure_of(client(pki, server).versions).reason == "peer"


def test_the_client_proves_itself_with_its_certificate(pki):
    with FaultServer(pki, {"GET /version": VERSION}) as server:
        foreign = {"cert": pki.text("foreign.crt"), "key": pki.text("foreign.key")}
        assert failure_of(client(pki, server, **foreign).versions).reason in ("network", "peer")
        assert server.requests == []
        assert client(pki, server).versions() == ("2.6", "2.6")


def test_the_hosts_environment_decides_nothing(pki, tmp_path):
    """A proxy, a .netrc, a store of certificates: none of them is looked at."""
    (tmp_path / ".netrc").write_text("machine 127.0.0.1 login a password b\n")
    script = f"""
import sys
sys.path[:0] = {[str(ROOT / "tests" / "python"), str(ROOT / "tests" / "support")]!r}
import libattest, pathlib, fault_server
pki = object.__new__(fault_server.Pki); pki.folder = pathlib.Path({str(pki.folder)!r})
with fault_server.FaultServer(pki, {{"GET /version": fault_server.VERSION}}, sys.argv[1]) as server:
    text = pki.text
    keylime = libattest.Keylime(verifier=server.address, ca=text("ca.crt"), cert=text("client.crt"),
                                key=text("client.key"))
    try:
        print(keylime.versions())
    except libattest.KeylimeError as error:
        print(error.reason)
    print([head for head in server.heads if "authorization" in head.lower()])
"""
    proxy = "http://127.0.0.1:1"
    env = {
        **os.environ,
        **{"https_proxy": proxy, "HTTPS_PROXY": proxy, "ALL_PROXY": proxy, "HOME": str(tmp_path)},
        **{"SSL_CERT_FILE": str(pki.folder / "other.crt"), "SSL_CERT_DIR": str(pki.folder)},
        **{"CURL_CA_BUNDLE": str(pki.folder / "other.crt"), "SSLKEYLOGFILE": str(tmp_path / "secrets")},
    }
    for certificate, expected in (("server", "('2.6', None)"), ("foreign", "peer")):
        done = subprocess.run(
            [sys.executable, "-c", script, certificate], env=env, capture_output=True, text=True, check=False
        )
        assert (done.returncode, done.stdout, done.stderr) == (0, f"{expected}\n[]\n", "")
        assert (tmp_path / "secrets").read_bytes() == b""


# Time.


@pytest.mark.parametrize("wanted", [fault_server.silent, fault_server.trickle])
def test_a_slow_server_ends_at_the_deadline(pki, wanted):
    begin = time.monotonic()
    error = failure_of(status_of, pki, wanted, timeout=0.5)
    assert error.reason == "timeout"
    assert 0.4 < time.monotonic() - begin < 5


def test_a_server_that_does_not_shake_hands_ends_at_the_deadline(pki):
    with socket.create_server(("127.0.0.1", 0)) as listener:
        address = f"127.0.0.1:{listener.getsockname()[1]}"
        begin = time.monotonic()
        assert failure_of(client(pki, verifier=address).status, UUID, 0.4).reason == "timeout"
        assert time.monotonic() - begin < 5


def test_one_deadline_is_for_all_of_a_call(pki):
    """A wait asks again and again, each time answered at once."""
    with FaultServer(pki, {"GET /version": VERSION, f"GET {AGENT}": json_answer(GOOD | {"operational_state": 1})}) as server:
        begin = time.monotonic()
        assert failure_of(client(pki, server).wait, UUID, 2.5).reason == "timeout"
        assert 2.3 < time.monotonic() - begin < 6
        assert 3 <= len(server.requests) <= 5
        assert server.connections == 1


@pytest.mark.parametrize("timeout", [0, -1, float("nan")])
def test_a_deadline_is_in_the_future(pki, timeout):
    with pytest.raises(ValueError):
        client(pki).status(UUID, timeout)


@pytest.mark.parametrize("wanted", [fault_server.silent, json_answer(GOOD | {"operational_state": 1})])
def test_another_thread_ends_a_call(pki, wanted):
    with FaultServer(pki, {"GET /version": VERSION, f"GET {AGENT}": wanted}) as server:
        keylime = client(pki, server)
        timer = threading.Timer(0.3, keylime.cancel)
        timer.start()
        begin = time.monotonic()
        assert failure_of(keylime.wait, UUID, 60.0).reason == "cancelled"
        assert time.monotonic() - begin < 3
        server.answers[f"GET {AGENT}"] = json_answer(GOOD)
        assert keylime.status(UUID).trusted  # the next call is not concerned


# A good guest.


def test_calls_release_the_gil(pki):
    with FaultServer(pki, {"GET /version": fault_server.silent}) as server:
        keylime = client(pki, server)
        threads = [threading.Thread(target=failure_of, args=(keylime.versions, 1.0)) for _ in range(8)]
        begin = time.monotonic()
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join()
        assert time.monotonic() - begin < 4


def test_a_call_works_on_a_small_stack(pki):
    said = []
    with FaultServer(pki, {"GET /version": VERSION, f"GET {AGENT}": json_answer(GOOD)}) as server:
        keylime = client(pki, server)
        before = threading.stack_size(128 * 1024)
        try:
            thread = threading.Thread(target=lambda: said.append(keylime.status(UUID).verdict))
            thread.start()
        finally:
            threading.stack_size(before)
        thread.join()
    assert said == ["trusted"]


def test_a_child_of_fork_may_use_its_parents_client(pki):
    with FaultServer(pki, {"GET /version": VERSION, f"GET {AGENT}": json_answer(GOOD)}) as server:
        keylime = client(pki, server)
        assert keylime.status(UUID).trusted
        child = os.fork()
        if child == 0:
            try:
                os._exit(0 if keylime.status(UUID).trusted else 1)
            finally:
                os._exit(2)
        assert os.waitstatus_to_exitcode(os.waitpid(child, 0)[1]) == 0
        assert keylime.status(UUID).trusted


def test_sockets_are_close_on_exec_and_closed_afterwards(pki):
    def sockets():
        found = {}
        for entry in pathlib.Path("/proc/self/fd").iterdir():
            try:
                target = os.readlink(entry)
                if target.startswith("socket:"):
                    found[int(entry.name)] = target
            except OSError:
                pass
        return found

    inheritable, others = [], []

    def look(connection):
        # What a program would inherit that another thread of the host starts now.
        for fd in set(sockets()) - before:
            if os.get_inheritable(fd):
                with socket.socket(fileno=os.dup(fd)) as one:
                    others.append(one.family)
        port = connection.getpeername()[1]
        for fd in sockets():
            try:
                with socket.socket(fileno=os.dup(fd)) as one:
                    if one.family == socket.AF_INET and one.getsockname()[1] == port:
                        inheritable.append(os.get_inheritable(fd))
            except OSError:
                pass
        connection.sendall(VERSION)

    with FaultServer(pki, {"GET /version": look}) as server:
        before = set(sockets())
        client(pki, server, registrar=None).versions()
        time.sleep(0.2)
        assert inheritable == [False]
        # libcurl's own wake-up pair, which is no connection (7.88; newer ones may do without).
        assert others in ([], [socket.AF_UNIX] * 2)
        assert set(sockets()) - before == set()


def test_a_peer_that_hangs_up_is_no_sigpipe(pki):
    """A C program has the default action, which is to end."""
    before = signal.signal(signal.SIGPIPE, signal.SIG_DFL)
    try:
        def cut(connection):
            connection.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, b"\x01\0\0\0\0\0\0\0")
            connection.close()

        with FaultServer(pki, {"GET /version": VERSION, f"POST {AGENT}": cut}) as server:
            big = json.dumps({"digests": {"/a": ["00"]}, "x": "y" * 5_000_000})
            agent = agent_at(server.port, "")
            assert failure_of(client(pki, server).add, agent, runtime_policy=big).reason == "network"
    finally:
        signal.signal(signal.SIGPIPE, before)


# What is sent.


def test_requests_without_a_body_have_no_content_type_and_posts_have_one(pki):
    answers = {"GET /version": VERSION, f"POST {AGENT}": json_answer({}), f"DELETE {AGENT}": json_answer({})}
    with FaultServer(pki, answers) as server:
        keylime = client(pki, server)
        keylime.add(agent_at(server.port, ""), runtime_policy=POLICY)
        server.answers[f"GET {AGENT}"] = lambda connection: connection.sendall(json_answer(GOOD))
        assert failure_of(keylime.delete, UUID, 0.7).reason == "timeout"
        for head in server.heads:
            assert ("content-type: application/json" in head.lower()) == head.startswith("POST"), head
            assert "expect:" not in head.lower()
        body = json.loads(server.bodies[1])
    assert base64.b64decode(body["ak_tpm"]) == AK
    assert base64.b64decode(body["runtime_policy"]).decode() == POLICY


@pytest.mark.parametrize("uuid", ["", "..", "../agents/x", "a/b", "a?b", "a b", "a\nb", "a\0b", "ä", "x" * 81])
def test_what_is_no_agent_id_is_never_sent(pki, uuid):
    with FaultServer(pki, {}) as server:
        keylime = client(pki, server)
        calls = [keylime.lookup, keylime.status, keylime.delete, keylime.delete_registration]
        calls += [lambda u: keylime.wait(u, 1.0), keylime.read_policy, keylime.delete_policy]
        for call in calls:
            with pytest.raises(ValueError):
                call(uuid)
        assert server.connections == 0


@pytest.mark.parametrize("nonce", ["", "short", "a" * 65, "a b c d e f g h i", "abcdefghij01234567&x", "ä" * 16])
def test_what_is_no_nonce_is_never_sent(pki, nonce):
    with FaultServer(pki, {}, "agent") as server:
        with pytest.raises(ValueError):
            client(pki, server).identity_quote(agent_at(server.port, pki.text("agent.crt")), nonce)
        assert server.connections == 0


def test_a_delete_ends_when_the_agent_is_gone(pki):
    left = [json_answer(GOOD), json_answer(GOOD), json_answer(GOOD), answer(404)]

    def look(connection):
        connection.sendall(left.pop(0))

    answers = {"GET /version": VERSION, f"DELETE {AGENT}": json_answer({}, 202), f"GET {AGENT}": look}
    with FaultServer(pki, answers) as server:
        client(pki, server).delete(UUID)
        assert left == []
        left.extend([json_answer(GOOD)] * 100)
        assert failure_of(client(pki, server).delete, UUID, 0.7).reason == "timeout"


def test_what_is_not_there_is_not_deleted(pki):
    """6.3's registrar would keep its database locked after that."""
    with FaultServer(pki, {"GET /version": VERSION}) as server:
        client(pki, server).delete(UUID)
        client(pki, server).delete_registration(UUID)
        assert not any(request.startswith("DELETE") for request in server.requests)


def test_without_a_policy_nothing_is_sent(pki):
    with FaultServer(pki, {}) as server:
        with pytest.raises(ValueError, match="no policy"):
            client(pki, server).add(agent_at(server.port, ""))
        with pytest.raises(ValueError):
            client(pki, server).add(agent_at(server.port, ""), allowlist="", runtime_policy=POLICY)
        with pytest.raises(ValueError):
            client(pki, server).add(agent_at(server.port, ""), excludelist="x")
        assert server.connections == 0


# An agent, and its pinned certificate.

QUOTE = {"quote": "rAA==:AA==:AA==", "hash_alg": "sha256", "enc_alg": "rsa", "sign_alg": "rsassa"}
AGENT_ANSWERS = {
    "GET /version": json_answer({"supported_version": "2.1"}),
    "GET /v2.1/quotes/identity": json_answer(QUOTE | {"pubkey": "-----BEGIN PUBLIC KEY-----", "boottime": 5}),
    "GET /v2.1/quotes/integrity": json_answer(
        QUOTE | {"ima_measurement_list": "x\n", "ima_measurement_list_entry": 3}
    ),
}


def test_an_agent_is_asked_for_quotes(pki):
    with FaultServer(pki, AGENT_ANSWERS, "agent") as server:
        keylime = client(pki, server)
        agent = agent_at(server.port, pki.text("agent.crt"))
        quote = keylime.identity_quote(agent, NONCE)
        assert (quote.quote, quote.boottime, quote.ima, quote.ima_entry) == ("rAA==:AA==:AA==", 5, None, None)
        quote = keylime.integrity_quote(agent, NONCE, 0x400, 3)
        assert (quote.ima, quote.ima_entry, quote.eventlog, quote.public_key) == (b"x\n", 3, None, "")
        assert failure_of(keylime.integrity_quote, agent, NONCE, 0x400, 4).reason == "answer"
        assert server.requests[1] == f"GET /v2.1/quotes/identity?nonce={NONCE}"
        assert server.requests[3].endswith(f"?nonce={NONCE}&mask=0x000400&partial=1&ima_ml_entry=3")


def test_another_certificate_than_the_registered_one_is_refused(pki):
    """One that the CA of the services issued, one of a key of its own, and one of the same key."""
    registered = pki.text("agent.crt")
    for shown in ("server", "foreign", "again"):
        with FaultServer(pki, AGENT_ANSWERS, shown) as server:
            error = failure_of(client(pki, server).identity_quote, agent_at(server.port, registered), NONCE)
            assert error.reason == "peer", shown
            assert not any("quotes" in request for request in server.requests)


def test_an_agent_without_certificate_or_address_is_not_asked(pki):
    with FaultServer(pki, AGENT_ANSWERS, "agent") as server:
        keylime = client(pki, server)
        assert failure_of(keylime.identity_quote, agent_at(server.port, ""), NONCE).reason == "peer"
        nowhere = libattest.KeylimeAgent(UUID, AK, b"", b"", pki.text("agent.crt"), "", 0)
        assert failure_of(keylime.identity_quote, nowhere, NONCE).reason == "network"
        assert server.connections == 0


def test_an_impostor_of_an_agent_is_not_added(pki):
    with FaultServer(pki, AGENT_ANSWERS, "foreign") as impostor:
        with FaultServer(pki, {"GET /version": VERSION, f"POST {AGENT}": json_answer({})}) as server:
            agent = agent_at(impostor.port, pki.text("agent.crt"))
            assert failure_of(client(pki, server).add, agent, runtime_policy=POLICY).reason == "peer"
            assert not any(request.startswith("POST") for request in server.requests)


def test_an_agent_that_is_not_reached_from_here_is_added(pki):
    with socket.create_server(("127.0.0.1", 0)) as listener:
        port = listener.getsockname()[1]
    with FaultServer(pki, {"GET /version": VERSION, f"POST {AGENT}": json_answer({})}) as server:
        client(pki, server).add(agent_at(port, pki.text("agent.crt")), runtime_policy=POLICY)
        assert json.loads(server.bodies[-1])["supported_version"] == "2.1"


def test_an_agent_newer_than_the_verifier_is_not_added(pki):
    old = {"GET /version": json_answer({"current_version": "2.0", "supported_versions": ["1.0", "2.0"]})}
    with FaultServer(pki, AGENT_ANSWERS, "agent") as asked, FaultServer(pki, old) as server:
        agent = agent_at(asked.port, pki.text("agent.crt"))
        error = failure_of(client(pki, server).add, agent, runtime_policy=POLICY)
        assert error.reason == "answer"
        assert "newer than the verifier's (2.0)" in str(error)


# Versions.


def test_keylime_6_1_has_no_versions(pki):
    """Unproven: from the literature. No package index has 6.1 to run."""
    answers = {f"GET /agents/{UUID}": json_answer({"operational_state": 9}), "GET /version": answer(405)}
    with FaultServer(pki, answers) as server:
        assert client(pki, server).status(UUID).verdict == "failed"
        assert server.requests == ["GET /version", f"GET /agents/{UUID}"]


def test_a_registrar_that_does_not_say_its_version_is_asked_downwards(pki):
    """Keylime 6.3."""
    answers = {
        "GET /version": answer(400),
        "GET /v2.1/agents/": answer(400),
        "GET /v2.0/agents/": json_answer({"uuids": []}),
        f"GET /v2.0/agents/{UUID}": json_answer({"aik_tpm": base64.b64encode(AK).decode()}),
    }
    with FaultServer(pki, answers) as server:
        assert client(pki, server, verifier=None).lookup(UUID).ak == AK
        assert client(pki, server, verifier=None).versions() == (None, "2.0")


def test_versions_that_are_not_known_are_an_error_with_both_lists(pki):
    only_push = json_answer({"current_version": "3.0", "supported_versions": ["3.0"]})
    with FaultServer(pki, {"GET /version": only_push}) as server:
        error = failure_of(client(pki, server).status, UUID)
        assert error.reason == "answer"
        assert "3.0" in str(error) and "2.6" in str(error)


def test_without_a_counter_a_good_state_is_watched(pki):
    uncounted = {"operational_state": 3, "hash_alg": "sha256"}
    answers = {"GET /version": VERSION, f"GET {AGENT}": json_answer(uncounted)}
    with FaultServer(pki, answers) as server:
        keylime = client(pki, server)
        begin = time.monotonic()
        assert keylime.status(UUID, 30.0).verdict == "trusted"
        assert 3.9 < time.monotonic() - begin < 9
        assert keylime.status(UUID, 3.0).verdict == "pending"
        server.answers[f"GET {AGENT}"] = json_answer(uncounted | {"hash_alg": ""})
        assert keylime.status(UUID, 30.0).verdict == "pending"


# What is given.


@pytest.mark.parametrize("name", ["ca", "cert", "key"])
def test_what_is_no_pem_is_refused_before_any_call(pki, name):
    for text in ("", "x", b"\0", pki.text("ca.crt") + "\0"):
        with pytest.raises(ValueError):
            client(pki, **{name: text})


def test_a_key_that_is_not_the_certificates_is_said(pki):
    with FaultServer(pki, {"GET /version": VERSION}) as server:
        with pytest.raises(ValueError, match="can not be used"):
            client(pki, server, key=pki.text("server.key")).versions()


def test_an_encrypted_key_is_refused_and_nobody_is_asked_for_its_password(pki):
    made = subprocess.run(
        ["openssl", "pkcs8", "-topk8", "-in", "client.key", "-passout", "pass:x"],
        cwd=pki.folder, capture_output=True, text=True, check=True)  # fmt: skip
    with pytest.raises(ValueError, match="encrypted"):
        client(pki, key=made.stdout)


def test_a_private_key_is_in_no_error(pki):
    for wrong in ({"check_name": "no"}, {"verifier": 7}, {"foo": 1}, {"ca": None}, {"registrar": b"x"}):
        with pytest.raises((TypeError, ValueError)) as raised:
            client(pki, **wrong)
        assert "PRIVATE" not in str(raised.value)
    assert "PRIVATE" not in repr(client(pki))


def test_a_service_that_is_not_configured_is_not_asked(pki):
    for call in (lambda k: k.status(UUID), lambda k: k.lookup(UUID), lambda k: k.list()):
        with pytest.raises(ValueError, match="configured"):
            call(client(pki, verifier=None, registrar=None))


def test_agents_survive_a_pickle(pki):
    agent = agent_at(9002, pki.text("agent.crt"))
    assert pickle.loads(pickle.dumps(agent)) == agent
