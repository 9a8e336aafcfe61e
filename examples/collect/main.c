// SPDX-License-Identifier: Apache-2.0

#include <stdio.h>
#include <stdlib.h>

#include "collect.h"

static const char kEventlog[] = "/sys/kernel/security/tpm0/binary_bios_measurements";
static const char kIma[] = "/sys/kernel/security/ima/binary_runtime_measurements";

// The logs are read after the quote: the kernel appends to them while the TPM signs, and a verifier
// accepts a log that runs ahead of the quote but none that is behind it.
static bool read_logs(const struct options* options, struct evidence* out) {
  if (options->no_logs) return true;
  return files_read_log(&out->eventlog, options->eventlog, kEventlog) &&
         files_read_log(&out->ima, options->ima, kIma);
}

static bool nonce_as_hex(const struct options* options, struct blob* out) {
  static const char digits[] = "0123456789abcdef";
  char text[2 * COLLECT_NONCE_MAX + 1];
  for (size_t i = 0; i < options->nonce_len; ++i) {
    text[2 * i] = digits[options->nonce[i] >> 4];
    text[2 * i + 1] = digits[options->nonce[i] & 15];
  }
  text[2 * options->nonce_len] = '\n';
  return blob_copy(out, text, 2 * options->nonce_len + 1);
}

static bool take(const struct options* options, struct evidence* out) {
  struct tpm tpm;
  const bool taken = tpm_open(&tpm, options->tcti) &&
                     key_obtain(&tpm, options->ak_type, options->ak_handle, &out->ak) &&
                     tpm_read_ek_certificate(&tpm, &out->ek_cert) && quote_take(&tpm, options, out);
  tpm_close(&tpm);
  return taken && read_logs(options, out) && nonce_as_hex(options, &out->nonce);
}

int main(int argc, char** argv) {
  struct options options;
  switch (options_parse(&options, argc, argv)) {
    case PARSE_DONE:
      return 0;
    case PARSE_WRONG:
      return 2;
    case PARSE_OK:
      break;
  }
  // tpm2-tss logs to standard error by itself; collect says each failure in one line of its own.
  setenv("TSS2_LOG", "all+NONE", 0);

  struct evidence evidence = {0};
  const bool done = files_output_free(options.output) && take(&options, &evidence) &&
                    files_write(options.output, &evidence);
  evidence_free(&evidence);
  return done ? 0 : 2;
}
