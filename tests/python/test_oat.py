# SPDX-License-Identifier: Apache-2.0
"""The OAT client against a server of each dialect, with every fault: no host passes that should not."""

import itertools
import json
import os
import pickle
import socket
import ssl
import subprocess
import sys
import threading
import time

import pytest
from conftest import ROOT

import libattest
from libattest import Verdict

sys.path.insert(0, str(ROOT / "tests" / "support"))
import fault_server  # noqa: E402
import oat_server  # noqa: E402
from fault_server import FaultServer  # noqa: E402
from oat_server import OatServer  # noqa: E402

HOSTS = {"n0": "trusted", "n1": "untrusted", "n2": "trusted"}
NAMES = ["n0", "n1", "n2", "n3"]  # nobody knows the last one
GOOD = [Verdict.TRUSTED, Verdict.UNTRUSTED, Verdict.TRUSTED, Verdict.UNKNOWN]
UNKNOWN = [Verdict.UNKNOWN] * 4
BLOB = "s3cr3t-blob-0123456789"
POLL = "POST /OpenAttestationWebServices/V1.0/PollHosts"


@pytest.fixture(scope="session")
def pki(tmp_path_factory: pytest.TempPathFactory) -> fault_server.Pki:
    made = fault_server.Pki(tmp_path_factory.mktemp("pki"))
    made.self_signed("oat")
    return made


@pytest.fixture(params=oat_server.DIALECTS)
def oat(request: pytest.FixtureRequest, pki: fault_server.Pki):
    with OatServer(pki, request.param) as server:
        server.hosts |= HOSTS
        yield server


@pytest.fixture
def oat_1_0(pki: fault_server.Pki):
    with OatServer(pki, "1.0") as server:
        server.hosts |= HOSTS
        yield server


def client(pki: fault_server.Pki, server: OatServer | None = None, **changes) -> libattest.OatClient:
    how = {"ca": pki.text("ca.crt"), "port": 1}
    if server is not None:
        how |= {"port": server.port, "api_url": server.api_url}
    return libattest.OatClient("127.0.0.1", **(how | changes))


def failure_of(call, *arguments, **how) -> libattest.OatError:
    with pytest.raises(libattest.OatError) as raised:
        call(*arguments, **how)
    assert "\n" not in str(raised.value)
    return raised.value


def verdicts(hosts) -> list[Verdict]:
    return [host.verdict for host in hosts]


# What servers say.


def test_each_dialect_is_understood(pki, oat):
    now = time.time()
    hosts = client(pki, oat, auth_blob=BLOB).poll(NAMES)
    assert [host.name for host in hosts] == NAMES
    assert verdicts(hosts) == GOOD
    for host in hosts[:3]:
        assert isinstance(host, libattest.HostVerdict)
        assert abs(host.measured_at - now) < 10
    assert hosts[3].measured_at is None
    assert hosts.reasons == {"n3": "unknown"}
    assert hosts.ignored == 0
    (request,) = oat.requests
    assert (request.method, request.path) == ("POST", f"{oat.api_url}/PollHosts")
    assert json.loads(request.body) == {"count": 4, "hosts": NAMES}
    assert request.headers["content-type"] == request.headers["accept"] == "application/json"
    assert request.headers["x-auth-blob"] == BLOB


def test_one_host_is_a_list_too(pki, oat):
    assert verdicts(client(pki, oat).poll(["n0"])) == [Verdict.TRUSTED]
    assert json.loads(oat.requests[0].body) == {"count": 1, "hosts": ["n0"]}
    assert "x-auth-blob" not in oat.requests[0].headers


def test_the_measurements_time_is_the_servers(pki, oat_1_0):
    oat_1_0.times["n0"] = 1456784966.0
    assert client(pki, oat_1_0).poll(["n0"])[0].measured_at == 1456784966.0


def test_a_time_that_is_not_yet_is_none(pki, oat):
    now = time.time()
    oat_client = client(pki, oat)
    assert verdicts(oat_client.poll(NAMES, now=now - 20)) == GOOD
    hosts = oat_client.poll(NAMES, now=now - 60)
    assert verdicts(hosts) == UNKNOWN
    assert hosts.reasons == {"n0": "future", "n1": "future", "n2": "future", "n3": "unknown"}


