// SPDX-License-Identifier: Apache-2.0

// Reading what was named, and writing a file as a whole. All functions that fail complain first.

#ifndef ATTEST_COMMAND_FILES_H_
#define ATTEST_COMMAND_FILES_H_

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

struct blob {
  uint8_t* data;
  size_t size;
};

// No such file is larger than these; they keep a wrong name from filling the memory.
#define SMALL_FILE ((size_t)1 << 20)
#define LOG_FILE ((size_t)64 << 20)
#define LIST_FILE ((size_t)1 << 30)

// What a reading function does about a file that is not there.
enum absence { ABSENCE_FAILS, ABSENCE_ALLOWED };

// Reads the whole file. An allowed absence leaves `out->data` NULL.
bool read_file(struct blob* out, const char* command, const char* path, size_t max_size,
               enum absence absence);

// The same for a file of hexadecimal digits and a line end, decoded.
bool read_hex_file(struct blob* out, const char* command, const char* path, enum absence absence);

// Decodes hexadecimal digits. Complains of `what`.
bool decode_hex(struct blob* out, const char* command, const char* what, const char* text,
                size_t size);

void blob_free(struct blob* blob);

// A file that is read as it is consumed.
struct stream {
  int fd;
  const char* path;
  int error;  // errno of the read that failed
};
#define STREAM_CLOSED \
  { -1, NULL, 0 }

// An allowed absence leaves `out->fd` -1.
bool stream_open(struct stream* out, const char* command, const char* path, enum absence absence);
void stream_close(struct stream* stream);
// As attest_read_fn; `user` is the stream.
ptrdiff_t stream_read(void* user, uint8_t* buffer, size_t size);

// Puts a file of that content to `path`, in the place of the regular file that may be there: the
// old or the new one, nothing between.
bool replace_file(const char* command, const char* path, const char* data, size_t size);

#endif  // ATTEST_COMMAND_FILES_H_
