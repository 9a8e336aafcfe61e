// SPDX-License-Identifier: Apache-2.0

#include "files.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "text.h"

static bool fail(const char* command, const char* path) {
  complain(command, "%s: %s", path, strerror(errno));
  return false;
}

static ssize_t read_some(int fd, void* buffer, size_t size) {
  ssize_t got;
  do {
    got = read(fd, buffer, size);
  } while (got < 0 && errno == EINTR);
  return got;
}

// Opens for reading; *out is -1 for an allowed absence.
static bool open_input(int* out, const char* command, const char* path, enum absence absence) {
  *out = open(path, O_RDONLY | O_CLOEXEC);
  if (*out >= 0 || (errno == ENOENT && absence == ABSENCE_ALLOWED)) return true;
  return fail(command, path);
}

static bool too_large(const char* command, const char* path, size_t max_size) {
  complain(command, "%s: larger than %zu MiB", path, max_size >> 20);
  return false;
}

// Reads to the end of the file and not to the size it says it has: pipes and the files of procfs
// and securityfs say 0.
static bool read_to_end(struct blob* out, int fd, const char* command, const char* path,
                        size_t max_size, size_t capacity) {
  for (;;) {
    uint8_t* const larger = realloc(out->data, capacity);
    if (larger == NULL) {
      complain(command, "%s: out of memory", path);
      return false;
    }
    out->data = larger;
    while (out->size < capacity) {
      const ssize_t got = read_some(fd, out->data + out->size, capacity - out->size);
      if (got < 0) return fail(command, path);
      if (got == 0) return true;
      out->size += (size_t)got;
    }
    // A capacity beyond the maximum that was filled.
    if (out->size > max_size) return too_large(command, path, max_size);
    capacity = capacity < max_size / 2 ? 2 * capacity : max_size + 1;
  }
}

bool read_file(struct blob* out, const char* command, const char* path, size_t max_size,
               enum absence absence) {
  int fd;
  memset(out, 0, sizeof *out);
  if (!open_input(&fd, command, path, absence)) return false;
  if (fd < 0) return true;
  struct stat about;
  bool good = fstat(fd, &about) == 0 || fail(command, path);
  if (good && S_ISREG(about.st_mode) && (uintmax_t)about.st_size > max_size) {
    good = too_large(command, path, max_size);
  }
  if (good) {
    // One byte more than it says: the read that finds the end needs no second allocation.
    const size_t said = S_ISREG(about.st_mode) ? (size_t)about.st_size : 0;
    good = read_to_end(out, fd, command, path, max_size, said < 4096 ? 4096 : said + 1);
  }
  close(fd);
  if (!good) blob_free(out);
  return good;
}

static int hex_digit(uint8_t c) {
  if (c >= '0' && c <= '9') return c - '0';
  if (c >= 'a' && c <= 'f') return c - 'a' + 10;
  if (c >= 'A' && c <= 'F') return c - 'A' + 10;
  return -1;
}

bool decode_hex(struct blob* out, const char* command, const char* what, const char* text,
                size_t size) {
  memset(out, 0, sizeof *out);
  if (size == 0 || size % 2 != 0) {
    complain(command, "%s: an even number of hex digits is wanted, not %zu", what, size);
    return false;
  }
  out->data = malloc(size / 2);
  if (out->data == NULL) {
    complain(command, "%s: out of memory", what);
    return false;
  }
  for (size_t i = 0; i < size; ++i) {
    const int digit = hex_digit((uint8_t)text[i]);
    if (digit < 0) {
      complain(command, "%s: not a hex digit at position %zu", what, i);
      blob_free(out);
      return false;
    }
    out->data[i / 2] = (uint8_t)(i % 2 == 0 ? digit << 4 : out->data[i / 2] | digit);
  }
  out->size = size / 2;
  return true;
}

bool read_hex_file(struct blob* out, const char* command, const char* path, enum absence absence) {
  struct blob text;
  memset(out, 0, sizeof *out);
  if (!read_file(&text, command, path, SMALL_FILE, absence)) return false;
  if (text.data == NULL) return true;
  size_t size = text.size;
  while (size != 0 && (text.data[size - 1] == '\n' || text.data[size - 1] == '\r')) --size;
  const bool good = decode_hex(out, command, path, (const char*)text.data, size);
  blob_free(&text);
  return good;
}

void blob_free(struct blob* blob) {
  free(blob->data);
  memset(blob, 0, sizeof *blob);
}

bool stream_open(struct stream* out, const char* command, const char* path, enum absence absence) {
  out->path = path;
  out->error = 0;
  return open_input(&out->fd, command, path, absence);
}

void stream_close(struct stream* stream) {
  if (stream->fd > STDERR_FILENO) close(stream->fd);
  stream->fd = -1;
}

ptrdiff_t stream_read(void* user, uint8_t* buffer, size_t size) {
  struct stream* const stream = user;
  const ssize_t got = read_some(stream->fd, buffer, size);
  if (got < 0) stream->error = errno;
  return got;
}

// rename() would put a file in the place of a device, and a link by its target's content.
static bool is_replaceable(const char* command, const char* path) {
  struct stat about;
  if (lstat(path, &about) != 0) return errno == ENOENT || fail(command, path);
  if (!S_ISREG(about.st_mode)) {
    complain(command, "%s: exists and is not a regular file", path);
    return false;
  }
  return true;
}

static bool fill(int fd, const char* data, size_t size) {
  const mode_t mask = umask(0);
  umask(mask);
  return write_all(fd, data, size) && fchmod(fd, 0644 & ~mask) == 0 && fsync(fd) == 0;
}

bool replace_file(const char* command, const char* path, const char* data, size_t size) {
  if (!is_replaceable(command, path)) return false;
  struct text name = {0};
  text_add(&name, "%s.XXXXXX", path);
  if (name.failed) {
    complain(command, "%s: out of memory", path);
    text_free(&name);
    return false;
  }
  bool good = false;
  const int fd = mkstemp(name.data);
  if (fd >= 0) {
    const bool filled = fill(fd, data, size);
    const int error = errno;
    const bool closed = close(fd) == 0;
    if (!filled) errno = error;
    good = filled && closed && rename(name.data, path) == 0;
  }
  if (!good) fail(command, path);
  if (!good && fd >= 0) unlink(name.data);
  text_free(&name);
  return good;
}
