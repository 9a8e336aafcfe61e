/* SPDX-License-Identifier: Apache-2.0 */

/*
 * A client of Keylime: its registrar, its verifier, and its agents' quotes (Keylime 6.1 to 7.14,
 * pull model; each service's version is negotiated, and anew when it refuses what it is asked).
 *
 * These are the functions of libattest that use the network. Each has one deadline for all that it
 * does, and ends within 0.1 s of attest_keylime_cancel. TLS 1.2 and newer with client certificate;
 * the peer's chain is always verified, by the CA that is given and nothing else. No proxy, no
 * redirect, no file, bounded answers. Connections are close-on-exec; libcurl's wake-up pair is not.
 *
 * The statuses ATTEST_E_NETWORK to ATTEST_E_ANSWER say why a call could not do its work; none of
 * them says anything about a node. A verdict is in attest_keylime_status alone, and only
 * ATTEST_KEYLIME_TRUSTED is good news.
 *
 * THREADS: any number of threads may use one attest_keylime at a time, in a child of fork, too.
 */

#ifndef LIBATTEST_KEYLIME_H_
#define LIBATTEST_KEYLIME_H_

#include "libattest/base.h"

#ifdef __cplusplus
extern "C" {
#endif

/* Where the services are, and how to prove oneself to them. Nothing of the network in it. */
typedef struct attest_keylime attest_keylime;

/*
 * Services are "HOST:PORT" or "[ADDRESS]:PORT"; NULL: there is none, and calls that need it return
 * ATTEST_E_ARGUMENT. The other texts are PEM; Keylime's own are in /var/lib/keylime/cv_ca:
 * cacert.crt, client-cert.crt and client-private.pem.
 */
typedef struct attest_keylime_options {
  size_t size;
  const char* verifier;
  const char* registrar;
  const char* ca; /* the only certificates that verifier and registrar are trusted by */
  size_t ca_len;
  const char* certificate; /* the client's */
  size_t certificate_len;
  const char* key; /* its private key, not encrypted */
  size_t key_len;
  /* 1: a certificate's name does not have to be that of the service. Keylime's own certificates
   * need it where they were made without the service's name or address. The chain still has to
   * lead to `ca`. */
  int no_name_check;
} attest_keylime_options;
#define ATTEST_KEYLIME_OPTIONS_INIT \
  { sizeof(attest_keylime_options), NULL, NULL, NULL, 0, NULL, 0, NULL, 0, 0 }

ATTEST_API ATTEST_MUST_CHECK attest_status
attest_keylime_new(attest_keylime** out, const attest_keylime_options* options);

/*
 * attest_keylime_cancel ends the calls that other threads are in: they return ATTEST_E_CANCELLED.
 * Calls that begin later are not concerned. May be called while others use `keylime`.
 */
ATTEST_API void attest_keylime_cancel(attest_keylime* keylime);

/* attest_keylime_free: no call may be under way. */
ATTEST_API void attest_keylime_free(attest_keylime* keylime);

/*
 * attest_keylime_versions asks both services which version of their APIs is spoken with them:
 * "2.6", "none (Keylime 6.1)". An output is NULL for a service that is not configured.
 * `timeout_ms`, here and below: for the whole call, in milliseconds, at least 1.
 */
ATTEST_API ATTEST_MUST_CHECK attest_status attest_keylime_versions(attest_buffer** verifier,
                                                                   attest_buffer** registrar,
                                                                   const attest_keylime* keylime,
                                                                   uint32_t timeout_ms);

/* What a registrar knows of an agent: claims, until a quote is verified. Immutable. */
typedef struct attest_keylime_agent attest_keylime_agent;

typedef struct attest_keylime_agent_info {
  size_t size;
  const char* uuid;  /* letters, digits, '.', '-' and '_', at most 80 */
  const uint8_t* ak; /* TPM2B_PUBLIC */
  size_t ak_len;
  const uint8_t* ek; /* TPM2B_PUBLIC; NULL: none */
  size_t ek_len;
  const uint8_t* ek_certificate; /* DER; NULL: none */
  size_t ek_certificate_len;
  const char* certificate; /* PEM of its TLS server; NULL: none */
  const char* ip;          /* NULL: none */
  uint16_t port;
} attest_keylime_agent_info;
#define ATTEST_KEYLIME_AGENT_INFO_INIT \
  { sizeof(attest_keylime_agent_info), NULL, NULL, 0, NULL, 0, NULL, 0, NULL, NULL, 0 }

/* attest_keylime_agent_new makes an agent from what was kept of one. */
ATTEST_API ATTEST_MUST_CHECK attest_status
attest_keylime_agent_new(attest_keylime_agent** out, const attest_keylime_agent_info* info);
ATTEST_API ATTEST_MUST_CHECK attest_status
attest_keylime_agent_get_info(attest_keylime_agent_info* out, const attest_keylime_agent* agent);
ATTEST_API void attest_keylime_agent_free(attest_keylime_agent* agent);

/*
 * attest_keylime_lookup asks the registrar. `*out` is NULL when it does not know the agent (or does
 * not yet: agents register when they start). Look an agent up once, and use that for everything:
 * what is appraised is then what is added.
 */
ATTEST_API ATTEST_MUST_CHECK attest_status attest_keylime_lookup(attest_keylime_agent** out,
                                                                 const attest_keylime* keylime,
                                                                 const char* uuid,
                                                                 uint32_t timeout_ms);

/* attest_keylime_delete_registration returns when the registrar does not know the agent. */
ATTEST_API ATTEST_MUST_CHECK attest_status attest_keylime_delete_registration(
    const attest_keylime* keylime, const char* uuid, uint32_t timeout_ms);

/* What the verifier is to judge an agent by. At least one policy must be given. */
typedef struct attest_keylime_add_options {
  size_t size;
  const char* runtime_policy; /* a Keylime runtime policy, JSON */
  size_t runtime_policy_len;
  const char* allowlist; /* instead of it: "DIGEST PATH" a line */
  size_t allowlist_len;
  const char* excludelist; /* with an allowlist: a pattern a line */
  size_t excludelist_len;
  const char* tpm_policy; /* {"22": ["hex", …], "mask": "0x…"} */
  size_t tpm_policy_len;
  const char* mb_policy; /* a measured-boot reference state, JSON */
  size_t mb_policy_len;
  /* Alone: the name of a stored runtime policy. With a runtime policy or an allowlist: the name
   * that it is stored under; without a name it goes when the agent is deleted. */
  const char* policy_name;
} attest_keylime_add_options;
#define ATTEST_KEYLIME_ADD_OPTIONS_INIT \
  { sizeof(attest_keylime_add_options), NULL, 0, NULL, 0, NULL, 0, NULL, 0, NULL, 0, NULL }

/*
 * attest_keylime_add has the verifier attest the agent from now on. A verifier that has it already
 * refuses (HTTP status 409): delete it first.
 */
ATTEST_API ATTEST_MUST_CHECK attest_status
attest_keylime_add(const attest_keylime* keylime, const attest_keylime_agent* agent,
                   const attest_keylime_add_options* options, uint32_t timeout_ms);

typedef enum attest_keylime_verdict {
  ATTEST_KEYLIME_UNKNOWN = 0,     /* the verifier does not know the agent */
  ATTEST_KEYLIME_TRUSTED = 1,     /* it attested the agent, and nothing was wrong */
  ATTEST_KEYLIME_FAILED = 2,      /* something was: last_event_id says what */
  ATTEST_KEYLIME_PENDING = 3,     /* no verdict yet */
  ATTEST_KEYLIME_UNREACHABLE = 4, /* the verifier does not reach the agent: the last verdict ages */
  ATTEST_KEYLIME_NOT_ATTESTED = 5 /* the verifier no longer asks it */
} attest_keylime_verdict;

/* attest_keylime_verdict_name returns "not-attested" and so on, and NULL for a number of none. */
ATTEST_API const char* attest_keylime_verdict_name(attest_keylime_verdict verdict);

typedef struct attest_keylime_status {
  size_t size;
  attest_keylime_verdict verdict;
  int state;                 /* Keylime's number of it, 0 to 10; -1: not known to the verifier */
  const char* state_name;    /* "Get Quote"; static; NULL with -1 */
  int64_t attestation_count; /* -1: the verifier does not count (before 6.4) */
  int severity;              /* of the last failure: 0 (info) to 6 (emergency); -1: none */
  char last_event_id[208];   /* Keylime's name of the last failure, escaped; "": none */
} attest_keylime_status;
#define ATTEST_KEYLIME_STATUS_INIT                                                 \
  {                                                                                \
    sizeof(attest_keylime_status), ATTEST_KEYLIME_UNKNOWN, -1, NULL, -1, -1, { 0 } \
  }

/*
 * attest_keylime_get_status asks the verifier. State 3 alone is not trusted: it counts with an
 * attestation_count of 1 and more. A verifier that does not count is watched for 4 s; with a
 * shorter timeout, the verdict stays ATTEST_KEYLIME_PENDING.
 */
ATTEST_API ATTEST_MUST_CHECK attest_status attest_keylime_get_status(attest_keylime_status* out,
                                                                     const attest_keylime* keylime,
                                                                     const char* uuid,
                                                                     uint32_t timeout_ms);

/*
 * attest_keylime_wait asks about every second until the verdict is trusted, failed or not-attested.
 * ATTEST_E_TIMEOUT when it is none of these in time, ATTEST_E_HTTP (404) when the verifier does
 * not know the agent.
 */
ATTEST_API ATTEST_MUST_CHECK attest_status attest_keylime_wait(attest_keylime_status* out,
                                                               const attest_keylime* keylime,
                                                               const char* uuid,
                                                               uint32_t timeout_ms);

/* attest_keylime_delete returns when the verifier does not know the agent. */
ATTEST_API ATTEST_MUST_CHECK attest_status attest_keylime_delete(const attest_keylime* keylime,
                                                                 const char* uuid,
                                                                 uint32_t timeout_ms);

/* attest_keylime_list makes a text of the verifier's agent ids, each with a line end. */
ATTEST_API ATTEST_MUST_CHECK attest_status attest_keylime_list(attest_buffer** out,
                                                               const attest_keylime* keylime,
                                                               uint32_t timeout_ms);

/* Policies that verifiers store by name: runtime policies from 6.6 on, measured-boot from 7.12. */
typedef enum attest_keylime_policy_kind {
  ATTEST_KEYLIME_RUNTIME_POLICY = 1,
  ATTEST_KEYLIME_MB_POLICY = 2
} attest_keylime_policy_kind;

ATTEST_API ATTEST_MUST_CHECK attest_status attest_keylime_policy_create(
    const attest_keylime* keylime, attest_keylime_policy_kind kind, const char* name,
    const char* json, size_t json_len, uint32_t timeout_ms);
/* attest_keylime_policy_read makes its JSON text; `*out` is NULL when there is none. */
ATTEST_API ATTEST_MUST_CHECK attest_status
attest_keylime_policy_read(attest_buffer** out, const attest_keylime* keylime,
                           attest_keylime_policy_kind kind, const char* name, uint32_t timeout_ms);
/* attest_keylime_policy_list makes a text of the names, escaped, each with a line end. */
ATTEST_API ATTEST_MUST_CHECK attest_status
attest_keylime_policy_list(attest_buffer** out, const attest_keylime* keylime,
                           attest_keylime_policy_kind kind, uint32_t timeout_ms);
/* attest_keylime_policy_delete returns when there is none of that name. */
ATTEST_API ATTEST_MUST_CHECK attest_status
attest_keylime_policy_delete(const attest_keylime* keylime, attest_keylime_policy_kind kind,
                             const char* name, uint32_t timeout_ms);

/* What an agent answered: claims, until an appraisal. Immutable. */
typedef struct attest_keylime_quote attest_keylime_quote;

typedef struct attest_keylime_quote_info {
  size_t size;
  const char* quote; /* for attest_evidence_set_keylime_quote */
  size_t quote_len;
  const char* hash_alg; /* the agent's words; the signature has its own */
  const char* enc_alg;
  const char* sign_alg;
  const char* public_key; /* PEM, whose hash PCR 16 was extended with; NULL: not sent */
  const char* ima;        /* ascii lines from entry ima_entry on; NULL: none */
  size_t ima_len;
  int64_t ima_entry;       /* what was asked for, or 0: the list from its beginning; -1: none */
  const uint8_t* eventlog; /* NULL: none */
  size_t eventlog_len;
  int64_t boottime; /* changes with a reboot; -1: not said */
} attest_keylime_quote_info;
#define ATTEST_KEYLIME_QUOTE_INFO_INIT \
  { sizeof(attest_keylime_quote_info), NULL, 0, NULL, NULL, NULL, NULL, NULL, 0, -1, NULL, 0, -1 }

/*
 * The agent's server must show exactly the certificate that it registered. `nonce` is a text of 16
 * to 64 letters and digits: its bytes are the quote's extraData. An identity quote is over PCR 16.
 */
ATTEST_API ATTEST_MUST_CHECK attest_status attest_keylime_identity_quote(
    attest_keylime_quote** out, const attest_keylime* keylime, const attest_keylime_agent* agent,
    const char* nonce, uint32_t timeout_ms);

/*
 * attest_keylime_integrity_quote: a quote over PCR 16 and those of `mask` (bit n: PCR n), with the
 * IMA list from entry `ima_entry` on if bit 10 is set, and the boot event log if bit 0 is.
 * `partial` is 1 to leave the agent's public key out.
 */
ATTEST_API ATTEST_MUST_CHECK attest_status attest_keylime_integrity_quote(
    attest_keylime_quote** out, const attest_keylime* keylime, const attest_keylime_agent* agent,
    const char* nonce, uint32_t mask, uint64_t ima_entry, int partial, uint32_t timeout_ms);

ATTEST_API ATTEST_MUST_CHECK attest_status
attest_keylime_quote_get_info(attest_keylime_quote_info* out, const attest_keylime_quote* quote);
ATTEST_API void attest_keylime_quote_free(attest_keylime_quote* quote);

/* Whether Keylime is set up as Ironic's attestation wants it, check by check. Immutable. */
typedef struct attest_keylime_diagnosis attest_keylime_diagnosis;

typedef enum attest_keylime_health {
  ATTEST_KEYLIME_HEALTH_NONE = 0,
  ATTEST_KEYLIME_HEALTH_OK = 1,
  ATTEST_KEYLIME_HEALTH_WARNING = 2,
  ATTEST_KEYLIME_HEALTH_BAD = 3,
  ATTEST_KEYLIME_HEALTH_UNKNOWN = 4 /* neither the network nor the configuration shows it */
} attest_keylime_health;

/* attest_keylime_health_name returns "ok" and so on, and NULL for a number of none. */
ATTEST_API const char* attest_keylime_health_name(attest_keylime_health health);

typedef struct attest_keylime_check {
  size_t size;
  const char* id; /* stable: ca-certificate, client-certificate, verifier, registrar, revocation,
                   * ek-certificate-check, addresses */
  attest_keylime_health health;
  const char* message; /* one line, for people */
} attest_keylime_check;
#define ATTEST_KEYLIME_CHECK_INIT \
  { sizeof(attest_keylime_check), NULL, ATTEST_KEYLIME_HEALTH_NONE, NULL }

/*
 * attest_keylime_diagnose asks the services that are configured, looks at the dates of `keylime`'s
 * certificates at `now` (seconds since 1970-01-01 UTC), and at Keylime's configuration if there is
 * one here: keylime.conf, or verifier.conf, registrar.conf and tenant.conf one after the other.
 * What is wrong, a service that is not reached among it, is in the diagnosis.
 */
ATTEST_API ATTEST_MUST_CHECK attest_status attest_keylime_diagnose(
    attest_keylime_diagnosis** out, const attest_keylime* keylime, const char* configuration,
    size_t configuration_len, int64_t now, uint32_t timeout_ms);
ATTEST_API size_t attest_keylime_diagnosis_num_checks(const attest_keylime_diagnosis* diagnosis);
/* attest_keylime_diagnosis_check: its strings are the diagnosis's. */
ATTEST_API ATTEST_MUST_CHECK attest_status attest_keylime_diagnosis_check(
    attest_keylime_check* out, const attest_keylime_diagnosis* diagnosis, size_t index);
ATTEST_API void attest_keylime_diagnosis_free(attest_keylime_diagnosis* diagnosis);

#ifdef __cplusplus
}
#endif

#endif /* LIBATTEST_KEYLIME_H_ */
