/* SPDX-License-Identifier: Apache-2.0 */

/* The public headers as a strict C99 caller sees them. The numbers are ABI: a line of this file may
 * be added, never changed. */
#include <stdio.h>
#include <string.h>

#include "libattest/attest.h"

#define SAME(name, value) typedef char same_##name[((name) == (value)) ? 1 : -1]

SAME(ATTEST_OK, 0);
SAME(ATTEST_E_ARGUMENT, 1);
SAME(ATTEST_E_MALFORMED, 2);
SAME(ATTEST_E_NO_MEMORY, 3);
SAME(ATTEST_E_INTERNAL, 4);
SAME(ATTEST_E_STATE, 5);
SAME(ATTEST_E_READ, 6);
SAME(ATTEST_E_REFUSED, 7);
SAME(ATTEST_E_FILE, 8);
SAME(ATTEST_E_NETWORK, 20);
SAME(ATTEST_E_PEER, 21);
SAME(ATTEST_E_TIMEOUT, 22);
SAME(ATTEST_E_CANCELLED, 23);
SAME(ATTEST_E_HTTP, 24);
SAME(ATTEST_E_ANSWER, 25);

SAME(ATTEST_BOOT_FORMAT_NONE, 0);
SAME(ATTEST_BOOT_PXELINUX, 1);
SAME(ATTEST_BOOT_IPXE, 2);
SAME(ATTEST_BOOT_GRUB, 3);
SAME(ATTEST_BOOT_MODE_BIOS, 0);
SAME(ATTEST_BOOT_MODE_UEFI, 1);

SAME(ATTEST_HASH_NONE, 0);
SAME(ATTEST_HASH_SHA1, 0x0004);
SAME(ATTEST_HASH_SHA256, 0x000b);
SAME(ATTEST_HASH_SHA384, 0x000c);
SAME(ATTEST_HASH_SHA512, 0x000d);
SAME(ATTEST_HASH_SM3_256, 0x0012);
SAME(ATTEST_HASH_SHA3_256, 0x0027);
SAME(ATTEST_HASH_SHA3_384, 0x0028);
SAME(ATTEST_HASH_SHA3_512, 0x0029);

SAME(ATTEST_HOST_MISSING, 0);
SAME(ATTEST_HOST_TRUSTED, 1);
SAME(ATTEST_HOST_UNTRUSTED, 2);
SAME(ATTEST_HOST_UNKNOWN, 3);
SAME(ATTEST_HOST_EXPIRED, 4);
SAME(ATTEST_HOST_FUTURE_TIME, 5);
SAME(ATTEST_HOST_NO_TIME, 6);
SAME(ATTEST_HOST_INVALID_NAME, 7);

SAME(ATTEST_VERDICT_UNKNOWN, 0);
SAME(ATTEST_VERDICT_TRUSTED, 1);
SAME(ATTEST_VERDICT_UNTRUSTED, 2);

SAME(ATTEST_SEVERITY_NONE, 0);
SAME(ATTEST_SEVERITY_INFO, 1);
SAME(ATTEST_SEVERITY_WARNING, 2);
SAME(ATTEST_SEVERITY_FAILURE, 3);

SAME(ATTEST_COMPONENT_NONE, 0);
SAME(ATTEST_COMPONENT_QUOTE, 1);
SAME(ATTEST_COMPONENT_AK, 2);
SAME(ATTEST_COMPONENT_PCR, 3);
SAME(ATTEST_COMPONENT_EVENTLOG, 4);
SAME(ATTEST_COMPONENT_IMA, 5);
SAME(ATTEST_COMPONENT_POLICY, 6);
SAME(ATTEST_COMPONENT_NODE, 7);
SAME(ATTEST_COMPONENT_LAUNCHLOG, 8);

SAME(ATTEST_PCR_UNEXPLAINED, 0);
SAME(ATTEST_PCR_REPLAYED, 1);
SAME(ATTEST_PCR_INITIAL, 2);
SAME(ATTEST_PCR_APPRAISED, 3);
SAME(ATTEST_PCR_MISMATCH, 4);

