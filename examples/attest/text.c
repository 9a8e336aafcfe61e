// SPDX-License-Identifier: Apache-2.0

#include "text.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

static bool reserve(struct text* text, size_t more) {
  if (text->failed) return false;
  const size_t needed = text->size + more + 1;
  if (needed <= text->capacity) return true;
  const size_t capacity = needed > 2 * text->capacity ? needed : 2 * text->capacity;
  char* const larger = needed > text->size ? realloc(text->data, capacity) : NULL;
  if (larger == NULL) {
    text->failed = true;
    return false;
  }
  text->data = larger;
  text->capacity = capacity;
  return true;
}

void text_add_list(struct text* text, const char* format, va_list arguments) {
  va_list again;
  va_copy(again, arguments);
  const int size = vsnprintf(NULL, 0, format, again);
  va_end(again);
  if (size < 0) {
    text->failed = true;
  } else if (reserve(text, (size_t)size)) {
    vsnprintf(text->data + text->size, (size_t)size + 1, format, arguments);
    text->size += (size_t)size;
  }
}

void text_add(struct text* text, const char* format, ...) {
  va_list arguments;
  va_start(arguments, format);
  text_add_list(text, format, arguments);
  va_end(arguments);
}

void text_add_hex(struct text* text, const uint8_t* data, size_t size) {
  for (size_t i = 0; i < size; ++i) text_add(text, "%02x", data[i]);
}

void text_add_escaped(struct text* text, const char* string) {
  for (; *string != '\0'; ++string) {
    const unsigned char c = (unsigned char)*string;
    if (c < 0x20 || c == 0x7f) {
      text_add(text, "\\x%02x", c);
    } else {
      text_add(text, "%c", c);
    }
  }
}

const char* text_or(const struct text* text, const char* fallback) {
  return text->failed || text->size == 0 ? fallback : text->data;
}

void text_free(struct text* text) {
  free(text->data);
  memset(text, 0, sizeof *text);
}

bool write_all(int fd, const char* data, size_t size) {
  while (size != 0) {
    const ssize_t wrote = write(fd, data, size);
    if (wrote < 0 && errno == EINTR) continue;
    if (wrote < 0) return false;
    data += wrote;
    size -= (size_t)wrote;
  }
  return true;
}

void complain(const char* command, const char* format, ...) {
  struct text message = {0};
  va_list arguments;
  va_start(arguments, format);
  text_add_list(&message, format, arguments);
  va_end(arguments);

  struct text line = {0};
  text_add(&line, "attest%s%s: ", command != NULL ? " " : "", command != NULL ? command : "");
  text_add_escaped(&line, text_or(&message, "out of memory"));
  text_add(&line, "\n");
  const char* const words = text_or(&line, "attest: out of memory\n");
  // There is nobody to tell that standard error can not be written.
  (void)!write_all(STDERR_FILENO, words, strlen(words));
  text_free(&line);
  text_free(&message);
}

bool text_to_stdout(const char* command, const struct text* text) {
  if (text->failed) {
    complain(command, "out of memory");
    return false;
  }
  // Some file systems report a failed write at the close only.
  if (!write_all(STDOUT_FILENO, text->data, text->size) || close(STDOUT_FILENO) != 0) {
    complain(command, "standard output: %s", strerror(errno));
    return false;
  }
  return true;
}
