// Empty on purpose: this target only carries the compiler and linker flags of OpenCV's core, imgproc, imgcodecs and
// objdetect to COpenCV, by way of pkg-config.
