// SPDX-License-Identifier: Apache-2.0

// Keylime: the client of Keylime's registrar, verifier and agents.

#include <pybind11/stl.h>

#include <optional>

#include "support.h"

namespace binding {
namespace {

using Keylime = Handle<attest_keylime, attest_keylime_free>;
using Agent = Owned<attest_keylime_agent, attest_keylime_agent_free>;
using KeylimeQuote = Owned<attest_keylime_quote, attest_keylime_quote_free>;

// All are objects: pybind11 repeats the arguments of a call that does not fit its types, and one of
// these is a private key.
std::unique_ptr<Keylime> new_keylime(const py::object& verifier, const py::object& registrar,
                                     const py::object& ca, const py::object& cert,
                                     const py::object& key, const py::object& check_name) {
  if (!PyBool_Check(check_name.ptr())) throw py::type_error("check_name is a bool");
  const Word verifier_word(str_or_none(verifier, "verifier is a str"));
  const Word registrar_word(str_or_none(registrar, "registrar is a str"));
  const Input ca_in(ca, Accept::kBytesOrStr);
  const Input cert_in(cert, Accept::kBytesOrStr);
  const Input key_in(key, Accept::kBytesOrStr);
  attest_keylime_options options = ATTEST_KEYLIME_OPTIONS_INIT;
  options.verifier = verifier_word.get();
  options.registrar = registrar_word.get();
  options.ca = ca_in.text();
  options.ca_len = ca_in.size();
  options.certificate = cert_in.text();
  options.certificate_len = cert_in.size();
  options.key = key_in.text();
  options.key_len = key_in.size();
  options.no_name_check = check_name.is(py::bool_(true)) ? 0 : 1;
  attest_keylime* out = nullptr;
  check(attest_keylime_new(&out, &options));
  return std::make_unique<Keylime>(out);
}

py::tuple versions(const Keylime& keylime, double timeout) {
  const std::uint32_t timeout_ms = milliseconds(timeout);
  attest_buffer* verifier = nullptr;
  attest_buffer* registrar = nullptr;
  run([&] { return attest_keylime_versions(&verifier, &registrar, keylime.get(), timeout_ms); });
  const auto text_of = [](attest_buffer* made) -> py::object {
    return made == nullptr ? py::object(py::none()) : py::object(take_text(made));
  };
  py::object first = text_of(verifier);
  return py::make_tuple(first, text_of(registrar));
}

py::object record_of(const attest_keylime_agent* agent) {
  attest_keylime_agent_info info = ATTEST_KEYLIME_AGENT_INFO_INIT;
  check(attest_keylime_agent_get_info(&info, agent));
  const auto bytes_of = [](const std::uint8_t* data, std::size_t size) {
    return data == nullptr ? py::bytes() : py::bytes(reinterpret_cast<const char*>(data), size);
  };
  const auto text_of = [](const char* words) { return text(words == nullptr ? "" : words); };
  return type("KeylimeAgent")(text_of(info.uuid), bytes_of(info.ak, info.ak_len),
                              bytes_of(info.ek, info.ek_len),
                              bytes_of(info.ek_certificate, info.ek_certificate_len),
                              text_of(info.certificate), text_of(info.ip), info.port);
}

Agent agent_of(const py::object& record) {
  if (!py::isinstance(record, type("KeylimeAgent"))) {
    throw py::type_error("a KeylimeAgent is required");
  }
  const Word uuid(record.attr("uuid").cast<std::string>());
  const Word certificate(record.attr("certificate").cast<std::string>());
  const Word ip(record.attr("ip").cast<std::string>());
  const Input ak(record.attr("ak"));
  const Input ek(record.attr("ek"));
  const Input ek_certificate(record.attr("ek_certificate"));
  attest_keylime_agent_info info = ATTEST_KEYLIME_AGENT_INFO_INIT;
  info.uuid = uuid.get();
  info.ak = ak.data();
  info.ak_len = ak.size();
  info.ek = ek.data();
  info.ek_len = ek.size();
  info.ek_certificate = ek_certificate.data();
  info.ek_certificate_len = ek_certificate.size();
  info.certificate = certificate.get();
  info.ip = ip.get();
  info.port = record.attr("port").cast<std::uint16_t>();
  attest_keylime_agent* out = nullptr;
  check(attest_keylime_agent_new(&out, &info));
  return Agent(out);
}

py::object lookup(const Keylime& keylime, const std::string& uuid, double timeout) {
  const Word word(uuid);
  const std::uint32_t timeout_ms = milliseconds(timeout);
  attest_keylime_agent* out = nullptr;
  run([&] { return attest_keylime_lookup(&out, keylime.get(), word.get(), timeout_ms); });
  const Agent agent(out);
  return agent ? record_of(agent.get()) : py::none();
}

void add(const Keylime& keylime, const py::object& record, const py::object& runtime_policy,
         const py::object& allowlist, const py::object& excludelist, const py::object& tpm_policy,
         const py::object& mb_policy, const std::optional<std::string>& policy_name,
         double timeout) {
  const Agent agent = agent_of(record);
  const OptionalInput runtime(runtime_policy);
  const OptionalInput allow(allowlist);
  const OptionalInput exclude(excludelist);
  const OptionalInput tpm(tpm_policy);
  const OptionalInput mb(mb_policy);
  const Word name(policy_name);
  const std::uint32_t timeout_ms = milliseconds(timeout);
  attest_keylime_add_options options = ATTEST_KEYLIME_ADD_OPTIONS_INIT;
  options.runtime_policy = runtime.data();
  options.runtime_policy_len = runtime.size();
  options.allowlist = allow.data();
  options.allowlist_len = allow.size();
  options.excludelist = exclude.data();
  options.excludelist_len = exclude.size();
  options.tpm_policy = tpm.data();
  options.tpm_policy_len = tpm.size();
  options.mb_policy = mb.data();
  options.mb_policy_len = mb.size();
  options.policy_name = name.get();
  run([&] { return attest_keylime_add(keylime.get(), agent.get(), &options, timeout_ms); });
}

py::object status_record(const attest_keylime_status& status) {
  const auto or_none = [](std::int64_t number) -> py::object {
    return number < 0 ? py::object(py::none()) : py::object(py::int_(number));
  };
  return type("KeylimeStatus")(text(attest_keylime_verdict_name(status.verdict)), status.state,
                               text(status.state_name), or_none(status.attestation_count),
                               text(status.last_event_id), or_none(status.severity));
}

py::object get_status(const Keylime& keylime, const std::string& uuid, double timeout) {
  const Word word(uuid);
  const std::uint32_t timeout_ms = milliseconds(timeout);
  attest_keylime_status status = ATTEST_KEYLIME_STATUS_INIT;
  run([&] { return attest_keylime_get_status(&status, keylime.get(), word.get(), timeout_ms); });
  return status.state < 0 ? py::none() : status_record(status);
}

py::object wait(const Keylime& keylime, const std::string& uuid, double timeout) {
  const Word word(uuid);
  const std::uint32_t timeout_ms = milliseconds(timeout);
  attest_keylime_status status = ATTEST_KEYLIME_STATUS_INIT;
  run([&] { return attest_keylime_wait(&status, keylime.get(), word.get(), timeout_ms); });
  return status_record(status);
}

void remove(const Keylime& keylime, const std::string& uuid, double timeout) {
  const Word word(uuid);
  const std::uint32_t timeout_ms = milliseconds(timeout);
  run([&] { return attest_keylime_delete(keylime.get(), word.get(), timeout_ms); });
}

void remove_registration(const Keylime& keylime, const std::string& uuid, double timeout) {
  const Word word(uuid);
  const std::uint32_t timeout_ms = milliseconds(timeout);
  run([&] { return attest_keylime_delete_registration(keylime.get(), word.get(), timeout_ms); });
}

// The lines of a text that the library made.
py::list take_lines(attest_buffer* made) { return take_text(made).attr("splitlines")(); }

py::list list(const Keylime& keylime, double timeout) {
  const std::uint32_t timeout_ms = milliseconds(timeout);
  attest_buffer* out = nullptr;
  run([&] { return attest_keylime_list(&out, keylime.get(), timeout_ms); });
  return take_lines(out);
}

attest_keylime_policy_kind kind_of(const std::string& kind) {
  if (kind == "runtime") return ATTEST_KEYLIME_RUNTIME_POLICY;
  if (kind == "mb") return ATTEST_KEYLIME_MB_POLICY;
  throw py::value_error("the kind of a stored policy is 'runtime' or 'mb'");
}

void create_policy(const Keylime& keylime, const std::string& name, const py::object& policy,
                   const std::string& kind, double timeout) {
  const Word word(name);
  const Input in(policy, Accept::kBytesOrStr);
  const attest_keylime_policy_kind number = kind_of(kind);
  const std::uint32_t timeout_ms = milliseconds(timeout);
  run([&] {
    return attest_keylime_policy_create(keylime.get(), number, word.get(), in.text(), in.size(),
                                        timeout_ms);
  });
}

py::object read_policy(const Keylime& keylime, const std::string& name, const std::string& kind,
                       double timeout) {
  const Word word(name);
  const attest_keylime_policy_kind number = kind_of(kind);
  const std::uint32_t timeout_ms = milliseconds(timeout);
  attest_buffer* out = nullptr;
  run([&] {
    return attest_keylime_policy_read(&out, keylime.get(), number, word.get(), timeout_ms);
  });
  if (out == nullptr) return py::none();
  return take_bytes(out);
}

py::list list_policies(const Keylime& keylime, const std::string& kind, double timeout) {
  const attest_keylime_policy_kind number = kind_of(kind);
  const std::uint32_t timeout_ms = milliseconds(timeout);
  attest_buffer* out = nullptr;
  run([&] { return attest_keylime_policy_list(&out, keylime.get(), number, timeout_ms); });
  return take_lines(out);
}

void delete_policy(const Keylime& keylime, const std::string& name, const std::string& kind,
                   double timeout) {
  const Word word(name);
  const attest_keylime_policy_kind number = kind_of(kind);
  const std::uint32_t timeout_ms = milliseconds(timeout);
  run([&] { return attest_keylime_policy_delete(keylime.get(), number, word.get(), timeout_ms); });
}

py::object quote_record(const attest_keylime_quote* quote) {
  attest_keylime_quote_info info = ATTEST_KEYLIME_QUOTE_INFO_INIT;
  check(attest_keylime_quote_get_info(&info, quote));
  const auto or_none = [](std::int64_t number) -> py::object {
    return number < 0 ? py::object(py::none()) : py::object(py::int_(number));
  };
  py::object ima = py::none();
  if (info.ima != nullptr) ima = py::bytes(info.ima, info.ima_len);
  return type("KeylimeQuote")(text({info.quote, info.quote_len}), text(info.hash_alg),
                              text(info.enc_alg), text(info.sign_alg),
                              text(info.public_key == nullptr ? "" : info.public_key),
                              or_none(info.boottime), ima, or_none(info.ima_entry),
                              bytes_or_none(info.eventlog, info.eventlog_len));
}

py::object identity_quote(const Keylime& keylime, const py::object& record,
                          const std::string& nonce, double timeout) {
  const Agent agent = agent_of(record);
  const Word word(nonce);
  const std::uint32_t timeout_ms = milliseconds(timeout);
  attest_keylime_quote* out = nullptr;
  run([&] {
    return attest_keylime_identity_quote(&out, keylime.get(), agent.get(), word.get(), timeout_ms);
  });
  const KeylimeQuote quote(out);
  return quote_record(quote.get());
}

py::object integrity_quote(const Keylime& keylime, const py::object& record,
                           const std::string& nonce, std::uint32_t mask, std::uint64_t ima_entry,
                           bool partial, double timeout) {
  const Agent agent = agent_of(record);
  const Word word(nonce);
  const std::uint32_t timeout_ms = milliseconds(timeout);
  attest_keylime_quote* out = nullptr;
  run([&] {
    return attest_keylime_integrity_quote(&out, keylime.get(), agent.get(), word.get(), mask,
                                          ima_entry, partial ? 1 : 0, timeout_ms);
  });
  const KeylimeQuote quote(out);
  return quote_record(quote.get());
}

py::list diagnose(const Keylime& keylime, std::int64_t now, const py::object& configuration,
                  double timeout) {
  const Input in(configuration, Accept::kBytesOrStr);
  const std::uint32_t timeout_ms = milliseconds(timeout);
  attest_keylime_diagnosis* out = nullptr;
  run([&] {
    return attest_keylime_diagnose(&out, keylime.get(), in.text(), in.size(), now, timeout_ms);
  });
  const Owned<attest_keylime_diagnosis, attest_keylime_diagnosis_free> diagnosis(out);
  py::list checks;
  for (std::size_t i = 0; i < attest_keylime_diagnosis_num_checks(out); ++i) {
    attest_keylime_check one = ATTEST_KEYLIME_CHECK_INIT;
    check(attest_keylime_diagnosis_check(&one, out, i));
    checks.append(type("KeylimeCheck")(text(one.id), text(attest_keylime_health_name(one.health)),
                                       text(one.message)));
  }
  return checks;
}

}  // namespace

void bind_keylime(py::module_& m) {
  const auto timeout = [] { return py::arg("timeout") = 30.0; };
  py::class_<Keylime>(
      m, "Keylime", "Keylime's registrar, verifier and agents. Any number of threads may use one.")
      .def(py::init(&new_keylime), py::kw_only(), py::arg("verifier") = py::none(),
           py::arg("registrar") = py::none(), py::arg("ca"), py::arg("cert"), py::arg("key"),
           py::arg("check_name") = true)
      .def("versions", &versions, timeout(), "API versions spoken with (verifier, registrar).")
      .def("lookup", &lookup, py::arg("uuid"), timeout(),
           "What the registrar knows of an agent; None when it does not know it.")
      .def("add", &add, py::arg("agent"), py::kw_only(), py::arg("runtime_policy") = py::none(),
           py::arg("allowlist") = py::none(), py::arg("excludelist") = py::none(),
           py::arg("tpm_policy") = py::none(), py::arg("mb_policy") = py::none(),
           py::arg("policy_name") = py::none(), timeout(),
           "Has the verifier attest the agent, by at least one policy.")
      .def("status", &get_status, py::arg("uuid"), timeout(),
           "What the verifier says; None when it does not know the agent.")
      .def("wait", &wait, py::arg("uuid"), py::arg("timeout"),
           "Asks until the verdict is trusted, failed or not-attested.")
      .def("delete", &remove, py::arg("uuid"), timeout(), "Until the verifier does not know it.")
      .def("delete_registration", &remove_registration, py::arg("uuid"), timeout(),
           "Until the registrar does not know it.")
      .def("list", &list, timeout(), "The verifier's agents.")
      .def("create_policy", &create_policy, py::arg("name"), py::arg("policy"), py::kw_only(),
           py::arg("kind") = "runtime", timeout(), "Stores a 'runtime' or 'mb' policy by name.")
      .def("read_policy", &read_policy, py::arg("name"), py::kw_only(), py::arg("kind") = "runtime",
           timeout(), "Its JSON; None when there is none.")
      .def("list_policies", &list_policies, py::kw_only(), py::arg("kind") = "runtime", timeout(),
           "The names of the stored policies.")
      .def("delete_policy", &delete_policy, py::arg("name"), py::kw_only(),
           py::arg("kind") = "runtime", timeout(), "Until there is none of that name.")
      .def("identity_quote", &identity_quote, py::arg("agent"), py::arg("nonce"), timeout(),
           "A quote over PCR 16 for a nonce of 16 to 64 letters and digits.")
      .def("integrity_quote", &integrity_quote, py::arg("agent"), py::arg("nonce"), py::arg("mask"),
           py::arg("ima_entry") = 0, py::arg("partial") = true, timeout(),
           "A quote over the PCRs of the mask, with the logs.")
      .def("diagnose", &diagnose, py::kw_only(), py::arg("now"), py::arg("configuration") = "",
           timeout(), "Whether Keylime is set up as Ironic's attestation wants it.")
      .def(
          "cancel", [](Keylime& keylime) { attest_keylime_cancel(keylime.get()); },
          "Ends the calls that other threads are in: they raise KeylimeError.");
}

}  // namespace binding
