// SPDX-License-Identifier: Apache-2.0

#include <errno.h>
#include <fcntl.h>
#include <libattest/attest.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "options.h"
#include "text.h"

#define TEXT(x) #x
#define VERSION_TEXT(major, minor, patch) TEXT(major) "." TEXT(minor) "." TEXT(patch)

static const char kHelp[] =
    "Usage: attest COMMAND [OPTION]...\n"
    "       attest --help | --version\n"
    "\n"
    "Judges what a machine's TPM says about how it booted and what it runs.\n"
    "\n"
    "Commands:\n"
    "  verify         judge evidence by a policy: trusted, untrusted or unknown\n"
    "  quote          check a TPM quote alone: signature, nonce, selection, digest\n"
    "  eventlog       show a boot event log and the PCR values it leads to\n"
    "  ima            show what an IMA measurement list leads to\n"
    "  policy create  make a policy from the evidence of a machine known to be good\n"
    "  policy check   say whether a policy can be used\n"
    "  keylime add    have a Keylime verifier attest an agent\n"
    "  keylime status what the verifier says of an agent\n"
    "  keylime wait   the same, as soon as it is trusted or has failed\n"
    "  keylime delete end an agent's attestation\n"
    "  keylime list   the verifier's agents\n"
    "  keylime quote  ask an agent itself for a quote, and check it\n"
    "  keylime doctor whether a Keylime is set up as Ironic wants it\n"
    "  keylime policy create\n"
    "                 have the verifier store a policy by a name\n"
    "  keylime policy show\n"
    "                 print a policy that it has stored\n"
    "  keylime policy list\n"
    "                 the names of those that it has stored\n"
    "  keylime policy delete\n"
    "                 delete one\n"
    "  oat poll       what an OpenAttestation server says of hosts\n"
    "  boot-config render make a network boot configuration that starts tboot\n"
    "  boot-config switch have a configuration boot another label, as Ironic does\n"
    "  boot-config check what of a configuration would not boot\n"
    "\n"
    "attest COMMAND --help says more about each.\n"
    "\n"
    "Exit status: 0 trusted, or done; 1 untrusted or unknown; 2 wrong usage,\n"
    "unreadable or malformed input, network failure (nothing on standard output,\n"
    "one line on standard error).\n";

static const char kPolicyHelp[] =
    "Usage: attest policy create EVIDENCE [--profile NAME] [--output FILE]\n"
    "       attest policy create --mle FILE --allow-sha1 [--output FILE]\n"
    "       attest policy check FILE\n"
    "\n"
    "attest policy create --help and attest policy check --help say more.\n";

static const char kKeylimeHelp[] =
    "Usage: attest keylime add|status|wait|delete|quote UUID [OPTION]...\n"
    "       attest keylime list|doctor [OPTION]...\n"
    "       attest keylime policy create|show|delete NAME [OPTION]...\n"
    "       attest keylime policy list [OPTION]...\n"
    "\n"
    "Asks Keylime's verifier, registrar and agents. attest keylime COMMAND --help\n"
    "says more about each.\n";

static const char kOatHelp[] =
    "Usage: attest oat poll HOST... --server HOST --ca FILE [OPTION]...\n"
    "\n"
    "Asks an OpenAttestation (OAT) server. attest oat poll --help says more.\n";

static const char kBootConfigHelp[] =
    "Usage: attest boot-config render --format NAME --kernel PATH --ramdisk PATH\n"
    "                                 [OPTION]...\n"
    "       attest boot-config switch FILE --label LABEL [OPTION]...\n"
    "       attest boot-config check FILE [OPTION]...\n"
    "\n"
    "Network boot configurations that start tboot. attest boot-config COMMAND --help\n"
    "says more about each.\n";

// Words that commands begin with; the longer ones first.
struct group {
  const char* name;
  const char* help_of;  // whose help has it
  const char* help;
  const char* wanted;
};
static const struct group kGroups[] = {
    {"policy", "policy", kPolicyHelp, "create or check"},
    {"keylime policy", "keylime", kKeylimeHelp, "create, show, list or delete"},
    {"keylime", "keylime", kKeylimeHelp, "a command"},
    {"oat", "oat", kOatHelp, "poll"},
    {"boot-config", "boot-config", kBootConfigHelp, "render, switch or check"},
};

static const struct command* const kCommands[] = {
    &kVerifyCommand,
    &kQuoteCommand,
    &kEventlogCommand,
    &kImaCommand,
    &kPolicyCreateCommand,
    &kPolicyCheckCommand,
    &kKeylimeAddCommand,
    &kKeylimeStatusCommand,
    &kKeylimeWaitCommand,
    &kKeylimeDeleteCommand,
    &kKeylimeListCommand,
    &kKeylimeQuoteCommand,
    &kKeylimeDoctorCommand,
    &kKeylimePolicyCreateCommand,
    &kKeylimePolicyShowCommand,
    &kKeylimePolicyListCommand,
    &kKeylimePolicyDeleteCommand,
    &kOatPollCommand,
    &kBootConfigRenderCommand,
    &kBootConfigSwitchCommand,
    &kBootConfigCheckCommand,
};

