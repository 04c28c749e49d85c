#define _GNU_SOURCE
#include "mien_standard_error.h"

#include <stdio.h>

static void (*take)(const char *text, size_t count);

static ssize_t pass(void *cookie, const char *text, size_t count) {
  (void)cookie;
  take(text, count);
  return (ssize_t)count;
}

int32_t mien_take_standard_error(void (*text)(const char *text, size_t count)) {
  take = text;
  FILE *stream = fopencookie(NULL, "w", (cookie_io_functions_t){.write = pass});
  if (stream == NULL) return -1;
  setvbuf(stream, NULL, _IOLBF, 4096);
  // In glibc this is a variable like any other.
  stderr = stream;
  return 0;
}
