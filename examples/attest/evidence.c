// SPDX-License-Identifier: Apache-2.0

#include "evidence.h"

#include <stdlib.h>
#include <string.h>

#include "text.h"

struct definition {
  enum option option;
  const char* name;  // in the folder; NULL: never there
};
static const struct definition kInputs[INPUT_COUNT] = {
    [INPUT_AK] = {OPTION_AK, "ak.tss"},
    [INPUT_QUOTE] = {OPTION_QUOTE, "quote.msg"},
    [INPUT_SIGNATURE] = {OPTION_SIGNATURE, "quote.sig"},
    [INPUT_PCRS] = {OPTION_PCRS, "quote.pcrs"},
    [INPUT_KEYLIME_QUOTE] = {OPTION_KEYLIME_QUOTE, NULL},
};

// DIR/name, or name alone without a DIR; NULL after complaining.
static char* join(const struct command* command, const char* dir, const char* name) {
  struct text path = {0};
  text_add(&path, "%s%s%s", dir != NULL ? dir : "", dir != NULL ? "/" : "", name);
  if (!path.failed) return path.data;
  complain(command->name, "out of memory");
  text_free(&path);
  return NULL;
}

static int refuse_together(const struct command* command, const struct options* options,
                           enum option one, uint64_t others) {
  for (unsigned i = 0; i < OPTION_COUNT; ++i) {
    if ((others & UINT64_C(1) << i) != 0 && options->value[i] != NULL) {
      return usage_error(command, "%s and %s contradict each other", option_name(one),
                         option_name((enum option)i));
    }
  }
  return STATUS_GOOD;
}

static int require(const struct command* command, const struct options* options, uint64_t needed) {
  for (unsigned i = 0; i < OPTION_COUNT; ++i) {
    if ((needed & UINT64_C(1) << i) != 0 && options->value[i] == NULL) {
      return usage_error(command, "%s is missing", option_name((enum option)i));
    }
  }
  return STATUS_GOOD;
}

// The folder stands for the single files. The key and the nonce may be given beside it, in the
// place of those that came from the node.
static int check_combination(const struct command* command, const struct options* options) {
  if (options->value[OPTION_EVIDENCE] != NULL) {
    return refuse_together(command, options, OPTION_EVIDENCE,
                           HAS(QUOTE) | HAS(SIGNATURE) | HAS(PCRS) | HAS(KEYLIME_QUOTE) |
                               HAS(EVENTLOG) | HAS(LAUNCH_LOG) | HAS(IMA));
  }
  if (options->value[OPTION_KEYLIME_QUOTE] != NULL) {
    const int status = refuse_together(command, options, OPTION_KEYLIME_QUOTE,
                                       HAS(QUOTE) | HAS(SIGNATURE) | HAS(PCRS));
    return status != STATUS_GOOD ? status : require(command, options, HAS(AK) | HAS(NONCE));
  }
  if (options->value[OPTION_QUOTE] == NULL) {
    return usage_error(command, "--quote, --keylime-quote or --evidence is missing");
  }
  return require(command, options, HAS(AK) | HAS(SIGNATURE) | HAS(PCRS) | HAS(NONCE));
}

static bool read_nonce(struct quote_input* out, const struct command* command,
                       const struct options* options) {
  const char* const given = options->value[OPTION_NONCE];
  const char* const dir = options->value[OPTION_EVIDENCE];
  if (given == NULL) {
    char* const path = join(command, dir, "nonce.hex");
    const bool good =
        path != NULL && read_hex_file(&out->nonce, command->name, path, ABSENCE_FAILS);
    free(path);
    out->nonce_came_along = true;
    return good;
  }
  if (options->value[OPTION_KEYLIME_QUOTE] == NULL) {
    return decode_hex(&out->nonce, command->name, "--nonce", given, strlen(given));
  }
  // Keylime's nonce is the text itself.
  out->nonce.data = malloc(strlen(given));
  if (out->nonce.data == NULL) {
    complain(command->name, "out of memory");
    return false;
  }
  out->nonce.size = strlen(given);
  memcpy(out->nonce.data, given, out->nonce.size);
  return true;
}

static bool read_inputs(struct quote_input* out, const struct command* command,
                        const struct options* options) {
  for (size_t i = 0; i < INPUT_COUNT; ++i) {
    const char* const given = options->value[kInputs[i].option];
    const char* const dir = given == NULL ? options->value[OPTION_EVIDENCE] : NULL;
    const char* const name = given != NULL ? given : kInputs[i].name;
    if (name == NULL || (given == NULL && dir == NULL)) continue;
    out->paths[i] = join(command, dir, name);
    if (out->paths[i] == NULL ||
        !read_file(&out->files[i], command->name, out->paths[i], SMALL_FILE, ABSENCE_FAILS)) {
      return false;
    }
  }
  out->key_came_along = options->value[OPTION_AK] == NULL;
  // A quote string that was saved by an editor or by echo ends with a line end.
  struct blob* const text = &out->files[INPUT_KEYLIME_QUOTE];
  if (text->size != 0 && text->data[text->size - 1] == '\n') --text->size;
  return true;
}

int quote_input_read(struct quote_input* out, const struct command* command,
                     const struct options* options) {
  memset(out, 0, sizeof *out);
  const int status = check_combination(command, options);
  if (status != STATUS_GOOD) return status;
  return read_inputs(out, command, options) && read_nonce(out, command, options) ? STATUS_GOOD
                                                                                 : STATUS_FAILED;
}

