#include "mien_default_model.h"

#pragma clang diagnostic push
#pragma clang diagnostic ignored "-Wc23-extensions"
static const uint8_t model[] = {
#embed "../../models/mien-s.onnx"
};
static const uint8_t face_detector[] = {
// Embeds face_detection_full_range.tflite, which lies beside it.
#include <mien_face_detector.inc>
};
static const uint8_t face_landmarks[] = {
// Embeds face_landmark.tflite, which lies beside it.
#include <mien_face_landmarks.inc>
};
#pragma clang diagnostic pop

const uint8_t *mien_default_model_bytes(void) { return model; }
size_t mien_default_model_count(void) { return sizeof model; }

const uint8_t *mien_face_detector_bytes(void) { return face_detector; }
size_t mien_face_detector_count(void) { return sizeof face_detector; }

const uint8_t *mien_face_landmarks_bytes(void) { return face_landmarks; }
size_t mien_face_landmarks_count(void) { return sizeof face_landmarks; }
