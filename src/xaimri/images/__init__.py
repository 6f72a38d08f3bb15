"""Images: whatever holds pixels, read, windowed, and brought to a model's grid."""

from xaimri.images.foreground import foreground
from xaimri.images.read import read_image, with_channels
from xaimri.images.window import Window, as_window

__all__ = ["Window", "as_window", "foreground", "read_image", "with_channels"]
