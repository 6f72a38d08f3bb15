"""Images: whatever holds pixels, read, windowed, and brought to a model's grid."""

from xaimri.images.channels import with_channels
from xaimri.images.contrasts import Contrasts
from xaimri.images.foreground import foreground
from xaimri.images.mask import read_mask
from xaimri.images.picture import Picture
from xaimri.images.read import read_image, read_picture
from xaimri.images.series import read_series
from xaimri.images.slice_files import SliceStack
from xaimri.images.slices import Slices
from xaimri.images.window import Window, as_window

__all__ = [
    "Contrasts",
    "Picture",
    "SliceStack",
    "Slices",
    "Window",
    "as_window",
    "foreground",
    "read_image",
    "read_mask",
    "read_picture",
    "read_series",
    "with_channels",
]
