// SPDX-License-Identifier: Apache-2.0

// Text that is put together first and written when it is complete.

#ifndef ATTEST_COMMAND_TEXT_H_
#define ATTEST_COMMAND_TEXT_H_

#include <stdarg.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

// Starts as {0}. A failed allocation is remembered until the text is written.
struct text {
  char* data;  // NUL-terminated; NULL while it is empty
  size_t size;
  size_t capacity;
  bool failed;
};

void text_add(struct text* text, const char* format, ...) __attribute__((format(printf, 2, 3)));
void text_add_list(struct text* text, const char* format, va_list arguments)
    __attribute__((format(printf, 2, 0)));
void text_add_hex(struct text* text, const uint8_t* data, size_t size);
// Control characters become \xNN.
void text_add_escaped(struct text* text, const char* string);
// A text of the library in quotes, as JSON; null for NULL and "".
void text_add_json_string(struct text* json, const char* string);
// The text; `fallback` when it is empty or failed.
const char* text_or(const struct text* text, const char* fallback);
void text_free(struct text* text);

// Writes one line, "attest COMMAND: …", to standard error. Control characters in it are escaped, so
// that it stays one line whatever the names of files are.
void complain(const char* command, const char* format, ...) __attribute__((format(printf, 2, 3)));

// Writes the text to standard output and closes it. Complains before false.
bool text_to_stdout(const char* command, const struct text* text);

// Writes all of it, or returns false and leaves the reason in errno.
bool write_all(int fd, const char* data, size_t size);

#endif  // ATTEST_COMMAND_TEXT_H_
