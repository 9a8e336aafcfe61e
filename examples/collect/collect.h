// SPDX-License-Identifier: Apache-2.0

// collect: takes a quote and the logs of the machine it runs on and writes them as an evidence
// folder that `attest verify --evidence` reads. Functions that can fail return false after one line
// on standard error; what they allocated until then belongs to the caller's structure all the same.

#ifndef COLLECT_H_
#define COLLECT_H_

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <tss2/tss2_esys.h>

#define COLLECT_NONCE_MIN ((size_t)16)
#define COLLECT_NONCE_MAX ((size_t)64)  // what every TPM's TPM2B_DATA holds
#define COLLECT_NUM_PCRS 24

struct blob {
  uint8_t* data;
  size_t size;
};

enum ak_type { AK_UNSAID = 0, AK_RSA = 1, AK_ECC = 2 };

struct options {
  uint8_t nonce[COLLECT_NONCE_MAX];
  size_t nonce_len;
  const char* output;
  TPML_PCR_SELECTION pcrs;
  enum ak_type ak_type;
  TPM2_HANDLE ak_handle;  // 0: a transient AK
  const char* tcti;       // NULL: tctildr's own default
  const char* eventlog;   // NULL: the kernel's, if it is there
  const char* ima;        // NULL: the kernel's, if it is there
  bool no_logs;
};

struct evidence {
  struct blob ak;    // TPM2B_PUBLIC
  struct blob msg;   // TPMS_ATTEST
  struct blob sig;   // TPMT_SIGNATURE
  struct blob pcrs;  // as tpm2_quote -o writes it
  struct blob nonce;
  struct blob eventlog;  // empty: not written
  struct blob ima;       // empty: not written
  struct blob ek_cert;   // empty: not written
};

struct tpm {
  TSS2_TCTI_CONTEXT* tcti;
  ESYS_CONTEXT* esys;
  ESYS_TR ak;
  bool ak_is_transient;
};

// options.c
enum parse_result { PARSE_OK, PARSE_DONE, PARSE_WRONG };
enum parse_result options_parse(struct options* out, int argc, char** argv);

// tpm.c
bool tpm_open(struct tpm* out, const char* tcti);
void tpm_close(struct tpm* tpm);
bool tpm_check(TSS2_RC rc, const char* what);
bool tpm_has_handle(struct tpm* tpm, TPM2_HANDLE handle, bool* out);
bool tpm_read_ek_certificate(struct tpm* tpm, struct blob* out);

// key.c: leaves the attestation key in tpm->ak and its TPM2B_PUBLIC in out.
bool key_obtain(struct tpm* tpm, enum ak_type type, TPM2_HANDLE handle, struct blob* out);

// quote.c: fills msg, sig and pcrs; pcrs are the values that the quote signs.
bool quote_take(struct tpm* tpm, const struct options* options, struct evidence* out);

// files.c
void complain(const char* format, ...) __attribute__((format(printf, 1, 2)));
bool blob_copy(struct blob* out, const void* data, size_t size);
bool files_read_log(struct blob* out, const char* given, const char* fallback);
bool files_output_free(const char* dir);
bool files_write(const char* dir, const struct evidence* evidence);
void evidence_free(struct evidence* evidence);

#endif  // COLLECT_H_
