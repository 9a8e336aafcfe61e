/* SPDX-License-Identifier: Apache-2.0 */

/*
 * TCG boot event logs (PC Client Platform Firmware Profile), SHA-1 and crypto-agile format, and the
 * logs that a dynamic launch by Intel TXT leaves (Intel TXT Software Development Guide, appendix
 * on the event log).
 *
 * A log is the node's own story. Its digests are proven when they replay to quoted PCR values; an
 * event's data is proven when, besides, its digest covers it; an event's type is never proven.
 */

#ifndef LIBATTEST_EVENTLOG_H_
#define LIBATTEST_EVENTLOG_H_

#include "libattest/base.h"
#include "libattest/pcrs.h"
#include "libattest/report.h"

#ifdef __cplusplus
extern "C" {
#endif

/* A parsed and replayed log. Immutable; any number of threads may read one. */
typedef struct attest_eventlog attest_eventlog;

typedef enum attest_eventlog_format {
  ATTEST_EVENTLOG_NONE = 0,
  ATTEST_EVENTLOG_SHA1 = 1,
  ATTEST_EVENTLOG_CRYPTO_AGILE = 2,
  ATTEST_EVENTLOG_TXT_CONTAINER = 3, /* SHA-1 events in a "TXT Event Container" (TPM 1.2) */
  ATTEST_EVENTLOG_TXT_LEGACY = 4     /* one bank's events behind a TCG_LOG_DESCRIPTOR (TPM 2.0) */
} attest_eventlog_format;

/* How far an event's digest vouches for its data. */
typedef enum attest_coverage {
  ATTEST_COVERAGE_NONE = 0,
  ATTEST_COVERAGE_OPAQUE = 1,    /* the digest is of something else: the data is a hint only */
  ATTEST_COVERAGE_COVERED = 2,   /* the digest is the hash of the data */
  ATTEST_COVERAGE_PARTLY = 3,    /* the digest is the hash of a part of the data */
  ATTEST_COVERAGE_MISMATCH = 4,  /* the digest should be the hash of the data, and is not */
  ATTEST_COVERAGE_UNEXTENDED = 5 /* EV_NO_ACTION: not measured at all */
} attest_coverage;

typedef struct attest_event {
  size_t size;
  uint64_t offset; /* bytes from the start of the log */
  uint32_t pcr;    /* above 23: data about the log, never extended */
  uint32_t type;
  const char* type_name; /* "EV_SEPARATOR" */
  const uint8_t* data;
  size_t data_len;
  attest_coverage coverage;
} attest_event;
#define ATTEST_EVENT_INIT \
  { sizeof(attest_event), 0, 0, 0, NULL, NULL, 0, ATTEST_COVERAGE_NONE }

/*
 * attest_eventlog_parse parses and replays a log. Data is checked against the digests of `bank`;
 * ATTEST_HASH_NONE chooses sha256 where the log has it, else its first. ATTEST_E_ARGUMENT when the
 * log does not have `bank`. An empty input is a log without events.
 */
ATTEST_API ATTEST_MUST_CHECK attest_status attest_eventlog_parse(attest_eventlog** out,
                                                                 const uint8_t* data,
                                                                 size_t data_len, attest_hash bank);

/*
 * attest_eventlog_parse_launch is the same for the log of a dynamic launch, whose events are of
 * PCRs 17 to 22: the bytes that an element of the TXT heap points to (5, 7 or 8), whole or the used
 * part alone, or /sys/kernel/security/slaunch/eventlog. They say of which format they are.
 */
ATTEST_API ATTEST_MUST_CHECK attest_status attest_eventlog_parse_launch(attest_eventlog** out,
                                                                        const uint8_t* data,
                                                                        size_t data_len,
                                                                        attest_hash bank);

ATTEST_API attest_eventlog_format attest_eventlog_get_format(const attest_eventlog* log);
ATTEST_API size_t attest_eventlog_num_events(const attest_eventlog* log);
ATTEST_API ATTEST_MUST_CHECK attest_status attest_eventlog_event(attest_event* out,
                                                                 const attest_eventlog* log,
                                                                 size_t index);
/*
 * attest_eventlog_digest returns the digest of event `index` in `bank` and sets `*digest_len`; NULL
 * when there is none.
 */
ATTEST_API const uint8_t* attest_eventlog_digest(const attest_eventlog* log, size_t index,
                                                 attest_hash bank, size_t* digest_len);

/*
 * attest_eventlog_pcrs makes the set of the values that PCRs have after the log, in every bank that
 * the log carries, for each PCR that an event was extended into.
 */
ATTEST_API ATTEST_MUST_CHECK attest_status attest_eventlog_pcrs(attest_pcrs** out,
                                                                const attest_eventlog* log);

/* What is wrong or remarkable in the log itself. Without a policy nothing of it is a failure. */
ATTEST_API size_t attest_eventlog_num_findings(const attest_eventlog* log);
ATTEST_API ATTEST_MUST_CHECK attest_status attest_eventlog_finding(attest_finding* out,
                                                                   const attest_eventlog* log,
                                                                   size_t index);

/*
 * attest_eventlog_to_json renders {"format", "banks", "events": […], "secure_boot", "findings"}.
 * "secure_boot" is "enabled", "disabled" or null, and what the log says, not what a quote proves.
 */
ATTEST_API ATTEST_MUST_CHECK attest_status attest_eventlog_to_json(attest_buffer** out,
                                                                   const attest_eventlog* log);

ATTEST_API void attest_eventlog_free(attest_eventlog* log);

ATTEST_API const char* attest_coverage_name(attest_coverage coverage);

#ifdef __cplusplus
}
#endif

#endif /* LIBATTEST_EVENTLOG_H_ */
