"""Answer sheets as a file: the `checks.safetensors` of a release, with public inputs.

The file holds arrays and words, no code. Of what mistakes give only so much is kept as is needed to know them
again. Two files are compared by what they say (`difference`), never by their bytes:
the last bits of a sum, a tanh or an exp are the processor's.
"""

from __future__ import annotations

import hashlib
import json
import math
import zlib
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, replace
from functools import cache
from pathlib import Path
from typing import Any

import numpy as np
from safetensors import SafetensorError
from safetensors.numpy import load, save

from autograder.answers.leaf import Leaf, Leaves
from autograder.course.exercise import Exercise, Gradient, Way
from autograder.errors import CourseError
from autograder.sheets.mistake import STILL_STANDS, TRACE_NUMBERS, WRONG, Mistake, Trace
from autograder.sheets.sheet import Case, Forward, Probe, Sheet

FORMAT = 10
# Fewer numbers than these are alike by chance.
FEW_NUMBERS = 3
# The words, compressed: whoever looks into the file with an editor reads no answer by accident.
WORDS = "words"
# How far two computations of one frozen number may lie apart: relative to the number itself, or to the
# largest of its array. Four kinds of processor (AVX-512, AVX2, Zen, none of these) differed by at most 6e-10
# of the number, in numeric gradients, and elsewhere by 2e-14 of the largest; an edit of the eighth digit is
# 1e-8.
NUMBER_RTOL = 3e-9
ARRAY_RTOL = 1e-13
# What is kept in single precision has no more digits than these.
SINGLE_RTOL = 3e-7


def freeze(
    assignment: str,
    sheets: dict[str, Sheet],
    made_from: Mapping[str, str] | None = None,
    around: Mapping[str, Any] | None = None,
    told: Mapping[str, Any] | None = None,
) -> bytes:
    """Answer sheets as the bytes of a safetensors file; on one processor the same sheets give the same bytes.

    Args:
        assignment: the notebook's name.
        sheets: the answer sheets by exercise.
        made_from: the notebook's source files, name -> hash: they say later what has changed since.
        around: what `course.surroundings` says of the cells around the exercises.
        told: what the release withholds until it is earned, as `Master.told` gives it.
    """
    arrays = _Arrays()
    described = {name: _describe(sheet, arrays) for name, sheet in sheets.items()}
    words = {
        "format": FORMAT,
        "assignment": assignment,
        "exercises": described,
        "made_from": dict(made_from or {}),
        "around": dict(around or {}),
        "told": json.loads(json.dumps(told or {})),
    }
    tensors = arrays.tensors()
    return _sealed(words, tensors)


def _sealed(words: dict[str, Any], tensors: dict[str, np.ndarray]) -> bytes:
    words["seal"] = _seal(words, tensors)
    packed = zlib.compress(json.dumps(words).encode(), level=9)
    return save({**tensors, WORDS: np.frombuffer(packed, np.uint8)}, metadata={"format": str(FORMAT)})


def _metadata(content: bytes) -> dict[str, str]:
    """What a safetensors file says of itself: its header is JSON, behind eight bytes with its length."""
    return json.loads(content[8 : 8 + int.from_bytes(content[:8], "little")]).get("__metadata__", {})


def _seal(words: Mapping[str, Any], tensors: Mapping[str, np.ndarray]) -> str:
    """A hash of a file's content: a file is compared with its own seal only, to know a hand's edit."""
    sealed = {key: value for key, value in words.items() if key != "seal"}
    digest = hashlib.sha256(json.dumps(sealed).encode())
    for name in sorted(tensors):
        digest.update(name.encode() + np.ascontiguousarray(tensors[name]).tobytes())
    return digest.hexdigest()[:32]


@dataclass(frozen=True)
class Difference:
    """The first thing in which a frozen file is not what its sources give.

    Args:
        place: the exercise, and what of it.
        words: how it differs.
        in_numbers: whether only numbers differ, and not what a person wrote.
    """

    place: str
    words: str
    in_numbers: bool

    def __str__(self) -> str:
        return f"{self.place}: {self.words}"