# The table of what failed in Nova's old filter, and more. An outcome is verdicts and a reason that
# hosts have, or why the call failed.
ANSWER, NETWORK, TIMEOUT, REFUSED = "answer", "network", "timeout", "refused"
TABLE = {
    None: (GOOD, None),
    "missing": ([Verdict.UNKNOWN, *GOOD[1:]], "not-answered"),
    "duplicate": ([Verdict.UNTRUSTED] * 4, "contradiction"),
    "extra": (GOOD, None),
    "renamed": (UNKNOWN, "not-answered"),
    "list": ANSWER,
    "object": ANSWER,
    "no-hosts": ANSWER,
    "null": ANSWER,
    "text": ANSWER,
    "html": ANSWER,
    "empty": ANSWER,
    "error-in-200": ANSWER,
    "deep": ANSWER,
    "vtime-missing": (UNKNOWN, "no-time"),
    "vtime-null": (UNKNOWN, "no-time"),
    "vtime-number": (UNKNOWN, "time"),
    "vtime-2099": (UNKNOWN, "future"),
    "vtime-local": (UNKNOWN, "time"),
    "timeout-entries": (UNKNOWN, "timeout"),
    "level-case": (UNKNOWN, "level"),
    "level-true": (UNKNOWN, "level"),
    "slow-headers": TIMEOUT,
    "slow-body": TIMEOUT,
    "huge": ANSWER,
    "endless-headers": ANSWER,
    "reset": NETWORK,
    "close": NETWORK,
    "no-http": ANSWER,
    "201": (GOOD, None),
    "202": (GOOD, None),
    "203": ANSWER,
    "204": ANSWER,
    "206": ANSWER,
    "401": REFUSED,
    "403": REFUSED,
    "404": REFUSED,
    "500": REFUSED,
    "503": REFUSED,
    "cut": ANSWER,
    "redirect": ANSWER,
    "repeat-blob": REFUSED,
}


def test_the_table_has_every_fault_of_the_double():
    assert set(TABLE) == {None, *oat_server.FAULTS}


@pytest.mark.parametrize("fault", TABLE)
def test_no_host_passes_that_should_not(pki, oat, fault):
    oat.fault = fault
    expected = TABLE[fault]
    if fault == "duplicate" and oat.dialect.startswith("2-"):
        expected = ANSWER  # one JSON key with two values
    oat_client = client(pki, oat, auth_blob=BLOB)
    timeout = 0.5 if expected == TIMEOUT else 20.0
    if isinstance(expected, str):
        begin = time.monotonic()
        error = failure_of(oat_client.poll, NAMES, timeout=timeout)
        assert error.reason == expected, error
        assert f"127.0.0.1:{oat.port}" in str(error)
        assert BLOB not in str(error)
        assert error.status == (int(fault) if fault and fault.isdigit() and fault > "4" else error.status)
        assert time.monotonic() - begin < 10
    else:
        hosts = oat_client.poll(NAMES, timeout=timeout)
        assert verdicts(hosts) == expected[0]
        assert expected[1] is None or hosts.reasons["n0"] == expected[1]
        assert hosts.ignored == {"extra": 1, "renamed": 4}.get(fault, 0)
        assert [host.measured_at is None for host in hosts] == [v == Verdict.UNKNOWN for v in expected[0]]
    assert len(oat.requests) == 1


def test_a_refusals_words_are_shown(pki, oat):
    oat.fault = "503"
    error = failure_of(client(pki, oat).poll, NAMES)
    assert (error.reason, error.status) == (REFUSED, 503)
    assert "503: as told" in str(error)
    assert pickle.loads(pickle.dumps(error)).status == 503
    assert isinstance(error, libattest.NetworkError)


def test_an_outage_is_no_verdict(pki, oat_1_0):
    oat_client = client(pki, oat_1_0)
    assert verdicts(oat_client.poll(NAMES)) == GOOD
    oat_1_0.__exit__()
    assert failure_of(oat_client.poll, NAMES).reason == NETWORK


def test_a_server_of_another_path_is_no_verdict(pki, oat):
    error = failure_of(client(pki, oat, api_url="/elsewhere").poll, NAMES)
    assert (error.reason, error.status) == (REFUSED, 404)


