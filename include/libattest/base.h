/* SPDX-License-Identifier: Apache-2.0 */

/*
 * What every libattest header stands on: statuses, errors, versions, buffers, digest algorithms.
 *
 * Conventions, the same for all functions of libattest:
 *
 *  1. A function that can fail returns an attest_status. The status says whether the call could do
 *     its work; it never says whether evidence is trusted. That is an attest_verdict, and it lives
 *     in the report (report.h). Calls that judge one thing and make no report (a certificate chain,
 *     the answer to a challenge) return ATTEST_E_REFUSED for what is not as it must be.
 *  2. Outputs come first. `*out` is NULL after a failure. What a call puts into `*out` is the
 *     caller's, who frees it with the object's `_free`; freeing NULL does nothing.
 *  3. Inputs are pointer and length, are read during the call only and copied where they are needed
 *     later. A NULL pointer is allowed only with length 0.
 *  4. Pointers that accessors return belong to the object and stay valid until it is freed.
 *  5. Structures that callers fill or have filled begin with their size, which the _INIT macro
 * sets. They only ever grow at their end: set what you know and leave the rest.
 *  6. THREADS: everything may be called from any thread. One object must not be changed by one
 *     thread while another uses it; objects that are not being changed may be shared freely.
 *     "Changing" are the functions that take a pointer to non-const.
 *  7. Nothing is printed, no environment variable is read, no clock is asked (but a monotonic one
 *     for deadlines, keylime.h and oat.h), no signal handler, locale or other setting of the
 * process is touched. OpenSSL, which libattest asks about keys in a library context of its own,
 * reads its configuration file at the first key, as it does for whoever uses it first.
 */

#ifndef LIBATTEST_BASE_H_
#define LIBATTEST_BASE_H_

#include <stddef.h>
#include <stdint.h>

#define ATTEST_VERSION_MAJOR 0
#define ATTEST_VERSION_MINOR 1
#define ATTEST_VERSION_PATCH 0

#if defined(__GNUC__)
#define ATTEST_API __attribute__((visibility("default")))
#define ATTEST_MUST_CHECK __attribute__((warn_unused_result))
#else
#define ATTEST_API
#define ATTEST_MUST_CHECK
#endif

#ifdef __cplusplus
extern "C" {
#endif

/*
 * Whether a call could do its work.
 *
 * Values are part of the ABI: they are never renumbered or reused. Expect values that this header
 * does not list, and treat them as failures.
 */
typedef enum attest_status {
  ATTEST_OK = 0,
  ATTEST_E_ARGUMENT = 1,  /* a NULL, missing or out-of-range argument: a bug in the caller */
  ATTEST_E_MALFORMED = 2, /* the input is not of its format */
  ATTEST_E_NO_MEMORY = 3,
  ATTEST_E_INTERNAL = 4, /* a bug in libattest, or a crypto library that can not do its work */
  ATTEST_E_STATE = 5,    /* the object can not do this now: a second attempt, or after its end */
  ATTEST_E_READ = 6,     /* the caller's read function reported a failure */
  ATTEST_E_REFUSED = 7,  /* well-formed, and must not be trusted: a key, a chain, an answer */
  ATTEST_E_FILE = 8,     /* a file can not be read, or not be written as a whole */

  /* Of the functions that use the network. None of them says anything about a node. */
  ATTEST_E_NETWORK = 20,   /* the peer was not reached, or hung up */
  ATTEST_E_PEER = 21,      /* TLS: the peer's certificate is not what it has to be */
  ATTEST_E_TIMEOUT = 22,   /* the call's deadline passed */
  ATTEST_E_CANCELLED = 23, /* another thread ended the call */
  ATTEST_E_HTTP = 24,      /* the peer refused: attest_last_http_status says how */
  ATTEST_E_ANSWER = 25     /* the peer's answer is not understood: too large, not of its format */
} attest_status;

/*
 * attest_version returns the version of the library that is loaded, as "MAJOR.MINOR.PATCH". The
 * string is static.
 */
ATTEST_API const char* attest_version(void);

/*
 * attest_last_error returns what went wrong in this thread's last call that did not return
 * ATTEST_OK: one line of English, for a log. Do not parse it. For ATTEST_E_MALFORMED it names the
 * format, the place (a byte offset, a line, or a JSON path), the field, and what is wrong with it.
 * Bytes of the input that it repeats are escaped. The string is the library's and stays valid until
 * this thread's next call. It is "" when no call of this thread has failed.
 */
ATTEST_API const char* attest_last_error(void);

/*
 * attest_last_http_status returns the HTTP status with which a peer ended this thread's last call
 * that did not return ATTEST_OK; 0 when that failed otherwise.
 */
ATTEST_API int attest_last_http_status(void);

/* Bytes or text that the library made. Text is UTF-8 and has a NUL behind its end. Immutable. */
typedef struct attest_buffer attest_buffer;

ATTEST_API const uint8_t* attest_buffer_data(const attest_buffer* buffer);
/* attest_buffer_size returns the size in bytes, without the NUL behind the end. */
ATTEST_API size_t attest_buffer_size(const attest_buffer* buffer);
ATTEST_API void attest_buffer_free(attest_buffer* buffer);

/*
 * Digest algorithms, by their TPM_ALG_IDs (TCG Algorithm Registry). They name banks of PCRs, too.
 */
typedef enum attest_hash {
  ATTEST_HASH_NONE = 0x0000, /* none given, or none known */
  ATTEST_HASH_SHA1 = 0x0004,
  ATTEST_HASH_SHA256 = 0x000B,
  ATTEST_HASH_SHA384 = 0x000C,
  ATTEST_HASH_SHA512 = 0x000D,
  ATTEST_HASH_SM3_256 = 0x0012,
  ATTEST_HASH_SHA3_256 = 0x0027,
  ATTEST_HASH_SHA3_384 = 0x0028,
  ATTEST_HASH_SHA3_512 = 0x0029
} attest_hash;

/* attest_hash_name returns "sha256" for ATTEST_HASH_SHA256, and NULL for a number of none. */
ATTEST_API const char* attest_hash_name(attest_hash hash);

/* attest_hash_from_name returns the algorithm of that name, or ATTEST_HASH_NONE. */
ATTEST_API attest_hash attest_hash_from_name(const char* name);

/*
 * attest_nonce_make fills the `out_len` bytes at `out` (16 to 64: what a TPM takes as qualifying
 * data and an appraisal accepts) from the cryptographic random generator. Use each nonce for one
 * quote.
 */
ATTEST_API ATTEST_MUST_CHECK attest_status attest_nonce_make(uint8_t* out, size_t out_len);

#ifdef __cplusplus
}
#endif

#endif /* LIBATTEST_BASE_H_ */
