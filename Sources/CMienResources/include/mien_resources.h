// The files inside the program: the built-in models, the networks that find faces, recipes, the web page, and the
// description of the server's routes.

#ifndef MIEN_RESOURCES_H
#define MIEN_RESOURCES_H

#include <stddef.h>
#include <stdint.h>

#ifdef __cplusplus
extern "C" {
#endif

/// The model that is used where none is named.
#define MIEN_DEFAULT_MODEL "mien-s"
/// MediaPipe's network that finds faces (docs/face-networks.md).
#define MIEN_FACE_DETECTOR "faces/face_detection_full_range.tflite"
/// MediaPipe's network that finds the 468 points of a face (docs/face-networks.md).
#define MIEN_FACE_LANDMARKS "faces/face_landmark.tflite"

/// A file. It belongs to the program and is never freed.
typedef struct {
  /// Its place in the repository, or below the folder `faces`, ended by a zero; files beside this target's sources
  /// have the name that they have there, such as `page/index.html`.
  const char *name;
  const uint8_t *bytes;
  size_t count;
} mien_resource;

/// How many files there are.
size_t mien_resource_count(void);

/// One of the files, in the order of their names; null from `mien_resource_count()` on.
const mien_resource *mien_resource_at(size_t index);

/// The file of this name; null if there is none.
const mien_resource *mien_resource_named(const char *name);

#ifdef __cplusplus
}
#endif

#endif
