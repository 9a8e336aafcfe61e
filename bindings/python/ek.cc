// SPDX-License-Identifier: Apache-2.0

// Endorsement keys and credential challenges.

#include <pybind11/stl.h>

#include <list>
#include <vector>

#include "support.h"

namespace binding {
namespace {

EndorsementKey load_ek(const py::object& public_area, const py::object& certificate) {
  const py::bytes none;
  const Input public_in(public_area.is_none() ? none : public_area);
  const Input certificate_in(certificate.is_none() ? none : certificate);
  attest_ek* out = nullptr;
  run([&] {
    return attest_ek_load(&out, public_in.data(), public_in.size(), certificate_in.data(),
                          certificate_in.size());
  });
  return EndorsementKey(out);
}

// An iterable of bytes, as attest_chain_options has it.
class Files {
 public:
  explicit Files(const py::iterable& files) {
    if (PyObject_CheckBuffer(files.ptr()) != 0 || py::isinstance<py::str>(files)) {
      throw py::type_error("certificates are a list of bytes, one element a file");
    }
    for (const py::handle file : files) {
      const Input& in = inputs_.emplace_back(py::reinterpret_borrow<py::object>(file));
      views_.push_back({in.data(), in.size()});
    }
  }
  const attest_bytes* data() const noexcept { return views_.data(); }
  std::size_t size() const noexcept { return views_.size(); }

 private:
  std::list<Input> inputs_;  // they do not move
  std::vector<attest_bytes> views_;
};

void verify_chain(const EndorsementKey& ek, const py::iterable& cas,
                  const py::iterable& intermediates, std::int64_t now) {
  const Files cas_in(cas);
  const Files intermediates_in(intermediates);
  attest_chain_options options = ATTEST_CHAIN_OPTIONS_INIT;
  options.cas = cas_in.data();
  options.num_cas = cas_in.size();
  options.intermediates = intermediates_in.data();
  options.num_intermediates = intermediates_in.size();
  options.now = now;
  check(run_unchecked([&] { return attest_ek_verify_chain(ek.get(), &options); }), "ChainError");
}

struct CredentialChallenge : Handle<attest_credential, attest_credential_free> {
  using Handle::Handle;
  py::object ak = py::none();  // bound, after the right answer
};

std::unique_ptr<CredentialChallenge> new_challenge(const EndorsementKey& ek, const Key& ak) {
  attest_credential* out = nullptr;
  run([&] { return attest_credential_new(&out, ek.get(), ak.get()); });
  return std::make_unique<CredentialChallenge>(out);
}

template <auto kPart>
py::bytes part(const CredentialChallenge& challenge) {
  std::size_t len = 0;
  const std::uint8_t* data = kPart(challenge.get(), &len);
  return {reinterpret_cast<const char*>(data), len};
}

// One answer counts: after it, every other is wrong.
bool check_answer(CredentialChallenge& challenge, const py::object& answer) {
  const Changing changing(challenge.use);
  const Input in(answer);
  attest_key* bound = nullptr;
  const attest_status status = run_unchecked(
      [&] { return attest_credential_check(&bound, challenge.get(), in.data(), in.size()); });
  if (status == ATTEST_E_REFUSED || status == ATTEST_E_STATE) return false;
  check(status);
  challenge.ak = py::cast(Key(bound));
  return true;
}

}  // namespace

void bind_ek(py::module_& m) {
  py::class_<EndorsementKey>(m, "EndorsementKey",
                             "The key by which a TPM is known: public area, certificate, or both.")
      .def(py::init(&load_ek), py::arg("public") = py::none(), py::arg("certificate") = py::none())
      .def_property_readonly(
          "sha256",
          [](const EndorsementKey& ek) { return text_or_none(attest_ek_sha256(ek.get())); },
          "SHA-256 of the DER SubjectPublicKeyInfo, in hexadecimal.")
      .def_property_readonly(
          "description",
          [](const EndorsementKey& ek) { return text_or_none(attest_ek_describe(ek.get())); })
      .def("verify_chain", &verify_chain, py::arg("cas"), py::arg("intermediates") = py::tuple(),
           py::kw_only(), py::arg("now"),
           "Raises ChainError unless the certificate is an EK's and chains to one of the CAs.");

  py::class_<CredentialChallenge>(m, "CredentialChallenge",
                                  "A secret that only the TPM with this EK and this AK reads.")
      .def(py::init(&new_challenge), py::arg("ek"), py::arg("ak"))
      .def_property_readonly("credential", &part<attest_credential_id_object>,
                             "TPM2B_ID_OBJECT, for TPM2_ActivateCredential.")
      .def_property_readonly("secret", &part<attest_credential_encrypted_secret>,
                             "TPM2B_ENCRYPTED_SECRET, for TPM2_ActivateCredential.")
      .def("check", &check_answer, py::arg("answer"),
           "Whether this is what the TPM had to return. Once: then it always says False.")
      .def_property_readonly(
          "ak", [](const CredentialChallenge& c) -> py::object { return c.ak ? c.ak : py::none(); },
          "The AK as a Key that is bound, after a right answer; else None.");
}

}  // namespace binding
