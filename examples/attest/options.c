// SPDX-License-Identifier: Apache-2.0

#include "options.h"

#include <stdarg.h>
#include <stddef.h>
#include <stdlib.h>
#include <string.h>

#include "text.h"

struct definition {
  const char* name;
  const char* value;  // what it is called; NULL: the option takes none
};

static const struct definition kDefinitions[OPTION_COUNT] = {
    [OPTION_EVIDENCE] = {"--evidence", "DIR"},
    [OPTION_AK] = {"--ak", "FILE"},
    [OPTION_QUOTE] = {"--quote", "FILE"},
    [OPTION_SIGNATURE] = {"--signature", "FILE"},
    [OPTION_PCRS] = {"--pcrs", "FILE"},
    [OPTION_KEYLIME_QUOTE] = {"--keylime-quote", "FILE"},
    [OPTION_NONCE] = {"--nonce", "HEX"},
    [OPTION_EVENTLOG] = {"--eventlog", "FILE"},
    [OPTION_LAUNCH_LOG] = {"--launch-log", "FILE"},
    [OPTION_IMA] = {"--ima", "FILE"},
    [OPTION_POLICY] = {"--policy", "FILE"},
    [OPTION_RUNTIME_POLICY] = {"--runtime-policy", "FILE"},
    [OPTION_ALLOWLIST] = {"--allowlist", "FILE"},
    [OPTION_ALLOWLIST_CHECKSUM] = {"--allowlist-checksum", "FILE"},
    [OPTION_EXCLUDELIST] = {"--excludelist", "FILE"},
    [OPTION_TPM_POLICY] = {"--tpm-policy", "FILE"},
    [OPTION_IMA_DIGEST] = {"--ima-digest", "native, padded or padded-old"},
    [OPTION_ALLOW_SHA1] = {"--allow-sha1", NULL},
    [OPTION_BANK] = {"--bank", "NAME"},
    [OPTION_OUTPUT] = {"--output", "FILE"},
    [OPTION_JSON] = {"--json", NULL},
    [OPTION_VERIFIER] = {"--verifier", "HOST:PORT"},
    [OPTION_REGISTRAR] = {"--registrar", "HOST:PORT"},
    [OPTION_CA] = {"--ca", "FILE"},
    [OPTION_CERT] = {"--cert", "FILE"},
    [OPTION_KEY] = {"--key", "FILE"},
    [OPTION_NO_NAME_CHECK] = {"--no-name-check", NULL},
    [OPTION_TIMEOUT] = {"--timeout", "SECONDS"},
    [OPTION_MB_POLICY] = {"--mb-policy", "FILE"},
    [OPTION_POLICY_NAME] = {"--policy-name", "NAME"},
    [OPTION_CONFIG] = {"--config", "FILE"},
    [OPTION_FORMAT] = {"--format", "pxelinux, ipxe or grub"},
    [OPTION_KERNEL] = {"--kernel", "PATH"},
    [OPTION_RAMDISK] = {"--ramdisk", "PATH"},
    [OPTION_ROOT_UUID] = {"--root-uuid", "UUID"},
    [OPTION_APPEND] = {"--append", "TEXT"},
    [OPTION_TBOOT] = {"--tboot", "PATH"},
    [OPTION_TBOOT_ARGS] = {"--tboot-args", "TEXT"},
    [OPTION_MBOOT] = {"--mboot", "PATH"},
    [OPTION_LITERAL_MBOOT] = {"--literal-mboot", NULL},
    [OPTION_COMPLETE] = {"--complete", NULL},
    [OPTION_DEPLOY_KERNEL] = {"--deploy-kernel", "PATH"},
    [OPTION_DEPLOY_RAMDISK] = {"--deploy-ramdisk", "PATH"},
    [OPTION_DEPLOY_APPEND] = {"--deploy-append", "TEXT"},
    [OPTION_TRUSTED_DEPLOY] = {"--trusted-deploy", NULL},
    [OPTION_RAMDISK_APPEND] = {"--ramdisk-append", "TEXT"},
    [OPTION_KICKSTART] = {"--kickstart", "URL"},
    [OPTION_STAGE2] = {"--stage2", "URL"},
    [OPTION_REPOSITORY] = {"--repository", "URL"},
    [OPTION_TFTP_SERVER] = {"--tftp-server", "ADDRESS"},
    [OPTION_IPXE_TIMEOUT] = {"--ipxe-timeout", "SECONDS"},
    [OPTION_LABEL] = {"--label", "LABEL"},
    [OPTION_DISK_IDENTIFIER] = {"--disk-identifier", "ID"},
    [OPTION_BOOT_MODE] = {"--boot-mode", "bios or uefi"},
    [OPTION_IPXE] = {"--ipxe", NULL},
    [OPTION_BOOT_ROOT] = {"--boot-root", "DIR"},
    [OPTION_PROFILE] = {"--profile", "everything, trusted-boot or measured-boot"},
    [OPTION_LAUNCH] = {"--launch", NULL},
    [OPTION_KIND] = {"--kind", "runtime or measured-boot"},
    [OPTION_MLE] = {"--mle", "FILE"},
    [OPTION_SERVER] = {"--server", "HOST"},
    [OPTION_PORT] = {"--port", "NUMBER"},
    [OPTION_API_URL] = {"--api-url", "PATH"},
    [OPTION_AUTH_BLOB_FILE] = {"--auth-blob-file", "FILE"},
};

