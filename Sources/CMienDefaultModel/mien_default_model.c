#include "mien_default_model.h"

static const uint8_t model[] = {
#pragma clang diagnostic push
#pragma clang diagnostic ignored "-Wc23-extensions"
#embed "../../models/mien-s.onnx"
#pragma clang diagnostic pop
};

const uint8_t *mien_default_model_bytes(void) { return model; }

size_t mien_default_model_count(void) { return sizeof model; }
