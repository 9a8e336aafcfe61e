// SPDX-License-Identifier: Apache-2.0

// attest eventlog.

#include <inttypes.h>
#include <libattest/attest.h>

#include "files.h"
#include "options.h"
#include "print.h"
#include "text.h"

static const char kHelp[] =
    "Usage: attest eventlog FILE [--launch] [--json]\n"
    "\n"
    "Shows a TCG boot event log (binary_bios_measurements), the PCR values that it\n"
    "leads to, and what is wrong in it. The log is the machine's own story: only a\n"
    "quote of those PCR values proves it (attest verify).\n"
    "\n"
    "  --launch  FILE is the log of a dynamic launch (Intel TXT, tboot): what an\n"
    "            element of the TXT heap points to, or\n"
    "            /sys/kernel/security/slaunch/eventlog\n"
    "  --json    print the log as one JSON object, with what the events say\n"
    "  --help\n"
    "\n"
    "Exit status: 0 the log was read, whatever was found; 2 wrong usage, unreadable\n"
    "or malformed input.\n"
    "\n"
    "Example:\n"
    "  attest eventlog /sys/kernel/security/tpm0/binary_bios_measurements\n";

static void print_events(struct text* out, const attest_eventlog* log) {
  const size_t num_events = attest_eventlog_num_events(log);
  text_add(out, "events: %zu\n", num_events);
  if (num_events != 0) text_add(out, "  index  PCR  coverage    size  type\n");
  for (size_t i = 0; i < num_events; ++i) {
    attest_event event = ATTEST_EVENT_INIT;
    if (attest_eventlog_event(&event, log, i) != ATTEST_OK) {
      out->failed = true;
      return;
    }
    text_add(out, "  %5zu  %3" PRIu32 "  %-10s %5zu  %s\n", i, event.pcr,
             attest_coverage_name(event.coverage), event.data_len, event.type_name);
  }
}

static const char* format_name(attest_eventlog_format format) {
  switch (format) {
    case ATTEST_EVENTLOG_SHA1:
      return "SHA-1";
    case ATTEST_EVENTLOG_CRYPTO_AGILE:
      return "crypto-agile";
    case ATTEST_EVENTLOG_TXT_CONTAINER:
      return "TXT event container, SHA-1";
    case ATTEST_EVENTLOG_TXT_LEGACY:
      return "TXT, one bank";
    case ATTEST_EVENTLOG_NONE:
      break;
  }
  return "none";
}

static bool show_words(const struct command* command, const attest_eventlog* log) {
  attest_pcrs* pcrs = NULL;
  if (attest_eventlog_pcrs(&pcrs, log) != ATTEST_OK) {
    complain(command->name, "%s", attest_last_error());
    return false;
  }
  struct text text = {0};
  text_add(&text, "format: %s\n", format_name(attest_eventlog_get_format(log)));
  print_findings(&text, eventlog_finding_at, log, attest_eventlog_num_findings(log));
  print_events(&text, log);
  text_add(&text, "PCRs after the log:\n");
  print_pcrs(&text, pcrs);
  const bool written = text_to_stdout(command->name, &text);
  text_free(&text);
  attest_pcrs_free(pcrs);
  return written;
}

static bool show_json(const struct command* command, const attest_eventlog* log) {
  attest_buffer* json = NULL;
  if (attest_eventlog_to_json(&json, log) == ATTEST_OK) return json_to_stdout(command->name, json);
  complain(command->name, "%s", attest_last_error());
  return false;
}

static int run(const struct command* command, const struct options* options) {
  struct blob bytes;
  if (!read_file(&bytes, command->name, options->operand, LOG_FILE, ABSENCE_FAILS)) {
    return STATUS_FAILED;
  }
  attest_eventlog* log = NULL;
  const attest_status parsed =
      options->value[OPTION_LAUNCH] != NULL
          ? attest_eventlog_parse_launch(&log, bytes.data, bytes.size, ATTEST_HASH_NONE)
          : attest_eventlog_parse(&log, bytes.data, bytes.size, ATTEST_HASH_NONE);
  blob_free(&bytes);
  if (parsed != ATTEST_OK) {
    complain(command->name, "%s: %s", options->operand, attest_last_error());
    return STATUS_FAILED;
  }
  const bool shown =
      options->value[OPTION_JSON] != NULL ? show_json(command, log) : show_words(command, log);
  attest_eventlog_free(log);
  return shown ? STATUS_GOOD : STATUS_FAILED;
}

const struct command kEventlogCommand = {.name = "eventlog",
                                         .help = kHelp,
                                         .accepts = HAS(LAUNCH) | HAS(JSON),
                                         .operand = "FILE",
                                         .run = run};
