// Empty on purpose: this target only tells CMienResources, by way of pkg-config, where the networks that find faces are.
