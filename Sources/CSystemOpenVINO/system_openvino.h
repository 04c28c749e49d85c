// Empty on purpose: this target only carries OpenVINO's compiler and linker flags to COpenVINO, by way of pkg-config.
