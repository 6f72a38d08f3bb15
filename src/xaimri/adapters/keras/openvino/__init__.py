"""Keras networks run forwards by OpenVINO."""
