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

// Their lines in --help.
#define KEYLIME_CONNECTION_USAGE                                                    \
  "  --verifier HOST:PORT    the default is 127.0.0.1:8881\n"                       \
  "  --registrar HOST:PORT   the default is 127.0.0.1:8891\n"                       \
  "  --ca FILE, --cert FILE, --key FILE\n"                                          \
  "                          the CA of both, and our certificate and key; the\n"    \
  "                          defaults are Keylime's cacert.crt, client-cert.crt\n"  \
  "                          and client-private.pem in /var/lib/keylime/cv_ca\n"    \
  "  --no-name-check         a certificate's name need not be the service's; its\n" \
  "                          chain still has to lead to the CA\n"                   \
  "  --timeout SECONDS       for all of it; the default is 30\n"

struct keylime {
  attest_keylime* client;
  uint32_t timeout_ms;
};

// Reads the credentials and makes the client; complains before false. To be closed either way.
bool keylime_open(struct keylime* out, const struct command* command,
                  const struct options* options);
void keylime_close(struct keylime* keylime);

// Writes the words, or the JSON where that was asked for, and frees both. Returns `status`, or
// STATUS_FAILED where they could not be written.
int keylime_show(const struct command* command, const struct options* options, struct text* words,
                 struct text* json, int status);

// Complains with the library's last words, and returns STATUS_FAILED.
int keylime_failed(const struct command* command);

#endif  // ATTEST_COMMAND_KEYLIME_H_
