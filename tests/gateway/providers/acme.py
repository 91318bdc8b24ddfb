"""A small good pack of a provider nobody has, to load, to bend and to break."""

from __future__ import annotations

import pathlib
from collections.abc import Mapping
from typing import Any

from gateway.documents import Mistakes
from gateway.providers import catalog
from gateway.providers.catalog import Catalog
from gateway.providers.classify import Reply
from gateway.providers.pack import Model, Provider

PROVIDER = """\
provider: acme
name: Acme Cloud
about: Models on Acme's own machines.
website: https://acme.example
docs: https://acme.example/api
checked: 2026-11-22
rank: 10
base: https://api.acme.example/v1
hosts: ["*.acme.example", acme.test]
auth: {Authorization: Bearer $secret.ACME_KEY}
failure: {code: error.code, message: error.message}
faults:
  - {is: content_blocked, code: ["moderat*"]}
  - {is: out_of_credit, status: [403], says: [No Money]}
  - {is: rate_limited, code: [early]}
retry_after:
  - {header: Retry-After, as: seconds}
  - {at: error.wait, as: duration}
lifecycles:
  now:
    calls: {submit: POST /pictures}
    outputs: "images[].{url: url, b64: b64, mime: mime, width: width, height: height}"
    flagged: flags
    pace: {deadline: 2m}
  job:
    calls:
      submit: {call: POST /jobs/$model, headers: {x-mode: plain}}
      status: GET /jobs/$id
      result: GET $result
      cancel: {call: DELETE /jobs/$id, when: [queued]}
    keep: {id: id, result: links.result}
    state:
      at: status
      queued: [waiting]
      running: [busy]
      succeeded: [done]
      failed: [broken]
      canceled: [stopped]
      failed_if: error
    outputs: "videos[].{url: url}"
    expires: 1h
    pace: {first: 2s, every: 500ms, deadline: 10m}
"""

STILL = """\
makes: image
native: acme-still-2
lifecycle: now
aliases: [acme-labs/still]
takes:
  prompt: {required: true, max_chars: 40}
  images: {max: 2}
  count: {min: 1, max: 4}
  strength: {type: number, min: 0, max: 1}
picks:
  resolution, ratio:
    1K:
      1:1: {size: 1024x1024}
      16:9: {size: 1344x768}
    2K:
      1:1: {size: 2048x2048}
  style: {plain: {}, loud: {look: LOUD}}
drops: [format]
defaults: {resolution: 1K, ratio: 1:1, count: 1}
body:
  model: $model
  prompt: $prompt
  first: $images.1
  second: {url: $images.2, role: second}
  n: $count
  size: $size
  look: $look
  strength: $strength
price: {per: image, by: [resolution], usd: {1K: 0.02, 2K: 0.05}}
cost: {at: usage.units, usd: 0.001}
"""

CLIP = """\
makes: video
lifecycle: job
defaults: {resolution: 720p}
takes:
  prompt: {required: true}
picks:
  duration: {5: {seconds: "5"}, 10: {seconds: "10"}}
  resolution: {720p: {}}
  audio: {false: {}}
price: {per: second, usd: 0.1}
forms:
  - given: [images]
    native: acme/clip/from-image
    takes:
      prompt: {}
      images: {max: 1}
    body: {prompt: $prompt, image: $images.1, seconds: $seconds}
  - native: acme/clip/from-text
    body: {prompt: $prompt, seconds: $seconds}
"""

