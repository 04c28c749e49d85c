// Empty on purpose: this target only tells CMienDefaultModel, by way of pkg-config, where the networks that find faces are.
