// Empty on purpose: this target only carries the compiler and linker flags of libjpeg, libpng and giflib to CImageCodecs,
// by way of pkg-config.
