// Empty on purpose: nothing imports this target. What it exports is declared in mien_video_functions.h of
// CMienVideoFunctions, the one header that the program and the shared library share.
