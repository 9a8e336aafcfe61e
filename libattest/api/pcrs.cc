// SPDX-License-Identifier: Apache-2.0

#include "libattest/pcrs.h"

#include "libattest/api/guard.h"
#include "libattest/api/handles.h"
#include "libattest/api/sized.h"

using attest::api::guard;

namespace attest::api {

attest_pcrs to_pcrs(const tpm::ClaimedPcrs& pcrs) {
  attest_pcrs out;
  out.values.reserve(pcrs.values.size());
  auto value = pcrs.values.begin();
  for (const tpm::PcrSelection& s : pcrs.selections) {
    for (std::uint32_t pcr = 0; pcr < 32 && value != pcrs.values.end(); ++pcr) {
      if ((s.mask >> pcr & 1U) == 0) continue;
      out.values.push_back({crypto::hash_from_id(s.alg), pcr, *value++});
    }
  }
  return out;
}

}  // namespace attest::api

extern "C" {

attest_status attest_pcrs_parse(attest_pcrs** out, const std::uint8_t* data, std::size_t data_len) {
  return guard([&] {
    attest::api::clear_output(out);
    const attest::Bytes in = attest::api::bytes(data, data_len);
    attest::api::give(out, attest::api::to_pcrs(attest::tpm::parse_pcrs_serialized(in)));
  });
}

std::size_t attest_pcrs_count(const attest_pcrs* pcrs) {
  return pcrs == nullptr ? 0 : pcrs->values.size();
}

attest_status attest_pcrs_at(const attest_pcrs* pcrs, std::size_t index, attest_hash* bank,
                             std::uint32_t* pcr, const std::uint8_t** value,
                             std::size_t* value_len) {
  return guard([&] {
    attest::api::require(pcrs, "pcrs");
    attest::api::require(bank, "bank");
    attest::api::require(pcr, "pcr");
    attest::api::require(value, "value");
    attest::api::require(value_len, "value_len");
    *value = nullptr;
    *value_len = 0;
    if (index >= pcrs->values.size()) throw std::invalid_argument("no PCR value has this index");
    const attest_pcrs::Value& at = pcrs->values[index];
    *bank = attest::api::to_c(at.bank);
    *pcr = at.pcr;
    *value = at.value.bytes().data();
    *value_len = at.value.size();
  });
}

const std::uint8_t* attest_pcrs_find(const attest_pcrs* pcrs, attest_hash bank, std::uint32_t pcr,
                                     std::size_t* value_len) {
  if (value_len != nullptr) *value_len = 0;
  if (pcrs == nullptr) return nullptr;
  const int wanted = attest::api::number_of(bank);
  for (const attest_pcrs::Value& v : pcrs->values) {
    if (!v.bank || static_cast<int>(*v.bank) != wanted || v.pcr != pcr) continue;
    if (value_len != nullptr) *value_len = v.value.size();
    return v.value.bytes().data();
  }
  return nullptr;
}

void attest_pcrs_free(attest_pcrs* pcrs) { delete pcrs; }

}  // extern "C"
