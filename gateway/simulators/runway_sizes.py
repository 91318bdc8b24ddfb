"""The frames Runway's models are asked for: strings of pixels such as `1280:720`, by tier, and words for the rest.

In the tables `1280/720` stands for both `1280:720` and `720:1280`, `1584:672` for itself alone.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Frames:
    """The ratios one model takes, each with its tier, the words it takes in their place, and any other size.

    `areas` are the least and most pixels of a size the table does not name, if such sizes are taken.
    """

    tiers: Mapping[str, str]
    words: tuple[str, ...] = ()
    areas: tuple[int, int] | None = None

    @property
    def values(self) -> tuple[str, ...]:
        """Everything that may be asked for by name."""
        return (*self.tiers, *self.words)


def _frames(*words: str, areas: tuple[int, int] | None = None, **tiers: str) -> Frames:
    # A keyword cannot begin with a digit, hence t1k; `d` is the point in 2.5k.
    found = {}
    for name, listed in tiers.items():
        for entry in listed.split():
            wide, _, high = entry.replace("/", ":").partition(":")
            found[f"{wide}:{high}"] = name[1:].replace("d", ".")
            if "/" in entry:
                found[f"{high}:{wide}"] = name[1:].replace("d", ".")
    return Frames(found, words, areas)


_NANO_4K = "4096:4096 5056/3392 4800/3584 4608/3712 5504/3072 6336:2688"
_NANO_2K = "2048:2048 2528/1696 2400/1792 2304/1856 2752/1536 3168:1344"
_AUTOS = ("auto_480p", "auto_720p", "auto_1080p")

GEN4 = _frames(
    t720p="1280/720 720:720 960/720 1680:720",
    t1k="1024:1024 1168:880 1360:768 1808:768",
    t1080p="1080:1080 1440/1080 1920/1080 2112:912",
)
GPT = _frames(
    "auto",
    t2k="2048:880 1920/1088 1920/1280 1920/1440 1920/1536 1920:1920",
    t2d5k="2912:1248 2560/1440 2560/1712 2560/1920 2560/2048 2560:2560",
    t4k="3840:1648 3840/2160 3504/2336 3264/2448 3200/2560 2880:2880",
)
NANO_2 = _frames(
    t0d5k="512:512 624/416 592/432 576/448 672/384 768:336 1024/256 1408/176",
    t1k="1024:1024 1248/832 1184/864 1152/896 1344/768 1536:672 2048/512 2816/352",
    t2k=f"{_NANO_2K} 4096/1024 5632/704",
    t4k=f"{_NANO_4K} 8192/2048 11264/1408",
)
MUSE = _frames("auto", t2k="1600:1600 2016/1152 1792/1344 1920/1280 2352:1008")
SEEDREAM_PRO = _frames(
    "auto_1k",
    "auto_2k",
    t1k="1024:1024 1184/896 1376/768 1296/864",
    t2k="2048:2048 2304/1728 2720/1530 2496/1664",
)
SEEDREAM_LITE = _frames(
    areas=(3_686_400, 16_777_216),
    t2k="2048:2048 2304/1728 2848/1600 2496/1664 3136:1344",
    t3k="3072:3072 3456/2592 4096/2304 3744/2496 4704:2016",
)
GROK_IMAGE = _frames(
    "auto_1k",
    "auto_2k",
    t1k="1024:1024 1280/720 1152/864 1248/832 1408/704 1248/576 1280/576",
    t2k="2048:2048 2816/1584 2368/1776 2496/1664 2912/1456 2912/1344 3200/1440",
)
NANO_2_LITE = _frames(t1k="1024:1024 1376/768 1200/896 1264/848 1152/928 1584:672")
NANO_PRO = _frames(t1k="1024:1024 1344/768 1184/864 1248/832 1152/896 1536:672", t2k=_NANO_2K, t4k=_NANO_4K)
BRIA = _frames(
    t1k="1024:1024 1152/768 1024/768 960/768 1024/576",
    t2k="2048:2048 2304/1536 2048/1536 1920/1536 2048/1152",
)
BRIA_EDIT = _frames("auto", t1k="1024:1024 1024/576 1024/768 1152/768 960/768")
IDEOGRAM_4 = _frames(t2k="2048:2048 2560/1440 2304/1728 2496/1664 3072/1280")
IDEOGRAM_45 = _frames(
    "auto",
    t1k="1024:1024 1280/720 1152/864 1248/832 1120/896 1440/720 1024/576 1408/704",
    t2k="2048:2048 2560/1440 2304/1728 2496/1664 2240/1792 2880/1440",
)
SEEDREAM_FLASH = _frames(
    "auto_1k",
    "auto_2k",
    t1k="1024:1024 1184/896 1376/768 1248/832 1568:672",
    t2k="2048:2048 2304/1728 2848/1600 2496/1664 3136:1344",
)
NANO_21 = _frames(
    t1k="1024:1024 1264/848 1200/896 1152/928 1376/768 1584:672 2064/512 2928/352",
    t2k=f"{_NANO_2K} 4128/1024 5856/704",
    t4k=f"{_NANO_4K} 8256/2048 11712/1408",
)
RECRAFT = _frames(t1k="1024:1024 1344/768 1216/896 1280/832 1152/896 1536/768 832:1344 1280/896")
RECRAFT_VECTOR = _frames(t1k="1024:1024 1344/768 1216/896")
NANO = _frames(t1k="1024:1024 1344/768 1184/864 1248/832 1152/896 1536:672")

GEN4_FILM = _frames(t720p="960:960 1280/720 1104/832 1584:672")
WIDE_720 = _frames(t720p="1280/720")
VEO = _frames(t720p="1280/720", t1080p="1920/1080")
KLING_4K = _frames(t4k="2880:2880 3840/2160")
KLING_PRO = _frames(t1080p="1440:1440 1920/1080")
KLING_STANDARD = _frames(t720p="960:960 1280/720")
HAPPYHORSE = _frames(t720p="1280/720 960:960 1108/832", t1080p="1920/1080 1440:1440 1662/1248")
KLING_25 = _frames(t720p="1280/720 720:720", t1080p="1920/1080 1440:1440")
_DANCE_480 = "992:432 864/496 752/560 640:640"
_DANCE_720 = "1470:630 1280/720 1112/834 960:960"
_DANCE_1080 = "2206:946 1920/1080 1664/1248 1440:1440"
SEEDANCE_2 = _frames(
    t480p=_DANCE_480, t720p=_DANCE_720, t1080p=_DANCE_1080, t4k="3840:1646 3840/2160 3840/2880 3840:3840"
)
SEEDANCE_2_SMALL = _frames(t480p=_DANCE_480, t720p=_DANCE_720)
SEEDANCE_25 = _frames(t480p="992:432 854/480 752/560 640:640", t720p=_DANCE_720, t1080p=_DANCE_1080)
WAN_3 = _frames(
    *_AUTOS,
    t480p="832/480 720/544 624:624",
    t720p="1280/720 1104/832 960:960",
    t1080p="1920/1080 1648/1248 1440:1440",
)
OMNI_11 = _frames(t360p="640/360", t720p="1280/720", t1080p="1920/1080", t4k="3840/2160")
GROK_LITE = _frames(
    t480p="848/480 480:480 640/480 720/480",
    t720p="1280/720 720:720 960/720 1088/720",
    t1080p="1904/1072 1424:1424 1648/1232 1744/1152",
)
GROK_LITE_FOLLOWS = Frames({}, _AUTOS)
KLING_4 = _frames("auto_720p", "auto_1080p", t720p="1280/720 940:940 1460:624", t1080p="1920/1080 1440:1440 2200:940")
KLING_4_FOLLOWS = Frames({}, ("auto_720p", "auto_1080p"))
HAILUO = Frames({}, ("21:9", "16:9", "4:3", "1:1", "3:4", "9:16", "adaptive"))
GROK = Frames({}, ("1:1", "16:9", "9:16", "4:3", "3:4", "3:2", "2:3"))
ALEPH = Frames({}, ("16:9", "4:3", "3:2", "1:1", "2:3", "3:4", "9:16", "21:9"))
