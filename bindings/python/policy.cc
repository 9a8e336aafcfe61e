// SPDX-License-Identifier: Apache-2.0

// Policy and Node.

#include <optional>

#include "support.h"

namespace binding {
namespace {

Policy new_policy(bool allow_sha1) {
  attest_policy* out = nullptr;
  check(attest_policy_new(&out));
  Policy policy(out);
  check(attest_policy_set_allow_sha1(out, allow_sha1 ? 1 : 0));
  return policy;
}

Policy parse_policy(const py::object& json) {
  const Input in(json, Accept::kBytesOrStr);
  attest_policy* out = nullptr;
  run([&] { return attest_policy_parse(&out, in.text(), in.size()); });
  return Policy(out);
}

void set_allow_sha1(Policy& policy, bool allow) {
  const Changing changing(policy.use);
  check(attest_policy_set_allow_sha1(policy.get(), allow ? 1 : 0));
}

void set_ima_digest(Policy& policy, const py::object& digest) {
  const auto mode = number<attest_ima_digest>("ImaDigest", digest);
  const Changing changing(policy.use);
  check(attest_policy_set_ima_digest(policy.get(), mode));
}

void add_allowlist(Policy& policy, const py::object& allowlist, const py::object& checksum,
                   const py::object& excludelist) {
  const Changing changing(policy.use);
  const Input allow(allowlist, Accept::kBytesOrStr);
  std::optional<Input> sum;
  std::optional<Input> exclude;
  if (!checksum.is_none()) sum.emplace(checksum, Accept::kBytesOrStr);
  if (!excludelist.is_none()) exclude.emplace(excludelist, Accept::kBytesOrStr);
  run([&] {
    return attest_policy_add_allowlist(
        policy.get(), allow.text(), allow.size(), sum ? sum->text() : nullptr,
        sum ? sum->size() : 0, exclude ? exclude->text() : nullptr, exclude ? exclude->size() : 0);
  });
}

void add_runtime_policy(Policy& policy, const py::object& json) {
  const Changing changing(policy.use);
  const Input in(json, Accept::kBytesOrStr);
  run([&] { return attest_policy_add_runtime_policy(policy.get(), in.text(), in.size()); });
}

void add_tpm_policy(Policy& policy, const py::object& json) {
  const Changing changing(policy.use);
  const Input in(json, Accept::kBytesOrStr);
  run([&] { return attest_policy_add_tpm_policy(policy.get(), in.text(), in.size()); });
}

void add_oat_whitelist(Policy& policy, const py::object& json) {
  const Changing changing(policy.use);
  const Input in(json, Accept::kBytesOrStr);
  run([&] { return attest_policy_add_oat_whitelist(policy.get(), in.text(), in.size()); });
}

py::str policy_to_json(Policy& policy) {
  const Reading reading(policy.use);
  attest_buffer* out = nullptr;
  run([&] { return attest_policy_to_json(&out, policy.get()); });
  return take_text(out);
}

Node new_node() {
  attest_node* out = nullptr;
  check(attest_node_new(&out));
  return Node(out);
}

Node load_node(const py::object& data) {
  const Input in(data);
  attest_node* out = nullptr;
  run([&] { return attest_node_import(&out, in.data(), in.size()); });
  return Node(out);
}

py::bytes export_node(Node& node) {
  const Reading reading(node.use);
  attest_buffer* out = nullptr;
  check(attest_node_export(&out, node.get()));
  return take_bytes(out);
}

}  // namespace

void bind_policy(py::module_& m) {
  py::class_<Policy>(m, "Policy", "What is expected of a node. An empty policy trusts nothing.")
      .def(py::init(&new_policy), py::kw_only(), py::arg("allow_sha1") = false)
      .def_static("parse", &parse_policy, py::arg("json"), "Loads libattest's own policy format.")
      .def("set_allow_sha1", &set_allow_sha1, py::arg("allow"),
           "Allows or refuses SHA-1. Set it before adding rules that need it.")
      .def("set_ima_digest", &set_ima_digest, py::arg("digest"),
           "Says what the node's kernel extends: native, padded or padded-old.")
      .def("add_allowlist", &add_allowlist, py::arg("allowlist"), py::arg("checksum") = py::none(),
           py::arg("excludelist") = py::none(),
           "Adds rules for the IMA list: a flat allowlist, its SHA-256 checksum, an excludelist.")
      .def("add_runtime_policy", &add_runtime_policy, py::arg("json"),
           "Adds rules for the IMA list: a Keylime runtime policy.")
      .def("add_tpm_policy", &add_tpm_policy, py::arg("json"),
           "Adds reference values: a Keylime TPM policy.")
      .def("add_oat_whitelist", &add_oat_whitelist, py::arg("json"),
           "Adds reference values: OpenAttestation's whitelist of one host. SHA-1 must be allowed.")
      .def("to_json", &policy_to_json, "The policy as Policy.parse() reads it.");

  py::class_<Node>(m, "Node", "What is remembered of one node between its appraisals.")
      .def(py::init(&new_node))
      .def_static("load", &load_node, py::arg("data"), "Reads what export() wrote.")
      .def("export", &export_node, "The state, to be kept where only you can write.")
      .def_property_readonly(
          "ima_entries",
          [](Node& node) {
            const Reading reading(node.use);
            return attest_node_ima_entries(node.get());
          },
          "How many entries of the IMA list are verified: the entry to ask for next.");
}

}  // namespace binding
