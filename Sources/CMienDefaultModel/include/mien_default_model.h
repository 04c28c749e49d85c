// The model that `mien` uses where none is named: `models/mien-s.onnx`, inside the program.

#ifndef MIEN_DEFAULT_MODEL_H
#define MIEN_DEFAULT_MODEL_H

#include <stddef.h>
#include <stdint.h>

#ifdef __cplusplus
extern "C" {
#endif

/// The first of the file's bytes. They belong to the program and are never freed.
const uint8_t *mien_default_model_bytes(void);

/// How many bytes the file has.
size_t mien_default_model_count(void);

#ifdef __cplusplus
}
#endif

#endif
