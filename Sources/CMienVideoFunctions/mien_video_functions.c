#include "mien_video_functions.h"

// SwiftPM wants a source file in every C target; this one holds declarations only.
