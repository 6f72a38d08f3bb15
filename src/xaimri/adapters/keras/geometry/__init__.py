"""Where an inner layer's cells lie on the image, read from the traced graph."""
