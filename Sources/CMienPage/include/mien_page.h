// The web page that the server shows, inside the program: the files of `page`.

#ifndef MIEN_PAGE_H
#define MIEN_PAGE_H

#include <stddef.h>
#include <stdint.h>

#ifdef __cplusplus
extern "C" {
#endif

/// A file. It belongs to the program and is never freed.
typedef struct {
  /// Its name in the folder, ended by a zero.
  const char *name;
  const uint8_t *bytes;
  size_t count;
} mien_page_file;

/// How many files there are.
size_t mien_page_count(void);

/// One of the files; null from `mien_page_count()` on.
const mien_page_file *mien_page_at(size_t index);

#ifdef __cplusplus
}
#endif

#endif
