// Written by scripts/resources.py.

#include "mien_resources.h"

#include <stdlib.h>
#include <string.h>

#pragma clang diagnostic push
#pragma clang diagnostic ignored "-Wc23-extensions"

static const uint8_t file_0[] = {
#include <mien_face_detector.inc>
};
static const uint8_t file_1[] = {
#include <mien_face_landmarks.inc>
};
static const uint8_t file_2[] = {
#embed "../../models/mien-s.onnx"
};
static const uint8_t file_3[] = {
#embed "openapi.json"
};
static const uint8_t file_4[] = {
#embed "page/api.js"
};
static const uint8_t file_5[] = {
#embed "page/camera.js"
};
static const uint8_t file_6[] = {
#embed "page/clip.js"
};
static const uint8_t file_7[] = {
#embed "page/corrections.js"
};
static const uint8_t file_8[] = {
#embed "page/details.js"
};
static const uint8_t file_9[] = {
#embed "page/draw.js"
};
static const uint8_t file_10[] = {
#embed "page/emotions.js"
};
static const uint8_t file_11[] = {
#embed "page/explain.js"
};
static const uint8_t file_12[] = {
#embed "page/export.js"
};
static const uint8_t file_13[] = {
#embed "page/faces.js"
};
static const uint8_t file_14[] = {
#embed "page/files.js"
};
static const uint8_t file_15[] = {
#embed "page/icon.svg"
};
static const uint8_t file_16[] = {
#embed "page/index.html"
};
static const uint8_t file_17[] = {
#embed "page/job.js"
};
static const uint8_t file_18[] = {
#embed "page/live.js"
};
static const uint8_t file_19[] = {
#embed "page/main.js"
};
static const uint8_t file_20[] = {
#embed "page/notice.js"
};
static const uint8_t file_21[] = {
#embed "page/photos.js"
};
static const uint8_t file_22[] = {
#embed "page/profiles.js"
};
static const uint8_t file_23[] = {
#embed "page/pump.js"
};
static const uint8_t file_24[] = {
#embed "page/record.js"
};
static const uint8_t file_25[] = {
#embed "page/session.js"
};
static const uint8_t file_26[] = {
#embed "page/stage.js"
};
static const uint8_t file_27[] = {
#embed "page/style.css"
};
static const uint8_t file_28[] = {
#embed "page/timeline.js"
};
static const uint8_t file_29[] = {
#embed "page/upright.js"
};
static const uint8_t file_30[] = {
#embed "../../recipes/chen.yaml"
};
static const uint8_t file_31[] = {
#embed "../../recipes/dlib-resnet.yaml"
};
static const uint8_t file_32[] = {
#embed "../../recipes/gao.yaml"
};
static const uint8_t file_33[] = {
#embed "../../recipes/javier.yaml"
};
static const uint8_t file_34[] = {
#embed "../../recipes/le-deep.yaml"
};
static const uint8_t file_35[] = {
#embed "../../recipes/le-shallow.yaml"
};
static const uint8_t file_36[] = {
#embed "../../recipes/mien-m.yaml"
};
static const uint8_t file_37[] = {
#embed "../../recipes/mien-s-ckplus48.yaml"
};
static const uint8_t file_38[] = {
#embed "../../recipes/mien-s-mixup.yaml"
};
static const uint8_t file_39[] = {
#embed "../../recipes/mien-s-robust.yaml"
};
static const uint8_t file_40[] = {
#embed "../../recipes/mien-s.yaml"
};
static const uint8_t file_41[] = {
#embed "../../recipes/published/chen.yaml"
};
static const uint8_t file_42[] = {
#embed "../../recipes/published/gao.yaml"
};
static const uint8_t file_43[] = {
#embed "../../recipes/published/javier.yaml"
};
static const uint8_t file_44[] = {
#embed "../../recipes/published/le-deep.yaml"
};
static const uint8_t file_45[] = {
#embed "../../recipes/published/le-shallow.yaml"
};
static const uint8_t file_46[] = {
#embed "../../recipes/published/yousaf.yaml"
};
static const uint8_t file_47[] = {
#embed "../../recipes/yousaf-trainable.yaml"
};
static const uint8_t file_48[] = {
#embed "../../recipes/yousaf.yaml"
};