def difference(released: FrozenChecks, made: FrozenChecks) -> Difference | None:
    """The first difference between a released file and one made now, or None where they agree.

    What a person wrote is compared exactly: names, words, hints, shapes, whole numbers. What a processor
    computed is compared within `NUMBER_RTOL` and `ARRAY_RTOL`.
    """
    found = list(_differences(released.content(), made.content(), ()))
    found.sort(key=lambda one: one.in_numbers)  # what a person wrote says more
    return found[0] if found else None


def _differences(old: Any, new: Any, path: tuple[str, ...]) -> Iterator[Difference]:
    place = ", ".join(path) or "the file"
    if isinstance(old, np.ndarray) and isinstance(new, np.ndarray):
        words, in_numbers = _array_difference(old, new)
        if words:
            yield Difference(place, words, in_numbers)
    elif isinstance(old, dict) and isinstance(new, dict):
        # The order counts too: arguments are passed by position.
        if list(old) != list(new):
            yield Difference(place, f"the file has {_listed(old)}, its sources give {_listed(new)}", False)
        for key in (key for key in old if key in new):
            yield from _differences(old[key], new[key], (*path, str(key)))
    elif isinstance(old, list) and isinstance(new, list):
        if len(old) != len(new):
            yield Difference(place, f"the file has {len(old)}, its sources give {len(new)}", False)
        for i, (one, other) in enumerate(zip(old, new, strict=False)):
            yield from _differences(one, other, (*path, _label(other, i)))
    elif isinstance(old, float) and isinstance(new, float):
        yield from _differences(np.array(old), np.array(new), path)
    elif old != new:
        yield Difference(place, f"the file says {old!r:.80}, its sources {new!r:.80}", False)


def _listed(keys: dict[str, Any]) -> str:
    return ", ".join(keys) or "nothing"


def _label(member: Any, index: int) -> str:
    """What a member of a list is called: by its own name, or by its place."""
    named = member if isinstance(member, dict) else {}
    return str(named.get("words") or named.get("name") or f"number {index + 1}")


def _array_difference(old: np.ndarray, new: np.ndarray) -> tuple[str, bool]:
    """How two arrays differ by more than rounding ("" where they do not), and whether only in numbers."""
    if old.shape != new.shape:
        return f"the file has the shape {old.shape}, its sources give {new.shape}", False
    if old.dtype != new.dtype:
        return f"the file holds {old.dtype}, its sources give {new.dtype}", False
    single = new.dtype == np.float32
    with np.errstate(invalid="ignore", over="ignore"):
        if old.dtype.kind == "f":
            largest = np.abs(new[np.isfinite(new)]).max(initial=0.0)
            allowed = (SINGLE_RTOL if single else NUMBER_RTOL) * np.abs(new) + ARRAY_RTOL * largest
            agree = np.abs(old.astype(np.float64) - new) <= allowed
        else:
            agree = np.zeros(old.shape, bool)
    agree |= (old == new) | (np.isnan(old) & np.isnan(new))
    if agree.all():
        return "", True
    index = tuple(int(i) for i in np.argwhere(~agree)[0])
    one, other = float(old[index]), float(new[index])
    apart = abs(one - other) / abs(other) if other else math.inf
    share = f"{int((~agree).sum())} of {old.size} numbers"
    words = f"{share}, first {list(index)}: the file has {one!r}, its sources give {other!r}"
    return f"{words} ({apart:.1e} of it apart)", old.dtype.kind == "f"


class _Arrays:
    """Many small arrays, one behind the other in one long tensor a dtype: names would outweigh them."""

    def __init__(self) -> None:
        self._parts: dict[str, list[np.ndarray]] = {}
        self._ends: dict[str, int] = {}

    def put(self, array: np.ndarray) -> list[Any]:
        """Keep an array; returns where it is: dtype, start, shape."""
        kind = array.dtype.name
        start = self._ends.get(kind, 0)
        self._parts.setdefault(kind, []).append(np.ravel(array))
        self._ends[kind] = start + array.size
        return [kind, start, list(array.shape)]

    def tensors(self) -> dict[str, np.ndarray]:
        return {kind: np.concatenate(parts) for kind, parts in self._parts.items()}


