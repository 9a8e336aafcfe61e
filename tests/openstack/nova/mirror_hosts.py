# SPDX-License-Identifier: Apache-2.0
"""Hosts with software TPMs behind real Keylime agents' API, a registrar, a map and a policy."""

import hashlib
import json
import pathlib
import tempfile
import unittest

import libattest
from keylime_agent import KeylimeAgent, Tpm, missing_programs
from keylime_doubles import Keylime

from libattest_nova.mirror.agents import AgentSettings, AgentSource
from libattest_nova.mirror.state import StateFolder

LS = hashlib.sha256(b"ls").digest()
EVIL = hashlib.sha256(b"evil").digest()
TRAIT = "CUSTOM_ATTESTED"


def uuid_of(number: int) -> str:
    return f"d432fbb3-d2f1-4a97-9ef7-75bd81c0000{number}"


class Hosts(unittest.TestCase):
    """host1 and host2, each with a TPM of its own. TPMs are made once a class."""

    names = ("host1", "host2")

    @classmethod
    def setUpClass(cls) -> None:
        missing = missing_programs()
        if missing:
            raise unittest.SkipTest(f"not installed: {', '.join(missing)}")
        folder = cls.enterClassContext(tempfile.TemporaryDirectory(prefix="libattest-mirror-"))
        cls.folder = pathlib.Path(folder)
        cls.keylime = cls.enterClassContext(Keylime(cls.folder / "cv_ca"))
        cls.tpms = {n: cls.enterClassContext(Tpm(cls.folder / f"tpm-{n}")) for n in cls.names}

    def setUp(self) -> None:
        self.work = pathlib.Path(self.enterContext(tempfile.TemporaryDirectory()))
        self.keylime.agents.clear()
        self.keylime.answer, self.keylime.delay = None, 0.0
        self.agents: dict[str, KeylimeAgent] = {}
        for number, name in enumerate(self.names, 1):
            self.tpms[name].reboot()
            folder = self.folder / f"agent-{name}"
            agent = KeylimeAgent(
                uuid_of(number), self.tpms[name], folder, client_ca=self.keylime.ca
            )
            self.agents[name] = self.enterContext(agent)
            agent.measure("/usr/bin/ls", LS)
            self.keylime.register(agent)
        self.host1, self.host2 = (self.agents[name] for name in self.names)
        self.bind({name: {"agent": agent.uuid} for name, agent in self.agents.items()})
        self.policies = self.work / "policies"
        self.policies.mkdir()
        # Each machine has a boot_aggregate of its own, and these two are alike.
        self.write_policy()
        self.state = StateFolder(str(self.work / "state"))
        self.state.prepare()

    def write_policy(self, name: str = "policy.json") -> None:
        runtime = json.loads(self.host1.runtime_policy())
        for agent in self.agents.values():
            for path, digests in json.loads(agent.runtime_policy())["digests"].items():
                known = runtime["digests"].setdefault(path, [])
                known += [digest for digest in digests if digest not in known]
        policy = {
            "version": 1,
            "ak": {"attributes": "required"},
            "ima": {"required": True, "runtime_policy": runtime},
        }
        (self.policies / name).write_text(json.dumps(policy))

    def bind(self, hosts: dict[str, dict]) -> None:
        self.map = self.work / "hosts.json"
        self.map.write_text(json.dumps({"version": 1, "hosts": hosts}))
        self.map.chmod(0o644)

    def ak(self, name: str) -> str:
        found = libattest.Key.load(self.tpms[name].ak).name
        assert found is not None
        return found.hex()

    def ek(self, name: str) -> str:
        return libattest.EndorsementKey(public=self.tpms[name].ek).sha256

    def settings(self, **changes: object) -> AgentSettings:
        cv_ca = self.keylime.folder
        return AgentSettings(
            **{
                "host_map": str(self.map),
                "policies_dir": str(self.policies),
                "policy": "policy.json",
                "registrar": f"127.0.0.1:{self.keylime.registrar_port}",
                "ca": str(cv_ca / "cacert.crt"),
                "cert": str(cv_ca / "client-cert.crt"),
                "key": str(cv_ca / "client-private.pem"),
                "call_timeout": 5.0,
                "workers": 4,
                **changes,
            }
        )

    def source(self, **changes: object) -> AgentSource:
        source = AgentSource(self.settings(**changes), self.state)
        self.addCleanup(source.close)
        return source
