// SPDX-License-Identifier: Apache-2.0

// attest policy create and attest policy check.

#include <libattest/attest.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

#include "evidence.h"
#include "files.h"
#include "options.h"
#include "print.h"
#include "rules.h"
#include "text.h"

static const char kCreateHelp[] =
    "Usage: attest policy create EVIDENCE [--profile NAME] [--allow-sha1]\n"
    "                            [--output FILE]\n"
    "       attest policy create --mle FILE --allow-sha1 [--output FILE]\n"
    "\n"
    "Makes a policy from the evidence of a machine that is known to be good: it pins\n"
    "the key, the values of the quoted PCRs, and what the logs name. Review it before\n"
    "use: whatever the machine did is in it as allowed.\n"
    "\n"
    "EVIDENCE is one of\n"
    "  --ak FILE --quote FILE --signature FILE --pcrs FILE --nonce HEX\n"
    "  --ak FILE --keylime-quote FILE --nonce TEXT\n"
    "  --evidence DIR [--nonce HEX] [--ak FILE]\n"
    "and, with the first two, [--eventlog FILE] [--launch-log FILE] [--ima FILE], as\n"
    "attest verify --help explains.\n"
    "\n"
    "  --profile NAME   what the policy is of:\n"
    "    everything     every quoted PCR but 10, 16 and 23, and the IMA list: the\n"
    "                   default\n"
    "    trusted-boot   a launch by Intel TXT: PCRs 0-7 (BIOS) and 17-19 (VMM), and\n"
    "                   that there was one\n"
    "    measured-boot  PCRs 0-9: BIOS and, where GRUB measures, kernel and ramdisk\n"
    "  --allow-sha1     make a policy that allows SHA-1, and judges the sha1 bank if\n"
    "                   the quote has no better one: a TPM 1.2 has none\n"
    "  --mle FILE       no evidence: OpenAttestation's whitelist of one host, as it\n"
    "                   was given to oat_mle and oat_pcrwhitelist. A BIOS MLE, a VMM\n"
    "                   MLE, or an array of both; of more MLEs, the two that the\n"
    "                   record of a host in the array names. All of it is SHA-1\n"
    "  --output FILE    write the policy there, in one step; the default is standard\n"
    "                   output\n"
    "  --help\n"
    "\n"
    "Exit status: 0 done; 1 the evidence is not sound: the reasons are on standard\n"
    "error, and no policy is written; 2 wrong usage, unreadable or malformed input.\n"
    "What the policy leaves out or allows to fit the evidence is a warning on\n"
    "standard error.\n"
    "\n"
    "Examples:\n"
    "  attest policy create --evidence golden/ --output node.json\n"
    "  attest policy create --mle mles.json --allow-sha1 --output node.json\n";

static const char kCheckHelp[] =
    "Usage: attest policy check FILE\n"
    "\n"
    "Reads a policy as attest verify --policy would, and says whether it can be used.\n"
    "\n"
    "Exit status: 0 it can; 2 wrong usage, unreadable or malformed input.\n"
    "\n"
    "Example:\n"
    "  attest policy check node.json\n";

static int write_policy(const struct command* command, const struct options* options,
                        const attest_policy* policy) {
  attest_buffer* json = NULL;
  if (attest_policy_to_json(&json, policy) != ATTEST_OK) {
    complain(command->name, "%s", attest_last_error());
    return STATUS_FAILED;
  }
  const char* const path = options->value[OPTION_OUTPUT];
  if (path == NULL) return json_to_stdout(command->name, json) ? STATUS_GOOD : STATUS_FAILED;
  struct text text = {0};
  text_add(&text, "%s\n", (const char*)attest_buffer_data(json));
  const bool written = !text.failed && replace_file(command->name, path, text.data, text.size);
  if (text.failed) complain(command->name, "out of memory");
  text_free(&text);
  attest_buffer_free(json);
  return written ? STATUS_GOOD : STATUS_FAILED;
}

// What the policy had to leave out, or to allow, to fit this evidence.
static void warn(const struct command* command, const attest_report* report) {
  for (size_t i = 0; i < attest_report_num_findings(report); ++i) {
    attest_finding finding = ATTEST_FINDING_INIT;
    if (attest_report_finding(&finding, report, i) == ATTEST_OK &&
        finding.component == ATTEST_COMPONENT_POLICY &&
        finding.severity == ATTEST_SEVERITY_WARNING) {
      complain(command->name, "warning: %s: %s", finding.id, finding.message);
    }
  }
}

