// SPDX-License-Identifier: Apache-2.0

// The sub-commands: what a program on the machine asks for while a verifier is at the other end.

#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <tss2/tss2_mu.h>
#include <unistd.h>

#include "collect.h"

static const char kEkFile[] = "ek.ctx";
static const char kAkFile[] = "ak.ctx";

struct identity {
  const struct ek_template* template;
  struct blob ek;
  struct blob ek_certificate;
  struct blob ak;
};

static void identity_free(struct identity* identity) {
  free(identity->ek.data);
  free(identity->ek_certificate.data);
  free(identity->ak.data);
}

static void forget(struct tpm* tpm, ESYS_TR* key) {
  if (*key != ESYS_TR_NONE) Esys_FlushContext(tpm->esys, *key);
  *key = ESYS_TR_NONE;
}

static bool load_ak(const struct state* state, struct tpm* tpm) {
  tpm->ak_is_transient = true;
  return state_load(state, tpm, kAkFile, &tpm->ak);
}

// Sets *usable to whether the saved keys are there and of the kinds that are asked for.
static bool load_keys(const struct state* state, struct tpm* tpm,
                      const struct ek_template* template, enum ak_type type, bool* usable) {
  TPM2B_PUBLIC ek;
  TPM2B_PUBLIC ak;
  *usable = false;
  if (!state_load(state, tpm, kEkFile, &tpm->ek) || !load_ak(state, tpm)) return false;
  if (tpm->ek == ESYS_TR_NONE || tpm->ak == ESYS_TR_NONE) return true;
  if (!tpm_read_public(tpm, tpm->ek, &ek) || !tpm_read_public(tpm, tpm->ak, &ak)) return false;
  *usable = ek_is(&ek, template) && key_is(&ak, type);
  return true;
}

static bool make_keys(const struct state* state, struct tpm* tpm,
                      const struct ek_template* template, enum ak_type type) {
  forget(tpm, &tpm->ek);
  forget(tpm, &tpm->ak);
  return ek_create(tpm, template) && key_create(tpm, type) &&
         state_save(state, tpm, tpm->ek, kEkFile) && state_save(state, tpm, tpm->ak, kAkFile);
}

static bool identify(const struct options* options, const struct state* state, struct tpm* tpm,
                     struct identity* out) {
  TPM2B_PUBLIC ek;
  bool usable = false;
  out->template = options->ek;
  return (out->template != NULL || ek_choose(tpm, &out->template)) &&
         load_keys(state, tpm, out->template, options->ak_type, &usable) &&
         (usable || make_keys(state, tpm, out->template, options->ak_type)) &&
         tpm_read_public(tpm, tpm->ek, &ek) && key_encode(&ek, &out->ek) &&
         key_read(tpm, options->ak_type, "of --state", &out->ak) &&
         ek_read_certificate(tpm, out->template, &out->ek_certificate);
}

bool command_identity(const struct options* options) {
  struct state state;
  struct tpm tpm = {0};
  struct identity identity = {0};
  bool good = state_open(&state, options->state, true) && tpm_open(&tpm, options->tcti) &&
              identify(options, &state, &tpm, &identity);
  tpm_close(&tpm);
  state_close(&state);
  if (good) {
    json_text("ek_template", ek_name(identity.template));
    json_bytes("ek_public", &identity.ek);
    json_bytes("ek_certificate",
               identity.ek_certificate.size != 0 ? &identity.ek_certificate : NULL);
    json_bytes("ak_public", &identity.ak);
    good = json_end();
  }
  identity_free(&identity);
  return good;
}

// A quote or an answer is of the key that was announced, or there is none.
static bool announced(ESYS_TR key, const struct state* state) {
  if (key != ESYS_TR_NONE) return true;
  complain("%s: there is no key of this boot (collect identity makes it)", state->path);
  return false;
}

static bool read_argument(const char* text, size_t max, const char* what, struct blob* out) {
  if (text[0] != '@') return base64_decode(out, text, max, what);
  const int fd = open(text + 1, O_RDONLY | O_CLOEXEC);
  if (fd < 0) {
    complain("%s: %s", text + 1, strerror(errno));
    return false;
  }
  const bool good = files_read(fd, text + 1, max, out);
  close(fd);
  return good;
}

