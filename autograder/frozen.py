"""Answer sheets as a file: the `checks.safetensors` of a release, with public inputs.

The file holds arrays and words, no code. Mistakes' effects are stored only as far as they are needed
to tell the mistakes apart.
"""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import numpy as np
from safetensors import SafetensorError, safe_open
from safetensors.numpy import save

from autograder.answers import Case, Effect, Forward, Mistake, Sheet
from autograder.exercise import CourseError, Exercise, Gradient
from autograder.leaves import Leaves

FORMAT = 1


def freeze(assignment: str, sheets: dict[str, Sheet]) -> bytes:
    """Answer sheets as the bytes of a safetensors file; the same sheets give the same bytes."""
    tensors: dict[str, np.ndarray] = {}
    described = {name: _describe(sheet, name, tensors) for name, sheet in sheets.items()}
    words = {"format": FORMAT, "assignment": assignment, "exercises": described}
    # One key only, in the order of insertion: arguments are passed by position.
    return save(tensors, metadata={"checks": json.dumps(words)})


def _describe(sheet: Sheet, path: str, tensors: dict[str, np.ndarray]) -> dict[str, Any]:
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
                "inputs": _put(case.inputs, f"{path}/{i}/inputs", tensors),
                "expected": _put(case.expected, f"{path}/{i}/expected", tensors),
            }
            for i, case in enumerate(sheet.cases)
        ],
        "mistakes": [
            {
                "name": mistake.name,
                "hint": mistake.hint,
                "effects": [
                    _put_effect(effect, sheet.cases[i], f"{path}/{i}/mistake {m}", tensors)
                    for i, effect in enumerate(_telling_effects(sheet, mistake))
                ],
            }
            for m, mistake in enumerate(sheet.mistakes)
        ],
    }
    if spec.gradient and sheet.forward:
        described["gradient"] = {
            "of": spec.gradient.of,
            "upstream": dict(spec.gradient.upstream),
            "wrt": dict(spec.gradient.wrt),
            "returns": list(sheet.forward.returns),
            "is_exercise": sheet.forward.is_exercise,
            "inputs": _put(sheet.forward.inputs, f"{path}/forward/inputs", tensors),
            "expected": _put(sheet.forward.expected, f"{path}/forward/expected", tensors),
        }
    return described


def _telling_effects(sheet: Sheet, mistake: Mistake) -> list[Effect]:
    """A mistake's effects, without those that are not needed to tell it from the others.

    The first case tells most mistakes apart; a mistake that leaves no trace there is told by the
    first case in which it does.
    """
    telling = next((i for i, effect in enumerate(mistake.effects) if effect), 0)
    return [effect if i in (0, telling) or effect == {} else None for i, effect in enumerate(mistake.effects)]


def _put_effect(effect: Effect, case: Case, path: str, tensors: dict[str, np.ndarray]) -> Any:
    if effect is None or isinstance(effect, str):
        return effect
    small: Leaves = {}
    for name, leaf in effect.items():
        expected = case.expected[name]
        # Half the size where single precision is enough to tell the mistake from the answer.
        clear = leaf.shape != expected.shape or not np.allclose(leaf, expected, rtol=1e-2, atol=0)
        keep = np.abs(leaf[np.isfinite(leaf)]).max(initial=0) < 1e30 and leaf.dtype == np.float64
        small[name] = leaf.astype(np.float32) if clear and keep else leaf
    return _put(small, path, tensors)


def _put(value: Any, path: str, tensors: dict[str, np.ndarray]) -> Any:
    if isinstance(value, dict):
        return {"dict": {key: _put(member, f"{path}/{key}", tensors) for key, member in value.items()}}
    if isinstance(value, list | tuple):
        return {"list": [_put(member, f"{path}/{i}", tensors) for i, member in enumerate(value)]}
    if isinstance(value, np.ndarray):
        tensors[path] = np.ascontiguousarray(value)
        return {"tensor": path, "shape": list(value.shape)}
    if isinstance(value, np.generic):
        value = value.item()
    if value is None or isinstance(value, bool | int | float | str):
        return {"plain": value}
    raise CourseError(f"{path}: a {type(value).__name__} cannot be kept in checks.safetensors")


def _get(described: Any, tensors: Any) -> Any:
    if "dict" in described:
        return {key: _get(member, tensors) for key, member in described["dict"].items()}
    if "list" in described:
        return [_get(member, tensors) for member in described["list"]]
    if "tensor" in described:
        return tensors.get_tensor(described["tensor"]).reshape(described["shape"])
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
            self._file = safe_open(path, framework="numpy")
            words = json.loads((self._file.metadata() or {})["checks"])
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
            gradient=Gradient(gradient["of"], gradient["upstream"], gradient["wrt"]) if gradient else None,
            axes={key: tuple(value) for key, value in words["axes"].items()},
            rtol=words["rtol"],
            atol=words["atol"],
        )
        cases = [
            Case(c["words"], c["is_edge"], _get(c["inputs"], self._file), _get(c["expected"], self._file))
            for c in words["cases"]
        ]
        mistakes = [
            Mistake(
                m["name"],
                m["hint"],
                [e if e is None or isinstance(e, str) else _get(e, self._file) for e in m["effects"]],
            )
            for m in words["mistakes"]
        ]
        sheet = Sheet(name, words["points"], words["parameters"], spec, cases, mistakes)
        if gradient:
            sheet.forward = Forward(
                gradient["of"],
                gradient["is_exercise"],
                tuple(gradient["returns"]),
                _get(gradient["inputs"], self._file),
                _get(gradient["expected"], self._file),
            )
        return sheet


def _not_drawn(rng: np.random.Generator) -> dict[str, Any]:
    raise CourseError("a frozen check draws no new inputs")