def _describe(sheet: Sheet, arrays: _Arrays) -> dict[str, Any]:
    spec = sheet.spec
    described: dict[str, Any] = {
        "points": sheet.points,
        "parameters": sheet.parameters,
        "returns": list(spec.returns),
        "axes": {name: list(words) for name, words in spec.axes.items()},
        "needs": list(spec.needs),
        "hints": list(spec.hints),
        "rtol": spec.rtol,
        "atol": spec.atol,
        "cases": [
            {
                "words": case.words,
                "is_edge": case.is_edge,
                "inputs": _put(case.inputs, arrays),
                "expected": _put(case.expected, arrays),
            }
            for case in sheet.cases
        ],
        "mistakes": _describe_mistakes(
            [_telling(mistake, sheet) for mistake in sheet.mistakes], sheet, arrays
        ),
        "reads": [str(leaf) for leaf in sheet.reads],
        "slips": _describe_mistakes(sheet.slips(), sheet, arrays),
        "pairs": _describe_mistakes(sheet.pairs(), sheet, arrays),
        "stages": {name: _describe_probe(probe, sheet, arrays) for name, probe in sheet.probes.items()},
    }
    if spec.ways:
        described["ways"] = {
            name: {
                "outputs": list(way.outputs),
                "hint": way.hint,
                "behind": list(way.behind),
                "stages": list(way.stages),
            }
            for name, way in spec.ways.items()
        }
    if spec.tried_by:
        described["tried_by"] = spec.tried_by
    if spec.watched:
        described["watched"] = dict(spec.watched)
    if spec.derived:
        described["derived"] = True
    if spec.stands:
        described["mends"] = {
            "stands": spec.stands,
            "shown_by": spec.shown_by,
            "wrong": sorted(sheet.to_mend),
        }
    if spec.gradient and sheet.forward:
        described["gradient"] = {
            "of": spec.gradient.of,
            "upstream": dict(spec.gradient.upstream),
            "wrt": dict(spec.gradient.wrt),
            "returns": list(sheet.forward.returns),
            "underived": spec.gradient.underived,
            "is_exercise": sheet.forward.is_exercise,
            "inputs": _put(sheet.forward.inputs, arrays),
            "expected": _put(sheet.forward.expected, arrays),
        }
    return described


def _describe_probe(probe: Probe, sheet: Sheet, arrays: _Arrays) -> dict[str, Any]:
    return {
        "says": probe.says,
        "outputs": list(probe.outputs),
        "inputs": _put(probe.case.inputs, arrays),
        "expected": _put(probe.case.expected, arrays),
        "mistakes": _describe_mistakes(probe.mistakes, replace(sheet, cases=[probe.case]), arrays),
    }


def _describe_mistakes(mistakes: list[Mistake], sheet: Sheet, arrays: _Arrays) -> dict[str, Any]:
    """Mistakes; many share their words and their leaves, so that these are written once."""
    words = sorted({both for mistake in mistakes for both in _words_of(mistake)})
    groups: list[list[list[Any]]] = []
    numbers: list[np.ndarray] = []
    listed = []
    for mistake in mistakes:
        effects: list[Any] = []
        for effect, case in zip(mistake.effects, sheet.cases, strict=True):
            if isinstance(effect, str):
                effects.append(effect)
                continue
            group = [[str(leaf), _another_shape(trace, case, leaf)] for leaf, trace in effect.items()]
            groups += [group] if group not in groups else []
            effects.append(groups.index(group))
            numbers += [trace.numbers for trace in effect.values()]
        listed.append([[words.index(both) for both in _words_of(mistake)], mistake.made_in, effects])
    traces = _put(np.array(numbers).reshape(-1, TRACE_NUMBERS), arrays)
    return {"words": words, "groups": groups, "mistakes": listed, "traces": traces}


def _another_shape(trace: Trace, case: Case, leaf: Leaf) -> list[int] | None:
    return None if trace.shape == case.expected[leaf].shape else list(trace.shape)


def _words_of(mistake: Mistake) -> list[tuple[str, str]]:
    return [(mistake.name, mistake.hint), *([mistake.other] if mistake.other else [])]


