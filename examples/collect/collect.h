// SPDX-License-Identifier: Apache-2.0

// collect: takes a quote and the logs of the machine it runs on and writes them as an evidence
// folder that `attest verify --evidence` reads; its sub-commands give a program on the machine the
// TPM's identity, the answer to a credential challenge, and quotes, as JSON. Functions that can
// fail return false after one line on standard error; what they allocated until then belongs to the
// caller's structure all the same.

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

// An endorsement key by its template in the TCG EK Credential Profile.
struct ek_template;

enum command { COMMAND_FOLDER = 1, COMMAND_IDENTITY = 2, COMMAND_ACTIVATE = 4, COMMAND_QUOTE = 8 };

struct options {
  enum command command;
  const char* state;             // sub-commands only
  const struct ek_template* ek;  // NULL: the first whose certificate the TPM holds
  const char* credential;        // base64, or '@' and a file
  const char* secret;            // likewise
  uint32_t ima_entry;            // the first entry of the IMA list that is wanted
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
  ESYS_TR ek;  // transient
  ESYS_TR ak;
  bool ak_is_transient;
};

// The folder that keeps the keys of the sub-commands from call to call. While it is open nobody
// else uses it.
struct state {
  const char* path;
  int fd;
};

// options.c
enum parse_result { PARSE_OK, PARSE_DONE, PARSE_WRONG };
enum parse_result options_parse(struct options* out, int argc, char** argv);

// pcrs.c
bool pcrs_parse(TPML_PCR_SELECTION* out, const char* text);

// tpm.c
bool tpm_open(struct tpm* out, const char* tcti);
void tpm_close(struct tpm* tpm);
bool tpm_check(TSS2_RC rc, const char* what);
bool tpm_has_handle(struct tpm* tpm, TPM2_HANDLE handle, bool* out);
bool tpm_read_public(struct tpm* tpm, ESYS_TR key, TPM2B_PUBLIC* out);
// Leaves *out empty when the TPM holds no certificate at the NV index, or none that can be read.
bool tpm_read_certificate(struct tpm* tpm, TPM2_HANDLE index, struct blob* out);

// ek.c
const struct ek_template* ek_named(const char* name);  // NULL: there is none
const struct ek_template* ek_default(void);            // L-1
const char* ek_name(const struct ek_template* ek);
bool ek_read_certificate(struct tpm* tpm, const struct ek_template* ek, struct blob* out);
// The first template whose certificate the TPM holds, else L-1. Sets *out.
bool ek_choose(struct tpm* tpm, const struct ek_template** out);
bool ek_create(struct tpm* tpm, const struct ek_template* ek);  // leaves the key in tpm->ek
bool ek_flush(struct tpm* tpm);
bool ek_is(const TPM2B_PUBLIC* key, const struct ek_template* ek);
// Sets *session to what authorizes one command that uses tpm->ek, a password or a policy session;
// ek_session_end cleans it up unless that command succeeded.
bool ek_session(struct tpm* tpm, ESYS_TR* session);
void ek_session_end(struct tpm* tpm, ESYS_TR session);

// key.c
// Leaves the attestation key in tpm->ak and its TPM2B_PUBLIC in out.
bool key_obtain(struct tpm* tpm, enum ak_type type, TPM2_HANDLE handle, struct blob* out);
bool key_create(struct tpm* tpm, enum ak_type type);  // under tpm->ek
bool key_read(struct tpm* tpm, enum ak_type type, const char* which, struct blob* out);
bool key_encode(const TPM2B_PUBLIC* key, struct blob* out);
bool key_is(const TPM2B_PUBLIC* key, enum ak_type type);

// state.c
bool state_open(struct state* out, const char* path, bool create);
void state_close(struct state* state);
bool state_save(const struct state* state, struct tpm* tpm, ESYS_TR key, const char* name);
// Sets *key to ESYS_TR_NONE when there is no such key, or none of this boot of the TPM.
bool state_load(const struct state* state, struct tpm* tpm, const char* name, ESYS_TR* key);

// quote.c: fills msg, sig, pcrs and nonce; pcrs are the values that the quote signs.
bool quote_take(struct tpm* tpm, const struct options* options, struct evidence* out);

// logs.c: reads the logs that the options ask for.
bool logs_read(const struct options* options, struct evidence* out);

// commands.c: the sub-commands.
bool command_identity(const struct options* options);
bool command_activate(const struct options* options);
bool command_quote(const struct options* options);

// text.c: JSON on standard output, one object of one line, and what is written as text.
int hex_digit(char c);  // -1: none
bool base64_decode(struct blob* out, const char* text, size_t max, const char* what);
void json_text(const char* name, const char* value);
void json_bytes(const char* name, const struct blob* value);  // base64; NULL: null
void json_number(const char* name, const uint32_t* value);    // NULL: null
bool json_end(void);

// files.c
void complain(const char* format, ...) __attribute__((format(printf, 1, 2)));
bool blob_copy(struct blob* out, const void* data, size_t size);
bool files_read(int fd, const char* path, size_t max, struct blob* out);
bool files_read_log(struct blob* out, const char* given, const char* fallback);
bool files_write_all(int fd, const struct blob* content);
bool files_output_free(const char* dir);
bool files_write(const char* dir, const struct evidence* evidence);
void evidence_free(struct evidence* evidence);

#endif  // COLLECT_H_
