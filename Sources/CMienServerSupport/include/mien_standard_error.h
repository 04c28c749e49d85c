// What libraries print, for the server's log.

#ifndef MIEN_STANDARD_ERROR_H
#define MIEN_STANDARD_ERROR_H

#include <stddef.h>
#include <stdint.h>

#ifdef __cplusplus
extern "C" {
#endif

/// From now on `text` gets what C code writes to `stderr`, a line or more at a time, in place of the file descriptor 2. It
/// is called by the thread that writes, and the text is valid during the call. To be called once, before other threads
/// write. Returns 0, or -1 if there is no memory: then nothing has changed.
int32_t mien_take_standard_error(void (*text)(const char *text, size_t count));

#ifdef __cplusplus
}
#endif

#endif