SAME(ATTEST_KEY_FORMAT_NONE, 0);
SAME(ATTEST_KEY_FORMAT_TPM2B_PUBLIC, 1);
SAME(ATTEST_KEY_FORMAT_TPMT_PUBLIC, 2);
SAME(ATTEST_KEY_FORMAT_PEM, 3);
SAME(ATTEST_KEY_FORMAT_SPKI_DER, 4);
SAME(ATTEST_KEY_FORMAT_CERTIFICATE_PEM, 5);
SAME(ATTEST_KEY_FORMAT_CERTIFICATE_DER, 6);
SAME(ATTEST_KEY_FORMAT_TPM_PUBKEY, 7);
SAME(ATTEST_KEY_FORMAT_TPM_KEY, 8);

SAME(ATTEST_QUOTE_FORMAT_NONE, 0);
SAME(ATTEST_QUOTE_FORMAT_ATTEST, 1);
SAME(ATTEST_QUOTE_FORMAT_QUOTE_INFO, 2);
SAME(ATTEST_QUOTE_FORMAT_QUOTE_INFO2, 3);

SAME(ATTEST_EVENTLOG_NONE, 0);
SAME(ATTEST_EVENTLOG_SHA1, 1);
SAME(ATTEST_EVENTLOG_CRYPTO_AGILE, 2);
SAME(ATTEST_EVENTLOG_TXT_CONTAINER, 3);
SAME(ATTEST_EVENTLOG_TXT_LEGACY, 4);
SAME(ATTEST_PROFILE_EVERYTHING, 0);
SAME(ATTEST_PROFILE_TRUSTED_BOOT, 1);
SAME(ATTEST_PROFILE_MEASURED_BOOT, 2);

SAME(ATTEST_COVERAGE_NONE, 0);
SAME(ATTEST_COVERAGE_OPAQUE, 1);
SAME(ATTEST_COVERAGE_COVERED, 2);
SAME(ATTEST_COVERAGE_PARTLY, 3);
SAME(ATTEST_COVERAGE_MISMATCH, 4);
SAME(ATTEST_COVERAGE_UNEXTENDED, 5);

SAME(ATTEST_IMA_DETECT, 0);
SAME(ATTEST_IMA_BINARY, 1);
SAME(ATTEST_IMA_ASCII, 2);

SAME(ATTEST_IMA_DIGEST_DEFAULT, 0);
SAME(ATTEST_IMA_NATIVE, 1);
SAME(ATTEST_IMA_PADDED, 2);
SAME(ATTEST_IMA_PADDED_OLD, 3);

SAME(ATTEST_KEYLIME_UNKNOWN, 0);
SAME(ATTEST_KEYLIME_TRUSTED, 1);
SAME(ATTEST_KEYLIME_FAILED, 2);
SAME(ATTEST_KEYLIME_PENDING, 3);
SAME(ATTEST_KEYLIME_UNREACHABLE, 4);
SAME(ATTEST_KEYLIME_NOT_ATTESTED, 5);

SAME(ATTEST_KEYLIME_RUNTIME_POLICY, 1);
SAME(ATTEST_KEYLIME_MB_POLICY, 2);

SAME(ATTEST_KEYLIME_HEALTH_NONE, 0);
SAME(ATTEST_KEYLIME_HEALTH_OK, 1);
SAME(ATTEST_KEYLIME_HEALTH_WARNING, 2);
SAME(ATTEST_KEYLIME_HEALTH_BAD, 3);
SAME(ATTEST_KEYLIME_HEALTH_UNKNOWN, 4);

SAME(ATTEST_OAT_DIALECT_NONE, 0);
SAME(ATTEST_OAT_1_0, 1);
SAME(ATTEST_OAT_1_5, 2);
SAME(ATTEST_OAT_2, 3);

SAME(ATTEST_OAT_ANSWERED, 0);
SAME(ATTEST_OAT_NAME_REFUSED, 1);
SAME(ATTEST_OAT_NOT_ANSWERED, 2);
SAME(ATTEST_OAT_UNKNOWN, 3);
SAME(ATTEST_OAT_TIMEOUT, 4);
SAME(ATTEST_OAT_PENDING, 5);
SAME(ATTEST_OAT_LEVEL, 6);
SAME(ATTEST_OAT_NO_TIME, 7);
SAME(ATTEST_OAT_TIME, 8);
SAME(ATTEST_OAT_FUTURE, 9);
SAME(ATTEST_OAT_CONTRADICTION, 10);

/* Enumerations are as large as int, and structures begin with their size. Where fields are in the
 * first release, on machines with 64-bit pointers: later ones come behind them. */
