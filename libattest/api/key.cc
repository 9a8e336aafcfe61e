// SPDX-License-Identifier: Apache-2.0

#include "libattest/key.h"

#include "libattest/api/guard.h"
#include "libattest/api/handles.h"

using attest::api::guard;

extern "C" {

attest_status attest_key_load(attest_key** out, const std::uint8_t* data, std::size_t data_len) {
  return guard([&] {
    attest::api::clear_output(out);
    auto key = std::make_shared<const attest::tpm::AttestationKey>(
        attest::tpm::AttestationKey::load(attest::api::bytes(data, data_len)));
    std::string description = key->key().describe();
    attest::api::give(out, attest_key{std::move(key), std::move(description), {}});
  });
}

attest_key_format attest_key_get_format(const attest_key* key) {
  return key == nullptr ? ATTEST_KEY_FORMAT_NONE
                        : static_cast<attest_key_format>(key->key->format());
}

const char* attest_key_describe(const attest_key* key) {
  return key == nullptr ? nullptr : key->description.c_str();
}

const std::uint8_t* attest_key_name(const attest_key* key, std::size_t* name_len) {
  const attest::Bytes name = key == nullptr ? attest::Bytes() : key->key->name();
  if (name_len != nullptr) *name_len = name.size();
  return name.empty() ? nullptr : name.data();
}

std::uint32_t attest_key_attributes(const attest_key* key) {
  const attest::tpm::PublicArea* area = key == nullptr ? nullptr : key->key->area();
  return area == nullptr ? 0 : area->attributes;
}

void attest_key_free(attest_key* key) { delete key; }

}  // extern "C"