static int show(const char* command, const char* words) {
  struct text text = {0};
  text_add(&text, "%s", words);
  const bool written = text_to_stdout(command, &text);
  text_free(&text);
  return written ? STATUS_GOOD : STATUS_FAILED;
}

static int show_version(void) {
  struct text text = {0};
  text_add(&text, "attest %s (libattest %s)\n",
           VERSION_TEXT(ATTEST_VERSION_MAJOR, ATTEST_VERSION_MINOR, ATTEST_VERSION_PATCH),
           attest_version());
  const bool written = text_to_stdout(NULL, &text);
  text_free(&text);
  return written ? STATUS_GOOD : STATUS_FAILED;
}

// How many words of argv are the name, which may have several; 0: argv begins with others, or none.
static int match(const char* name, char* const* argv) {
  int words = 0;
  for (const char* word = name;; ++word) {
    const size_t length = strcspn(word, " ");
    if (argv[words] == NULL || strlen(argv[words]) != length ||
        memcmp(argv[words], word, length) != 0) {
      return 0;
    }
    ++words;
    word += length;
    if (*word == '\0') return words;
  }
}

static int run(const struct command* command, char* const* argv) {
  struct options options;
  switch (options_parse(&options, command, argv)) {
    case PARSE_HELP:
      return show(command->name, command->help);
    case PARSE_WRONG:
      return STATUS_FAILED;
    case PARSE_OK:
      break;
  }
  return command->run(command, &options);
}

// Which word of argv is the command behind "keylime" or "oat" and the options that may stand before
// it; 0: none is.
static size_t command_behind_options(char* const* argv) {
  size_t i = 1;
  while (argv[i] != NULL && strncmp(argv[i], "--", 2) == 0) {
    const bool flag = strcmp(argv[i], "--json") == 0 || strcmp(argv[i], "--no-name-check") == 0;
    const bool alone = flag || strchr(argv[i], '=') != NULL || argv[i + 1] == NULL;
    i += alone ? 1 : 2;
  }
  return argv[i] != NULL ? i : 0;
}

// "keylime --verifier V add UUID" in the order of all commands: "keylime add --verifier V UUID".
// The command is two words where the first is "policy".
static void put_command_first(char** argv) {
  if (argv[0] == NULL) return;
  if (strcmp(argv[0], "keylime") != 0 && strcmp(argv[0], "oat") != 0) return;
  const size_t place = command_behind_options(argv);
  if (place < 2) return;
  char* const command[] = {argv[place], argv[place + 1]};
  const size_t words = strcmp(command[0], "policy") == 0 && command[1] != NULL ? 2 : 1;
  memmove(&argv[1 + words], &argv[1], (place - 1) * sizeof *argv);
  memcpy(&argv[1], command, words * sizeof *argv);
}

static int run_group(const struct group* group, const char* word) {
  if (word == NULL) {
    complain(group->name, "%s is missing; see attest %s --help", group->wanted, group->help_of);
  } else if (strcmp(word, "--help") == 0) {
    return show(group->name, group->help);
  } else {
    complain(group->name, "unknown command '%s'; see attest %s --help", word, group->help_of);
  }
  return STATUS_FAILED;
}

static int run_other(char* const* argv) {
  for (size_t i = 0; i < sizeof kGroups / sizeof kGroups[0]; ++i) {
    const int words = match(kGroups[i].name, argv);
    if (words != 0) return run_group(&kGroups[i], argv[words]);
  }
  if (argv[0] == NULL) {
    complain(NULL, "a command is missing; see attest --help");
  } else if (strcmp(argv[0], "--help") == 0 || strcmp(argv[0], "--version") == 0) {
    if (argv[1] == NULL) return strcmp(argv[0], "--help") == 0 ? show(NULL, kHelp) : show_version();
    complain(NULL, "unexpected argument '%s'; see attest --help", argv[1]);
  } else if (argv[0][0] == '-') {
    complain(NULL, "unknown option '%s'; see attest --help", argv[0]);
  } else {
    complain(NULL, "unknown command '%s'; see attest --help", argv[0]);
  }
  return STATUS_FAILED;
}

// A standard descriptor that is closed would be given to the next file that is opened. What is put
// there fails when it is used the way the descriptor is meant.
static bool occupy_standard_descriptors(void) {
  static const int kWrongWay[] = {O_WRONLY, O_RDONLY, O_RDONLY};
  for (int fd = 0; fd <= STDERR_FILENO; ++fd) {
    if (fcntl(fd, F_GETFD) == -1 && open("/dev/null", kWrongWay[fd]) != fd) return false;
  }
  return true;
}

int main(int argc, char** argv) {
  if (!occupy_standard_descriptors()) return STATUS_FAILED;
  char** const words = argc > 0 ? argv + 1 : argv;
  put_command_first(words);
  for (size_t i = 0; i < sizeof kCommands / sizeof kCommands[0]; ++i) {
    const int length = match(kCommands[i]->name, words);
    if (length != 0) return run(kCommands[i], words + length);
  }
  return run_other(words);
}
