// SPDX-License-Identifier: Apache-2.0

// What the keylime commands have in common: the connection's options.

#ifndef ATTEST_COMMAND_KEYLIME_H_
#define ATTEST_COMMAND_KEYLIME_H_

#include <libattest/attest.h>
#include <stdbool.h>
#include <stdint.h>

#include "files.h"
#include "options.h"
#include "text.h"

#define CV_CA "/var/lib/keylime/cv_ca/"

#define KEYLIME_OPTIONS                                                                   \
  (HAS(VERIFIER) | HAS(REGISTRAR) | HAS(CA) | HAS(CERT) | HAS(KEY) | HAS(NO_NAME_CHECK) | \
   HAS(TIMEOUT) | HAS(JSON))

struct keylime {
  attest_keylime* client;
  uint32_t timeout_ms;
};

// Reads the credentials and makes the client; complains before false. To be closed either way.
bool keylime_open(struct keylime* out, const struct command* command,
                  const struct options* options);
void keylime_close(struct keylime* keylime);

#endif  // ATTEST_COMMAND_KEYLIME_H_