static int refuse(const struct command* command, const attest_report* report) {
  struct text text = {0};
  text_add(&text, "attest %s: the evidence is not sound, no policy is made\n", command->name);
  print_report_findings(&text, report);
  const bool written = !text.failed && write_all(STDERR_FILENO, text.data, text.size);
  if (!written) complain(command->name, "the evidence is not sound, no policy is made");
  text_free(&text);
  return STATUS_BAD;
}

static int parse_profile(attest_profile* out, const struct command* command,
                         const struct options* options) {
  static const struct {
    const char* name;
    attest_profile profile;
  } kProfiles[] = {{"everything", ATTEST_PROFILE_EVERYTHING},
                   {"trusted-boot", ATTEST_PROFILE_TRUSTED_BOOT},
                   {"measured-boot", ATTEST_PROFILE_MEASURED_BOOT}};
  const char* const name = options->value[OPTION_PROFILE];
  for (size_t i = 0; i < sizeof kProfiles / sizeof kProfiles[0]; ++i) {
    if (name == NULL || strcmp(kProfiles[i].name, name) == 0) {
      *out = kProfiles[i].profile;
      return STATUS_GOOD;
    }
  }
  return usage_error(command, "--profile wants everything, trusted-boot or measured-boot, not '%s'",
                     name);
}

static int learn(const struct command* command, const struct options* options,
                 const struct evidence_input* input, attest_profile profile) {
  attest_appraise_options how = ATTEST_APPRAISE_OPTIONS_INIT;
  how.nonce = input->quote.nonce.data;
  how.nonce_len = input->quote.nonce.size;
  how.now = (int64_t)time(NULL);
  how.allow_sha1 = options->value[OPTION_ALLOW_SHA1] != NULL;
  attest_policy* policy = NULL;
  attest_report* report = NULL;
  const attest_status done =
      attest_policy_learn_profile(&policy, &report, input->evidence, &how, profile);
  int status = STATUS_FAILED;
  if (done != ATTEST_OK) {
    complain_of_appraisal(command, input, done);
  } else {
    status = policy != NULL ? write_policy(command, options, policy) : refuse(command, report);
    if (status == STATUS_GOOD) warn(command, report);
  }
  attest_policy_free(policy);
  attest_report_free(report);
  return status;
}

// OAT's whitelist says which PCR values are good and nothing about whose they are.
static int import_mle(const struct command* command, const struct options* options) {
  for (unsigned i = 0; i < OPTION_COUNT; ++i) {
    if (((EVIDENCE_OPTIONS | HAS(PROFILE)) & UINT64_C(1) << i) != 0 && options->value[i] != NULL) {
      return usage_error(command, "--mle and %s do not go together", option_name((enum option)i));
    }
  }
  if (options->value[OPTION_ALLOW_SHA1] == NULL) {
    return usage_error(command, "--mle needs --allow-sha1: OpenAttestation's values are SHA-1");
  }
  attest_policy* policy = NULL;
  int status = oat_whitelist_read(&policy, command, options->value[OPTION_MLE]);
  if (status == STATUS_GOOD) status = write_policy(command, options, policy);
  if (status == STATUS_GOOD) {
    complain(command->name,
             "warning: the policy pins no key: add the machine's to ak.names or ak.keys");
  }
  attest_policy_free(policy);
  return status;
}

static int run_create(const struct command* command, const struct options* options) {
  if (options->value[OPTION_MLE] != NULL) return import_mle(command, options);
  attest_profile profile = ATTEST_PROFILE_EVERYTHING;
  int status = parse_profile(&profile, command, options);
  if (status != STATUS_GOOD) return status;
  struct evidence_input input;
  status = evidence_input_read(&input, command, options);
  if (status == STATUS_GOOD) status = learn(command, options, &input, profile);
  evidence_input_free(&input);
  return status;
}

static int run_check(const struct command* command, const struct options* options) {
  attest_policy* policy = NULL;
  if (policy_read(&policy, command, options->operand) != STATUS_GOOD) return STATUS_FAILED;
  attest_policy_free(policy);
  struct text text = {0};
  text_add_escaped(&text, options->operand);
  text_add(&text, ": a valid policy\n");
  const bool written = text_to_stdout(command->name, &text);
  text_free(&text);
  return written ? STATUS_GOOD : STATUS_FAILED;
}

const struct command kPolicyCreateCommand = {
    .name = "policy create",
    .help = kCreateHelp,
    .accepts = EVIDENCE_OPTIONS | HAS(PROFILE) | HAS(ALLOW_SHA1) | HAS(MLE) | HAS(OUTPUT),
    .operand = NULL,
    .run = run_create};

const struct command kPolicyCheckCommand = {
    .name = "policy check", .help = kCheckHelp, .accepts = 0, .operand = "FILE", .run = run_check};
