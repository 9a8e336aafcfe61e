# SPDX-License-Identifier: Apache-2.0
"""How the time of a PollHosts answer grows: with the requests at once, and with the hosts of a request.

usage: PYTHONPATH=BUILD/bindings/python python3 tests/bench/oat_server.py [REPETITIONS]

examples/oat-server in a process of its own, over TLS, judges real evidence anew for each host of each request
(tests/vectors/boot/grub-ima-ng: a quote, a boot event log, an IMA list). Its clients are in this process and
take their share of the same processors. Prints tables; judges nothing but the growth.
"""

import contextlib
import math
import os
import pathlib
import statistics
import subprocess
import sys
import tempfile
import threading
import time

import libattest

ROOT = pathlib.Path(__file__).resolve().parents[2]
sys.path[:0] = [str(ROOT / "tests" / "support"), str(ROOT / "examples" / "oat-server")]
from fault_server import Pki  # noqa: E402
from oat_clients import nova_filter  # noqa: E402
from oat_service import web  # noqa: E402
from oat_service.hosts import Folder, Host  # noqa: E402
from oat_service.nonces import Nonces  # noqa: E402
from oat_service.settings import Settings  # noqa: E402

GUEST = ROOT / "tests" / "vectors" / "boot" / "grub-ima-ng"
FIRST_STAGE = 10  # hosts of a request: oVirt's AttestationFirstStageSize
CONCURRENT = [1, 2, 4, 8, 16, 32]
HOSTS = [1, 10, 100, 1000]


class SampleNonces(Nonces):
    """The sample's nonce is of now and of every host: its TPM is gone and can answer no other."""

    def made_at(self, host: str, nonce: bytes) -> int | None:
        return int(time.time()) if nonce.hex() == (GUEST / "nonce.hex").read_text().strip() else None


def lay_out(folder: pathlib.Path) -> libattest.Policy:
    """The sample as collect writes it, and the policy that it teaches."""
    folder.mkdir()
    names = {f"quote.{part}": GUEST / "1-clean" / f"quote_sha256.{part}" for part in ("msg", "sig", "pcrs")}
    names |= {"ak.tss": GUEST / "ak.tss", "nonce.hex": GUEST / "nonce.hex"}
    names |= {"eventlog.bin": GUEST / "binary_bios_measurements", "ima.bin": GUEST / "1-clean" / "ima.bin"}
    read = {name: path.read_bytes() for name, path in names.items()}
    for name, data in read.items():
        (folder / name).write_bytes(data)
    evidence = libattest.Evidence(
        ak=read["ak.tss"],
        quote=(read["quote.msg"], read["quote.sig"], read["quote.pcrs"]),
        eventlog=read["eventlog.bin"],
        ima=read["ima.bin"],
    )
    policy, _ = libattest.Policy.learn(evidence, nonce=bytes.fromhex(read["nonce.hex"].decode()))
    if policy is None:
        raise RuntimeError("the sample teaches no policy")
    return policy


def serve(folder: pathlib.Path) -> None:
    """The server's process: its settings are those of a file but for the hosts, which share their evidence."""
    values = f'[server]\nlisten = "127.0.0.1:0"\ncertificate = "{folder}/server.crt"\nkey = "{folder}/server.key"\n[host]\n'
    (folder / "server.toml").write_text(values)
    policy = lay_out(folder / "evidence")
    settings = Settings.read(str(folder / "server.toml"))
    nonces = SampleNonces(b"")
    for number in range(max(HOSTS)):
        name = f"compute{number}"
        settings.hosts[name] = Host(name, Folder(name, folder / "evidence", 60, nonces), policy)
    with web.Server(settings) as server:
        print(server.server_address[1], flush=True)
        server.serve_forever()


def poll(port: int, folder: pathlib.Path, first: int, hosts: int) -> None:
    names = [f"compute{(first + number) % max(HOSTS)}" for number in range(hosts)]
    seen = nova_filter(port, folder / "ca.crt", names)
    if seen is None or {level for level, _ in seen.values()} != {"trusted"} or len(seen) != hosts:
        raise RuntimeError(f"not the answer that was to be measured: {seen}")


def at_once(port: int, folder: pathlib.Path, requests: int, hosts: int) -> float:
    """Seconds until all of them are answered."""
    failures: list[BaseException] = []

    def one(number: int) -> None:
        try:
            poll(port, folder, number * hosts, hosts)
        except BaseException as error:
            failures.append(error)

    threads = [threading.Thread(target=one, args=(number,)) for number in range(requests)]
    start = time.monotonic()
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    if failures:
        raise failures[0]
    return time.monotonic() - start


def exponent(points: list[tuple[int, float]]) -> float:
    """k of time ~ n^k over the larger half, where what each run costs anyway counts for less."""
    upper = points[len(points) // 2 - 1 :]
    x, y = ([math.log(value) for value in values] for values in zip(*upper, strict=True))
    return statistics.linear_regression(x, y).slope


def growth(points: list[tuple[int, float]]) -> str:
    k = exponent(points)
    word = "linearly" if 0.8 <= k <= 1.2 else "more slowly than linearly" if k < 0.8 else "faster than linearly"
    return f"time grows {word}: as n^{k:.2f}"


def table(title: str, measured: list[tuple[int, int, float]], count) -> None:
    print(f"\n{title:>10}   total ms   ms a request   ms a host")
    for requests, hosts, seconds in measured:
        ms = seconds * 1000
        print(f"{count(requests, hosts):>10} {ms:>10.1f} {ms / requests:>14.1f} {ms / requests / hosts:>11.2f}")
    print(growth([(count(requests, hosts), seconds) for requests, hosts, seconds in measured]))


def main() -> int:
    if sys.argv[1:2] == ["--serve"]:
        with contextlib.suppress(KeyboardInterrupt):
            serve(pathlib.Path(sys.argv[2]))
        return 0
    repetitions = int(sys.argv[1]) if len(sys.argv) > 1 else 5
    with tempfile.TemporaryDirectory() as name:
        folder = pathlib.Path(name)
        Pki(folder)
        command = [sys.executable, "-B", __file__, "--serve", name]
        with subprocess.Popen(command, stdout=subprocess.PIPE, text=True) as server:
            try:
                port = int(server.stdout.readline())
                at_once(port, folder, 4, FIRST_STAGE)  # not the first time of anything

                def measure(requests: int, hosts: int) -> tuple[int, int, float]:
                    times = [at_once(port, folder, requests, hosts) for _ in range(repetitions)]
                    return requests, hosts, statistics.median(times)

                print(f"{os.cpu_count()} processors, medians of {repetitions}, {FIRST_STAGE} hosts a request")
                table("requests", [measure(n, FIRST_STAGE) for n in CONCURRENT], lambda requests, _: requests)
                table("hosts", [measure(1, n) for n in HOSTS], lambda _, hosts: hosts)
            finally:
                server.terminate()
    return 0


if __name__ == "__main__":
    sys.exit(main())
