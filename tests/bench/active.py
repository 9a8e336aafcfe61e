# SPDX-License-Identifier: Apache-2.0
"""Active nodes on a real Ironic: what attesting N of them each interval costs, and whom it disturbs.

usage: active.py [--nodes N,…] [--transports off,stub,https] [--seconds S] [--interval S] [--delay S] …

API and conductor are one process, which is the worst case for GET /v1. Ironic's own power sync asks
each node each minute, too, and costs more than attesting it: some thousand nodes take a processor by
themselves, so growth beyond is measured with --power-sync 0. Transports:
  off     the same nodes, not attested: what Ironic costs by itself
  stub    quotes come from within the conductor's process, at the place of the Keylime client
  https   a registrar and agents on loopback, TLS with certificates on both sides
Every quote is a real signature over the nonce of its round, and every round brings 50 new entries.
"""

import argparse
import hashlib
import http.client
import json
import os
import pathlib
import signal
import sqlite3
import subprocess
import sys
import tempfile
import threading
import time
import uuid

import libattest
from keylime_agent import KeylimeAgent
from keylime_doubles import Keylime
from machines import Machines
from service import Ironic

TICK = os.sysconf("SC_CLK_TCK")
PAGE = os.sysconf("SC_PAGE_SIZE")


class Agents(KeylimeAgent):
    """One server that is the agent of every node: where a list ends is told by where it begins."""

    def __init__(self, machines: Machines, **options) -> None:
        self._machines = machines
        super().__init__("agents", None, **options)

    def measure(self, path: str, digest: bytes) -> None:
        pass

    def _boot_aggregate(self) -> bytes:
        return b""

    def _quote(self, asked: dict, mask: int) -> dict:
        first = int(asked["ima_ml_entry"])
        quote, ima = self._machines.answer(asked["nonce"].encode(), first)
        return {
            "quote": quote, "hash_alg": "sha256", "enc_alg": "rsa", "sign_alg": "rsassa",
            "boottime": self.boottime, "pubkey": self.public_key,
            "ima_measurement_list": ima, "ima_measurement_list_entry": first,
        }  # fmt: skip


def serve_agents(folder: pathlib.Path, delay: float) -> None:
    """A process of its own; ends with its standard input."""
    machines, uuids = Machines(folder), json.loads((folder / "uuids").read_text())
    tpm = argparse.Namespace(ak=machines.ak, ek=machines.ek, ek_certificate=b"")
    with (
        Keylime(folder / "cv_ca") as keylime,
        Agents(machines, folder=folder / "agent", client_ca=keylime.ca) as agents,
    ):
        agents.delay = delay
        for name in uuids:
            agents.uuid = name
            keylime.register(agents, tpm=tpm)
        print(json.dumps(keylime.driver_info()), flush=True)
        sys.stdin.read()


class Prober(threading.Thread):
    """GET /v1, twenty times a second; each is timed from when it was due."""

    def __init__(self, port: int) -> None:
        super().__init__(daemon=True)
        self._connection = http.client.HTTPConnection("127.0.0.1", port, timeout=60)
        self._ended = threading.Event()
        self.seconds: list[float] = []

    def run(self) -> None:
        due = time.monotonic()
        while not self._ended.is_set():
            due += 0.05
            time.sleep(max(0.0, due - time.monotonic()))
            self._connection.request("GET", "/v1")
            answer = self._connection.getresponse()
            answer.read()
            if answer.status != 200:
                raise RuntimeError(f"GET /v1: {answer.status}")
            self.seconds.append(time.monotonic() - due)

    def take(self) -> list[float]:
        taken, self.seconds = self.seconds, []
        return sorted(taken)

    def stop(self) -> None:
        self._ended.set()
        self.join()


def percentile(ordered: list, part: float):
    return ordered[min(len(ordered) - 1, int(part * len(ordered)))] if ordered else float("nan")


def progress(text: str) -> None:
    print(text, file=sys.stderr, flush=True)


def usage(group: int) -> tuple[float, float]:
    """CPU seconds and resident MiB of a process group."""
    seconds, pages = 0, 0
    for path in pathlib.Path("/proc").glob("[0-9]*/stat"):
        try:
            fields = path.read_text().rpartition(")")[2].split()
        except OSError:
            continue
        if int(fields[2]) == group:
            seconds += int(fields[11]) + int(fields[12])
            pages += int(fields[21])
    return seconds / TICK, pages * PAGE / (1 << 20)


