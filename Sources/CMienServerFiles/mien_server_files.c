#include "mien_server_files.h"

static const uint8_t openapi[] = {
#pragma clang diagnostic push
#pragma clang diagnostic ignored "-Wc23-extensions"
#embed "openapi.json"
#pragma clang diagnostic pop
};

const uint8_t *mien_openapi_bytes(void) { return openapi; }

size_t mien_openapi_count(void) { return sizeof openapi; }
