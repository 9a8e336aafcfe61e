// SPDX-License-Identifier: Apache-2.0

// Bytes as text, and the one JSON object that a sub-command prints.

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "collect.h"

static const char kAlphabet[] = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";

int hex_digit(char c) {
  if (c >= '0' && c <= '9') return c - '0';
  if (c >= 'a' && c <= 'f') return c - 'a' + 10;
  if (c >= 'A' && c <= 'F') return c - 'A' + 10;
  return -1;
}

// Four characters to at most three bytes; false where they are not what RFC 4648, 4 makes of them.
static bool decode_group(struct blob* out, const char* text, bool last) {
  const unsigned padding = text[3] != '=' ? 0 : text[2] != '=' ? 1 : 2;
  if (padding != 0 && !last) return false;
  uint32_t bits = 0;
  for (unsigned i = 0; i < 4; ++i) {
    const char* const digit = i < 4 - padding ? strchr(kAlphabet, text[i]) : kAlphabet;
    if (digit == NULL) return false;
    bits = bits << 6 | (uint32_t)(digit - kAlphabet);
  }
  if ((bits & ((1U << 8 * padding) - 1)) != 0) return false;
  for (unsigned i = 0; i < 3 - padding; ++i)
    out->data[out->size++] = (uint8_t)(bits >> (16 - 8 * i));
  return true;
}

bool base64_decode(struct blob* out, const char* text, size_t max, const char* what) {
  const size_t length = strlen(text);
  bool good = length != 0 && length % 4 == 0 && length / 4 * 3 <= max + 2;
  if (good && (out->data = malloc(length / 4 * 3)) == NULL) {
    complain("out of memory");
    return false;
  }
  for (size_t at = 0; good && at < length; at += 4) {
    good = decode_group(out, text + at, at + 4 == length);
  }
  if (!good) complain("%s wants base64 of at most %zu bytes, or '@' and a file", what, max);
  return good;
}

// Every name and text is one of ours: there is nothing to escape.
static void put_name(const char* name) {
  static bool begun;
  printf("%s\"%s\": ", begun ? ", " : "{", name);
  begun = true;
}

void json_text(const char* name, const char* value) {
  put_name(name);
  printf("\"%s\"", value);
}

void json_number(const char* name, const uint32_t* value) {
  put_name(name);
  if (value == NULL) {
    fputs("null", stdout);
  } else {
    printf("%lu", (unsigned long)*value);
  }
}

static void put_group(const uint8_t* data, size_t left) {
  const uint32_t bits = (uint32_t)data[0] << 16 | (left > 1 ? (uint32_t)data[1] << 8 : 0U) |
                        (left > 2 ? data[2] : 0U);
  for (unsigned i = 0; i < 4; ++i) putchar(i <= left ? kAlphabet[bits >> (18 - 6 * i) & 63] : '=');
}

void json_bytes(const char* name, const struct blob* value) {
  put_name(name);
  if (value == NULL) {
    fputs("null", stdout);
    return;
  }
  putchar('"');
  for (size_t at = 0; at < value->size; at += 3) put_group(value->data + at, value->size - at);
  putchar('"');
}

bool json_end(void) {
  puts("}");
  if (fflush(stdout) == 0 && ferror(stdout) == 0) return true;
  complain("cannot write to standard output");
  return false;
}
