"""Fault scripts: how they are read, what is refused, and which rule strikes which call."""

import random

import pytest

from gateway.simulators import chaos
from gateway.simulators.chaos import MAKES_SENSE, Call, Chaos, Do


def picks(script, calls, seed=0):
    """What each call of (provider, call, model, prompt) meets."""
    at_work = Chaos(chaos.read(script), ["byteplus", "fal"], random.Random(seed))
    return [found and found.do.value for found in (at_work.pick(*call) for call in calls)]


SUBMIT = ("fal", Call.SUBMIT, "fal-ai/flux/dev", "a slow fox")


@pytest.mark.parametrize(
    ("script", "said"),
    [
        ({"do": "html"}, "a fault script is a list of rules"),
        ("do: html", "a fault script is a list of rules"),
        (["html"], "rule 1: must be a mapping"),
        ([{"do": "html"}, {"call": "submit"}], "rule 2: do: is missing"),
        ([{"do": "explode"}], "rule 1: do: 'explode' is not known"),
        ([{"do": "html", "when": "always"}], "rule 1: when: is no key of a rule"),
        ([{"do": "html", "call": "poll"}], "rule 1: call: 'poll' is not known"),
        ([{"do": "html", "times": 0}], "rule 1: times: must be a whole number of at least 1, not 0"),
        ([{"do": "html", "times": 1.5}], "rule 1: times: must be a whole number"),
        ([{"do": "html", "after": True}], "rule 1: after: must be a whole number"),
        ([{"do": "html", "chance": 2}], "rule 1: chance: must be a number from 0 to 1, not 2"),
        ([{"do": "html", "model": 3}], "rule 1: model: must be a word or a pattern"),
        ([{"do": "status"}], "rule 1: status: is missing; status needs it"),
        ([{"do": "status", "status": 99}], "rule 1: status: must be a whole number from 200 to 599"),
        ([{"do": "delay", "seconds": "3"}], "rule 1: seconds: must be a number of at least 0"),
        ([{"do": "html", "seconds": 3}], "rule 1: seconds: says nothing to html"),
        (
            [{"do": "never_end", "call": "status"}],
            "rule 1: call: never_end makes no sense on status; it does on submit",
        ),
        ([{"do": "wrong_shape", "call": "output"}], "rule 1: call: wrong_shape makes no sense on output"),
    ],
)
def test_a_malformed_script_is_refused_by_rule_and_key(script, said):
    """Whatever is wrong with a script, the message names the rule, the key and what would be right."""
    with pytest.raises(ValueError, match=r"^" + said.replace("(", r"\(").replace(".", r"\.")):
        chaos.read(script)


def test_a_provider_nobody_plays_is_refused():
    """A misspelt provider would never match, so it is refused when the script is put to work."""
    with pytest.raises(ValueError, match="rule 1: provider: 'bytepuls' is not played here"):
        picks([{"do": "html", "provider": "bytepuls"}], [])


def test_a_file_may_be_yaml_or_json(tmp_path):
    """Both notations give the same rules, and a mistake names the file."""
    (tmp_path / "a.yaml").write_text("- {provider: fal, call: submit, do: drop_after, chance: 0.5}\n")
    (tmp_path / "a.json").write_text('[{"provider": "fal", "call": "submit", "do": "drop_after", "chance": 0.5}]')
    assert chaos.load(tmp_path / "a.yaml") == chaos.load(tmp_path / "a.json")
    (tmp_path / "b.yaml").write_text("- {do: [}")
    for name in ("b.yaml", "none.yaml"):
        with pytest.raises(ValueError, match=name):
            chaos.load(tmp_path / name)


def test_the_first_rule_that_matches_decides():
    """Later rules see only what earlier ones let by."""
    script = [{"do": "html", "model": "fal-ai/veo*"}, {"do": "empty", "prompt": "*slow*"}, {"do": "truncated"}]
    calls = [("fal", Call.SUBMIT, "fal-ai/veo3.1", "x"), SUBMIT, ("byteplus", Call.STATUS, "m", "x")]
    assert picks(script, calls) == ["html", "empty", "truncated"]


def test_a_rule_skips_and_counts():
    """`after` lets the first matches by, `times` bounds how often the rule then strikes."""
    assert picks([{"do": "html", "after": 1, "times": 2}], [SUBMIT] * 5) == [None, "html", "html", None, None]


def test_chance_follows_the_seed():
    """The same seed strikes the same calls, another seed others."""
    script = [{"do": "html", "chance": 0.5}]
    first, again, other = (picks(script, [SUBMIT] * 64, seed) for seed in (1, 1, 2))
    assert first == again != other
    assert 10 < first.count("html") < 54


def test_any_call_means_any_that_makes_sense():
    """A rule for every call leaves alone the calls its fault says nothing about."""
    calls = [("fal", call, "m", "x") for call in (Call.SUBMIT, Call.STATUS, Call.OUTPUT)]
    assert picks([{"do": "never_end", "call": "*"}], calls) == ["never_end", None, None]


def test_every_fault_has_its_calls():
    """The table of what makes sense leaves out no fault."""
    assert set(MAKES_SENSE) == set(Do)
