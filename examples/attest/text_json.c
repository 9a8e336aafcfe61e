// SPDX-License-Identifier: Apache-2.0

#include "text.h"

void text_add_json_string(struct text* json, const char* string) {
  if (string == NULL || *string == '\0') {
    text_add(json, "null");
    return;
  }
  text_add(json, "\"");
  for (; *string != '\0'; ++string) {
    const unsigned char c = (unsigned char)*string;
    if (c == '"' || c == '\\') {
      text_add(json, "\\%c", c);
    } else if (c < 0x20) {
      text_add(json, "\\u%04x", c);
    } else {
      text_add(json, "%c", c);
    }
  }
  text_add(json, "\"");
}