static bool read_challenge(const struct options* options, TPM2B_ID_OBJECT* credential,
                           TPM2B_ENCRYPTED_SECRET* secret) {
  struct blob bytes = {0};
  size_t at = 0;
  bool good = read_argument(options->credential, sizeof *credential, "--credential", &bytes);
  if (good && (Tss2_MU_TPM2B_ID_OBJECT_Unmarshal(bytes.data, bytes.size, &at, credential) !=
                   TSS2_RC_SUCCESS ||
               at != bytes.size)) {
    complain("--credential is no TPM2B_ID_OBJECT");
    good = false;
  }
  free(bytes.data);
  if (!good) return false;

  bytes = (struct blob){0};
  at = 0;
  good = read_argument(options->secret, sizeof *secret, "--secret", &bytes);
  if (good && (Tss2_MU_TPM2B_ENCRYPTED_SECRET_Unmarshal(bytes.data, bytes.size, &at, secret) !=
                   TSS2_RC_SUCCESS ||
               at != bytes.size)) {
    complain("--secret is no TPM2B_ENCRYPTED_SECRET");
    good = false;
  }
  free(bytes.data);
  return good;
}

static bool activate(struct tpm* tpm, const TPM2B_ID_OBJECT* credential,
                     const TPM2B_ENCRYPTED_SECRET* secret, struct blob* out) {
  ESYS_TR session = ESYS_TR_NONE;
  TPM2B_DIGEST* answer = NULL;
  const bool good =
      ek_session(tpm, &session) &&
      tpm_check(Esys_ActivateCredential(tpm->esys, tpm->ak, tpm->ek, ESYS_TR_PASSWORD, session,
                                        ESYS_TR_NONE, credential, secret, &answer),
                "answering the challenge (is it for this TPM's EK and this AK?)");
  if (!good) ek_session_end(tpm, session);
  const bool copied = good && blob_copy(out, answer->buffer, answer->size);
  Esys_Free(answer);
  return copied;
}

bool command_activate(const struct options* options) {
  struct state state;
  struct tpm tpm = {0};
  struct blob answer = {0};
  TPM2B_ID_OBJECT credential = {0};
  TPM2B_ENCRYPTED_SECRET secret = {0};
  if (!read_challenge(options, &credential, &secret)) return false;
  bool good = state_open(&state, options->state, false) && tpm_open(&tpm, options->tcti) &&
              state_load(&state, &tpm, kEkFile, &tpm.ek) && announced(tpm.ek, &state) &&
              load_ak(&state, &tpm) && announced(tpm.ak, &state) &&
              activate(&tpm, &credential, &secret, &answer);
  tpm_close(&tpm);
  state_close(&state);
  if (good) {
    json_bytes("answer", &answer);
    good = json_end();
  }
  free(answer.data);
  return good;
}

static bool print_quote(const struct evidence* evidence, uint32_t ima_entry) {
  const bool ima = evidence->ima.data != NULL;
  json_bytes("ak_public", &evidence->ak);
  json_bytes("quote", &evidence->msg);
  json_bytes("signature", &evidence->sig);
  json_bytes("pcrs", &evidence->pcrs);
  json_bytes("eventlog", evidence->eventlog.size != 0 ? &evidence->eventlog : NULL);
  json_bytes("ima", ima ? &evidence->ima : NULL);
  json_number("ima_entry", ima ? &ima_entry : NULL);
  return json_end();
}

bool command_quote(const struct options* options) {
  struct state state;
  struct tpm tpm = {0};
  struct evidence evidence = {0};
  if (options->output != NULL && !files_output_free(options->output)) return false;
  bool good = state_open(&state, options->state, false) && tpm_open(&tpm, options->tcti) &&
              load_ak(&state, &tpm) && announced(tpm.ak, &state) &&
              key_read(&tpm, AK_UNSAID, "of --state", &evidence.ak) &&
              quote_take(&tpm, options, &evidence);
  tpm_close(&tpm);
  state_close(&state);
  good = good && logs_read(options, &evidence) &&
         (options->output != NULL ? files_write(options->output, &evidence)
                                  : print_quote(&evidence, options->ima_entry));
  evidence_free(&evidence);
  return good;
}