# Names and batches.

HOSTILE = ["", "a b", "a\nb", "a\r\nX: y", "a\0b", "n0\0", "a#b", "a&b", "a+b", "a:b", 'a"b', "a'b", "\x1b[2J",
           "ä", "\ud800", "x" * 254]  # fmt: skip


def test_a_name_that_no_server_takes_reaches_none_and_fails_none(pki, oat):
    names = [*HOSTILE, "n0", *HOSTILE, "n1"]
    hosts = client(pki, oat).poll(names)
    assert [host.name for host in hosts] == names
    for host in hosts:
        expected = GOOD[NAMES.index(host.name)] if host.name in HOSTS else Verdict.UNKNOWN
        assert host.verdict == expected
        assert hosts.reasons.get(host.name) == (None if host.name in HOSTS else "name-refused")
    assert [request.hosts for request in oat.requests] == [["n0", "n1"]]


def test_only_names_that_no_server_takes_ask_nobody(pki, oat_1_0):
    assert verdicts(client(pki, oat_1_0).poll(HOSTILE)) == [Verdict.UNKNOWN] * len(HOSTILE)
    assert client(pki, oat_1_0).poll([]) == []
    assert oat_1_0.connections == 0


def test_a_long_name_is_for_the_dialects_that_take_it(pki, oat):
    name = "compute-" + "x" * 43  # 51 characters
    oat.hosts[name] = "trusted"
    said = client(pki, oat).poll([name, "n0"])
    assert said[1].verdict == Verdict.TRUSTED
    assert said.reasons.get(name) == ("name-refused" if oat.api_url == oat_server.NEW_URL else None)
    if oat.dialect.startswith("2"):
        assert verdicts(client(pki, oat, dialect="2").poll([name, "n0"])) == [Verdict.TRUSTED] * 2
    if oat.dialect == "1.5":  # what the rule is for: the server fails all of the request
        assert failure_of(client(pki, oat, dialect="2").poll, [name, "n0"]).status == 500


def test_many_hosts_are_asked_about_in_batches_each_once(pki, oat):
    names = [f"node-{i}" for i in range(250)]
    oat.hosts |= {name: "trusted" for name in names[::2]}
    hosts = client(pki, oat).poll([*names, *names])
    assert [host.name for host in hosts] == names * 2
    assert verdicts(hosts) == [Verdict.TRUSTED, Verdict.UNKNOWN] * 250
    assert [len(request.hosts) for request in oat.requests] == [100, 100, 50]
    assert list(itertools.chain(*(request.hosts for request in oat.requests))) == names
    assert oat.connections == 1


def test_the_size_of_a_batch_is_the_callers(pki, oat_1_0):
    names = [f"node-{i}" for i in range(1000)]
    client(pki, oat_1_0, batch=500).poll(names)
    assert [len(request.hosts) for request in oat_1_0.requests] == [500, 500]
    for batch in (0, -1, 501, 2**32, 2**70):
        with pytest.raises(ValueError):
            client(pki, oat_1_0, batch=batch)


def test_a_batch_that_fails_fails_the_call(pki):
    good = [json.dumps({"hosts": [{"host_name": "a", "trust_lvl": "trusted", "vtime": "2016-02-29T22:29:26Z"}]})]
    bad = ["{"]

    def say(connection):
        connection.sendall(fault_server.answer(200, (good or bad).pop(0).encode()))

    with FaultServer(pki, {POLL: say}, client_certificate=False) as server:
        assert failure_of(client(pki, port=server.port, batch=1).poll, ["a", "b"]).reason == ANSWER
    assert (good, bad) == ([], [])


def test_an_answer_to_one_batch_says_nothing_of_another(pki):
    trusted = {"trust_lvl": "trusted", "vtime": "2016-02-29T22:29:26Z"}
    body = json.dumps({"hosts": [{"host_name": "b"} | trusted]}).encode()
    with FaultServer(pki, {POLL: fault_server.answer(200, body)}, client_certificate=False) as server:
        hosts = client(pki, port=server.port, batch=1).poll(["a", "b", "c"])
    assert verdicts(hosts) == [Verdict.UNKNOWN, Verdict.TRUSTED, Verdict.UNKNOWN]
    assert hosts.ignored == 2


