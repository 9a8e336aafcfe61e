// SPDX-License-Identifier: Apache-2.0

// The logs: as they are, or without the first entries of the IMA list.

#include <string.h>

#include "collect.h"

static const char kEventlog[] = "/sys/kernel/security/tpm0/binary_bios_measurements";
static const char kIma[] = "/sys/kernel/security/ima/binary_runtime_measurements";

// Passes over bytes; false when there are fewer.
static bool pass(size_t* at, size_t size, size_t bytes) {
  if (bytes > size - *at) return false;
  *at += bytes;
  return true;
}

// A length as the kernel writes it: 32 bits in the host's order, which libattest takes to be
// little-endian.
static bool pass_length(const struct blob* list, size_t* at, size_t* out) {
  const size_t begin = *at;
  if (!pass(at, list->size, 4)) return false;
  const uint8_t* const bytes = list->data + begin;
  *out = (size_t)bytes[0] | (size_t)bytes[1] << 8 | (size_t)bytes[2] << 16 | (size_t)bytes[3] << 24;
  return true;
}

// One record of the binary list (kernel, security/integrity/ima/ima_fs.c, ima_measurements_show):
// PCR, SHA-1 digest, name, data. Template "ima" has a digest where others have the data's length.
static bool pass_entry(const struct blob* list, size_t* at) {
  size_t length;
  if (!pass(at, list->size, 4 + 20) || !pass_length(list, at, &length)) return false;
  const size_t name = *at;
  if (!pass(at, list->size, length)) return false;
  const bool legacy = length == 3 && memcmp(list->data + name, "ima", 3) == 0;
  return (!legacy || pass(at, list->size, 20)) && pass_length(list, at, &length) &&
         pass(at, list->size, length);
}

static bool drop_entries(struct blob* list, uint32_t count) {
  size_t at = 0;
  for (uint32_t i = 0; i < count; ++i) {
    if (at == list->size) {
      complain("--ima-entry %u: the list has %u entries", (unsigned)count, (unsigned)i);
      return false;
    }
    if (!pass_entry(list, &at)) {
      complain("--ima-entry %u: entry %u of the list is cut short", (unsigned)count, (unsigned)i);
      return false;
    }
  }
  memmove(list->data, list->data + at, list->size - at);
  list->size -= at;
  return true;
}

// The logs are read after the quote: the kernel appends to them while the TPM signs, and a verifier
// accepts a log that runs ahead of the quote but none that is behind it.
bool logs_read(const struct options* options, struct evidence* out) {
  if (options->no_logs) return true;
  return files_read_log(&out->eventlog, options->eventlog, kEventlog) &&
         files_read_log(&out->ima, options->ima, kIma) &&
         (out->ima.size == 0 || drop_entries(&out->ima, options->ima_entry));
}