def populate(database: pathlib.Path, uuids: list[str]) -> None:
    """Makes of the one node that is enrolled an active one, and as many more as there are uuids."""
    with sqlite3.connect(database) as connection:
        connection.row_factory = sqlite3.Row
        row = dict(connection.execute("SELECT * FROM nodes").fetchone())
        del row["id"]
        connection.execute("DELETE FROM nodes")
        info = json.loads(row["driver_info"])
        for name in uuids:
            row |= {
                "uuid": name,
                "provision_state": "active",
                "power_state": "power on",
                "driver_info": json.dumps({**info, "keylime_agent_uuid": name}),
            }
            names = ", ".join(f'"{column}"' for column in row)
            marks = ", ".join("?" * len(row))
            connection.execute(f"INSERT INTO nodes ({names}) VALUES ({marks})", tuple(row.values()))
    connection.close()


class Run:
    """One row of the table."""

    def __init__(
        self, folder: pathlib.Path, nodes: int, transport: str, options: argparse.Namespace
    ) -> None:
        self.folder, self.nodes, self.transport, self.options = folder, nodes, transport, options
        self.uuids = [str(uuid.uuid4()) for _ in range(nodes)]
        self.machines = Machines(folder)
        (folder / "uuids").write_text(json.dumps(self.uuids))
        os.environ |= {"BENCH_FOLDER": str(folder), "BENCH_TRANSPORT": transport}

    def measure(self) -> dict:
        keylime = Keylime(self.folder / "cv_ca")
        own = {
            "enabled_attestation_interfaces": "no-attestation,measured",
            "active_interval": str(self.options.interval),
            **keylime.options(),
        }
        options = {
            "DEFAULT": {"debug": "false", "notification_level": "error"},
            "conductor": {"sync_power_state_interval": str(self.options.power_sync)},
            "libattest": own,
        }
        interfaces = {"measured": "measured:MeasuredAttestation"}
        ironic = Ironic(self.folder / "ironic", options, interfaces=interfaces)
        delay = str(self.options.delay)
        command = [sys.executable, __file__, "--serve", str(self.folder), "--delay", delay]
        agents = subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE)
        assert agents.stdout is not None and agents.stdin is not None
        try:
            with ironic:
                ironic.enroll(self._driver_info(json.loads(agents.stdout.readline()), ironic))
                ironic.stop()
                populate(ironic.folder / "ironic.sqlite", self.uuids)
                ironic.start()
                row = self._watch(ironic)
                ironic.stop()
                return row | self._stored(ironic)
        finally:
            agents.stdin.close()
            agents.wait()

    def _driver_info(self, addresses: dict, ironic: Ironic) -> dict:
        lists = ironic.folder / "lists"
        (lists / "allowlist").write_bytes(self.machines.allowlist)
        name, digest = "allowlist", hashlib.sha256(self.machines.allowlist).hexdigest()
        return {
            "attestation_interface": "measured",
            "attest_active": "off" if self.transport == "off" else "required",
            "tpm_ek_sha256": libattest.EndorsementKey(public=self.machines.ek).sha256,
            "keylime_agent_address": "127.0.0.1",
            **addresses,
            "keylime_allowlist": name, "keylime_allowlist_checksum": digest,
            "keylime_instance_allowlist": name, "keylime_instance_allowlist_checksum": digest,
        }  # fmt: skip

    def _counters(self) -> dict:
        path = self.folder / "counters"
        if path.exists():
            return json.loads(path.read_text())
        nothing = dict.fromkeys(("rounds", "nodes", "asked_anew", "answering"), 0)
        return nothing | {"statements": {}, "gaps": {}}

    def _watch(self, ironic: Ironic) -> dict:
        assert ironic.process is not None
        prober = Prober(ironic.port)
        prober.start()
        begin = told = time.monotonic()
        while self.transport != "off" and self._counters()["nodes"] < self.nodes:
            if time.monotonic() > begin + self.options.patience:
                break
            time.sleep(0.5)
            if time.monotonic() > told + 10:
                told = time.monotonic()
                progress(f"{self._counters()['nodes']} of {self.nodes} attested after {told - begin:.0f} s")
        first, early = time.monotonic() - begin, prober.take()
        time.sleep(self.options.settle)
        prober.take()
        before, (cpu, _) = self._counters(), usage(ironic.process.pid)
        begin = time.monotonic()
        time.sleep(self.options.seconds)
        after, (cpu_after, resident) = self._counters(), usage(ironic.process.pid)
        seconds, late = time.monotonic() - begin, prober.take()
        prober.stop()
        statements = {
            word: count - before["statements"].get(word, 0)
            for word, count in after["statements"].items()
        }
        gaps = {int(gap): count - before["gaps"].get(gap, 0) for gap, count in after["gaps"].items()}
        spread = sorted(gap for gap, count in gaps.items() for _ in range(count))
        rounds = after["rounds"] - before["rounds"]
        per_node = self.options.interval / seconds / self.nodes
        return {
            "first round, s": first,
            "attested": after["nodes"],
            "asked anew": after["asked_anew"],
            "GET p99 in it, ms": percentile(early, 0.99) * 1e3,
            "rounds/s": rounds / seconds,
            "gap p50, s": percentile(spread, 0.5),
            "gap p99, s": percentile(spread, 0.99),
            "CPU, %": (cpu_after - cpu) / seconds * 100,
            "CPU/node and interval, ms": (cpu_after - cpu) * per_node * 1e3,
            "of it agents, ms": (after["answering"] - before["answering"]) * per_node * 1e3,
            "UPDATE/s": statements.get("UPDATE", 0) / seconds,
            "SELECT/s": statements.get("SELECT", 0) / seconds,
            "GET p50, ms": percentile(late, 0.5) * 1e3,
            "GET p99, ms": percentile(late, 0.99) * 1e3,
            "GET max, ms": percentile(late, 1.0) * 1e3,
            "RSS, MiB": resident,
        }

    def _stored(self, ironic: Ironic) -> dict:
        saved = []
        with sqlite3.connect(ironic.folder / "ironic.sqlite") as connection:
            for (text,) in connection.execute("SELECT driver_internal_info FROM nodes"):
                active = json.loads(text or "{}").get("libattest", {}).get("active")
                if active is not None:
                    saved.append(active)
        connection.close()
        return {
            "trusted at the end": sum(active["verdict"] == "trusted" for active in saved),
            "with a checkpoint": sum("state" in active for active in saved),
            "of it the largest, bytes": max((len(json.dumps(active)) for active in saved), default=0),
        }


