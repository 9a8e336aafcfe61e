// SPDX-License-Identifier: Apache-2.0

// attest boot-config render and attest boot-config switch.

#include <libattest/attest.h>
#include <stdlib.h>
#include <string.h>

#include "files.h"
#include "options.h"
#include "text.h"

static const char kRenderHelp[] =
    "Usage: attest boot-config render --format pxelinux|ipxe|grub --kernel PATH\n"
    "                                 --ramdisk PATH [OPTION]...\n"
    "\n"
    "Makes a network boot configuration whose label trusted_boot starts tboot, which\n"
    "measures the kernel and the ramdisk and starts them. intel_iommu=on is added to\n"
    "the kernel's arguments. What could break out of its line is refused.\n"
    "\n"
    "  --root-uuid UUID        the root file system's; the default is Ironic's\n"
    "                          placeholder, which boot-config switch replaces\n"
    "  --append TEXT           more arguments of the kernel\n"
    "  --tboot PATH            the default is tboot.gz, and tboot for iPXE, which\n"
    "                          does not unpack it\n"
    "  --tboot-args TEXT       tboot's own arguments\n"
    "  --mboot PATH            PXELINUX: the default is mboot.c32\n"
    "  --literal-mboot         PXELINUX: \"kernel mboot\", as Ironic had it; fails in\n"
    "                          PXELINUX 5 and newer\n"
    "  --output FILE           write there, in one step, not to standard output\n"
    "  --complete              the labels of Ironic's templates, too; with it:\n"
    "    --deploy-kernel PATH --deploy-ramdisk PATH\n"
    "                          the label deploy, which is the default then\n"
    "    --deploy-append TEXT  its arguments, instead of those of --append\n"
    "    --trusted-deploy      it is started by tboot, too\n"
    "    --ramdisk-append TEXT boot_ramdisk's, behind those of --append\n"
    "    --kickstart URL, --stage2 URL, --repository URL\n"
    "                          for boot_anaconda; --repository not for PXELINUX\n"
    "    --tftp-server ADDRESS GRUB: deploy's boot_server\n"
    "  --ipxe-timeout SECONDS  iPXE: of each fetch\n"
    "  --help\n"
    "\n"
    "PATH is as the loader names a file: below the TFTP root, or a URL.\n"
    "\n"
    "Exit status: 0 done; 2 wrong usage, or a value that is refused.\n"
    "\n"
    "Example:\n"
    "  attest boot-config render --format pxelinux --kernel node/kernel \\\n"
    "      --ramdisk node/ramdisk --root-uuid $UUID --append console=ttyS0 \\\n"
    "      --complete --output /srv/tftp/pxelinux.cfg/default\n";

static const char kSwitchHelp[] =
    "Usage: attest boot-config switch FILE --label LABEL [OPTION]...\n"
    "\n"
    "Has a configuration boot LABEL from now on, byte for byte as Ironic does at the\n"
    "end of a deployment. FILE is replaced in one step, keeps its mode and owner, and\n"
    "is as it was after a failure. Doing it twice is doing it once.\n"
    "\n"
    "  --root-uuid UUID         goes into the place of {{ ROOT }} or (( ROOT ))\n"
    "  --disk-identifier ID     with boot_whole_disk, into {{ DISK_IDENTIFIER }}\n"
    "  --boot-mode bios|uefi    FILE is for PXELINUX, the default, or for GRUB\n"
    "  --ipxe                   FILE is for iPXE in both modes\n"
    "  --json                   print one JSON object\n"
    "  --help\n"
    "\n"
    "Exit status: 0 done, or it boots LABEL already; 2 wrong usage, or a FILE that\n"
    "can not be read, replaced, or switched.\n"
    "\n"
    "Example:\n"
    "  attest boot-config switch /srv/tftp/$NODE/config --label trusted_boot \\\n"
    "      --root-uuid $UUID\n";

// The library's last words. Those of a value begin with its name, "root_uuid: …", which is the
// option's here.
static int failed(const struct command* command) {
  const char* const words = attest_last_error();
  const size_t length = strspn(words, "abcdefghijklmnopqrstuvwxyz0123456789_");
  struct text option = {0};
  text_add(&option, "--%.*s", (int)length, words);
  for (size_t i = 2; !option.failed && i < option.size; ++i) {
    if (option.data[i] == '_') option.data[i] = '-';
  }
  const bool known =
      words[length] == ':' && !option.failed && option_is_accepted(command, option.data);
  complain(command->name, "%s%s", known ? option.data : "", known ? words + length : words);
  text_free(&option);
  return STATUS_FAILED;
}

static int write_config(const struct command* command, const struct options* options,
                        const attest_buffer* config) {
  const char* const path = options->value[OPTION_OUTPUT];
  const char* const data = (const char*)attest_buffer_data(config);
  if (path != NULL) {
    return replace_file(command->name, path, data, attest_buffer_size(config)) ? STATUS_GOOD
                                                                               : STATUS_FAILED;
  }
  struct text text = {0};
  text_add(&text, "%s", data);
  const bool written = text_to_stdout(command->name, &text);
  text_free(&text);
  return written ? STATUS_GOOD : STATUS_FAILED;
}

static bool read_ipxe_timeout(uint32_t* timeout_ms, const struct command* command,
                              const struct options* options) {
  const char* const text = options->value[OPTION_IPXE_TIMEOUT];
  *timeout_ms = 0;
  if (text == NULL) return true;
  const size_t length = strlen(text);
  const bool digits = length <= 5 && strspn(text, "0123456789") == length;
  const unsigned long seconds = digits ? strtoul(text, NULL, 10) : 0;
  *timeout_ms = (uint32_t)seconds * 1000;
  if (seconds != 0) return true;
  usage_error(command, "--ipxe-timeout is not a number of seconds from 1 to 99999");
  return false;
}