SAMPLES = """\
- asks: {model: acme/still, prompt: a seal}
  sends:
    call: POST https://api.acme.example/v1/pictures
    headers: {Authorization: Bearer $secret.ACME_KEY}
    body: {model: acme-still-2, prompt: a seal, n: 1, size: 1024x1024}
  price: 0.02
- {asks: {model: acme/still, prompt: a seal, ratio: "3:2"}, excluded: [ratio]}
- asks: {model: acme/clip, prompt: a seal, duration: 5}
  sends: {call: POST https://api.acme.example/v1/jobs/acme/clip/from-text, body: {prompt: a seal, seconds: "5"}}
  price: 0.5
- asks: {model: acme/clip, images: [a.png], duration: 10}
  sends: {call: POST https://api.acme.example/v1/jobs/acme/clip/from-image, body: {image: a.png, seconds: "10"}}
  price: 1
- {call: submit, model: acme/still, status: 200, body: {images: [{url: a.png, width: 9}], usage: {units: 3}}, reads: succeeded, outputs: [{url: a.png, width: 9}], cost: 0.003}
- {call: submit, model: acme/still, status: 400, body: {error: {code: moderated}}, reads: failed, fault: content_blocked, reach: refused, code: moderated}
- {call: submit, model: acme/still, status: 403, body: {error: {message: there is no money}}, reads: failed, fault: out_of_credit}
- {call: submit, model: acme/still, status: 429, headers: {retry-after: "5"}, body: {}, reads: failed, fault: rate_limited, pause: 5s}
- {call: submit, model: acme/still, status: 200, text: <html>, reads: failed, fault: unreadable, reach: unsure}
- {call: submit, model: acme/clip, given: [images], status: 201, body: {id: j1, links: {result: "https://r.acme.example/j1"}}, reads: queued, kept: {id: j1, result: "https://r.acme.example/j1"}}
- {call: status, model: acme/clip, status: 200, body: {status: waiting}, reads: queued}
- {call: status, model: acme/clip, status: 200, body: {status: busy}, reads: running}
- {call: status, model: acme/clip, status: 200, body: {status: dreaming}, reads: running, unknown: dreaming}
- {call: status, model: acme/clip, status: 200, body: {status: done}, reads: succeeded}
- {call: status, model: acme/clip, status: 200, body: {status: broken}, reads: failed, fault: provider_error}
- {call: status, model: acme/clip, status: 200, body: {status: stopped}, reads: canceled, fault: lost}
- {call: status, model: acme/clip, status: 200, body: {status: done, error: {code: x}}, reads: failed, fault: provider_error}
- {call: status, model: acme/clip, status: 503, body: {error: {wait: 1m30s}}, reads: nothing, fault: overloaded, pause: 90s}
- {call: result, model: acme/clip, status: 425, body: {error: {code: early}}, reads: nothing, fault: rate_limited}
- {call: result, model: acme/clip, status: 200, body: {videos: [{url: a.mp4}]}, reads: succeeded, outputs: [{url: a.mp4}]}
"""

FILES: Mapping[str, str] = {
    "acme/provider.yaml": PROVIDER,
    "acme/samples.yaml": SAMPLES,
    "acme/acme/still.yaml": STILL,
    "acme/acme/clip.yaml": CLIP,
}


def write(folder: pathlib.Path, files: Mapping[str, str] = FILES) -> pathlib.Path:
    """Write pack files under `folder`, by path."""
    for name, text in files.items():
        path = folder / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(text)
    return folder


def bent(file: str, old: str, new: str) -> dict[str, str]:
    """Give the good pack with one text in one file replaced by another."""
    assert FILES[file].count(old) == 1, f"{old!r} must stand once in {file}"
    return {**FILES, file: FILES[file].replace(old, new)}


def mistakes(folder: pathlib.Path, files: Mapping[str, str]) -> list[str]:
    """Load what should not load, and give what was wrong, with paths as seen from `folder`."""
    try:
        catalog.load([write(folder, files)])
    except Mistakes as found:
        return [str(mistake).replace(f"{folder}/", "") for mistake in found.mistakes]
    return []


def loaded(folder: pathlib.Path, files: Mapping[str, str] = FILES) -> Catalog:
    """Load a pack that is good."""
    return catalog.load([write(folder, files)])


def reply(body: Any = None, status: int = 200, **headers: str) -> Reply:
    """Make an answer of the provider; underscores in the names of headers are dashes."""
    return Reply(status, {name.replace("_", "-"): value for name, value in headers.items()}, body)


def model(found: Catalog, name: str) -> Model:
    """Give one model of the pack by the last part of its id."""
    return found.models["acme", f"acme/{name}"]


def provider(found: Catalog) -> Provider:
    """Give the provider of the pack."""
    return found.providers["acme"]
