"""The vendors, played: a stand-in for each provider's far end, close enough to test a gateway against.

One server speaks each vendor's own wire format on one port, refuses what that vendor refuses in
that vendor's words, keeps its jobs and its money rules, makes real picture and video files, and
goes wrong on demand. It serves the demonstration, people who test their own programs against
failure, and the project's own tests, where its log and its list of jobs are the proof of what a
gateway really sent.

    server.py       the port: reads a call, lets the vendor answer, sends; the harness's own paths
    vendor.py       what a vendor is: paths, words, functions from a call to an answer
    jobs.py         what was begun, and how far it is by the clock alone
    chaos.py        the fault script: which calls go wrong, how, how often
    mischief.py     what a fault does to an answer on the wire
    checking.py     strict checks of a request's fields
    log.py          the calls seen
    forms.py        multipart forms that were sent
    sniff.py        what a file that was sent is
    media.py        the files: picture.py drawn as png.py, jpeg.py, webp.py, svg.py, mp4.py, archive.py
    inline.py       files inside an answer
    byteplus*.py, replicate*.py, fal*.py, openai*.py, bfl*.py, cloudflare*.py, runway*.py,
    alibabacloud*.py, google*.py    one vendor each

Decided because: the vendors are played from their documentation and never from the provider files,
and this folder imports nothing else of the package, so that each side can catch the other's errors.
A job's life is a function of the time, so nothing runs in the background and ten thousand open
jobs cost nothing. Callbacks are not sent: the vendors that are played let a caller poll.
"""

from gateway.simulators.server import Begun, Simulators

__all__ = ["Begun", "Simulators"]
