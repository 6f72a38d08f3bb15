"""What runs a Keras network where many predictions are needed; importing this loads no framework."""

from __future__ import annotations

from typing import Literal, TypeAlias

Engine: TypeAlias = Literal["auto", "tensorflow", "openvino"]
"""What runs a Keras network forwards, where many predictions are needed."""