def _telling(mistake: Mistake, sheet: Sheet) -> Mistake:
    """A mistake without those of its effects that are not needed to tell it from the others.

    The first case tells most mistakes apart; a mistake that leaves no trace there is told by the
    first case in which it does. In the others all that counts is that something is wrong; but so few
    numbers as a count, or a mean, come out alike by chance, and are kept of every case. Of what stood there
    to be mended all is kept: who mends one case alone, or another thing, has mended something. And in what is
    to be mended a mistake may give, for some random values, just what stood there: it is told by all of them.
    """
    if mistake.name == STILL_STANDS:
        return mistake
    kept = {0, next((i for i, effect in enumerate(mistake.effects) if effect), 0)}
    if sheet.spec.stands:
        kept |= {i for i, case in enumerate(sheet.cases) if not case.is_edge}
    return replace(
        mistake,
        effects=tuple(
            effect if i in kept or not effect or isinstance(effect, str) or _is_small(effect) else WRONG
            for i, effect in enumerate(mistake.effects)
        ),
    )


def _is_small(effect: Mapping[Leaf, Trace]) -> bool:
    return sum(math.prod(trace.shape) for trace in effect.values()) < FEW_NUMBERS


def _put(value: Any, arrays: _Arrays) -> Any:
    if isinstance(value, dict):
        return {"dict": {str(key): _put(member, arrays) for key, member in value.items()}}
    if isinstance(value, list | tuple):
        return {"list": [_put(member, arrays) for member in value]}
    if isinstance(value, np.ndarray):
        return {"array": arrays.put(value)}
    if isinstance(value, np.generic):
        value = value.item()
    if value is None or isinstance(value, bool | int | float | str):
        return {"plain": value}
    raise CourseError(f"a {type(value).__name__} cannot be kept in checks.safetensors")


def _get(described: Any, tensors: dict[str, np.ndarray]) -> Any:
    if "dict" in described:
        return {key: _get(member, tensors) for key, member in described["dict"].items()}
    if "list" in described:
        return [_get(member, tensors) for member in described["list"]]
    if "array" in described:
        kind, start, shape = described["array"]
        return tensors[kind][start : start + math.prod(shape)].reshape(shape).copy()
    return described["plain"]


def _get_leaves(described: Any, tensors: dict[str, np.ndarray]) -> Leaves:
    return {Leaf.read(name): _get(array, tensors) for name, array in described["dict"].items()}


def _arrays_in(described: Any, tensors: dict[str, np.ndarray]) -> Any:
    """What was described, in the same nesting, with arrays where their places are told."""
    if isinstance(described, dict):
        if len(described) == 1 and next(iter(described)) in ("dict", "list", "array", "plain"):
            return _get(described, tensors)
        return {key: _arrays_in(member, tensors) for key, member in described.items()}
    if isinstance(described, list):
        return [_arrays_in(member, tensors) for member in described]
    return described


