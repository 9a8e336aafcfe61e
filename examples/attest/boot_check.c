// SPDX-License-Identifier: Apache-2.0

// attest boot-config check.

#include <inttypes.h>
#include <libattest/attest.h>

#include "files.h"
#include "options.h"
#include "text.h"

static const char kHelp[] =
    "Usage: attest boot-config check FILE [OPTION]...\n"
    "\n"
    "Reads a network boot configuration, made here or by hand, for PXELINUX, iPXE or\n"
    "GRUB, and says what of it would not boot: in the label that boots, in those that\n"
    "start tboot, and in the file as a whole.\n"
    "\n"
    "  --boot-root DIR    the folder that is served: look for files there; nothing\n"
    "                     outside of it is read\n"
    "  --label LABEL      the label that is to boot; the default is what FILE chooses\n"
    "  --format NAME      pxelinux, ipxe or grub; the default is found out\n"
    "  --json             print one JSON object\n"
    "  --help\n"
    "\n"
    "Exit status: 0 nothing is wrong, notes apart; 1 something is; 2 wrong usage, or\n"
    "a FILE or DIR that can not be read.\n"
    "\n"
    "Example:\n"
    "  attest boot-config check /srv/tftp/$NODE/config --boot-root /srv/tftp\n";

static int failed(const struct command* command) {
  complain(command->name, "%s", attest_last_error());
  return STATUS_FAILED;
}

static void add_problem(struct text* text, const attest_boot_problem* p) {
  text_add(text, "%s %s: ", attest_severity_name(p->severity), p->id);
  if (p->line >= 0) text_add(text, "line %" PRId64 ": ", p->line);
  text_add(text, "%s\n", p->message);
}

static void add_json_problem(struct text* json, const attest_boot_problem* p) {
  text_add(json,
           "{\"code\": %" PRId32 ", \"id\": \"%s\", \"severity\": \"%s\", \"line\": ", p->code,
           p->id, attest_severity_name(p->severity));
  if (p->line >= 0) {
    text_add(json, "%" PRId64, p->line);
  } else {
    text_add(json, "null");
  }
  text_add(json, ", \"message\": ");
  text_add_json_string(json, p->message);
  text_add(json, "}");
}

static int show(const struct command* command, const struct options* options,
                const attest_boot_config* config) {
  const size_t count = attest_boot_config_num_problems(config);
  const char* const format = attest_boot_format_name(attest_boot_config_get_format(config));
  struct text words = {0};
  struct text json = {0};
  bool good = true;
  text_add(&json, "{\"format\": \"%s\", \"problems\": [", format);
  for (size_t i = 0; i < count; ++i) {
    attest_boot_problem p = ATTEST_BOOT_PROBLEM_INIT;
    if (attest_boot_config_problem(&p, config, i) != ATTEST_OK) {
      text_free(&words);
      text_free(&json);
      return failed(command);
    }
    good = good && p.severity == ATTEST_SEVERITY_INFO;
    add_problem(&words, &p);
    if (i != 0) text_add(&json, ", ");
    add_json_problem(&json, &p);
  }
  text_add(&json, "], \"good\": %s}\n", good ? "true" : "false");
  if (good) {
    text_add_escaped(&words, options->operand);
    text_add(&words, ": nothing is wrong with this %s configuration\n", format);
  }
  const bool written =
      text_to_stdout(command->name, options->value[OPTION_JSON] != NULL ? &json : &words);
  text_free(&words);
  text_free(&json);
  if (!written) return STATUS_FAILED;
  return good ? STATUS_GOOD : STATUS_BAD;
}

static int run(const struct command* command, const struct options* options) {
  attest_boot_check_options how = ATTEST_BOOT_CHECK_OPTIONS_INIT;
  const char* const format = options->value[OPTION_FORMAT];
  if (format != NULL) {
    how.format = attest_boot_format_from_name(format);
    if (how.format == ATTEST_BOOT_FORMAT_NONE) {
      return usage_error(command, "--format is none of pxelinux, ipxe and grub");
    }
  }
  how.label = options->value[OPTION_LABEL];
  how.boot_root = options->value[OPTION_BOOT_ROOT];
  struct blob file;
  if (!read_file(&file, command->name, options->operand, SMALL_FILE, ABSENCE_FAILS))
    return STATUS_FAILED;
  attest_boot_config* config = NULL;
  const attest_status checked =
      attest_boot_config_check(&config, (const char*)file.data, file.size, &how);
  const int status = checked == ATTEST_OK ? show(command, options, config) : failed(command);
  attest_boot_config_free(config);
  blob_free(&file);
  return status;
}

const struct command kBootConfigCheckCommand = {
    .name = "boot-config check",
    .help = kHelp,
    .accepts = HAS(FORMAT) | HAS(LABEL) | HAS(BOOT_ROOT) | HAS(JSON),
    .operand = "FILE",
    .run = run};