#define AS_INT(type) typedef char size_of_##type[(sizeof(type) == sizeof(int)) ? 1 : -1]
AS_INT(attest_status);
AS_INT(attest_hash);
AS_INT(attest_verdict);
AS_INT(attest_severity);
AS_INT(attest_component);
AS_INT(attest_pcr_state);
AS_INT(attest_key_format);
AS_INT(attest_eventlog_format);
AS_INT(attest_profile);
AS_INT(attest_coverage);
AS_INT(attest_ima_format);
AS_INT(attest_ima_digest);
AS_INT(attest_keylime_verdict);
AS_INT(attest_keylime_policy_kind);
AS_INT(attest_keylime_health);
AS_INT(attest_oat_dialect);
AS_INT(attest_oat_reason);
AS_INT(attest_host_reason);
AS_INT(attest_boot_format);
AS_INT(attest_boot_mode);
#define AT(type, field, offset) \
  typedef char                  \
      at_##type##_##field[(sizeof(void*) != 8 || offsetof(type, field) == (offset)) ? 1 : -1]
#define AT_LEAST(type, bytes) \
  typedef char least_##type[(sizeof(void*) != 8 || sizeof(type) >= (bytes)) ? 1 : -1]

AT(attest_keylime_options, size, 0);
AT(attest_keylime_options, verifier, 8);
AT(attest_keylime_options, registrar, 16);
AT(attest_keylime_options, ca, 24);
AT(attest_keylime_options, certificate, 40);
AT(attest_keylime_options, key, 56);
AT(attest_keylime_options, no_name_check, 72);
AT_LEAST(attest_keylime_options, 80);

AT(attest_keylime_agent_info, size, 0);
AT(attest_keylime_agent_info, uuid, 8);
AT(attest_keylime_agent_info, ak, 16);
AT(attest_keylime_agent_info, ek, 32);
AT(attest_keylime_agent_info, ek_certificate, 48);
AT(attest_keylime_agent_info, certificate, 64);
AT(attest_keylime_agent_info, ip, 72);
AT(attest_keylime_agent_info, port, 80);
AT_LEAST(attest_keylime_agent_info, 88);

AT(attest_keylime_add_options, size, 0);
AT(attest_keylime_add_options, runtime_policy, 8);
AT(attest_keylime_add_options, allowlist, 24);
AT(attest_keylime_add_options, excludelist, 40);
AT(attest_keylime_add_options, tpm_policy, 56);
AT(attest_keylime_add_options, mb_policy, 72);
AT(attest_keylime_add_options, policy_name, 88);
AT_LEAST(attest_keylime_add_options, 96);

AT(attest_keylime_status, size, 0);
AT(attest_keylime_status, verdict, 8);
AT(attest_keylime_status, state, 12);
AT(attest_keylime_status, state_name, 16);
AT(attest_keylime_status, attestation_count, 24);
AT(attest_keylime_status, severity, 32);
AT(attest_keylime_status, last_event_id, 36);
AT_LEAST(attest_keylime_status, 248);

AT(attest_keylime_check, size, 0);
AT(attest_keylime_check, id, 8);
AT(attest_keylime_check, health, 16);
AT(attest_keylime_check, message, 24);
AT_LEAST(attest_keylime_check, 32);

AT(attest_keylime_quote_info, size, 0);
AT(attest_keylime_quote_info, quote, 8);
AT(attest_keylime_quote_info, hash_alg, 24);
AT(attest_keylime_quote_info, public_key, 48);
AT(attest_keylime_quote_info, ima, 56);
AT(attest_keylime_quote_info, ima_entry, 72);
AT(attest_keylime_quote_info, eventlog, 80);
AT(attest_keylime_quote_info, boottime, 96);
AT_LEAST(attest_keylime_quote_info, 104);

AT(attest_oat_options, size, 0);
AT(attest_oat_options, server, 8);
AT(attest_oat_options, api_url, 16);
AT(attest_oat_options, ca, 24);
AT(attest_oat_options, certificate, 40);
AT(attest_oat_options, key, 56);
AT(attest_oat_options, auth_blob, 72);
AT(attest_oat_options, dialect, 88);
AT(attest_oat_options, port, 92);
AT(attest_oat_options, batch, 96);
AT(attest_oat_options, no_name_check, 100);
AT_LEAST(attest_oat_options, 104);

