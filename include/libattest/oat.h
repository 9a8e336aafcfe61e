/* SPDX-License-Identifier: Apache-2.0 */

/*
 * A client of OpenAttestation (OAT) servers, v1.0, v1.5 to v1.7 and v2.x: what a server says of
 * many hosts (PollHosts). What it says is its verdict, not one of libattest's; of the answer's
 * shape much is allowed, of its meaning nothing is guessed.
 *
 * Each call has one deadline for all that it does, and ends within 0.1 s of attest_oat_cancel. TLS
 * 1.2 and newer; the server's chain is always verified, by the CA that is given and nothing else.
 * No proxy, no redirect, no file, bounded answers. Connections are close-on-exec; libcurl's wake-up
 * pair is not.
 *
 * The statuses ATTEST_E_NETWORK to ATTEST_E_ANSWER say why a call could not do its work; none of
 * them says anything about a host. An answer that is not understood as a whole is ATTEST_E_ANSWER.
 *
 * THREADS: any number of threads may use one attest_oat at a time, in a child of fork, too.
 */

#ifndef LIBATTEST_OAT_H_
#define LIBATTEST_OAT_H_

#include "libattest/base.h"
#include "libattest/host_verdicts.h"
#include "libattest/report.h"

#ifdef __cplusplus
extern "C" {
#endif

/* Where the server is, and how to speak with it. Nothing of the network in it. */
typedef struct attest_oat attest_oat;

/* Versions of the API, which differ in the host names that they take. */
typedef enum attest_oat_dialect {
  ATTEST_OAT_DIALECT_NONE = 0, /* as the path says: 1.0 for that of v1.0, 1.5 for any other */
  ATTEST_OAT_1_0 = 1,
  ATTEST_OAT_1_5 = 2, /* v1.5 to v1.7: names of at most 50 characters */
  ATTEST_OAT_2 = 3    /* v2.x, which has the path of 1.5 and takes longer names */
} attest_oat_dialect;

/* attest_oat_dialect_from_name takes "1.0", "1.5" and "2": ATTEST_OAT_DIALECT_NONE for any other.
 */
ATTEST_API attest_oat_dialect attest_oat_dialect_from_name(const char* name);

typedef struct attest_oat_options {
  size_t size;
  const char* server;  /* a host name or an address */
  const char* api_url; /* an absolute path; NULL: "/OpenAttestationWebServices/V1.0" */
  const char* ca;      /* PEM: the only certificates that the server is trusted by */
  size_t ca_len;
  const char* certificate; /* PEM of the client's; NULL: it shows none */
  size_t certificate_len;
  const char* key; /* PEM of its private key, not encrypted */
  size_t key_len;
  /* Sent to `server` alone, as the header x-auth-blob; NULL or of length 0: none. Printable ASCII,
   * at most 8,192 bytes. It is in no message, and libattest's copies are wiped. */
  const char* auth_blob;
  size_t auth_blob_len;
  attest_oat_dialect dialect;
  uint32_t port;  /* 0: 8443; v2.x listens on 8181 */
  uint32_t batch; /* hosts in one request, at most 500; 0: 100 */
  /* 1: the certificate's name does not have to be that of `server`. The chain still has to lead to
   * `ca`, which may be the server's own self-signed certificate. */
  int no_name_check;
} attest_oat_options;
#define ATTEST_OAT_OPTIONS_INIT                                                 \
  {                                                                             \
    sizeof(attest_oat_options), NULL, NULL, NULL, 0, NULL, 0, NULL, 0, NULL, 0, \
        ATTEST_OAT_DIALECT_NONE, 0, 0, 0                                        \
  }

ATTEST_API ATTEST_MUST_CHECK attest_status attest_oat_new(attest_oat** out,
                                                          const attest_oat_options* options);

/*
 * attest_oat_cancel ends the calls that other threads are in: they return ATTEST_E_CANCELLED. Calls
 * that begin later are not concerned. May be called while others use `oat`.
 */
ATTEST_API void attest_oat_cancel(attest_oat* oat);

/* attest_oat_free: no call may be under way. */
ATTEST_API void attest_oat_free(attest_oat* oat);

/* What a server said of the hosts that it was asked about. Immutable. */
typedef struct attest_oat_answer attest_oat_answer;

/*
 * attest_oat_poll asks about `num_names` hosts, in requests of a batch each, one after the other. A
 * name that no server of the dialect takes (empty, too long, not of printable ASCII without spaces,
 * or with any of # & + : " ') reaches no request and fails none: that host is unknown.
 *
 * `now`, in seconds since 1970-01-01 UTC, is for times that are not yet; it must be more than 0.
 * How old a verdict may be is the caller's to judge, as attest_host_verdicts does. `timeout_ms` is
 * for the whole call, in milliseconds, at least 1. A batch that fails fails the call.
 */
ATTEST_API ATTEST_MUST_CHECK attest_status attest_oat_poll(attest_oat_answer** out,
                                                           const attest_oat* oat,
                                                           const attest_host_name* names,
                                                           size_t num_names, int64_t now,
                                                           uint32_t timeout_ms);

/* Why a host has its verdict. Expect others, and take them as a verdict's reason like these. */
typedef enum attest_oat_reason {
  ATTEST_OAT_ANSWERED = 0,     /* the server says so */
  ATTEST_OAT_NAME_REFUSED = 1, /* it was not asked about */
  ATTEST_OAT_NOT_ANSWERED = 2, /* the answer does not have it */
  ATTEST_OAT_UNKNOWN = 3,      /* the server does not know */
  ATTEST_OAT_TIMEOUT = 4,      /* the server waited in vain for the host */
  ATTEST_OAT_PENDING = 5,      /* the server does not know yet */
  ATTEST_OAT_LEVEL = 6,   /* its trust level is missing, or none of the protocol's five words */
  ATTEST_OAT_NO_TIME = 7, /* a trust level without a time */
  ATTEST_OAT_TIME = 8,    /* its time is of no form that is known */
  ATTEST_OAT_FUTURE = 9,  /* its time is more than 30 s after `now` */
  ATTEST_OAT_CONTRADICTION = 10 /* entries that contradict each other, of which the worst counts:
                                 * untrusted, then unknown, then trusted */
} attest_oat_reason;

/* attest_oat_reason_name returns "not-answered" and so on, and NULL for a number of none. */
ATTEST_API const char* attest_oat_reason_name(attest_oat_reason reason);

typedef struct attest_oat_host {
  size_t size;
  const char* name; /* as it was asked for, with a NUL behind its end */
  size_t name_len;
  attest_verdict verdict; /* only ATTEST_VERDICT_TRUSTED is good news, and only while it is fresh */
  attest_oat_reason reason;
  /* When, in seconds since 1970-01-01 UTC, of the server's clock: of the measurement, or for v2.x
   * of the answer. Of several entries that agree the oldest. -1: none, of all that are unknown. */
  int64_t measured_at;
} attest_oat_host;
#define ATTEST_OAT_HOST_INIT \
  { sizeof(attest_oat_host), NULL, 0, ATTEST_VERDICT_UNKNOWN, ATTEST_OAT_NOT_ANSWERED, -1 }

/* attest_oat_answer_num_hosts: one for each name that was given, in that order. */
ATTEST_API size_t attest_oat_answer_num_hosts(const attest_oat_answer* answer);
/* attest_oat_answer_host: its name is the answer's. */
ATTEST_API ATTEST_MUST_CHECK attest_status attest_oat_answer_host(attest_oat_host* out,
                                                                  const attest_oat_answer* answer,
                                                                  size_t index);
/* attest_oat_answer_num_ignored: entries about hosts that were not asked for. */
ATTEST_API size_t attest_oat_answer_num_ignored(const attest_oat_answer* answer);
ATTEST_API void attest_oat_answer_free(attest_oat_answer* answer);

#ifdef __cplusplus
}
#endif

#endif /* LIBATTEST_OAT_H_ */
