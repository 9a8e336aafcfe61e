# SPDX-License-Identifier: Apache-2.0
"""attest quote on real quotes."""

import base64
import unittest

from command_case import (
    BOOT,
    GRUB,
    NONCE,
    TPM2_CASES,
    VECTORS,
    CommandCase,
    pcr_values,
    quote_options,
    words,
)


class Quote(CommandCase):
    def test_real_quotes_verify(self):
        for case in TPM2_CASES:
            for quote in ["quote_sha256", "quote_both", "quote_ecc"]:
                for snapshot in ["1-clean", "2-tampered", "3-violation"]:
                    options = words(quote_options(snapshot, quote, BOOT / case))
                    with self.subTest((case, quote, snapshot)):
                        self.assertTrue(
                            self.good("quote", *options).startswith("quote: verified\n")
                        )
                        report = self.json(self.good("quote", *options, "--json"))
                        self.assertTrue(report["claims"]["quote_verified"])
                        self.assertNotEqual(report["verdict"], "trusted")
                        values = pcr_values(BOOT / case)
                        for index, pcr in report["claims"]["pcrs"]["sha256"].items():
                            # The list goes on; what booted stays.
                            if snapshot == "1-clean" or index != "10":
                                self.assertEqual(pcr["value"], values[index])

    def test_another_nonce(self):
        for nonce, id_ in [
            (NONCE[:-1] + "e", "nonce-mismatch"),
            (NONCE + "00", "nonce-mismatch"),
            (NONCE[:-2], "nonce-short"),
            ("00", "nonce-short"),
        ]:
            options = words({**quote_options(), "--nonce": nonce})
            with self.subTest(nonce):
                text = self.bad("quote", *options)
                self.assertTrue(text.startswith("quote: refused\n"))
                self.assertIn(f"failure: {id_}: ", text)
                self.assertNotIn("PCRs that the quote signs", text)
                report = self.json(self.bad("quote", *options, "--json"))
                self.assertIn(id_, self.ids(report, "failure"))
                self.assertFalse(report["claims"]["quote_verified"])

    def test_another_key(self):
        options = words({**quote_options(), "--ak": BOOT / "grub-many" / "ak.tss"})
        self.assertIn("failure: signature-invalid: ", self.bad("quote", *options))

    def test_another_quotes_values(self):
        other = GRUB / "2-tampered" / "quote_sha256.pcrs"
        self.assertIn(
            "failure: pcr-digest-mismatch: ",
            self.bad("quote", *words({**quote_options(), "--pcrs": other})),
        )

    def test_another_quotes_signature(self):
        other = GRUB / "2-tampered" / "quote_sha256.sig"
        self.assertIn(
            "failure: signature-invalid: ",
            self.bad("quote", *words({**quote_options(), "--signature": other})),
        )

    def test_what_no_tpm_signed(self):
        """Another magic is a finding, not malformed."""
        content = bytearray(quote_options()["--quote"].read_bytes())
        content[0] ^= 1
        path = self.write("quote", bytes(content))
        self.assertIn(
            "failure: quote-magic: ",
            self.bad("quote", *words({**quote_options(), "--quote": path})),
        )

    def test_cut_and_lengthened_files_are_malformed(self):
        for name, file in list(quote_options().items())[:4]:
            content = file.read_bytes()
            for changed in [content[:-1], content + b"\0", content[: len(content) // 2]]:
                path = self.write("changed", changed)
                with self.subTest((name, len(changed))):
                    for more in [[], ["--json"]]:
                        self.refused(
                            "quote", *words({**quote_options(), name: path}), *more, says=[path]
                        )

    def test_sha1_is_allowed_by_an_option_only(self):
        key = VECTORS / "tpm2" / "ak_rsassa_sha1"
        nonce = (VECTORS / "tpm2" / "nonce.hex").read_text().strip()
        for form in ["quote", "plain"]:
            options = words(
                {
                    "--ak": key / "ak.tss",
                    "--nonce": nonce,
                    "--quote": key / "quote_sha1" / f"{form}.msg",
                    "--signature": key / "quote_sha1" / f"{form}.sig",
                    "--pcrs": key / "quote_sha1" / "quote.pcrs",
                }
            )
            if form == "plain":
                options[options.index("--pcrs") + 1] = key / "quote_sha1" / "plain.pcrs"
            with self.subTest(form):
                self.assertIn("sha1", self.bad("quote", *options))
                self.good("quote", *options, "--allow-sha1")

    def test_a_key_that_signs_anything(self):
        """The signature is good, and says nothing: the quote may be made up."""
        folder = VECTORS / "tpm2" / "ak_unrestricted"
        quote = folder / "quote_sha256"
        nonce = (VECTORS / "tpm2" / "nonce.hex").read_text().strip()
        options = words(
            {
                "--ak": folder / "ak.tss",
                "--quote": quote / "quote.msg",
                "--nonce": nonce,
                "--signature": quote / "quote.sig",
                "--pcrs": quote / "quote.pcrs",
            }
        )
        text = self.bad("quote", *options)
        self.assertTrue(text.startswith("quote: refused\n"))
        self.assertIn("failure: ak-attributes: ", text)
        self.assertEqual(self.json(self.bad("quote", *options, "--json"))["verdict"], "untrusted")

    def test_the_keys_forms(self):
        folder = VECTORS / "tpm2" / "ak_rsassa_sha256"
        nonce = (VECTORS / "tpm2" / "nonce.hex").read_text().strip()
        for key in ["ak.tss", "ak.tpmt", "ak.pem", "ak.der"]:
            quote = folder / "quote_sha256"
            self.good(
                "quote",
                "--ak",
                folder / key,
                "--quote",
                quote / "quote.msg",
                "--signature",
                quote / "quote.sig",
                "--pcrs",
                quote / "quote.pcrs",
                "--nonce",
                nonce,
            )


class Keylime(CommandCase):
    def options(self, text=None):
        files = quote_options()
        parts = [
            base64.b64encode(files[name].read_bytes()).decode()
            for name in ["--quote", "--signature", "--pcrs"]
        ]
        path = self.write("quote.txt", text if text is not None else "r" + ":".join(parts) + "\n")
        return {"--ak": files["--ak"], "--keylime-quote": path, "--nonce": NONCE}

    def test_its_nonce_is_text(self):
        options = self.options()
        # The sample was asked with the bytes that the digits stand for, and not with the digits.
        self.assertIn("failure: nonce-mismatch: ", self.bad("quote", *words(options)))
        self.assertIn("failure: nonce-mismatch: ", self.bad("verify", *words(options)))
        report = self.json(self.bad("quote", *words(options), "--json"))
        self.assertEqual(self.ids(report, "failure"), ["nonce-mismatch"])

    def test_malformed(self):
        good = self.options()["--keylime-quote"].read_text()
        for text in [
            "",
            "\n",
            good[1:],
            good.rstrip() + "\n\n",
            " " + good,
            good.replace(":", ";"),
            good.rstrip() + ":AAAA",
            "d" + good[1:],
        ]:
            with self.subTest(text[:20]):
                options = self.options(text)
                self.refused("quote", *words(options), says=[options["--keylime-quote"]])
                self.refused("verify", *words(options), says=[options["--keylime-quote"]])


if __name__ == "__main__":
    unittest.main()
