// SPDX-License-Identifier: Apache-2.0

#include "libattest/crypto/tls.h"

#include <openssl/ssl.h>

namespace attest::crypto {

void keep_secrets(void* ssl_ctx) noexcept {
  SSL_CTX_set_keylog_callback(static_cast<SSL_CTX*>(ssl_ctx), nullptr);
}

}  // namespace attest::crypto
