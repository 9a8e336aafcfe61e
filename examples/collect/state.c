// SPDX-License-Identifier: Apache-2.0

// The state folder: keys saved by TPM2_ContextSave, encrypted by the TPM and good until its next
// reset. A boot's keys end with it, and a copy of the folder is worth nothing without the TPM.

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/file.h>
#include <sys/stat.h>
#include <tss2/tss2_mu.h>
#include <unistd.h>

#include "collect.h"

// Only root, or whoever runs collect, may put a key there: another's key would be announced as
// ours.
static bool is_private(const struct state* state) {
  struct stat about;
  if (fstat(state->fd, &about) != 0) {
    complain("%s: %s", state->path, strerror(errno));
  } else if (about.st_uid != geteuid() || (about.st_mode & 077) != 0) {
    complain("%s: must belong to its user alone, mode 0700", state->path);
  } else if (flock(state->fd, LOCK_EX) != 0) {
    complain("%s: cannot lock: %s", state->path, strerror(errno));
  } else {
    return true;
  }
  return false;
}

bool state_open(struct state* out, const char* path, bool create) {
  out->path = path;
  out->fd = -1;
  if (create && mkdir(path, 0700) != 0 && errno != EEXIST) {
    complain("%s: %s", path, strerror(errno));
    return false;
  }
  out->fd = open(path, O_RDONLY | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC);
  if (out->fd < 0) {
    complain("%s: %s", path, strerror(errno));
    return false;
  }
  return is_private(out);
}

void state_close(struct state* state) {
  if (state->fd >= 0) close(state->fd);
}

// By another name first: a key is there whole or not at all.
static bool write_file(const struct state* state, const char* name, const struct blob* content) {
  static const char kTemporary[] = "new.ctx";
  const int fd =
      openat(state->fd, kTemporary, O_WRONLY | O_CREAT | O_TRUNC | O_NOFOLLOW | O_CLOEXEC, 0600);
  const bool good = fd >= 0 && files_write_all(fd, content) &&
                    renameat(state->fd, kTemporary, state->fd, name) == 0;
  if (!good) complain("%s/%s: %s", state->path, name, strerror(errno));
  if (fd >= 0) close(fd);
  return good;
}

bool state_save(const struct state* state, struct tpm* tpm, ESYS_TR key, const char* name) {
  TPMS_CONTEXT* context = NULL;
  uint8_t buffer[sizeof(TPMS_CONTEXT)];
  size_t size = 0;
  if (!tpm_check(Esys_ContextSave(tpm->esys, key, &context), "saving a key")) return false;
  const bool good = tpm_check(Tss2_MU_TPMS_CONTEXT_Marshal(context, buffer, sizeof buffer, &size),
                              "saving a key");
  Esys_Free(context);
  const struct blob content = {.data = buffer, .size = size};
  return good && write_file(state, name, &content);
}

// Sets *there to false when there is no such file.
static bool read_file(const struct state* state, const char* name, struct blob* out, bool* there) {
  const int fd = openat(state->fd, name, O_RDONLY | O_NOFOLLOW | O_NONBLOCK | O_CLOEXEC);
  *there = fd >= 0 || errno != ENOENT;
  if (fd < 0) {
    if (*there) complain("%s/%s: %s", state->path, name, strerror(errno));
    return !*there;
  }
  const bool good = files_read(fd, name, sizeof(TPMS_CONTEXT), out);
  close(fd);
  return good;
}

bool state_load(const struct state* state, struct tpm* tpm, const char* name, ESYS_TR* key) {
  struct blob content = {0};
  bool there;
  *key = ESYS_TR_NONE;
  bool good = read_file(state, name, &content, &there);
  if (good && there) {
    TPMS_CONTEXT context;
    size_t at = 0;
    const bool whole = Tss2_MU_TPMS_CONTEXT_Unmarshal(content.data, content.size, &at, &context) ==
                           TSS2_RC_SUCCESS &&
                       at == content.size;
    // A context of an earlier boot is no error: the TPM tells it by its integrity value.
    if (!whole || Esys_ContextLoad(tpm->esys, &context, key) != TSS2_RC_SUCCESS) {
      *key = ESYS_TR_NONE;
    }
  }
  free(content.data);
  return good;
}
