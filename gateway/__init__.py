"""Tidegate: one request for an image or a video, whichever provider makes it."""

__version__ = "0.1.0"