static int run_render(const struct command* command, const struct options* options) {
  static const enum option kNeeded[] = {OPTION_FORMAT, OPTION_KERNEL, OPTION_RAMDISK};
  for (size_t i = 0; i < sizeof kNeeded / sizeof kNeeded[0]; ++i) {
    if (options->value[kNeeded[i]] == NULL) {
      return usage_error(command, "%s is missing", option_name(kNeeded[i]));
    }
  }
  const char* const* const value = options->value;
  attest_boot_render_options how = ATTEST_BOOT_RENDER_OPTIONS_INIT;
  how.format = attest_boot_format_from_name(value[OPTION_FORMAT]);
  if (how.format == ATTEST_BOOT_FORMAT_NONE) {
    return usage_error(command, "--format is none of pxelinux, ipxe and grub");
  }
  how.kernel = value[OPTION_KERNEL];
  how.ramdisk = value[OPTION_RAMDISK];
  how.root_uuid = value[OPTION_ROOT_UUID];
  how.append = value[OPTION_APPEND];
  how.tboot = value[OPTION_TBOOT];
  how.tboot_args = value[OPTION_TBOOT_ARGS];
  how.mboot = value[OPTION_MBOOT];
  how.literal_mboot = value[OPTION_LITERAL_MBOOT] != NULL;
  how.complete = value[OPTION_COMPLETE] != NULL;
  how.deploy_kernel = value[OPTION_DEPLOY_KERNEL];
  how.deploy_ramdisk = value[OPTION_DEPLOY_RAMDISK];
  how.deploy_append = value[OPTION_DEPLOY_APPEND];
  how.trusted_deploy = value[OPTION_TRUSTED_DEPLOY] != NULL;
  how.ramdisk_append = value[OPTION_RAMDISK_APPEND];
  how.kickstart = value[OPTION_KICKSTART];
  how.stage2 = value[OPTION_STAGE2];
  how.repository = value[OPTION_REPOSITORY];
  how.tftp_server = value[OPTION_TFTP_SERVER];
  if (!read_ipxe_timeout(&how.ipxe_timeout_ms, command, options)) return STATUS_FAILED;
  attest_buffer* config = NULL;
  if (attest_boot_config_render(&config, &how) != ATTEST_OK) return failed(command);
  const int status = write_config(command, options, config);
  attest_buffer_free(config);
  return status;
}

static int show_switched(const struct command* command, const struct options* options,
                         bool changed) {
  struct text text = {0};
  if (options->value[OPTION_JSON] != NULL) {
    text_add(&text, "{\"label\": \"%s\", \"changed\": %s}\n", options->value[OPTION_LABEL],
             changed ? "true" : "false");
  } else {
    text_add_escaped(&text, options->operand);
    text_add(&text, changed ? ": boots %s now\n" : ": boots %s already\n",
             options->value[OPTION_LABEL]);
  }
  const bool written = text_to_stdout(command->name, &text);
  text_free(&text);
  return written ? STATUS_GOOD : STATUS_FAILED;
}

static int run_switch(const struct command* command, const struct options* options) {
  attest_boot_switch_options how = ATTEST_BOOT_SWITCH_OPTIONS_INIT;
  const char* const mode = options->value[OPTION_BOOT_MODE];
  how.label = options->value[OPTION_LABEL];
  if (how.label == NULL) return usage_error(command, "--label is missing");
  how.root_uuid = options->value[OPTION_ROOT_UUID];
  how.disk_identifier = options->value[OPTION_DISK_IDENTIFIER];
  if (mode != NULL && strcmp(mode, "uefi") == 0) {
    how.boot_mode = ATTEST_BOOT_MODE_UEFI;
  } else if (mode != NULL && strcmp(mode, "bios") != 0) {
    return usage_error(command, "--boot-mode is neither bios nor uefi");
  }
  how.ipxe = options->value[OPTION_IPXE] != NULL;
  int changed = 0;
  if (attest_boot_config_switch(&changed, options->operand, &how) != ATTEST_OK) {
    return failed(command);
  }
  return show_switched(command, options, changed != 0);
}

const struct command kBootConfigRenderCommand = {
    .name = "boot-config render",
    .help = kRenderHelp,
    .accepts = HAS(FORMAT) | HAS(KERNEL) | HAS(RAMDISK) | HAS(ROOT_UUID) | HAS(APPEND) |
               HAS(TBOOT) | HAS(TBOOT_ARGS) | HAS(MBOOT) | HAS(LITERAL_MBOOT) | HAS(COMPLETE) |
               HAS(DEPLOY_KERNEL) | HAS(DEPLOY_RAMDISK) | HAS(DEPLOY_APPEND) | HAS(TRUSTED_DEPLOY) |
               HAS(RAMDISK_APPEND) | HAS(KICKSTART) | HAS(STAGE2) | HAS(REPOSITORY) |
               HAS(TFTP_SERVER) | HAS(IPXE_TIMEOUT) | HAS(OUTPUT),
    .operand = NULL,
    .run = run_render};

const struct command kBootConfigSwitchCommand = {.name = "boot-config switch",
                                                 .help = kSwitchHelp,
                                                 .accepts = HAS(LABEL) | HAS(ROOT_UUID) |
                                                            HAS(DISK_IDENTIFIER) | HAS(BOOT_MODE) |
                                                            HAS(IPXE) | HAS(JSON),
                                                 .operand = "FILE",
                                                 .run = run_switch};
