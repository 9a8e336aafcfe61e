// SPDX-License-Identifier: Apache-2.0

#include "libattest/node.h"

#include "libattest/api/guard.h"
#include "libattest/api/handles.h"
#include "libattest/base/text.h"

using attest::api::guard;

extern "C" {

attest_status attest_node_new(attest_node** out) {
  return guard([&] {
    attest::api::clear_output(out);
    attest::api::give(out, attest_node{});
  });
}

attest_status attest_node_import(attest_node** out, const std::uint8_t* data,
                                 std::size_t data_len) {
  return guard([&] {
    attest::api::clear_output(out);
    const attest::Bytes in = attest::api::bytes(data, data_len);
    attest::api::give(out, attest_node{attest::verify::parse_node(attest::as_text(in))});
  });
}

attest_status attest_node_export(attest_buffer** out, const attest_node* node) {
  return guard([&] {
    attest::api::clear_output(out);
    attest::api::require(node, "node");
    attest::api::give_text(out, attest::verify::to_json(node->state));
  });
}

std::uint64_t attest_node_ima_entries(const attest_node* node) {
  return node == nullptr || !node->state.ima ? 0 : node->state.ima->entries;
}

void attest_node_free(attest_node* node) { delete node; }

}  // extern "C"