def main() -> None:
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--nodes", default="100,1000", help="how many, with commas")
    parser.add_argument("--transports", default="off,stub,https")
    parser.add_argument("--seconds", type=float, default=60, help="how long to measure")
    parser.add_argument("--settle", type=float, default=10, help="after every node's first round")
    parser.add_argument("--patience", type=float, default=300, help="how long to wait for those")
    parser.add_argument("--interval", type=int, default=60, help="[libattest]active_interval")
    power_sync = "Ironic's [conductor]sync_power_state_interval; 0: never"
    parser.add_argument("--power-sync", type=int, default=60, help=power_sync)
    parser.add_argument("--delay", type=float, default=0, help="seconds that an agent's TPM takes")
    parser.add_argument("--serve", help=argparse.SUPPRESS)
    options = parser.parse_args()
    if options.serve:
        serve_agents(pathlib.Path(options.serve), options.delay)
        return
    signal.signal(signal.SIGTERM, lambda *_: sys.exit(1))  # Ironic and the agents end, too
    rows: list[tuple[str, dict]] = []
    try:
        for nodes in map(int, options.nodes.split(",")):
            for transport in options.transports.split(","):
                progress(f"-- {nodes} nodes, {transport}")
                with tempfile.TemporaryDirectory(prefix="libattest-bench-") as folder:
                    row = Run(pathlib.Path(folder), nodes, transport, options).measure()
                rows.append((f"{nodes} {transport}", row))
                show(rows[-1:])
    finally:
        if len(rows) > 1:
            show(rows)


def show(rows: list[tuple[str, dict]]) -> None:
    """A table with a column for each run."""
    print(f"{'nodes, transport':28}" + "".join(f"{title:>14}" for title, _ in rows))
    for name in rows[0][1] if rows else []:
        values = (row[name] for _, row in rows)
        cells = (f"{value:14.1f}" if isinstance(value, float) else f"{value:14}" for value in values)
        print(f"{name:28}" + "".join(cells))


main()
