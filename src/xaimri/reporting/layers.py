"""Small pictures of a case within a report: its image once, and each map as numbers to be coloured."""

from __future__ import annotations

from base64 import b64encode
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import cv2
import numpy as np
from jaxtyping import Float, UInt8

from xaimri.arrays import Array, Image
from xaimri.explanation import Explanation
from xaimri.images.planes import Plane, Turn, plane_name
from xaimri.render.colour import LUMA, Scale
from xaimri.render.fade import certain
from xaimri.render.planes import cut, pixel_aspect, strongest_planes

BLOCK = 16
"""Rows that a picture's coder takes together: each plane ends with whole ones, so that none bleeds."""


@dataclass(frozen=True)
class Size:
    """How large and how exact the pictures are.

    Attributes
    ----------
    width
        Pixels of a plane's longer side, at most; smaller images stay as they are.
    quality
        Of WebP, 1 to 100.
    """

    width: int = 176
    quality: int = 75


@dataclass(frozen=True)
class Planes:
    """Which planes of a case are shown, and how each is laid into a picture: one below the other.

    Attributes
    ----------
    chosen
        Of a volume, axis and index of each; a single None of a slice.
    facts
        What the page knows of each: its name, its place in a picture, how much higher than wide a pixel is,
        and what lies to the left and right.
    """

    chosen: tuple[Plane | None, ...]
    facts: tuple[dict[str, Any], ...]

    @classmethod
    def of(cls, explanation: Explanation, size: Size) -> Planes:
        """Choose the strongest plane across each axis of a volume."""
        chosen, facts, top = tuple(strongest_planes(explanation)), [], 0
        for plane in chosen:
            tall, wide = _reduced(cut(explanation.values, plane, explanation).shape, size)
            ends = None if plane is None else Turn.of(plane, explanation.affine).ends
            name = "" if plane is None else plane_name(plane, explanation.affine, explanation.values.shape)
            facts.append(
                {"name": name, "top": top, "width": wide, "height": tall,
                 "tall": pixel_aspect(explanation, plane), "ends": ends}
            )  # fmt: skip
            top += -(-tall // BLOCK) * BLOCK
        return cls(chosen, tuple(facts))

    def _laid(self, array: Array, explanation: Explanation) -> list[Float[Array, "_ _"]]:
        """Cut the planes out, each in the size that it is shown in."""
        found = []
        for plane, fact in zip(self.chosen, self.facts, strict=True):
            flat = np.ascontiguousarray(cut(array, plane, explanation), np.float32)
            shape = (fact["height"], fact["width"])
            if flat.shape != shape:
                flat = cv2.resize(flat, shape[::-1], interpolation=cv2.INTER_AREA)
            found.append(np.asarray(flat, np.float32))
        return found


def image_layer(explanation: Explanation, planes: Planes, size: Size) -> str:
    """Return the image in grey from its least to its largest intensity, as base64 of WebP."""
    grey = _grey(explanation.image)
    low, high = float(grey.min()), float(grey.max())
    share = (grey - low) / (high - low) if high > low else np.zeros_like(grey)
    return _coded([255 * plane for plane in planes._laid(share, explanation)], size)


def map_layer(explanation: Explanation, planes: Planes, size: Size) -> dict[str, Any]:
    """Return a map as base64 of WebP, with what its codes mean.

    A code from 0 to 255 runs from -limit to limit of a signed map, else from 0 to limit. Where the method
    tells errors, planes follow that are white where a value can be told from zero (95 %).
    """
    values = np.nan_to_num(explanation.values, posinf=0.0, neginf=0.0)
    scale = Scale.of([values])
    share = values / scale.limit
    laid = [
        255 * (plane + 1) / 2 if scale.signed else 255 * plane for plane in planes._laid(share, explanation)
    ]
    sure = certain(explanation)
    if sure is not None:
        laid += [255 * plane for plane in planes._laid(sure.astype(np.float32), explanation)]
    return {
        "picture": _coded(laid, size), "limit": scale.limit, "signed": scale.signed, "sure": sure is not None,
        "empty": not values.any(),
    }  # fmt: skip


def thumbnail(image: Image, side: int, quality: int) -> str:
    """Return an image in grey, of a volume the middle plane, as base64 of WebP."""
    grey = _grey(image)
    while grey.ndim > 2:
        grey = grey[..., grey.shape[-1] // 2] if grey.shape[-1] < grey.shape[0] else grey[len(grey) // 2]
    low, high = float(grey.min()), float(grey.max())
    tall, wide = _reduced(grey.shape, Size(side, quality))
    small = cv2.resize(np.ascontiguousarray(grey, np.float32), (wide, tall), interpolation=cv2.INTER_AREA)
    return _coded([255 * (small - low) / (high - low or 1.0)], Size(side, quality))


def _grey(image: Image) -> Float[Array, "*space"]:
    """Return one finite intensity for each pixel."""
    found = image @ LUMA if image.shape[-1] == 3 else image.mean(axis=-1)
    grey: Array = np.nan_to_num(found.astype(np.float32), posinf=0.0, neginf=0.0)
    return grey


def _reduced(shape: Sequence[int], size: Size) -> tuple[int, int]:
    tall, wide = shape
    share = min(1.0, size.width / max(tall, wide))
    return max(1, round(tall * share)), max(1, round(wide * share))


def _coded(planes: Sequence[Float[Array, "_ _"]], size: Size) -> str:
    """Lay planes below each other, each over whole blocks, and pack them."""
    wide = -(-max(plane.shape[1] for plane in planes) // BLOCK) * BLOCK
    laid: list[UInt8[Array, "_ _"]] = []
    for plane in planes:
        tall, own = plane.shape
        codes = np.clip(np.rint(plane), 0, 255).astype(np.uint8)
        laid.append(np.pad(codes, ((0, -tall % BLOCK), (0, wide - own)), mode="edge"))
    done, packed = cv2.imencode(".webp", np.concatenate(laid), [cv2.IMWRITE_WEBP_QUALITY, size.quality])
    assert done  # of an array of bytes that is not empty
    return b64encode(packed.tobytes()).decode()
