#include "mien_page.h"

#pragma clang diagnostic push
#pragma clang diagnostic ignored "-Wc23-extensions"

static const uint8_t index_html[] = {
#embed "page/index.html"
};
static const uint8_t style_css[] = {
#embed "page/style.css"
};
static const uint8_t icon_svg[] = {
#embed "page/icon.svg"
};
static const uint8_t api_js[] = {
#embed "page/api.js"
};
static const uint8_t camera_js[] = {
#embed "page/camera.js"
};
static const uint8_t clip_js[] = {
#embed "page/clip.js"
};
static const uint8_t corrections_js[] = {
#embed "page/corrections.js"
};
static const uint8_t details_js[] = {
#embed "page/details.js"
};
static const uint8_t draw_js[] = {
#embed "page/draw.js"
};
static const uint8_t emotions_js[] = {
#embed "page/emotions.js"
};
static const uint8_t explain_js[] = {
#embed "page/explain.js"
};
static const uint8_t export_js[] = {
#embed "page/export.js"
};
static const uint8_t faces_js[] = {
#embed "page/faces.js"
};
static const uint8_t files_js[] = {
#embed "page/files.js"
};
static const uint8_t job_js[] = {
#embed "page/job.js"
};
static const uint8_t live_js[] = {
#embed "page/live.js"
};
static const uint8_t main_js[] = {
#embed "page/main.js"
};
static const uint8_t notice_js[] = {
#embed "page/notice.js"
};
static const uint8_t photos_js[] = {
#embed "page/photos.js"
};
static const uint8_t profiles_js[] = {
#embed "page/profiles.js"
};
static const uint8_t pump_js[] = {
#embed "page/pump.js"
};
static const uint8_t record_js[] = {
#embed "page/record.js"
};
static const uint8_t session_js[] = {
#embed "page/session.js"
};
static const uint8_t stage_js[] = {
#embed "page/stage.js"
};
static const uint8_t timeline_js[] = {
#embed "page/timeline.js"
};

#pragma clang diagnostic pop

#define FILE_OF(name, bytes) {name, bytes, sizeof bytes}

static const mien_page_file files[] = {
    FILE_OF("index.html", index_html),
    FILE_OF("style.css", style_css),
    FILE_OF("icon.svg", icon_svg),
    FILE_OF("api.js", api_js),
    FILE_OF("camera.js", camera_js),
    FILE_OF("clip.js", clip_js),
    FILE_OF("corrections.js", corrections_js),
    FILE_OF("details.js", details_js),
    FILE_OF("draw.js", draw_js),
    FILE_OF("emotions.js", emotions_js),
    FILE_OF("explain.js", explain_js),
    FILE_OF("export.js", export_js),
    FILE_OF("faces.js", faces_js),
    FILE_OF("files.js", files_js),
    FILE_OF("job.js", job_js),
    FILE_OF("live.js", live_js),
    FILE_OF("main.js", main_js),
    FILE_OF("notice.js", notice_js),
    FILE_OF("photos.js", photos_js),
    FILE_OF("profiles.js", profiles_js),
    FILE_OF("pump.js", pump_js),
    FILE_OF("record.js", record_js),
    FILE_OF("session.js", session_js),
    FILE_OF("stage.js", stage_js),
    FILE_OF("timeline.js", timeline_js),
};

size_t mien_page_count(void) { return sizeof files / sizeof files[0]; }

const mien_page_file *mien_page_at(size_t index) { return index < mien_page_count() ? &files[index] : NULL; }