void quote_input_free(struct quote_input* input) {
  for (size_t i = 0; i < INPUT_COUNT; ++i) {
    blob_free(&input->files[i]);
    free(input->paths[i]);
  }
  blob_free(&input->nonce);
}

void complain_of_quote(const struct command* command, const struct quote_input* input) {
  if (input->paths[INPUT_KEYLIME_QUOTE] != NULL) {
    complain(command->name, "%s: %s", input->paths[INPUT_KEYLIME_QUOTE], attest_last_error());
  } else {
    complain(command->name, "%s, %s, %s: %s", input->paths[INPUT_QUOTE],
             input->paths[INPUT_SIGNATURE], input->paths[INPUT_PCRS], attest_last_error());
  }
}

static bool set_key_and_quote(struct evidence_input* out, const struct command* command) {
  const struct blob* const files = out->quote.files;
  if (attest_evidence_set_ak(out->evidence, files[INPUT_AK].data, files[INPUT_AK].size) !=
      ATTEST_OK) {
    complain(command->name, "%s: %s", out->quote.paths[INPUT_AK], attest_last_error());
    return false;
  }
  const attest_status status =
      out->quote.paths[INPUT_KEYLIME_QUOTE] != NULL
          ? attest_evidence_set_keylime_quote(out->evidence,
                                              (const char*)files[INPUT_KEYLIME_QUOTE].data,
                                              files[INPUT_KEYLIME_QUOTE].size)
          : attest_evidence_set_quote(out->evidence, files[INPUT_QUOTE].data,
                                      files[INPUT_QUOTE].size, files[INPUT_SIGNATURE].data,
                                      files[INPUT_SIGNATURE].size, files[INPUT_PCRS].data,
                                      files[INPUT_PCRS].size);
  if (status != ATTEST_OK) complain_of_quote(command, &out->quote);
  return status == ATTEST_OK;
}

typedef attest_status set_log(attest_evidence* evidence, const uint8_t* log, size_t log_len);

// Sets the log that `option` names, or the one of this name in the folder if it is there.
static bool set_eventlog(struct evidence_input* out, const struct command* command,
                         const struct options* options, enum option option, const char* name,
                         set_log* set) {
  const char* const given = options->value[option];
  const char* const dir = options->value[OPTION_EVIDENCE];
  if (given == NULL && dir == NULL) return true;
  char* const path = join(command, dir, given != NULL ? given : name);
  struct blob log = {NULL, 0};
  bool good = path != NULL && read_file(&log, command->name, path, LOG_FILE,
                                        given != NULL ? ABSENCE_FAILS : ABSENCE_ALLOWED);
  if (good && log.data != NULL && set(out->evidence, log.data, log.size) != ATTEST_OK) {
    complain(command->name, "%s: %s", path, attest_last_error());
    good = false;
  }
  blob_free(&log);
  free(path);
  return good;
}

static bool set_ima(struct evidence_input* out, const struct command* command,
                    const struct options* options) {
  const char* const given = options->value[OPTION_IMA];
  const char* const dir = options->value[OPTION_EVIDENCE];
  if (given == NULL && dir == NULL) return true;
  out->ima_path = join(command, dir, given != NULL ? given : "ima.bin");
  if (out->ima_path == NULL || !stream_open(&out->ima, command->name, out->ima_path,
                                            given != NULL ? ABSENCE_FAILS : ABSENCE_ALLOWED)) {
    return false;
  }
  if (out->ima.fd < 0) return true;
  if (attest_evidence_set_ima_reader(out->evidence, stream_read, &out->ima) == ATTEST_OK) {
    return true;
  }
  complain(command->name, "%s: %s", out->ima_path, attest_last_error());
  return false;
}

int evidence_input_read(struct evidence_input* out, const struct command* command,
                        const struct options* options) {
  memset(out, 0, sizeof *out);
  out->ima.fd = -1;
  const int status = quote_input_read(&out->quote, command, options);
  if (status != STATUS_GOOD) return status;
  if (attest_evidence_new(&out->evidence) != ATTEST_OK) {
    complain(command->name, "%s", attest_last_error());
    return STATUS_FAILED;
  }
  return set_key_and_quote(out, command) &&
                 set_eventlog(out, command, options, OPTION_EVENTLOG, "eventlog.bin",
                              attest_evidence_set_eventlog) &&
                 set_eventlog(out, command, options, OPTION_LAUNCH_LOG, "launchlog.bin",
                              attest_evidence_set_launch_log) &&
                 set_ima(out, command, options)
             ? STATUS_GOOD
             : STATUS_FAILED;
}

void evidence_input_free(struct evidence_input* input) {
  attest_evidence_free(input->evidence);
  stream_close(&input->ima);
  free(input->ima_path);
  quote_input_free(&input->quote);
}

void complain_of_appraisal(const struct command* command, const struct evidence_input* input,
                           attest_status status) {
  if (status == ATTEST_E_READ) {
    complain(command->name, "%s: %s", input->ima_path, strerror(input->ima.error));
  } else if (status == ATTEST_E_MALFORMED && input->ima_path != NULL) {
    complain(command->name, "%s: %s", input->ima_path, attest_last_error());
  } else {
    complain(command->name, "%s", attest_last_error());
  }
}
