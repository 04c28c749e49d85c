// What starting a process needs and Swift's import of glibc leaves out.

#ifndef MIEN_SPAWN_H
#define MIEN_SPAWN_H

#include <spawn.h>
#include <stdint.h>

#ifdef __cplusplus
extern "C" {
#endif

/// Has the process that `actions` start close all files from `first` on. Returns 0, or the number of an error.
int32_t mien_spawn_close_from(posix_spawn_file_actions_t *actions, int32_t first);

#ifdef __cplusplus
}
#endif

#endif
