# SPDX-License-Identifier: Apache-2.0
"""The interface `keylime` with a real verifier and registrar, the newest of PyPI, on loopback."""

import hashlib
import os
import pathlib
import shutil
import unittest

import libattest
from fake_ipa import wait_until
from keylime_agent import KeylimeAgent
from keylime_service import NEWEST, KeylimeService, Unavailable
from peers_test import LS, Peers

UUID = "d432fbb3-d2f1-4a97-9ef7-75bd81c0000f"


class RealKeylime(Peers):
    @classmethod
    def setUpClass(cls) -> None:
        environments = pathlib.Path(os.environ["LIBATTEST_TEST_BUILD"]) / "keylime"
        work = pathlib.Path(os.environ["LIBATTEST_TEST_WORK"]) / "keylime"
        work.mkdir(parents=True, exist_ok=True)
        cls.addClassCleanup(shutil.rmtree, work, ignore_errors=True)
        try:
            cls.service = cls.enterClassContext(KeylimeService(NEWEST, environments, work))
        except Unavailable as error:
            raise unittest.SkipTest(str(error)) from error
        cls.options = {
            "libattest": {
                "keylime_ca": str(cls.service.cv_ca / "cacert.crt"),
                "keylime_cert": str(cls.service.cv_ca / "client-cert.crt"),
                "keylime_key": str(cls.service.cv_ca / "client-private.pem"),
                # Keylime's own certificates name no host.
                "keylime_check_name": "false",
                "attestation_timeout": "40",
            }
        }
        super().setUpClass()

    def setUp(self) -> None:
        self.tpm.reboot()
        self.agent = self.enterContext(
            KeylimeAgent(
                UUID, self.tpm, self.folder / "agent", client_ca=self.service.pem("cacert.crt")
            )
        )
        self.agent.measure("/usr/bin/ls", LS)
        self.keylime_client = libattest.Keylime(
            verifier=self.service.verifier,
            registrar=self.service.registrar,
            ca=self.service.pem("cacert.crt"),
            cert=self.service.pem("client-cert.crt"),
            key=self.service.pem("client-private.pem"),
            check_name=False,
        )

    def boots(self) -> None:
        """The ramdisk's agent registers, once what was registered before is forgotten."""
        wait_until(lambda: self.keylime_client.lookup(UUID) is None)
        self.agent.register("127.0.0.1", self.service.agents_port)

    def test_attested_failed_and_forgotten(self) -> None:
        node = self.ironic.enroll(
            {
                "attestation_interface": "keylime",
                "tpm_ek_sha256": self.ek_sha256(),
                "keylime_agent_uuid": UUID,
                "keylime_v": "127.0.0.1",
                "keylime_vp": self.service.verifier_port,
                "keylime_r": "127.0.0.1",
                "keylime_rp": self.service.registrar_port,
                **self.write_lists(self.agent.allowlist()),
            }
        )
        self.ironic.provision(node, "manage")
        self.ironic.wait(node, "manageable")
        self.boots()
        self.ironic.provision(node, "provide")
        self.ironic.wait(node, "available", timeout=120)
        self.boots()
        self.ironic.provision(node, "active")
        self.ironic.wait(node, "active", timeout=120)
        self.assertEqual(
            {"trusted"}, {verdict["verdict"] for verdict in self.verdicts(node).values()}
        )
        wait_until(lambda: self.keylime_client.status(UUID) is None)
        self.ironic.provision(node, "deleted")
        self.boots()
        self.ironic.wait(node, "available", timeout=120)
        self.boots()
        self.agent.measure("/usr/bin/ncat", hashlib.sha256(b"ncat").digest())
        self.fails(node, "not_in_allowlist")
        wait_until(lambda: self.keylime_client.status(UUID) is None)


del Peers

if __name__ == "__main__":
    unittest.main(verbosity=2)
