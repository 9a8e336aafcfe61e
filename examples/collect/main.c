// SPDX-License-Identifier: Apache-2.0

#include <stdlib.h>

#include "collect.h"

static bool take(const struct options* options, struct evidence* out) {
  struct tpm tpm;
  const bool taken = tpm_open(&tpm, options->tcti) &&
                     key_obtain(&tpm, options->ak_type, options->ak_handle, &out->ak) &&
                     ek_read_certificate(&tpm, ek_default(), &out->ek_cert) &&
                     quote_take(&tpm, options, out);
  tpm_close(&tpm);
  return taken && logs_read(options, out);
}

static bool command_folder(const struct options* options) {
  struct evidence evidence = {0};
  const bool done = files_output_free(options->output) && take(options, &evidence) &&
                    files_write(options->output, &evidence);
  evidence_free(&evidence);
  return done;
}

static bool run(const struct options* options) {
  switch (options->command) {
    case COMMAND_FOLDER:
      return command_folder(options);
    case COMMAND_IDENTITY:
      return command_identity(options);
    case COMMAND_ACTIVATE:
      return command_activate(options);
    case COMMAND_QUOTE:
      return command_quote(options);
  }
  return false;
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
  return run(&options) ? 0 : 2;
}
