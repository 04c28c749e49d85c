#define _GNU_SOURCE
#include "mien_glibc.h"

#include <malloc.h>

int32_t mien_spawn_close_from(posix_spawn_file_actions_t *actions, int32_t first) {
  return posix_spawn_file_actions_addclosefrom_np(actions, first);
}

void mien_return_freed_memory(void) { malloc_trim(0); }
