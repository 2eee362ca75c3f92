"""Live sources: cameras, and streams at an address that the user typed."""

from __future__ import annotations

import re
import threading
import time
from abc import ABC, abstractmethod
from collections.abc import Iterator
from fractions import Fraction
from pathlib import Path
from urllib.parse import urlsplit

import av
import cv2

from livos.files.names import trailing_number
from livos.video.colours import display_matrix, to_rgb
from livos.video.decoding import Decoded, DisplayOrder, decode_all, packets_of
from livos.video.opening import ANY_TAGS, PLAIN_FORMATS, main_video, naming
from livos.video.video_file import Frame

_ADDRESS = re.compile(r"(https?|rtsps?|rtmp[st]?|srt|udp|rtp|tcp)://", re.IGNORECASE)
_PROTOCOLS = "http,https,httpproxy,tcp,tls,udp,rtp,srtp,rtsp,rtmp,rtmps,rtmpt,srt,crypto"
"""None of these reads local files, so a remote playlist cannot get at them."""

_STREAM_FORMATS = (*PLAIN_FORMATS, "hls", "dash", "rtsp", "rtp", "sdp", "rtp_mpegts")

PATIENCE = 15.0
"""Seconds to wait for a stream to begin, and for it to continue."""


class LiveSource(ABC):
    """A source that can be read only once, from now until `stop()` is called or it ends."""

    sound_path: Path | None = None
    num_frames: int | None = None
    sample_aspect_ratio: Fraction | None = None
    frame_rate: Fraction
    time_base: Fraction
    size: tuple[int, int]

    def __init__(self, name: str, first_number: int):
        """name: how messages call it."""
        self.first_number, self._name = first_number, name
        self._stop = threading.Event()

    def stop(self) -> None:
        """Ends after the next frame."""
        self._stop.set()

    def frames(self, start: int | None = None, stop: int | None = None, backward: bool = False) -> Iterator[Frame]:
        """The frames from now on. Raises ValueError if asked for others."""
        if backward or start not in (None, self.first_number):
            raise ValueError(f"{self._name} is live: it cannot be read backwards or from a later frame")
        return self._frames(stop)

    @abstractmethod
    def _frames(self, stop: int | None) -> Iterator[Frame]:
        """The frames from now on, until `stop`, the end, or a call of `stop()`."""

    def frame_at(self, seconds: float) -> int:
        """Always raises ValueError, since it is not known in advance."""
        raise ValueError(f"{self._name} is live, so times are not known in advance: use frame numbers")

    def end(self) -> int:
        """Always raises ValueError, since it is not known in advance."""
        raise ValueError(f"{self._name} is live, so its last frame is not known in advance")

    def number_of(self, name: str, exact: bool = False) -> int | None:
        """The number of the frame that a mask of this name belongs to."""
        return trailing_number(name, exact)


class Camera(LiveSource):
    """A camera of this machine, until it is unplugged."""

    time_base = Fraction(1, 1000)

    def __init__(self, place: int, first_number: int = 0, capture: cv2.VideoCapture | None = None):
        """place: 0 for the first camera. capture: an open one instead. Raises ValueError if there is no picture."""
        super().__init__("a camera", first_number)
        self._capture = capture or cv2.VideoCapture(place)
        there, picture = self._capture.read()
        if not there:
            raise ValueError(
                f"camera {place} delivers no picture: is it plugged in, not in use elsewhere, and are you allowed to "
                "use it?"
            )
        self.size = picture.shape[:2]
        told = self._capture.get(cv2.CAP_PROP_FPS)
        self.frame_rate = Fraction(told).limit_denominator(1000) if 1 <= told <= 1000 else Fraction(30)

    def _frames(self, stop: int | None) -> Iterator[Frame]:
        begin, number = time.monotonic(), self.first_number
        while not self._stop.is_set() and (stop is None or number < stop):
            there, picture = self._capture.read()
            if not there:
                break
            image = cv2.cvtColor(picture, cv2.COLOR_BGR2RGB)
            yield Frame(number, f"{number:06d}", round(1000 * (time.monotonic() - begin)), image)  # type: ignore[arg-type]
            number += 1
        self._capture.release()


class NetworkStream(LiveSource):
    """A stream from an address, such as a camera's rtsp://…, until it ends. No frame is skipped."""

    def __init__(self, address: str, first_number: int = 0):
        """Raises ValueError, naming the address without its password, if there is no video."""
        shown = without_password(address)
        super().__init__(shown, first_number)
        options = {"protocol_whitelist": _PROTOCOLS, "format_whitelist": ",".join(_STREAM_FORMATS)}
        if address.lower().startswith("rtsp"):
            options["rtsp_transport"] = "tcp"  # loses no packets
        try:
            self._container = av.open(address, container_options=options, timeout=PATIENCE, **ANY_TAGS)
        except Exception as error:
            reason = getattr(error, "strerror", None) or type(error).__name__
            raise ValueError(f"{shown}: no video at this address ({reason})") from None
        with naming(shown):
            stream = main_video(self._container, shown)
            self.frame_rate = Fraction(stream.average_rate or stream.guessed_rate or 25)
            self.time_base = Fraction(stream.time_base or 1 / self.frame_rate)
            order = DisplayOrder(1 / (self.frame_rate * self.time_base))
            packets = packets_of(self._container, stream, shown)
            self._decoded = decode_all(packets, stream, shown, order)
            self._first = next((one for one in self._decoded if one.frame is not None), None)
            if self._first is None or self._first.frame is None:
                raise ValueError(f"{shown}: no frame of its video could be decoded")
            self._matrix = display_matrix(self._first.frame)
            self._transfer = stream.codec_context.color_trc
            self.size = to_rgb(self._first.frame, self._matrix, self._transfer).shape[:2]

    def _frames(self, stop: int | None) -> Iterator[Frame]:
        number, first = self.first_number, self._first
        if first is None:
            raise ValueError(f"{self._name}: its frames have already been read, and can be read only once")
        self._first = None
        try:
            for decoded in self._and_others(first):
                if self._stop.is_set() or (stop is not None and number >= stop):
                    break
                with naming(self._name):
                    image = None if decoded.frame is None else to_rgb(decoded.frame, self._matrix, self._transfer)
                if image is not None and image.shape[:2] != self.size:
                    raise ValueError(f"{self._name}: the size of its frames changes to {image.shape[1::-1]}")
                yield Frame(number, f"{number:06d}", decoded.pts or 0, image)
                number += 1
        finally:
            self._container.close()

    def _and_others(self, first: Decoded) -> Iterator[Decoded]:
        yield first
        yield from self._decoded


def is_address(text: str) -> bool:
    """Whether a text that a user typed is the address of a stream: rtsp://…, http://… and the like."""
    return _ADDRESS.match(text) is not None


def without_password(address: str) -> str:
    """The address without user name and password."""
    parts = urlsplit(address)
    return parts._replace(netloc=parts.netloc.rpartition("@")[2]).geturl()


def name_of_stream(address: str) -> str:
    """A name for files, from the host and path of an address."""
    parts = urlsplit(without_password(address))
    return re.sub(r"[^\w.-]+", "_", parts.netloc + parts.path).strip("_.") or "stream"
