/* SPDX-License-Identifier: Apache-2.0 */

/*
 * What servers said of many hosts, for as long as it may be believed: for programs that decide
 * about whole lists of hosts, as Nova's scheduler does. attest_host_verdicts_decide answers for a
 * list and says which hosts to ask the server about; attest_host_verdicts_put stores what it
 * answered.
 *
 * Nothing is fetched here and no clock is asked. Times are seconds, and there are two clocks: `now`
 * is the wall clock (since 1970-01-01 UTC, as servers tell the time of their measurements) and
 * `monotonic` is one that nobody sets (CLOCK_MONOTONIC). A verdict holds for `ttl` seconds from its
 * receipt by the monotonic clock, and from its measurement by the wall clock: whichever ends first.
 *
 * Names are bytes, compared as they are: no case is folded, no dot is cut.
 *
 * THREADS: any number of threads may use one attest_host_verdicts at a time; a lock inside is held
 * while a list is gone through. No call may be under way in another thread when the process forks:
 * the child could not use the object.
 */

#ifndef LIBATTEST_HOST_VERDICTS_H_
#define LIBATTEST_HOST_VERDICTS_H_

#include "libattest/base.h"
#include "libattest/report.h"

#ifdef __cplusplus
extern "C" {
#endif

typedef struct attest_host_verdicts attest_host_verdicts;

typedef struct attest_host_verdicts_options {
  size_t size;
  double ttl;  /* must be set. 0: no verdict ever holds */
  double skew; /* how far the server's clock may be ahead */
  /* The most hosts to remember, at least 1: those that were received longest ago are forgotten. */
  size_t limit;
} attest_host_verdicts_options;
#define ATTEST_HOST_VERDICTS_OPTIONS_INIT \
  { sizeof(attest_host_verdicts_options), 0, 30, 100000 }

/*
 * Why a host is answered for as it is. Only ATTEST_HOST_TRUSTED is good news. Expect values that
 * this header does not list, and treat them as not trusted.
 */
typedef enum attest_host_reason {
  ATTEST_HOST_MISSING = 0,     /* nothing was stored, or it was forgotten */
  ATTEST_HOST_TRUSTED = 1,     /* the server said so, and it still holds */
  ATTEST_HOST_UNTRUSTED = 2,   /* the same */
  ATTEST_HOST_UNKNOWN = 3,     /* the server has no verdict, or did not answer for it */
  ATTEST_HOST_EXPIRED = 4,     /* the verdict does not hold any more, or did not when it came */
  ATTEST_HOST_FUTURE_TIME = 5, /* the server's time is more than `skew` ahead */
  ATTEST_HOST_NO_TIME = 6,     /* a verdict without the server's time */
  ATTEST_HOST_INVALID_NAME = 7 /* an empty name, or more than 255 bytes: never stored */
} attest_host_reason;

/* "future-time"; "?" for a number that is none. Static strings. */
ATTEST_API const char* attest_host_reason_name(attest_host_reason reason);

/* ATTEST_E_ARGUMENT unless times are finite and not negative, and the limit is not 0. */
ATTEST_API ATTEST_MUST_CHECK attest_status
attest_host_verdicts_new(attest_host_verdicts** out, const attest_host_verdicts_options* options);

/* No call may be under way. */
ATTEST_API void attest_host_verdicts_free(attest_host_verdicts* verdicts);

/* A name of 1 to 255 bytes. It may hold any, a NUL too. This structure does not grow. */
typedef struct attest_host_name {
  const char* name;
  size_t name_len;
} attest_host_name;

/*
 * attest_host_verdicts_decide sets reasons[i], an attest_host_reason, for each of `num_names`
 * names, and puts into `to_fetch`, which has room for as many, the indices of the `*num_to_fetch`
 * names to ask the server about, in their order, each name once. After a failure nothing is
 * trusted, nor is there anything to fetch. ATTEST_E_ARGUMENT for times that are not finite.
 */
ATTEST_API ATTEST_MUST_CHECK attest_status attest_host_verdicts_decide(
    uint8_t* reasons, size_t* to_fetch, size_t* num_to_fetch, const attest_host_verdicts* verdicts,
    const attest_host_name* names, size_t num_names, double now, double monotonic);

/* What a server said of a host. This structure does not grow. */
typedef struct attest_host_verdict {
  const char* name;
  size_t name_len;
  attest_verdict verdict;
  double measured_at; /* the server's own time of the measurement; NaN: it gave none */
} attest_host_verdict;

/*
 * attest_host_verdicts_put stores all of a server's answer, or nothing if it fails. Put every host
 * that was asked about, with ATTEST_VERDICT_UNKNOWN where there was no answer: what is stored, and
 * for whatever reason not believed, is not fetched again until `ttl` is over.
 *
 *  1. Of several verdicts on one host in a call the worst counts: untrusted, unknown, trusted.
 *  2. A verdict without a time counts as unknown, and so does one whose time is more than `skew`
 *     ahead of `now`, or `ttl` behind.
 *  3. A later call replaces what is known of a host. But a trusted verdict that was measured before
 *     an untrusted one does not replace it while that holds: it was overtaken on its way.
 *
 * ATTEST_E_ARGUMENT for times that are not finite, an invalid name, or a number that is no verdict.
 */
ATTEST_API ATTEST_MUST_CHECK attest_status
attest_host_verdicts_put(attest_host_verdicts* verdicts, const attest_host_verdict* answers,
                         size_t num_answers, double now, double monotonic);

/* attest_host_verdicts_clear forgets all hosts. */
ATTEST_API void attest_host_verdicts_clear(attest_host_verdicts* verdicts);

/* attest_host_verdicts_count returns how many hosts are remembered, whatever of; 0 for NULL. */
ATTEST_API size_t attest_host_verdicts_count(const attest_host_verdicts* verdicts);

#ifdef __cplusplus
}
#endif

#endif /* LIBATTEST_HOST_VERDICTS_H_ */
