// SPDX-License-Identifier: Apache-2.0

// Key, Quote and files of PCR values.

#include "support.h"

namespace binding {
namespace {

Key load_key(const py::object& data) {
  const Input in(data);
  attest_key* out = nullptr;
  run([&] { return attest_key_load(&out, in.data(), in.size()); });
  return Key(out);
}

py::object key_name(const Key& key) {
  std::size_t name_len = 0;
  const std::uint8_t* name = attest_key_name(key.get(), &name_len);
  return bytes_or_none(name, name_len);
}

// The formats that carry attributes are those that carry a Name.
py::object key_attributes(const Key& key) {
  if (key_name(key).is_none()) return py::none();
  return py::int_(attest_key_attributes(key.get()));
}

Quote parse_quote(const py::object& attest, const py::object& signature, const py::object& pcrs) {
  const Input attest_in(attest);
  const Input signature_in(signature);
  const Input pcrs_in(pcrs);
  attest_quote* out = nullptr;
  run([&] {
    return attest_quote_parse(&out, attest_in.data(), attest_in.size(), signature_in.data(),
                              signature_in.size(), pcrs_in.data(), pcrs_in.size());
  });
  return Quote(out);
}

Quote parse_keylime_quote(const py::object& text) {
  const Input in(text, Accept::kBytesOrStr);
  attest_quote* out = nullptr;
  run([&] { return attest_quote_parse_keylime(&out, in.text(), in.size()); });
  return Quote(out);
}

attest_quote_info info(const Quote& quote) {
  attest_quote_info out = ATTEST_QUOTE_INFO_INIT;
  check(attest_quote_get_info(&out, quote.get()));
  return out;
}

py::dict quote_pcrs(const Quote& quote) {
  attest_pcrs* out = nullptr;
  check(attest_quote_pcrs(&out, quote.get()));
  return take_pcrs(out);
}

Report verify_quote(const Quote& quote, const Key& key, const py::object& nonce, bool allow_sha1) {
  const Input nonce_in(nonce);
  attest_quote_options options = ATTEST_QUOTE_OPTIONS_INIT;
  options.nonce = nonce_in.data();
  options.nonce_len = nonce_in.size();
  options.allow_sha1 = allow_sha1 ? 1 : 0;
  attest_report* out = nullptr;
  run([&] { return attest_quote_verify(&out, quote.get(), key.get(), &options); });
  return Report(out);
}

py::dict parse_pcrs(const py::object& data) {
  const Input in(data);
  attest_pcrs* out = nullptr;
  run([&] { return attest_pcrs_parse(&out, in.data(), in.size()); });
  return take_pcrs(out);
}

}  // namespace

void bind_quote(py::module_& m) {
  m.def("parse_pcrs", &parse_pcrs, py::arg("data"),
        "The PCR values of a file that tpm2_quote wrote, by bank and number: claims, not proof.");

  py::class_<Key>(m, "Key", "An attestation key: the public key that a TPM signs quotes with.")
      .def_static("load", &load_key, py::arg("data"),
                  "Loads a TPM2B_PUBLIC, TPMT_PUBLIC, TPM 1.2 key, PEM, DER or certificate.")
      .def_property_readonly(
          "format",
          [](const Key& key) {
            return type("KeyFormat")(static_cast<int>(attest_key_get_format(key.get())));
          })
      .def_property_readonly("description",
                             [](const Key& key) { return attest_key_describe(key.get()); })
      .def_property_readonly("name", &key_name)
      .def_property_readonly("attributes", &key_attributes)
      .def("__repr__", [](const Key& key) {
        return py::str("<libattest.Key: {}>").format(attest_key_describe(key.get()));
      });

  py::class_<Quote>(m, "Quote", "A parsed quote. Its fields are claims until it is verified.")
      .def_static("parse", &parse_quote, py::arg("attest"), py::arg("signature"), py::arg("pcrs"),
                  "Parses what tpm2_quote wrote: the message, its signature, the PCR values; or "
                  "the same of a TPM 1.2.")
      .def_static("parse_keylime", &parse_keylime_quote, py::arg("text"),
                  "Parses the quote string of a Keylime agent.")
      .def_property_readonly("format",
                             [](const Quote& quote) {
                               return type("QuoteFormat")(static_cast<int>(info(quote).format));
                             })
      .def_property_readonly("magic", [](const Quote& quote) { return info(quote).magic; })
      .def_property_readonly("type", [](const Quote& quote) { return info(quote).type; })
      .def_property_readonly("nonce",
                             [](const Quote& quote) {
                               const attest_quote_info claimed = info(quote);
                               return bytes_or_none(claimed.nonce, claimed.nonce_len);
                             })
      .def_property_readonly("signer",
                             [](const Quote& quote) {
                               const attest_quote_info claimed = info(quote);
                               return bytes_or_none(claimed.signer, claimed.signer_len);
                             })
      .def_property_readonly("clock", [](const Quote& quote) { return info(quote).clock; })
      .def_property_readonly("reset_count",
                             [](const Quote& quote) { return info(quote).reset_count; })
      .def_property_readonly("restart_count",
                             [](const Quote& quote) { return info(quote).restart_count; })
      .def_property_readonly("clock_safe",
                             [](const Quote& quote) { return info(quote).clock_safe == 1; })
      .def_property_readonly("firmware_version",
                             [](const Quote& quote) { return info(quote).firmware_version; })
      .def_property_readonly("pcrs", &quote_pcrs)
      .def("verify", &verify_quote, py::arg("key"), py::kw_only(), py::arg("nonce"),
           py::arg("allow_sha1") = false,
           "Checks the quote itself, not what its PCR values mean: ask report.quote_verified.");
}

}  // namespace binding
