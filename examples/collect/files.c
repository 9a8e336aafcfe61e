// SPDX-License-Identifier: Apache-2.0

// Reading the logs and writing the evidence folder, whole or not at all.

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "collect.h"

// No log comes near it: it only keeps a wrong --ima /dev/zero from eating the machine.
static const size_t kMaxLog = (size_t)1 << 30;

void complain(const char* format, ...) {
  va_list arguments;
  va_start(arguments, format);
  fputs("collect: ", stderr);
  // NOLINTNEXTLINE(clang-analyzer-valist.Uninitialized): a false alarm of clang 14
  vfprintf(stderr, format, arguments);
  fputc('\n', stderr);
  va_end(arguments);
}

bool blob_copy(struct blob* out, const void* data, size_t size) {
  out->data = malloc(size != 0 ? size : 1);
  if (out->data == NULL) {
    complain("out of memory");
    return false;
  }
  memcpy(out->data, data, size);
  out->size = size;
  return true;
}

static bool grow(struct blob* buffer, size_t* capacity) {
  *capacity = *capacity != 0 ? 2 * *capacity : (size_t)64 * 1024;
  uint8_t* const larger = *capacity <= kMaxLog ? realloc(buffer->data, *capacity) : NULL;
  if (larger == NULL) return false;
  buffer->data = larger;
  return true;
}

// Up to end of file: the kernel's logs say that their size is 0, and grow while they are read.
static bool read_all(int fd, const char* path, struct blob* out) {
  size_t capacity = 0;
  for (;;) {
    if (out->size == capacity && !grow(out, &capacity)) {
      complain("%s: too large", path);
      return false;
    }
    const ssize_t got = read(fd, out->data + out->size, capacity - out->size);
    if (got == 0) return true;
    if (got < 0 && errno != EINTR) {
      complain("%s: %s", path, strerror(errno));
      return false;
    }
    if (got > 0) out->size += (size_t)got;
  }
}

bool files_read_log(struct blob* out, const char* given, const char* fallback) {
  const char* const path = given != NULL ? given : fallback;
  const int fd = open(path, O_RDONLY | O_CLOEXEC);
  if (fd < 0) {
    const bool absent = errno == ENOENT || errno == ENOTDIR;
    complain("%s: %s%s", path, strerror(errno), given == NULL && absent ? ", left out" : "");
    return given == NULL && absent;
  }
  bool good = read_all(fd, path, out);
  close(fd);
  if (good && out->size == 0) {
    complain("%s: is empty%s", path, given == NULL ? ", left out" : "");
    good = given == NULL;
  }
  return good;
}

bool files_output_free(const char* dir) {
  DIR* const listing = opendir(dir);
  if (listing == NULL) {
    if (errno == ENOENT) return true;
    complain("%s: %s", dir, strerror(errno));
    return false;
  }
  bool empty = true;
  for (const struct dirent* entry; empty && (entry = readdir(listing)) != NULL;) {
    empty = strcmp(entry->d_name, ".") == 0 || strcmp(entry->d_name, "..") == 0;
  }
  closedir(listing);
  if (!empty) complain("%s: exists and is not empty", dir);
  return empty;
}

static bool write_all(int fd, const struct blob* content) {
  for (size_t at = 0; at < content->size;) {
    const ssize_t wrote = write(fd, content->data + at, content->size - at);
    if (wrote < 0 && errno != EINTR) return false;
    if (wrote > 0) at += (size_t)wrote;
  }
  return fsync(fd) == 0;
}

struct entry {
  const char* name;
  const struct blob* content;
};

static bool write_entry(int folder, const struct entry* entry) {
  const int fd = openat(folder, entry->name, O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC, 0666);
  const bool good = fd >= 0 && write_all(fd, entry->content);
  if (!good) complain("%s: %s", entry->name, strerror(errno));
  if (fd >= 0) close(fd);
  return good;
}

static void drop_trailing_slashes(char* path) {
  for (size_t length = strlen(path); length > 1 && path[length - 1] == '/'; --length) {
    path[length - 1] = '\0';
  }
}

static bool fill_and_rename(char* temporary, const char* dir, const struct entry* entries,
                            size_t count) {
  if (mkdtemp(temporary) == NULL) {
    complain("%s: %s", temporary, strerror(errno));
    return false;
  }
  const int folder = open(temporary, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
  bool good = folder >= 0;
  if (!good) complain("%s: %s", temporary, strerror(errno));
  for (size_t i = 0; good && i < count; ++i) {
    if (entries[i].content->size != 0) good = write_entry(folder, &entries[i]);
  }
  // An empty folder at the target is replaced by rename itself, a filled one is not.
  if (good && rename(temporary, dir) != 0) {
    complain("%s: %s", dir, strerror(errno));
    good = false;
  }
  for (size_t i = 0; folder >= 0 && !good && i < count; ++i) {
    unlinkat(folder, entries[i].name, 0);
  }
  if (folder >= 0) close(folder);
  if (!good) rmdir(temporary);
  return good;
}

bool files_write(const char* dir, const struct evidence* evidence) {
  const struct entry entries[] = {
      {"ak.tss", &evidence->ak},       {"quote.msg", &evidence->msg},
      {"quote.sig", &evidence->sig},   {"quote.pcrs", &evidence->pcrs},
      {"nonce.hex", &evidence->nonce}, {"eventlog.bin", &evidence->eventlog},
      {"ima.bin", &evidence->ima},     {"ek.crt.der", &evidence->ek_cert}};
  static const char suffix[] = ".collect-XXXXXX";
  const size_t length = strlen(dir);
  char* const temporary = malloc(length + sizeof suffix);
  if (temporary == NULL) {
    complain("out of memory");
    return false;
  }
  memcpy(temporary, dir, length + 1);
  drop_trailing_slashes(temporary);
  memcpy(temporary + strlen(temporary), suffix, sizeof suffix);
  const bool good = fill_and_rename(temporary, dir, entries, sizeof entries / sizeof entries[0]);
  free(temporary);
  return good;
}

void evidence_free(struct evidence* evidence) {
  free(evidence->ak.data);
  free(evidence->msg.data);
  free(evidence->sig.data);
  free(evidence->pcrs.data);
  free(evidence->nonce.data);
  free(evidence->eventlog.data);
  free(evidence->ima.data);
  free(evidence->ek_cert.data);
}