class FrozenChecks:
    """The checks of a release, read when they are asked for.

    Args:
        path: a `checks.safetensors`.

    Raises:
        CourseError: the file is missing, damaged, or of another version of the course.
    """

    def __init__(self, path: Path):
        self.path = path
        try:
            content = path.read_bytes()  # not `safe_open`: a browser's folder cannot be mapped into memory
            self._tensors = load(content)
            written_as = _metadata(content).get("format", "an older one")
            words: dict[str, Any] = {"format": written_as}
            if written_as == str(FORMAT):
                words = json.loads(zlib.decompress(self._tensors.pop(WORDS).tobytes()))
        except FileNotFoundError as error:
            raise CourseError(f"there is no {path}") from error
        except (SafetensorError, OSError, KeyError, ValueError, zlib.error) as error:
            raise CourseError(
                f"{path} cannot be read ({error}); download the notebook's folder again"
            ) from error
        if words["format"] != FORMAT:
            raise CourseError(f"{path} is of another version of the course; update the course's package")
        self.assignment: str = words["assignment"]
        self.made_from: dict[str, str] = words.get("made_from", {})
        self.around: dict[str, Any] = words.get("around", {})
        self.told: dict[str, Any] = words.get("told", {})
        self._words = words
        self._exercises: dict[str, Any] = words["exercises"]
        self._sheets: dict[str, Sheet] = {}

    @property
    def names(self) -> list[str]:
        """The exercises of the notebook, in order of their names."""
        return list(self._exercises)

    @property
    def is_sealed(self) -> bool:
        """Whether the file is as some build wrote it: nobody edited it since."""
        return self._words.get("seal") == _seal(self._words, self._tensors)

    def made_anew(self, made_from: Mapping[str, str]) -> bytes:
        """The same checks, with other hashes of the sources that give them."""
        return _sealed({**self._words, "made_from": dict(made_from)}, self._tensors)

    def content(self) -> dict[str, Any]:
        """All that the file says, with its arrays in their places."""
        exercises = {key: _arrays_in(value, self._tensors) for key, value in self._exercises.items()}
        return {**exercises, "the cells around": self.around, "what is told later": self.told}

    def sheet(self, name: str) -> Sheet:
        """The answer sheet of one exercise."""
        if name not in self._sheets:
            self._sheets[name] = self._read(name, self._exercises[name])
        return self._sheets[name]

    def _read(self, name: str, words: dict[str, Any]) -> Sheet:
        gradient = words.get("gradient")
        mends = words.get("mends", {})
        spec = Exercise(
            returns=tuple(words["returns"]),
            cases=_not_drawn,
            hints=tuple(words["hints"]),
            needs=tuple(words["needs"]),
            axes={key: tuple(value) for key, value in words["axes"].items()},
            ways={
                name: Way(
                    tuple(way["outputs"]), way["hint"], tuple(way["behind"]), tuple(way.get("stages", ()))
                )
                for name, way in words.get("ways", {}).items()
            },
            rtol=words["rtol"],
            atol=words["atol"],
            watched=words.get("watched", {}),
            tried_by=words.get("tried_by", ""),
            derived=words.get("derived", False),
            stands=mends.get("stands", ""),
            shown_by=mends.get("shown_by", ""),
        )
        cases = [
            Case(
                c["words"],
                c["is_edge"],
                _get(c["inputs"], self._tensors),
                _get_leaves(c["expected"], self._tensors),
            )
            for c in words["cases"]
        ]
        reads = tuple(map(Leaf.read, words["reads"]))
        mistakes = self._mistakes(words["mistakes"], cases)
        sheet = Sheet(name, words["points"], words["parameters"], spec, cases, mistakes, reads)
        sheet.to_mend = frozenset(mends.get("wrong", ()))
        sheet.slips = cache(lambda: self._mistakes(words["slips"], cases))
        sheet.pairs = cache(lambda: self._mistakes(words["pairs"], cases))
        sheet.probes = {stage: self._probe(stage, p) for stage, p in words["stages"].items()}
        if gradient:
            sheet.forward = Forward(
                gradient["of"],
                Gradient(
                    gradient["of"], gradient["upstream"], gradient["wrt"], underived=gradient["underived"]
                ),
                gradient["is_exercise"],
                tuple(gradient["returns"]),
                _get(gradient["inputs"], self._tensors),
                _get_leaves(gradient["expected"], self._tensors),
            )
        return sheet

    def _probe(self, name: str, described: dict[str, Any]) -> Probe:
        inputs = _get(described["inputs"], self._tensors)
        case = Case(name, False, inputs, _get_leaves(described["expected"], self._tensors))
        mistakes = self._mistakes(described["mistakes"], [case])
        return Probe(described["says"], tuple(described["outputs"]), case, mistakes)

    def _mistakes(self, described: dict[str, Any], cases: list[Case]) -> list[Mistake]:
        words = described["words"]
        groups = [[(Leaf.read(leaf), shape) for leaf, shape in group] for group in described["groups"]]
        traces = iter(_get(described["traces"], self._tensors))
        found = []
        for said, made_in, described_effects in described["mistakes"]:
            (name, hint), *more = (words[word] for word in said)
            effects = tuple(
                effect
                if isinstance(effect, str)
                else {
                    leaf: Trace(case.expected[leaf].shape if shape is None else tuple(shape), next(traces))
                    for leaf, shape in groups[effect]
                }
                for effect, case in zip(described_effects, cases, strict=True)
            )
            found.append(Mistake(name, hint, effects, made_in, tuple(more[0]) if more else None))
        return found


def _not_drawn(rng: np.random.Generator) -> dict[str, Any]:
    raise CourseError("a frozen check draws no new inputs")
