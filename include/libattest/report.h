/* SPDX-License-Identifier: Apache-2.0 */

/*
 * The result of an appraisal: a verdict, the findings that led to it, and what the evidence proves.
 */

#ifndef LIBATTEST_REPORT_H_
#define LIBATTEST_REPORT_H_

#include "libattest/base.h"

#ifdef __cplusplus
extern "C" {
#endif

/* Immutable; any number of threads may read one. */
typedef struct attest_report attest_report;

/*
 * Only ATTEST_VERDICT_TRUSTED is good news. Expect values that this header does not list, and treat
 * them as not trusted.
 */
typedef enum attest_verdict {
  ATTEST_VERDICT_UNKNOWN =
      0, /* nothing is wrong, but nothing was judged: no policy, or an empty one */
  ATTEST_VERDICT_TRUSTED = 1,  /* all that the policy asks for is proven by the quote */
  ATTEST_VERDICT_UNTRUSTED = 2 /* at least one finding is a failure */
} attest_verdict;

typedef enum attest_severity {
  ATTEST_SEVERITY_NONE = 0,    /* not a finding's: what an empty attest_finding has */
  ATTEST_SEVERITY_INFO = 1,    /* worth knowing */
  ATTEST_SEVERITY_WARNING = 2, /* not proven, and the policy does not ask for it */
  ATTEST_SEVERITY_FAILURE = 3  /* not what the policy expects, or a contradiction in the evidence */
} attest_severity;

typedef enum attest_component {
  ATTEST_COMPONENT_NONE = 0, /* not a finding's: what an empty attest_finding has */
  ATTEST_COMPONENT_QUOTE = 1,
  ATTEST_COMPONENT_AK = 2,
  ATTEST_COMPONENT_PCR = 3,
  ATTEST_COMPONENT_EVENTLOG = 4,
  ATTEST_COMPONENT_IMA = 5,
  ATTEST_COMPONENT_POLICY = 6,
  ATTEST_COMPONENT_NODE = 7,
  ATTEST_COMPONENT_LAUNCHLOG = 8
} attest_component;

/*
 * One finding. `code` and `id` are stable: never renumbered, never reused. Text that came from the
 * evidence is escaped: it holds no control characters and is valid UTF-8.
 */
typedef struct attest_finding {
  size_t size;
  int32_t code;   /* for example 106 */
  const char* id; /* the same as words: "signature-invalid" */
  attest_severity severity;
  attest_component component;
  int32_t pcr;          /* -1: not about one PCR */
  int64_t index;        /* of the event or list entry, from 0; -1: not about one */
  int64_t offset;       /* bytes from the start of the log or list; -1: none */
  const char* expected; /* "" where nothing is to be said */
  const char* found;    /* "" where nothing is to be said */
  const char* message;  /* one line that an operator can act on */
} attest_finding;
#define ATTEST_FINDING_INIT                                                                   \
  {                                                                                           \
    sizeof(attest_finding), 0, NULL, ATTEST_SEVERITY_NONE, ATTEST_COMPONENT_NONE, -1, -1, -1, \
        NULL, NULL, NULL                                                                      \
  }

/* How a quoted PCR ended. Only ATTEST_PCR_APPRAISED says that a policy has judged it. */
typedef enum attest_pcr_state {
  ATTEST_PCR_UNEXPLAINED = 0, /* nothing says how it came to its value */
  ATTEST_PCR_REPLAYED = 1,    /* a log replays to it; no rule judged what is in the log */
  ATTEST_PCR_INITIAL = 2,     /* as the platform starts it */
  ATTEST_PCR_APPRAISED = 3,   /* it has a reference value, or rules judged every event or entry */
  ATTEST_PCR_MISMATCH = 4     /* it has another value than its reference or its log */
} attest_pcr_state;

typedef struct attest_pcr_claim {
  size_t size;
  attest_hash bank;
  uint32_t index;       /* 0 to 23 */
  const uint8_t* value; /* as the TPM signed it */
  size_t value_len;
  attest_pcr_state state;
} attest_pcr_claim;
#define ATTEST_PCR_CLAIM_INIT \
  { sizeof(attest_pcr_claim), ATTEST_HASH_NONE, 0, NULL, 0, ATTEST_PCR_UNEXPLAINED }

/* attest_report_verdict returns the verdict; ATTEST_VERDICT_UNKNOWN for NULL. */
ATTEST_API attest_verdict attest_report_verdict(const attest_report* report);

/*
 * attest_report_quote_verified returns 1 when signature, nonce, selection and digest of the quote
 * are all good, so that the PCR values below are the TPM's; else 0. It is not a verdict.
 */
ATTEST_API int attest_report_quote_verified(const attest_report* report);

/*
 * At most 1,000 findings are kept, and 200 of these are failures where there are so many;
 * attest_report_num_dropped says how many more there were.
 */
ATTEST_API size_t attest_report_num_findings(const attest_report* report);
ATTEST_API uint64_t attest_report_num_dropped(const attest_report* report);

/*
 * attest_report_finding fills `*out`, which begins with its size, with finding `index`.
 * ATTEST_E_ARGUMENT when there is none of that index.
 */
ATTEST_API ATTEST_MUST_CHECK attest_status attest_report_finding(attest_finding* out,
                                                                 const attest_report* report,
                                                                 size_t index);

/* The quoted PCRs, by bank and number. There are none unless the quote was verified. */
ATTEST_API size_t attest_report_num_pcrs(const attest_report* report);
ATTEST_API ATTEST_MUST_CHECK attest_status attest_report_pcr(attest_pcr_claim* out,
                                                             const attest_report* report,
                                                             size_t index);

/*
 * attest_report_to_json renders the whole report: {"verdict", "findings": […], "findings_dropped",
 * "claims": {…}}. Absent values are null.
 */
ATTEST_API ATTEST_MUST_CHECK attest_status attest_report_to_json(attest_buffer** out,
                                                                 const attest_report* report);

ATTEST_API void attest_report_free(attest_report* report);

/* "trusted", "failure", "ima", "appraised"; "?" for a number that is none. Static strings. */
ATTEST_API const char* attest_verdict_name(attest_verdict verdict);
ATTEST_API const char* attest_severity_name(attest_severity severity);
ATTEST_API const char* attest_component_name(attest_component component);
ATTEST_API const char* attest_pcr_state_name(attest_pcr_state state);

#ifdef __cplusplus
}
#endif

#endif /* LIBATTEST_REPORT_H_ */
