"""Answer sheets as a file: the `checks.safetensors` of a release, with public inputs.

The file holds arrays and words, no code. Mistakes' effects are stored only as far as they are needed
to tell the mistakes apart.
"""

from __future__ import annotations

import json
import math
from functools import cache
from pathlib import Path
from typing import Any

import numpy as np
from safetensors import SafetensorError, safe_open
from safetensors.numpy import save

from autograder.answers import WRONG, Case, Effect, Forward, Mistake, Sheet, Shown, Slip
from autograder.exercise import CourseError, Exercise, Gradient
from autograder.leaves import Leaves

FORMAT = 5


def freeze(assignment: str, sheets: dict[str, Sheet]) -> bytes:
    """Answer sheets as the bytes of a safetensors file; the same sheets give the same bytes."""
    arrays = _Arrays()
    described = {name: _describe(sheet, arrays) for name, sheet in sheets.items()}
    words = {"format": FORMAT, "assignment": assignment, "exercises": described}
    # One key only, in the order of insertion: arguments are passed by position.
    return save(arrays.tensors(), metadata={"checks": json.dumps(words)})


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
        "mistakes": [
            {
                "name": mistake.name,
                "hint": mistake.hint,
                "made_in": mistake.made_in,
                "effects": [
                    _put_effect(effect, sheet.cases[i], arrays)
                    for i, effect in enumerate(_telling_effects(sheet, mistake))
                ],
            }
            for mistake in sheet.mistakes
        ],
        "slips": _describe_slips(sheet, arrays),
    }
    if spec.gradient and sheet.forward:
        described["gradient"] = {
            "of": spec.gradient.of,
            "upstream": dict(spec.gradient.upstream),
            "wrt": dict(spec.gradient.wrt),
            "returns": list(sheet.forward.returns),
            "is_exercise": sheet.forward.is_exercise,
            "inputs": _put(sheet.forward.inputs, arrays),
            "expected": _put(sheet.forward.expected, arrays),
        }
    return described


def _describe_slips(sheet: Sheet, arrays: _Arrays) -> dict[str, Any]:
    """The slips; many share their words and their leaves, so that these are written once."""
    slips = sheet.slips()
    words = sorted({(slip.name, slip.hint) for slip in slips})
    leaves = sorted({one.leaves for slip in slips for one in slip.shown})
    return {
        "words": words,
        "leaves": leaves,
        "slips": [
            [
                words.index((slip.name, slip.hint)),
                [[one.case, leaves.index(one.leaves)] for one in slip.shown],
            ]
            for slip in slips
        ],
        "traces": _put(np.array([one.trace for slip in slips for one in slip.shown]), arrays),
    }


def _telling_effects(sheet: Sheet, mistake: Mistake) -> list[Effect]:
    """A mistake's effects, without those that are not needed to tell it from the others.

    The first case tells most mistakes apart; a mistake that leaves no trace there is told by the
    first case in which it does.
    """
    telling = next((i for i, effect in enumerate(mistake.effects) if effect), 0)
    return [
        effect if i in (0, telling) or effect == {} or isinstance(effect, str) else WRONG
        for i, effect in enumerate(mistake.effects)
    ]


def _put_effect(effect: Effect, case: Case, arrays: _Arrays) -> Any:
    if isinstance(effect, str):
        return effect
    small: Leaves = {}
    for name, leaf in effect.items():
        expected = case.expected[name]
        # Half the size where single precision is enough to tell the mistake from the answer.
        clear = leaf.shape != expected.shape or not np.allclose(leaf, expected, rtol=1e-2, atol=0)
        keep = np.abs(leaf[np.isfinite(leaf)]).max(initial=0) < 1e30 and leaf.dtype == np.float64
        small[name] = leaf.astype(np.float32) if clear and keep else leaf
    return _put(small, arrays)


def _put(value: Any, arrays: _Arrays) -> Any:
    if isinstance(value, dict):
        return {"dict": {key: _put(member, arrays) for key, member in value.items()}}
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
            with safe_open(path, framework="numpy") as file:
                words = json.loads((file.metadata() or {})["checks"])
                self._tensors = {name: file.get_tensor(name) for name in file.keys()}  # noqa: SIM118
        except FileNotFoundError as error:
            raise CourseError(f"there is no {path}") from error
        except (SafetensorError, OSError, KeyError, ValueError) as error:
            raise CourseError(
                f"{path} cannot be read ({error}); download the notebook's folder again"
            ) from error
        if words["format"] != FORMAT:
            raise CourseError(f"{path} is of another version of the course; update the course's package")
        self.assignment: str = words["assignment"]
        self._exercises: dict[str, Any] = words["exercises"]
        self._sheets: dict[str, Sheet] = {}

    @property
    def names(self) -> list[str]:
        """The exercises of the notebook, in order of their names."""
        return list(self._exercises)

    def sheet(self, name: str) -> Sheet:
        """The answer sheet of one exercise."""
        if name not in self._sheets:
            self._sheets[name] = self._read(name, self._exercises[name])
        return self._sheets[name]

    def _read(self, name: str, words: dict[str, Any]) -> Sheet:
        gradient = words.get("gradient")
        spec = Exercise(
            returns=tuple(words["returns"]),
            cases=_not_drawn,
            hints=tuple(words["hints"]),
            needs=tuple(words["needs"]),
            axes={key: tuple(value) for key, value in words["axes"].items()},
            rtol=words["rtol"],
            atol=words["atol"],
        )
        cases = [
            Case(
                c["words"], c["is_edge"], _get(c["inputs"], self._tensors), _get(c["expected"], self._tensors)
            )
            for c in words["cases"]
        ]
        mistakes = [
            Mistake(
                m["name"],
                m["hint"],
                [e if isinstance(e, str) else _get(e, self._tensors) for e in m["effects"]],
                m["made_in"],
            )
            for m in words["mistakes"]
        ]
        sheet = Sheet(name, words["points"], words["parameters"], spec, cases, mistakes)
        sheet.slips = cache(lambda: self._slips(words["slips"]))
        if gradient:
            sheet.forward = Forward(
                gradient["of"],
                Gradient(gradient["of"], gradient["upstream"], gradient["wrt"]),
                gradient["is_exercise"],
                tuple(gradient["returns"]),
                _get(gradient["inputs"], self._tensors),
                _get(gradient["expected"], self._tensors),
            )
        return sheet

    def _slips(self, described: dict[str, Any]) -> list[Slip]:
        words, leaves = described["words"], described["leaves"]
        traces = iter(_get(described["traces"], self._tensors))
        found = []
        for word, places in described["slips"]:
            name, hint = words[word]
            shown = tuple(Shown(case, tuple(leaves[group]), next(traces)) for case, group in places)
            found.append(Slip(name, hint, shown))
        return found


def _not_drawn(rng: np.random.Generator) -> dict[str, Any]:
    raise CourseError("a frozen check draws no new inputs")
