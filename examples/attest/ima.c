// SPDX-License-Identifier: Apache-2.0

// attest ima.

#include <inttypes.h>
#include <libattest/attest.h>
#include <string.h>
#include <unistd.h>

#include "files.h"
#include "options.h"
#include "print.h"
#include "text.h"

static const char kHelp[] =
    "Usage: attest ima FILE [--bank NAME] [--json]\n"
    "\n"
    "Replays an IMA measurement list (binary_runtime_measurements, or the ascii one)\n"
    "and shows the PCR values that it leads to, and what is wrong in it. FILE may be\n"
    "- for standard input. The list is the machine's own story: only a quote of\n"
    "those PCR values proves it (attest verify).\n"
    "\n"
    "  --bank NAME    the bank to replay: sha1, sha256 (the default), sha384, sha512\n"
    "  --json         print the result as one JSON object\n"
    "  --help\n"
    "\n"
    "Exit status: 0 the list was read; 1 it was, and is not sound: a finding is a\n"
    "failure; 2 wrong usage, unreadable or malformed input.\n"
    "\n"
    "Examples:\n"
    "  attest ima /sys/kernel/security/ima/binary_runtime_measurements\n"
    "  ssh node cat /sys/kernel/security/ima/ascii_runtime_measurements | \\\n"
    "      attest ima - --json\n";

enum { CHUNK = 64 * 1024 };

static bool feed(const struct command* command, struct stream* in, attest_ima* ima) {
  static uint8_t chunk[CHUNK];
  for (;;) {
    const ptrdiff_t got = stream_read(in, chunk, sizeof chunk);
    if (got < 0) {
      complain(command->name, "%s: %s", in->path, strerror(in->error));
      return false;
    }
    const attest_status status =
        got == 0 ? attest_ima_finish(ima) : attest_ima_feed(ima, chunk, (size_t)got);
    if (status != ATTEST_OK) {
      complain(command->name, "%s: %s", in->path, attest_last_error());
      return false;
    }
    if (got == 0) return true;
  }
}

static bool show_words(const struct command* command, const attest_ima* ima) {
  attest_pcrs* pcrs = NULL;
  if (attest_ima_pcrs(&pcrs, ima) != ATTEST_OK) {
    complain(command->name, "%s", attest_last_error());
    return false;
  }
  struct text text = {0};
  text_add(&text, "entries: %" PRIu64 "\nviolations: %" PRIu64 "\n", attest_ima_num_entries(ima),
           attest_ima_num_violations(ima));
  print_findings(&text, ima_finding_at, ima, attest_ima_num_findings(ima));
  text_add(&text, "PCRs after the list:\n");
  print_pcrs(&text, pcrs);
  const bool written = text_to_stdout(command->name, &text);
  text_free(&text);
  attest_pcrs_free(pcrs);
  return written;
}

static bool show_json(const struct command* command, const attest_ima* ima) {
  attest_buffer* json = NULL;
  if (attest_ima_to_json(&json, ima) == ATTEST_OK) return json_to_stdout(command->name, json);
  complain(command->name, "%s", attest_last_error());
  return false;
}

static bool is_sound(const attest_ima* ima) {
  for (size_t i = 0; i < attest_ima_num_findings(ima); ++i) {
    attest_finding finding = ATTEST_FINDING_INIT;
    if (attest_ima_finding(&finding, ima, i) != ATTEST_OK ||
        finding.severity == ATTEST_SEVERITY_FAILURE) {
      return false;
    }
  }
  return true;
}

static int replay(const struct command* command, const struct options* options,
                  const attest_ima_options* how, struct stream* in) {
  attest_ima* ima = NULL;
  if (attest_ima_new(&ima, how) != ATTEST_OK) {
    complain(command->name, "%s", attest_last_error());
    return STATUS_FAILED;
  }
  int status = STATUS_FAILED;
  if (feed(command, in, ima)) {
    const bool shown =
        options->value[OPTION_JSON] != NULL ? show_json(command, ima) : show_words(command, ima);
    if (shown) status = is_sound(ima) ? STATUS_GOOD : STATUS_BAD;
  }
  attest_ima_free(ima);
  return status;
}

static int run(const struct command* command, const struct options* options) {
  attest_ima_options how = ATTEST_IMA_OPTIONS_INIT;
  const char* const bank = options->value[OPTION_BANK];
  if (bank != NULL) {
    how.bank = attest_hash_from_name(bank);
    if (how.bank == ATTEST_HASH_NONE) return usage_error(command, "unknown --bank '%s'", bank);
  }
  struct stream in = STREAM_CLOSED;
  if (strcmp(options->operand, "-") == 0) {
    in.fd = STDIN_FILENO;
    in.path = "standard input";
  } else if (!stream_open(&in, command->name, options->operand, ABSENCE_FAILS)) {
    return STATUS_FAILED;
  }
  const int status = replay(command, options, &how, &in);
  stream_close(&in);
  return status;
}

const struct command kImaCommand = {
    .name = "ima", .help = kHelp, .accepts = HAS(BANK) | HAS(JSON), .operand = "FILE", .run = run};