@pytest.mark.parametrize("names", ["n0", b"n0", ["n0", b"n1"], ["n0", None], [1], None, 5])
def test_names_are_a_sequence_of_str(pki, names, oat_1_0):
    with pytest.raises(TypeError):
        client(pki, oat_1_0).poll(names)
    assert oat_1_0.connections == 0


# The secret.


def test_a_redirect_is_not_followed_and_its_target_gets_nothing(pki, oat):
    with OatServer(pki, oat.dialect) as other:
        other.hosts |= dict.fromkeys(NAMES, "trusted")
        oat.fault, oat.redirect_to = "redirect", other.url
        error = failure_of(client(pki, oat, auth_blob=BLOB).poll, NAMES)
        assert (error.reason, error.status) == (ANSWER, 307)
        assert other.connections == 0
        oat.redirect_to = oat.url  # not even to itself
        failure_of(client(pki, oat, auth_blob=BLOB).poll, NAMES)
    assert len(oat.requests) == 2


@pytest.mark.parametrize("certificate", ["foreign", "expired", "misnamed"])
def test_a_server_that_is_another_gets_neither_blob_nor_names(pki, certificate):
    with OatServer(pki, certificate=certificate) as server:
        error = failure_of(client(pki, server, auth_blob=BLOB).poll, NAMES)
        assert error.reason == "peer"
        assert server.requests == []


@pytest.mark.parametrize(
    "blob",
    ["x\r\nX-Other: 1", "x\n", "\nx", "x\0", "\x01", "x\x7f", "x\ty", " x", "x ", "ä", "x" * 8193, b"x\xff"],
)
def test_what_is_no_header_is_no_blob(pki, blob):
    with pytest.raises(ValueError, match="the auth blob") as raised:
        client(pki, auth_blob=blob)
    assert "X-Other" not in str(raised.value)


def test_a_blob_is_sent_as_it_is(pki, oat_1_0):
    for blob in ('a:b,c;d="e" \\ ~!', b"bytes", "x" * 8192):
        client(pki, oat_1_0, auth_blob=blob).poll(["n0"])
        sent = blob if isinstance(blob, str) else blob.decode()
        assert oat_1_0.requests[-1].headers["x-auth-blob"] == sent
    for none in (None, "", b""):
        client(pki, oat_1_0, auth_blob=none).poll(["n0"])
        assert "x-auth-blob" not in oat_1_0.requests[-1].headers


def test_no_message_shows_a_secret(pki, oat):
    oat.fault = "repeat-blob"
    error = failure_of(client(pki, oat, auth_blob=BLOB).poll, NAMES)
    assert error.status == 500
    assert BLOB[:8] not in str(error) + repr(error)
    # Without one the words are the server's.
    assert "not authorized: None" in str(failure_of(client(pki, oat).poll, NAMES))
    for wrong in ({"port": BLOB}, {"ca": 5}, {"auth_blob": 5, "key": BLOB}, {"nonsense": 1}):
        with pytest.raises(TypeError) as raised:
            client(pki, oat, **({"auth_blob": BLOB} | wrong))
        assert BLOB not in str(raised.value)
    assert BLOB not in repr(client(pki, oat, auth_blob=BLOB))


def test_the_same_blob_in_an_answer_that_is_not_understood_is_not_shown(pki):
    body = json.dumps({"hosts": {BLOB: 1}}).encode()
    with FaultServer(pki, {POLL: fault_server.answer(200, body)}, client_certificate=False) as server:
        error = failure_of(client(pki, port=server.port, auth_blob=BLOB).poll, NAMES)
        assert (error.reason, BLOB in str(error)) == (ANSWER, False)
        assert "hosts" in str(failure_of(client(pki, port=server.port).poll, NAMES))


# TLS.


def test_only_the_ca_that_is_given_is_believed(pki, oat_1_0):
    for check_name in (True, False):
        how = {"ca": pki.text("other.crt"), "check_name": check_name}
        assert failure_of(client(pki, oat_1_0, **how).poll, NAMES).reason == "peer"
    assert oat_1_0.requests == []
    for nothing in ("", "x", b"\0"):
        with pytest.raises(ValueError):
            client(pki, oat_1_0, ca=nothing)


