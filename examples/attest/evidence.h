// SPDX-License-Identifier: Apache-2.0

// The evidence that the options name: single files, or the folder that `collect` writes.

#ifndef ATTEST_COMMAND_EVIDENCE_H_
#define ATTEST_COMMAND_EVIDENCE_H_

#include <libattest/attest.h>
#include <stdbool.h>

#include "files.h"
#include "options.h"

enum input { INPUT_AK, INPUT_QUOTE, INPUT_SIGNATURE, INPUT_PCRS, INPUT_KEYLIME_QUOTE, INPUT_COUNT };

// Files of one quote. Not given: data NULL.
struct quote_input {
  struct blob files[INPUT_COUNT];
  char* paths[INPUT_COUNT];
  struct blob nonce;
  bool key_came_along;    // it was in the folder
  bool nonce_came_along;  // it was in the folder, and proves no freshness
};

// Reads what QUOTE_OPTIONS name. Returns STATUS_GOOD, or STATUS_FAILED after complaining;
// quote_input_free is due either way.
int quote_input_read(struct quote_input* out, const struct command* command,
                     const struct options* options);
void quote_input_free(struct quote_input* input);

// Complains of a quote that the library refused, with the names of its files.
void complain_of_quote(const struct command* command, const struct quote_input* input);

// All that EVIDENCE_OPTIONS name, parsed.
struct evidence_input {
  struct quote_input quote;
  struct stream ima;
  char* ima_path;
  attest_evidence* evidence;
};
int evidence_input_read(struct evidence_input* out, const struct command* command,
                        const struct options* options);
void evidence_input_free(struct evidence_input* input);

// Complains of an appraisal that came to no report.
void complain_of_appraisal(const struct command* command, const struct evidence_input* input,
                           attest_status status);

#endif  // ATTEST_COMMAND_EVIDENCE_H_
