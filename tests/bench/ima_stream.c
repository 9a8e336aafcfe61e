/* SPDX-License-Identifier: Apache-2.0 */

/*
 * Appraises an evidence folder of make_inputs as a stream, and prints how much memory that took
 * over what the loaded policy takes. usage: ima_stream DIR
 */

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "libattest/attest.h"

typedef struct bytes {
  uint8_t* data;
  size_t size;
} bytes;

static void stop(const char* what) {
  fprintf(stderr, "ima_stream: %s: %s\n", what, attest_last_error());
  exit(1);
}

static bytes slurp(const char* dir, const char* name) {
  char path[4096];
  bytes out = {NULL, 0};
  FILE* file;
  long size;
  (void)snprintf(path, sizeof path, "%s/%s", dir, name);
  file = fopen(path, "rb");
  if (file == NULL || fseek(file, 0, SEEK_END) != 0) stop(path);
  size = ftell(file);
  if (size < 0) stop(path);
  rewind(file);
  out.size = (size_t)size;
  out.data = malloc(out.size + 1);
  if (out.data == NULL || fread(out.data, 1, out.size, file) != out.size) stop(path);
  fclose(file);
  return out;
}

/* A line of /proc/self/status, in KiB. */
static long status_kib(const char* key) {
  char line[256];
  long kib = -1;
  FILE* file = fopen("/proc/self/status", "r");
  if (file == NULL) return -1;
  while (fgets(line, sizeof line, file) != NULL) {
    if (strncmp(line, key, strlen(key)) == 0) kib = strtol(line + strlen(key), NULL, 10);
  }
  fclose(file);
  return kib;
}

/* Makes the peak that the kernel remembers begin anew. */
static void reset_peak(void) {
  FILE* file = fopen("/proc/self/clear_refs", "w");
  if (file == NULL) return;
  fputs("5", file);
  fclose(file);
}

static ptrdiff_t read_file(void* user, uint8_t* buffer, size_t size) {
  FILE* file = user;
  const size_t got = fread(buffer, 1, size, file);
  return ferror(file) ? -1 : (ptrdiff_t)got;
}

int main(int argc, char** argv) {
  attest_policy* policy = NULL;
  attest_evidence* evidence = NULL;
  attest_report* report = NULL;
  attest_appraise_options options = ATTEST_APPRAISE_OPTIONS_INIT;
  uint8_t nonce[20];
  char path[4096];
  bytes part[4];
  FILE* list;
  long before;
  if (argc != 2) {
    fputs("usage: ima_stream DIR\n", stderr);
    return 2;
  }
  memset(nonce, 0x5a, sizeof nonce);
  part[0] = slurp(argv[1], "allowlist.txt");
  if (attest_policy_new(&policy) != ATTEST_OK ||
      attest_policy_add_allowlist(policy, (const char*)part[0].data, part[0].size, NULL, 0, NULL,
                                  0) != ATTEST_OK) {
    stop("allowlist.txt");
  }
  free(part[0].data);
  part[0] = slurp(argv[1], "ak.tss");
  part[1] = slurp(argv[1], "quote.msg");
  part[2] = slurp(argv[1], "quote.sig");
  part[3] = slurp(argv[1], "quote.pcrs");
  (void)snprintf(path, sizeof path, "%s/ima.bin", argv[1]);
  list = fopen(path, "rb");
  if (list == NULL) stop(path);
  if (attest_evidence_new(&evidence) != ATTEST_OK ||
      attest_evidence_set_ak(evidence, part[0].data, part[0].size) != ATTEST_OK ||
      attest_evidence_set_quote(evidence, part[1].data, part[1].size, part[2].data, part[2].size,
                                part[3].data, part[3].size) != ATTEST_OK ||
      attest_evidence_set_ima_reader(evidence, read_file, list) != ATTEST_OK) {
    stop("evidence");
  }
  reset_peak();
  before = status_kib("VmRSS:");
  options.nonce = nonce;
  options.nonce_len = sizeof nonce;
  if (attest_appraise(&report, evidence, policy, NULL, &options) != ATTEST_OK) stop("appraise");
  printf("%s, policy %ld KiB, stream %ld KiB over it\n",
         attest_verdict_name(attest_report_verdict(report)), before, status_kib("VmHWM:") - before);
  return attest_report_verdict(report) == ATTEST_VERDICT_TRUSTED ? 0 : 1;
}