def test_a_name_is_checked_unless_told_otherwise_and_the_chain_always(pki):
    with OatServer(pki, certificate="misnamed") as server:
        server.hosts |= HOSTS
        assert verdicts(client(pki, server, check_name=False).poll(NAMES)) == GOOD
    for certificate in ("foreign", "expired"):
        with OatServer(pki, certificate=certificate) as server:
            assert failure_of(client(pki, server, check_name=False).poll, NAMES).reason == "peer"


def test_a_servers_own_certificate_may_be_the_ca(pki):
    """As OAT's command-line tools fetched it."""
    with OatServer(pki, certificate="oat") as server:
        server.hosts |= HOSTS
        own = client(pki, server, ca=pki.text("oat.crt"), check_name=False)
        assert verdicts(own.poll(NAMES)) == GOOD
        assert failure_of(client(pki, server, ca=pki.text("oat.crt")).poll, NAMES).reason == "peer"


def test_tls_before_1_2_and_no_tls_are_refused(pki):
    with FaultServer(pki, {}, client_certificate=False, maximum=ssl.TLSVersion.TLSv1_1) as server:
        assert failure_of(client(pki, port=server.port).poll, NAMES).reason == "peer"
    with socket.create_server(("127.0.0.1", 0)) as listener:
        def serve():
            connection, _ = listener.accept()
            with connection:
                connection.sendall(fault_server.answer(200, b"{}"))

        threading.Thread(target=serve, daemon=True).start()
        assert failure_of(client(pki, port=listener.getsockname()[1]).poll, NAMES).reason == "peer"


def test_a_certificate_of_ours_is_shown_where_there_is_one(pki):
    body = fault_server.answer(200, b'{"hosts": []}')
    with FaultServer(pki, {POLL: body}) as server:
        assert failure_of(client(pki, port=server.port).poll, NAMES).reason in ("network", "peer")
        assert server.requests == []
        ours = {"cert": pki.text("client.crt"), "key": pki.text("client.key")}
        assert verdicts(client(pki, port=server.port, **ours).poll(NAMES)) == UNKNOWN
    for half in ("cert", "key"):
        with pytest.raises(ValueError):
            client(pki, **{half: ours[half]})


def test_the_hosts_environment_decides_nothing(pki, oat_1_0, tmp_path):
    script = """
import sys, libattest
oat = libattest.OatClient("127.0.0.1", port=int(sys.argv[1]), ca=open(sys.argv[2]).read(), auth_blob="b")
print([str(host.verdict) for host in oat.poll(["n0", "n1"])])
"""
    proxies = {name: "http://127.0.0.1:1" for name in ("https_proxy", "HTTPS_PROXY", "ALL_PROXY", "all_proxy")}
    tls = {"SSL_CERT_FILE": "/nonexistent", "SSL_CERT_DIR": "/", "SSLKEYLOGFILE": str(tmp_path / "secrets")}
    (tmp_path / ".netrc").write_text("machine 127.0.0.1 login a password b\n")
    env = os.environ | proxies | tls | {"HOME": str(tmp_path), "LC_ALL": "de_DE.UTF-8"}
    command = [sys.executable, "-c", script, str(oat_1_0.port), str(pki.folder / "ca.crt")]
    done = subprocess.run(command, env=env, capture_output=True, text=True, check=False)
    assert (done.returncode, done.stdout, done.stderr) == (0, "['trusted', 'untrusted']\n", "")
    assert "authorization" not in oat_1_0.requests[0].headers
    assert not (tmp_path / "secrets").exists() or (tmp_path / "secrets").read_bytes() == b""


# Arguments.


@pytest.mark.parametrize(
    "wrong",
    [
        *({"api_url": url} for url in ("", "a", "//a?b", "/a b", "/a\r\nb", "@a", "/a#b", "https://a/b")),
        *({"port": port} for port in (0, -1, 65536, 2**40)),
        *({"dialect": dialect} for dialect in ("", "1", "1.7", "2.0", "auto", "2\0")),
    ],
)
def test_what_makes_no_sense_is_refused(pki, wrong):
    with pytest.raises(ValueError):
        client(pki, **wrong)


