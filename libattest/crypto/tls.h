// SPDX-License-Identifier: Apache-2.0

// The one thing that libattest changes in a TLS context that libcurl made.

#ifndef LIBATTEST_CRYPTO_TLS_H_
#define LIBATTEST_CRYPTO_TLS_H_

namespace attest::crypto {

// Has the sessions of `ssl_ctx`, an OpenSSL SSL_CTX, write their secrets nowhere: libcurl would
// write them to the file that the host's environment names in SSLKEYLOGFILE.
void keep_secrets(void* ssl_ctx) noexcept;

}  // namespace attest::crypto

#endif  // LIBATTEST_CRYPTO_TLS_H_