AT(attest_oat_host, size, 0);
AT(attest_oat_host, name, 8);
AT(attest_oat_host, name_len, 16);
AT(attest_oat_host, verdict, 24);
AT(attest_oat_host, reason, 28);
AT(attest_oat_host, measured_at, 32);
AT_LEAST(attest_oat_host, 40);

AT(attest_host_verdicts_options, size, 0);
AT(attest_host_verdicts_options, ttl, 8);
AT(attest_host_verdicts_options, skew, 16);
AT(attest_host_verdicts_options, limit, 24);
AT_LEAST(attest_host_verdicts_options, 32);

/* Elements of arrays: these two do not grow. */
AT(attest_host_name, name, 0);
AT(attest_host_name, name_len, 8);
AT(attest_host_verdict, name, 0);
AT(attest_host_verdict, name_len, 8);
AT(attest_host_verdict, verdict, 16);
AT(attest_host_verdict, measured_at, 24);
typedef char whole_host_name[(sizeof(void*) != 8 || sizeof(attest_host_name) == 16) ? 1 : -1];
typedef char whole_host_verdict[(sizeof(void*) != 8 || sizeof(attest_host_verdict) == 32) ? 1 : -1];

AT(attest_finding, size, 0);
AT(attest_finding, code, 8);
AT(attest_finding, id, 16);
AT(attest_finding, severity, 24);
AT(attest_finding, component, 28);
AT(attest_finding, pcr, 32);
AT(attest_finding, index, 40);
AT(attest_finding, offset, 48);
AT(attest_finding, expected, 56);
AT(attest_finding, found, 64);
AT(attest_finding, message, 72);
AT_LEAST(attest_finding, 80);

AT(attest_pcr_claim, size, 0);
AT(attest_pcr_claim, bank, 8);
AT(attest_pcr_claim, index, 12);
AT(attest_pcr_claim, value, 16);
AT(attest_pcr_claim, value_len, 24);
AT(attest_pcr_claim, state, 32);
AT_LEAST(attest_pcr_claim, 40);

AT(attest_quote_info, size, 0);
AT(attest_quote_info, magic, 8);
AT(attest_quote_info, type, 12);
AT(attest_quote_info, nonce, 16);
AT(attest_quote_info, nonce_len, 24);
AT(attest_quote_info, signer, 32);
AT(attest_quote_info, signer_len, 40);
AT(attest_quote_info, clock, 48);
AT(attest_quote_info, reset_count, 56);
AT(attest_quote_info, restart_count, 60);
AT(attest_quote_info, clock_safe, 64);
AT(attest_quote_info, firmware_version, 72);
AT(attest_quote_info, format, 80);
AT_LEAST(attest_quote_info, 88);

AT(attest_quote_options, size, 0);
AT(attest_quote_options, nonce, 8);
AT(attest_quote_options, nonce_len, 16);
AT(attest_quote_options, allow_sha1, 24);
AT_LEAST(attest_quote_options, 32);

AT(attest_event, size, 0);
AT(attest_event, offset, 8);
AT(attest_event, pcr, 16);
AT(attest_event, type, 20);
AT(attest_event, type_name, 24);
AT(attest_event, data, 32);
AT(attest_event, data_len, 40);
AT(attest_event, coverage, 48);
AT_LEAST(attest_event, 56);

AT(attest_ima_options, size, 0);
AT(attest_ima_options, format, 8);
AT(attest_ima_options, bank, 12);
AT(attest_ima_options, list_bank, 16);
AT(attest_ima_options, digest, 20);
AT_LEAST(attest_ima_options, 24);

AT(attest_appraise_options, size, 0);
AT(attest_appraise_options, nonce, 8);
AT(attest_appraise_options, nonce_len, 16);
AT(attest_appraise_options, now, 24);
AT(attest_appraise_options, allow_sha1, 32);
AT_LEAST(attest_appraise_options, 40);

