/* SPDX-License-Identifier: Apache-2.0 */

/*
 * Network boot configurations that start tboot, which measures the kernel and the ramdisk: made,
 * switched as Ironic switches them at the end of a deployment, and checked for what would not boot.
 *
 * Nothing here proves how a machine booted; that is an appraisal's (appraise.h). The functions work
 * on texts, but for attest_boot_config_switch and the boot root of attest_boot_config_check, which
 * are about files.
 */

#ifndef LIBATTEST_BOOT_CONFIG_H_
#define LIBATTEST_BOOT_CONFIG_H_

#include "libattest/base.h"
#include "libattest/report.h"

#ifdef __cplusplus
extern "C" {
#endif

typedef enum attest_boot_format {
  ATTEST_BOOT_FORMAT_NONE = 0, /* to be found out */
  ATTEST_BOOT_PXELINUX = 1,
  ATTEST_BOOT_IPXE = 2,
  ATTEST_BOOT_GRUB = 3
} attest_boot_format;

/* attest_boot_format_name returns "pxelinux", "ipxe" or "grub"; NULL for a number of none. */
ATTEST_API const char* attest_boot_format_name(attest_boot_format format);
/* attest_boot_format_from_name returns ATTEST_BOOT_FORMAT_NONE for a name of none. */
ATTEST_API attest_boot_format attest_boot_format_from_name(const char* name);

/*
 * What to render. A string that is NULL is not given. None may hold what could break out of its
 * line or its field: line ends, control characters, braces, "((", "))", "---", backslashes, and
 * what has a meaning in the format (quotes, ';', '$', '#', '&', '|', '<' and '>' for GRUB; '#',
 * ';', "||" and "&&" for iPXE). Paths and URLs have no spaces. Such a value is ATTEST_E_MALFORMED,
 * and so are arguments of a kernel of which something would be cut off: tboot keeps 1,023 bytes, in
 * PXELINUX of the path and a space, too; iPXE keeps 512 bytes of all URLs and arguments together.
 */
typedef struct attest_boot_render_options {
  size_t size;
  attest_boot_format format;
  const char* kernel;     /* as the loader names it: a path below the TFTP root, or a URL */
  const char* ramdisk;    /* the same */
  const char* root_uuid;  /* NULL: the placeholder of Ironic, which the switch replaces */
  const char* append;     /* arguments of the instance's kernel; intel_iommu=on is added */
  const char* tboot;      /* NULL: "tboot.gz"; for iPXE "tboot", which must be unpacked */
  const char* tboot_args; /* tboot's own arguments, for example "logging=serial" */
  const char* mboot;      /* PXELINUX alone; NULL: "mboot.c32" */
  int literal_mboot;      /* PXELINUX alone; 1: "kernel mboot", which only Syslinux 4 may find */

  /* 0: the label trusted_boot alone. 1: a file with the labels of Ironic's templates, too:
   * boot_partition, boot_whole_disk, boot_ramdisk, boot_anaconda, and deploy when its kernel and
   * ramdisk are given. It begins with the label deploy, and without that with trusted_boot. The
   * rest of this structure is for these labels. */
  int complete;
  const char* deploy_kernel;
  const char* deploy_ramdisk;
  const char* deploy_append;  /* arguments of deploy's kernel; NULL: those of `append` */
  int trusted_deploy;         /* 1: the deploy ramdisk is started by tboot, too */
  const char* ramdisk_append; /* for boot_ramdisk, behind those of `append` */
  const char* kickstart;      /* boot_anaconda's inst.ks= */
  const char* stage2;         /* its inst.stage2= */
  const char* repository;     /* its inst.repo=, instead of stage2; not for PXELINUX */
  const char* tftp_server;    /* GRUB alone: deploy's boot_server= */
  uint32_t ipxe_timeout_ms;   /* iPXE alone: --timeout of each fetch; 0: none */
} attest_boot_render_options;
#define ATTEST_BOOT_RENDER_OPTIONS_INIT                                                        \
  {                                                                                            \
    sizeof(attest_boot_render_options), ATTEST_BOOT_FORMAT_NONE, NULL, NULL, NULL, NULL, NULL, \
        NULL, NULL, 0, 0, NULL, NULL, NULL, 0, NULL, NULL, NULL, NULL, NULL, 0                 \
  }

/* attest_boot_config_render makes the text of a label or of a whole configuration. */
ATTEST_API ATTEST_MUST_CHECK attest_status
attest_boot_config_render(attest_buffer** out, const attest_boot_render_options* options);

typedef enum attest_boot_mode {
  ATTEST_BOOT_MODE_BIOS = 0,
  ATTEST_BOOT_MODE_UEFI = 1
} attest_boot_mode;

/*
 * How to switch. Ironic has flags in the place of a label; the first that is set chooses: whole
 * disk: boot_whole_disk; trusted boot: trusted_boot; iSCSI: boot_iscsi; ramdisk: boot_ramdisk;
 * anaconda: boot_anaconda; none: boot_partition.
 */
typedef struct attest_boot_switch_options {
  size_t size;
  const char* label;
  const char* root_uuid;       /* NULL: not said. Not for boot_whole_disk */
  const char* disk_identifier; /* NULL: not said. For boot_whole_disk */
  attest_boot_mode boot_mode;  /* BIOS: a file for PXELINUX; UEFI: for GRUB (or elilo) */
  int ipxe;                    /* 1: for iPXE in both modes */
} attest_boot_switch_options;
#define ATTEST_BOOT_SWITCH_OPTIONS_INIT \
  { sizeof(attest_boot_switch_options), NULL, NULL, NULL, ATTEST_BOOT_MODE_BIOS, 0 }

/*
 * attest_boot_config_switch changes the file at `path` to boot `label`, and sets `*changed` to 1,
 * or to 0 when it does that already; `changed` may be NULL. What is written is byte for byte what
 * Ironic's switch_pxe_config writes:
 *
 *  - `{{ ROOT }}` or `(( ROOT ))` becomes UUID=`root_uuid` in all labels; for boot_whole_disk,
 *    `{{ DISK_IDENTIFIER }}` or `(( DISK_IDENTIFIER ))` becomes `disk_identifier`, and the other
 *    placeholder stays. For boot_ramdisk and boot_anaconda both stay, whatever is given.
 *  - The line `default …` (PXELINUX), `set default=…` or `default=…` (GRUB), or each line `goto …`
 *    (iPXE) that begins in the first column names `label` then. Line ends become "\n".
 *
 * ATTEST_E_MALFORMED, with file and line, and the file unchanged: it is not of its kind, has no
 * such line, several of them, or one that the loader obeys and Ironic does not see; has no such
 * label; has neither the placeholder nor the value that is given; or is not UTF-8.
 * ATTEST_E_FILE, the file unchanged (or the words say that it is replaced): it can not be read or
 * replaced, is a symbolic link, has further hard links, or was changed meanwhile. It is replaced in
 * one step, through a file in the same folder, and keeps mode and owner.
 */
ATTEST_API ATTEST_MUST_CHECK attest_status attest_boot_config_switch(
    int* changed, const char* path, const attest_boot_switch_options* options);

/* A configuration that was checked. Immutable. */
typedef struct attest_boot_config attest_boot_config;

typedef struct attest_boot_check_options {
  size_t size;
  attest_boot_format format; /* ATTEST_BOOT_FORMAT_NONE: found out */
  const char* label;         /* the one that is to boot; NULL: what the configuration chooses */
  /* The folder that a TFTP or HTTP server serves, where files are looked for; NULL: they are not.
   * Paths and links can not lead out of it; absolute ones begin there, as for a server that is
   * confined to it. Of a URL the path counts, whatever its server. */
  const char* boot_root;
} attest_boot_check_options;
#define ATTEST_BOOT_CHECK_OPTIONS_INIT \
  { sizeof(attest_boot_check_options), ATTEST_BOOT_FORMAT_NONE, NULL, NULL }

/*
 * attest_boot_config_check reads a configuration, ours or any other, and notes what of it would not
 * boot: in the label that boots, in those that start tboot, and in the file as a whole.
 * ATTEST_E_MALFORMED: larger than 1 MiB, not UTF-8, or of none of the formats. ATTEST_E_FILE: there
 * is no such boot root.
 */
ATTEST_API ATTEST_MUST_CHECK attest_status
attest_boot_config_check(attest_boot_config** out, const char* text, size_t text_len,
                         const attest_boot_check_options* options);

ATTEST_API attest_boot_format attest_boot_config_get_format(const attest_boot_config* config);

/*
 * One problem. `code` and `id` are stable: never renumbered, never reused.
 *
 *  101 default-missing    nothing chooses a label
 *  102 default-twice      two lines do
 *  103 default-unknown    a label is chosen that there is not
 *  104 label-twice
 *  105 kernel-missing     a label without a kernel
 *  106 placeholder        the label that boots has one of Ironic's, which was not replaced
 *  107 template           a template that was not filled in
 *  108 first-line         a script for iPXE that does not begin with "#!ipxe"
 *  109 syntax             quotes and braces of GRUB; tboot that is started as if it were Linux
 *  201 literal-mboot      "kernel mboot": PXELINUX 5 and newer find no such kernel
 *  202 separator          "---" without a space on both sides
 *  203 arguments-cut      more of the kernel's arguments than tboot or iPXE keeps
 *  204 tboot-compressed   iPXE does not unpack it
 *  205 iommu-missing      no intel_iommu=on
 *  206 per-deployment     an argument that changes with each deployment, and the PCRs with it
 *  207 per-machine        one that is another one on each machine
 *  208 module-missing     tboot without a kernel, or without a ramdisk
 *  301 file-missing       not in the boot root
 *  302 file-outside       leads out of it
 *  303 file-unusable      empty, a folder, not readable
 *  304 file-unknown       can not be looked for: only the loader knows where it is
 */
typedef struct attest_boot_problem {
  size_t size;
  int32_t code;
  const char* id;
  attest_severity severity; /* FAILURE: does not boot; WARNING: not as it should; INFO: a note */
  int64_t line;             /* from 1; -1: none */
  const char* message;      /* one line that an operator can act on; escaped */
} attest_boot_problem;
#define ATTEST_BOOT_PROBLEM_INIT \
  { sizeof(attest_boot_problem), 0, NULL, ATTEST_SEVERITY_NONE, -1, NULL }

/* By line; at most 1,000, of which notes leave 400 and warnings 200 to what is worse. */
ATTEST_API size_t attest_boot_config_num_problems(const attest_boot_config* config);
/* attest_boot_config_problem: its strings are the configuration's. */
ATTEST_API ATTEST_MUST_CHECK attest_status attest_boot_config_problem(
    attest_boot_problem* out, const attest_boot_config* config, size_t index);
ATTEST_API void attest_boot_config_free(attest_boot_config* config);

#ifdef __cplusplus
}
#endif

#endif /* LIBATTEST_BOOT_CONFIG_H_ */
