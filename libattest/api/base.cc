// SPDX-License-Identifier: Apache-2.0

#include "libattest/base.h"

#include "libattest/api/guard.h"
#include "libattest/api/handles.h"
#include "libattest/api/sized.h"
#include "libattest/base/text.h"

using attest::api::guard;
namespace crypto = attest::crypto;

namespace attest::api {

std::optional<crypto::Hash> hash_of(const attest_hash& hash, const char* name) {
  const int number = number_of(hash);
  if (number == ATTEST_HASH_NONE) return std::nullopt;
  for (const crypto::Hash known : crypto::kAllHashes) {
    if (static_cast<int>(known) == number) return known;
  }
  throw std::invalid_argument(std::string(name) + " is not an attest_hash");
}

attest_hash to_c(std::optional<crypto::Hash> hash) noexcept {
  return hash ? static_cast<attest_hash>(*hash) : ATTEST_HASH_NONE;
}

}  // namespace attest::api

extern "C" {

const char* attest_version(void) { return LIBATTEST_VERSION; }

const std::uint8_t* attest_buffer_data(const attest_buffer* buffer) {
  return buffer == nullptr ? nullptr : attest::as_bytes(buffer->text).data();
}

std::size_t attest_buffer_size(const attest_buffer* buffer) {
  return buffer == nullptr ? 0 : buffer->text.size();
}

void attest_buffer_free(attest_buffer* buffer) { delete buffer; }

const char* attest_hash_name(attest_hash hash) {
  for (const crypto::Hash known : crypto::kAllHashes) {
    if (static_cast<int>(known) == attest::api::number_of(hash)) {
      return crypto::hash_name(known).data();  // a literal: there is a NUL behind it
    }
  }
  return nullptr;
}

attest_hash attest_hash_from_name(const char* name) {
  return name == nullptr ? ATTEST_HASH_NONE : attest::api::to_c(crypto::hash_from_name(name));
}

attest_status attest_nonce_make(std::uint8_t* out, std::size_t out_len) {
  return guard([&] {
    attest::api::require(out, "out");
    if (out_len < 16 || out_len > 64) {
      throw std::invalid_argument("a nonce has 16 to 64 bytes");
    }
    crypto::random_bytes({out, out_len});
  });
}

}  // extern "C"