AT(attest_boot_render_options, size, 0);
AT(attest_boot_render_options, format, 8);
AT(attest_boot_render_options, kernel, 16);
AT(attest_boot_render_options, ramdisk, 24);
AT(attest_boot_render_options, root_uuid, 32);
AT(attest_boot_render_options, append, 40);
AT(attest_boot_render_options, tboot, 48);
AT(attest_boot_render_options, tboot_args, 56);
AT(attest_boot_render_options, mboot, 64);
AT(attest_boot_render_options, literal_mboot, 72);
AT(attest_boot_render_options, complete, 76);
AT(attest_boot_render_options, deploy_kernel, 80);
AT(attest_boot_render_options, deploy_ramdisk, 88);
AT(attest_boot_render_options, deploy_append, 96);
AT(attest_boot_render_options, trusted_deploy, 104);
AT(attest_boot_render_options, ramdisk_append, 112);
AT(attest_boot_render_options, kickstart, 120);
AT(attest_boot_render_options, stage2, 128);
AT(attest_boot_render_options, repository, 136);
AT(attest_boot_render_options, tftp_server, 144);
AT(attest_boot_render_options, ipxe_timeout_ms, 152);
AT_LEAST(attest_boot_render_options, 160);

AT(attest_boot_switch_options, size, 0);
AT(attest_boot_switch_options, label, 8);
AT(attest_boot_switch_options, root_uuid, 16);
AT(attest_boot_switch_options, disk_identifier, 24);
AT(attest_boot_switch_options, boot_mode, 32);
AT(attest_boot_switch_options, ipxe, 36);
AT_LEAST(attest_boot_switch_options, 40);

AT(attest_boot_check_options, size, 0);
AT(attest_boot_check_options, format, 8);
AT(attest_boot_check_options, label, 16);
AT(attest_boot_check_options, boot_root, 24);
AT_LEAST(attest_boot_check_options, 32);

AT(attest_boot_problem, size, 0);
AT(attest_boot_problem, code, 8);
AT(attest_boot_problem, id, 16);
AT(attest_boot_problem, severity, 24);
AT(attest_boot_problem, line, 32);
AT(attest_boot_problem, message, 40);
AT_LEAST(attest_boot_problem, 48);

/* The _INIT macros are of as many fields as their structures. */
static const attest_finding finding = ATTEST_FINDING_INIT;
static const attest_pcr_claim claim = ATTEST_PCR_CLAIM_INIT;
static const attest_quote_info info = ATTEST_QUOTE_INFO_INIT;
static const attest_quote_options quote_options = ATTEST_QUOTE_OPTIONS_INIT;
static const attest_event event = ATTEST_EVENT_INIT;
static const attest_ima_options ima_options = ATTEST_IMA_OPTIONS_INIT;
static const attest_appraise_options appraise_options = ATTEST_APPRAISE_OPTIONS_INIT;

static const attest_host_verdicts_options host_options = ATTEST_HOST_VERDICTS_OPTIONS_INIT;

static const attest_boot_render_options render_options = ATTEST_BOOT_RENDER_OPTIONS_INIT;
static const attest_boot_switch_options switch_options = ATTEST_BOOT_SWITCH_OPTIONS_INIT;
static const attest_boot_check_options check_options = ATTEST_BOOT_CHECK_OPTIONS_INIT;
static const attest_boot_problem problem = ATTEST_BOOT_PROBLEM_INIT;

static int boot_sizes_are_set(void) {
  return render_options.size == sizeof render_options &&
         switch_options.size == sizeof switch_options &&
         check_options.size == sizeof check_options && problem.size == sizeof problem;
}

static int sizes_are_set(void) {
  return finding.size == sizeof finding && claim.size == sizeof claim && info.size == sizeof info &&
         quote_options.size == sizeof quote_options && event.size == sizeof event &&
         ima_options.size == sizeof ima_options &&
         appraise_options.size == sizeof appraise_options &&
         host_options.size == sizeof host_options;
}

int main(void) {
  const uint8_t junk[] = {1, 2, 3};
  char version[32];
  attest_key* key = NULL;
  (void)snprintf(version, sizeof version, "%d.%d.%d", ATTEST_VERSION_MAJOR, ATTEST_VERSION_MINOR,
                 ATTEST_VERSION_PATCH);
  if (strcmp(version, attest_version()) != 0) return 1;
  if (!sizes_are_set() || !boot_sizes_are_set()) return 2;
  if (finding.pcr != -1 || finding.index != -1 || finding.offset != -1) return 3;
  if (attest_key_load(&key, junk, sizeof junk) != ATTEST_E_MALFORMED || key != NULL) return 4;
  if (strlen(attest_last_error()) == 0) return 5;
  attest_key_free(key);
  return 0;
}
