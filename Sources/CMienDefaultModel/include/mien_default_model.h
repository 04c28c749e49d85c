// The networks inside the program: the model that `mien` uses where none is named, and those that find faces.

#ifndef MIEN_DEFAULT_MODEL_H
#define MIEN_DEFAULT_MODEL_H

#include <stddef.h>
#include <stdint.h>

#ifdef __cplusplus
extern "C" {
#endif

/// `models/mien-s.onnx`. The bytes belong to the program and are never freed; so do those below.
const uint8_t *mien_default_model_bytes(void);
size_t mien_default_model_count(void);

/// MediaPipe's `face_detection_full_range.tflite`, which finds faces (docs/face-networks.md).
const uint8_t *mien_face_detector_bytes(void);
size_t mien_face_detector_count(void);

/// MediaPipe's `face_landmark.tflite`, which finds the 468 points of a face (docs/face-networks.md).
const uint8_t *mien_face_landmarks_bytes(void);
size_t mien_face_landmarks_count(void);

#ifdef __cplusplus
}
#endif

#endif
