// Files of the server, inside the program: `openapi.json`.

#ifndef MIEN_SERVER_FILES_H
#define MIEN_SERVER_FILES_H

#include <stddef.h>
#include <stdint.h>

#ifdef __cplusplus
extern "C" {
#endif

/// The first of the bytes of `openapi.json`. They belong to the program and are never freed.
const uint8_t *mien_openapi_bytes(void);

/// How many bytes the file has.
size_t mien_openapi_count(void);

#ifdef __cplusplus
}
#endif

#endif
