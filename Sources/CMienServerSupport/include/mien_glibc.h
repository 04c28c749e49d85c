// What the server needs of glibc and Swift's import of it leaves out.

#ifndef MIEN_GLIBC_H
#define MIEN_GLIBC_H

#include <spawn.h>
#include <stdint.h>

#ifdef __cplusplus
extern "C" {
#endif

/// Has the process that `actions` start close all files from `first` on. Returns 0, or the number of an error.
int32_t mien_spawn_close_from(posix_spawn_file_actions_t *actions, int32_t first);

/// Gives memory that was freed, and that glibc keeps for later, back to the system.
void mien_return_freed_memory(void);

#ifdef __cplusplus
}
#endif

#endif