#pragma clang diagnostic pop

// In the order of strcmp.
static const mien_resource files[] = {
    {"faces/face_detection_full_range.tflite", file_0, sizeof file_0},
    {"faces/face_landmark.tflite", file_1, sizeof file_1},
    {"models/mien-s.onnx", file_2, sizeof file_2},
    {"openapi.json", file_3, sizeof file_3},
    {"page/api.js", file_4, sizeof file_4},
    {"page/camera.js", file_5, sizeof file_5},
    {"page/clip.js", file_6, sizeof file_6},
    {"page/corrections.js", file_7, sizeof file_7},
    {"page/details.js", file_8, sizeof file_8},
    {"page/draw.js", file_9, sizeof file_9},
    {"page/emotions.js", file_10, sizeof file_10},
    {"page/explain.js", file_11, sizeof file_11},
    {"page/export.js", file_12, sizeof file_12},
    {"page/faces.js", file_13, sizeof file_13},
    {"page/files.js", file_14, sizeof file_14},
    {"page/icon.svg", file_15, sizeof file_15},
    {"page/index.html", file_16, sizeof file_16},
    {"page/job.js", file_17, sizeof file_17},
    {"page/live.js", file_18, sizeof file_18},
    {"page/main.js", file_19, sizeof file_19},
    {"page/notice.js", file_20, sizeof file_20},
    {"page/photos.js", file_21, sizeof file_21},
    {"page/profiles.js", file_22, sizeof file_22},
    {"page/pump.js", file_23, sizeof file_23},
    {"page/record.js", file_24, sizeof file_24},
    {"page/session.js", file_25, sizeof file_25},
    {"page/stage.js", file_26, sizeof file_26},
    {"page/style.css", file_27, sizeof file_27},
    {"page/timeline.js", file_28, sizeof file_28},
    {"page/upright.js", file_29, sizeof file_29},
    {"recipes/chen.yaml", file_30, sizeof file_30},
    {"recipes/dlib-resnet.yaml", file_31, sizeof file_31},
    {"recipes/gao.yaml", file_32, sizeof file_32},
    {"recipes/javier.yaml", file_33, sizeof file_33},
    {"recipes/le-deep.yaml", file_34, sizeof file_34},
    {"recipes/le-shallow.yaml", file_35, sizeof file_35},
    {"recipes/mien-m.yaml", file_36, sizeof file_36},
    {"recipes/mien-s-ckplus48.yaml", file_37, sizeof file_37},
    {"recipes/mien-s-mixup.yaml", file_38, sizeof file_38},
    {"recipes/mien-s-robust.yaml", file_39, sizeof file_39},
    {"recipes/mien-s.yaml", file_40, sizeof file_40},
    {"recipes/published/chen.yaml", file_41, sizeof file_41},
    {"recipes/published/gao.yaml", file_42, sizeof file_42},
    {"recipes/published/javier.yaml", file_43, sizeof file_43},
    {"recipes/published/le-deep.yaml", file_44, sizeof file_44},
    {"recipes/published/le-shallow.yaml", file_45, sizeof file_45},
    {"recipes/published/yousaf.yaml", file_46, sizeof file_46},
    {"recipes/yousaf-trainable.yaml", file_47, sizeof file_47},
    {"recipes/yousaf.yaml", file_48, sizeof file_48},
};

size_t mien_resource_count(void) { return sizeof files / sizeof files[0]; }

const mien_resource *mien_resource_at(size_t index) {
  return index < mien_resource_count() ? &files[index] : NULL;
}

static int compare(const void *name, const void *file) { return strcmp(name, ((const mien_resource *)file)->name); }

const mien_resource *mien_resource_named(const char *name) {
  return bsearch(name, files, mien_resource_count(), sizeof files[0], compare);
}