@pytest.mark.parametrize("server", ["", "a b", "a/b", "a@b", "a\nb", "localhost:1", "https://a", "[::1]", "a\0b"])
def test_what_is_no_server_is_refused(pki, server):
    with pytest.raises(ValueError):
        libattest.OatClient(server, ca=pki.text("ca.crt"))


@pytest.mark.parametrize("wrong", [{"port": "8443"}, {"port": True}, {"batch": 1.5}, {"dialect": 2},
                                   {"check_name": 1}, {"auth_blob": 5}, {"ca": None}])  # fmt: skip
def test_types_are_refused(pki, wrong):
    with pytest.raises(TypeError):
        client(pki, **wrong)


@pytest.mark.parametrize("timeout", [0, -1, float("nan")])
def test_a_deadline_is_in_the_future(pki, timeout):
    with pytest.raises(ValueError):
        client(pki).poll(NAMES, timeout=timeout)


@pytest.mark.parametrize("now", [0, -1, float("nan"), float("inf"), 1e300])
def test_now_is_a_time(pki, now):
    with pytest.raises(ValueError):
        client(pki).poll(NAMES, now=now)


def test_a_client_that_was_never_made_asks_nobody():
    with pytest.raises(ValueError):
        libattest.OatClient.__new__(libattest.OatClient).poll(NAMES)


# Time, threads, fork.


def test_one_deadline_is_for_all_batches(pki, oat_1_0):
    oat_1_0.delay = 0.3
    begin = time.monotonic()
    error = failure_of(client(pki, oat_1_0, batch=1).poll, [f"n{i}" for i in range(50)], timeout=1.0)
    assert error.reason == TIMEOUT
    assert 0.9 < time.monotonic() - begin < 5
    assert 2 <= len(oat_1_0.requests) <= 4


def test_a_server_that_does_not_shake_hands_ends_at_the_deadline(pki):
    with socket.create_server(("127.0.0.1", 0)) as listener:
        begin = time.monotonic()
        slow = client(pki, port=listener.getsockname()[1])
        assert failure_of(slow.poll, NAMES, timeout=0.4).reason == TIMEOUT
        assert time.monotonic() - begin < 5


def test_another_thread_ends_a_call(pki, oat_1_0):
    oat_1_0.fault = "slow-headers"
    oat_client = client(pki, oat_1_0)
    timer = threading.Timer(0.3, oat_client.cancel)
    timer.start()
    begin = time.monotonic()
    assert failure_of(oat_client.poll, NAMES, timeout=60.0).reason == "cancelled"
    assert time.monotonic() - begin < 5
    oat_1_0.fault = None
    assert verdicts(oat_client.poll(NAMES)) == GOOD  # the next call is not concerned


def test_threads_share_a_client_and_the_gil_is_free(pki, oat_1_0):
    oat_1_0.delay = 0.5
    oat_client = client(pki, oat_1_0)
    said = []
    before = threading.stack_size(128 * 1024)
    try:
        threads = [threading.Thread(target=lambda: said.append(verdicts(oat_client.poll(NAMES)))) for _ in range(8)]
        begin = time.monotonic()
        for thread in threads:
            thread.start()
    finally:
        threading.stack_size(before)
    for thread in threads:
        thread.join()
    assert said == [GOOD] * 8
    assert time.monotonic() - begin < 3


def test_a_child_of_fork_may_use_its_parents_client(pki, oat_1_0):
    oat_client = client(pki, oat_1_0)
    assert verdicts(oat_client.poll(NAMES)) == GOOD
    child = os.fork()
    if child == 0:
        try:
            os._exit(0 if verdicts(oat_client.poll(NAMES)) == GOOD else 1)
        finally:
            os._exit(2)
    assert os.waitstatus_to_exitcode(os.waitpid(child, 0)[1]) == 0
    assert verdicts(oat_client.poll(NAMES)) == GOOD


# With the cache.


def test_an_answer_goes_into_the_cache_as_it_is(pki, oat_1_0):
    cache = libattest.HostVerdicts(ttl=60)
    cache.put(client(pki, oat_1_0).poll(NAMES), now=time.time(), monotonic=100)
    decision = cache.decide(NAMES, now=time.time(), monotonic=101)
    assert list(decision.trusted) == [1, 0, 1, 0]
    assert list(decision.untrusted) == [0, 1, 0, 0]
    assert decision.to_fetch == []