const char* option_name(enum option option) { return kDefinitions[option].name; }

int usage_error(const struct command* command, const char* format, ...) {
  struct text line = {0};
  va_list arguments;
  va_start(arguments, format);
  text_add_list(&line, format, arguments);
  va_end(arguments);
  complain(command->name, "%s; see attest %s --help", text_or(&line, "wrong usage"), command->name);
  text_free(&line);
  return STATUS_FAILED;
}

bool number_option(unsigned long* out, const char* text, unsigned long max) {
  const size_t length = strlen(text);
  if (length > 6 || strspn(text, "0123456789") != length) return false;
  *out = strtoul(text, NULL, 10);
  return *out >= 1 && *out <= max;
}

bool timeout_option(uint32_t* timeout_ms, const struct command* command,
                    const struct options* options) {
  enum { DEFAULT_SECONDS = 30, MAX_SECONDS = 7 * 24 * 3600 };
  const char* const text = options->value[OPTION_TIMEOUT];
  unsigned long seconds = DEFAULT_SECONDS;
  if (text != NULL && !number_option(&seconds, text, MAX_SECONDS)) {
    usage_error(command, "--timeout is not a number of seconds from 1 to %d", MAX_SECONDS);
    return false;
  }
  *timeout_ms = (uint32_t)seconds * 1000;
  return true;
}

_Static_assert(OPTION_COUNT <= 64, "a set of options is a uint64_t");

// The option that `argument` begins with up to `length`, or OPTION_COUNT.
static enum option find(const struct command* command, const char* argument, size_t length) {
  for (unsigned i = 0; i < OPTION_COUNT; ++i) {
    if ((command->accepts & UINT64_C(1) << i) != 0 && strlen(kDefinitions[i].name) == length &&
        memcmp(kDefinitions[i].name, argument, length) == 0) {
      return (enum option)i;
    }
  }
  return OPTION_COUNT;
}

bool option_is_accepted(const struct command* command, const char* name) {
  return find(command, name, strlen(name)) != OPTION_COUNT;
}

// Takes the option at **argv and leaves *argv behind it and its value.
static bool take_option(struct options* out, const struct command* command, char* const** argv) {
  const char* const argument = *(*argv)++;
  const size_t length = strcspn(argument, "=");
  const enum option option = find(command, argument, length);
  if (option == OPTION_COUNT) {
    usage_error(command, "unknown option %.*s", (int)length, argument);
    return false;
  }
  const struct definition* const definition = &kDefinitions[option];
  if (out->value[option] != NULL) {
    usage_error(command, "%s is given twice", definition->name);
    return false;
  }
  const char* value = argument[length] == '=' ? argument + length + 1 : NULL;
  if (definition->value == NULL) {
    if (value != NULL) usage_error(command, "%s takes no value", definition->name);
    out->value[option] = "";
    return value == NULL;
  }
  // What begins with two dashes is the next option, whose neighbour was forgotten; --option=--value
  // says that it is not.
  if (value == NULL && **argv != NULL && strncmp(**argv, "--", 2) != 0) value = *(*argv)++;
  if (value == NULL || *value == '\0') {
    usage_error(command, "%s wants a value: %s", definition->name, definition->value);
    return false;
  }
  out->value[option] = value;
  return true;
}

static bool take_operand(struct options* out, const struct command* command, const char* argument) {
  const size_t most = command->operand == NULL ? 0 : command->many ? MAX_OPERANDS : 1;
  if (out->num_operands == most) {
    usage_error(command, "unexpected argument '%s'%s", argument,
                command->many ? ": there are too many" : "");
    return false;
  }
  if (*argument == '\0') {
    usage_error(command, "%s is empty", command->operand);
    return false;
  }
  if (out->num_operands == 0) out->operand = argument;
  out->operands[out->num_operands++] = argument;
  return true;
}

enum parse_result options_parse(struct options* out, const struct command* command,
                                char* const* argv) {
  memset(out, 0, sizeof *out);
  bool options_end = false;
  while (*argv != NULL) {
    const char* const argument = *argv;
    if (!options_end && strcmp(argument, "--") == 0) {
      options_end = true;
      ++argv;
    } else if (!options_end && strcmp(argument, "--help") == 0) {
      return PARSE_HELP;
    } else if (!options_end && argument[0] == '-' && argument[1] != '\0') {
      if (!take_option(out, command, &argv)) return PARSE_WRONG;
    } else {
      if (!take_operand(out, command, argument)) return PARSE_WRONG;
      ++argv;
    }
  }
  if (command->operand != NULL && out->operand == NULL) {
    usage_error(command, "%s is missing", command->operand);
    return PARSE_WRONG;
  }
  return PARSE_OK;
}
