"""The words in which a check is written: `Exercise`, `Mutant`, `Gradient`, `Stage`, `Way`.

An `exercises.py` beside each master declares one `Exercise` per graded function.
This module knows nothing of notebooks, sandboxes or marks.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

import numpy as np

Inputs = dict[str, Any]
DrawInputs = Callable[[np.random.Generator], Inputs]


@dataclass(frozen=True)
class Mutant:
    """A mistake that students make, as an edit of the reference solution's syntax tree.

    Most are read from `mistakes.txt`; in `exercises.py` stand those that a loop makes.

    Args:
        name: what the mistake is, in a few words ("forget and input gate swapped").
        old: an expression or a statement of the solution, between BEGIN and END SOLUTION, however it is
            formatted; must stand there exactly once.
        new: what the mistaken student writes in its place.
        hint: one sentence that helps without giving the line away.
        more: further (old, new) edits that belong to the same mistake, made at the same time.
    """

    name: str
    old: str
    new: str
    hint: str
    more: tuple[tuple[str, str], ...] = ()

    @property
    def edits(self) -> tuple[tuple[str, str], ...]:
        """All (old, new) pairs."""
        return ((self.old, self.new), *self.more)


# What right numbers are worth that come from a general method of differentiating, where nothing else is said.
UNDERIVED_SHARE = 0.5


@dataclass(frozen=True)
class Gradient:
    """How a backward function is judged against numeric gradients of its forward.

    The loss is a random weighted sum of the forward's outputs named in `upstream`; the weights are
    what the backward gets as its upstream gradients. Every other argument of the backward is looked
    up by its name among the inputs and the outputs of the forward.

    Args:
        of: name of the forward function (an exercise, or a given function of the notebook).
        upstream: backward argument -> forward output it is the gradient of, `{"ds": "s_t"}`.
        wrt: backward output -> forward argument it is the gradient by, `{"dx": "x_t", "dW": "W"}`.
        returns: names of the forward's outputs, in order; needed where the forward is a given
            function of the notebook and not an exercise of it.
        underived: the share of its points that a backward with right numbers earns where it differentiates
            the forward by a general method (complex steps, differences, dual numbers) and derives nothing;
            1 where that is as good.

    The forward's arguments are taken from the backward's cases, by name.
    """

    of: str
    upstream: Mapping[str, str]
    wrt: Mapping[str, str]
    returns: tuple[str, ...] = ()
    underived: float = UNDERIVED_SHARE


@dataclass(frozen=True)
class Stage:
    """A part of a derivation that can be tried by itself: `check(step_backward, stage="tanh")`.

    Its inputs silence the other ways (an identity matrix, a closed gate, a zero), so that some outputs show
    one way alone; a student's local variables are never looked at. A stage earns nothing.

    Args:
        draw: the inputs, in the order of the signature.
        outputs: the outputs that are compared; the others may be anything.
        says: what they do, for the student: "`W["sx"]` is the identity: `dx` is the gradient by a_t".
    """

    draw: DrawInputs
    outputs: tuple[str, ...]
    says: str


@dataclass(frozen=True)
class Way:
    """A way back in a derivation: a check says whether it is right, and never what is wrong on it.

    Which ways are wrong is read off the outputs that are, so that an answer with half of the factors is told
    no more than one with none.

    Args:
        outputs: what shows this way, `('dW["gs"]', 'dW["gx"]')`: it is named where all of them are wrong.
        hint: a question that holds no factor.
        behind: ways that it begins with, or that end in it: it is named where none of them is.
        stages: those that may show what is wrong on it, in the order in which they are tried: a check names
            the first that does, for this answer.
    """

    outputs: tuple[str, ...]
    hint: str
    behind: tuple[str, ...] = ()
    stages: tuple[str, ...] = ()


@dataclass(frozen=True)
class Exercise:
    """How one graded function is checked. Its name is the name it is assigned to in `exercises.py`.

    Args:
        returns: names of what the function returns, in order. One name: the value itself is
            returned; several: a tuple. A returned dict is one name, its members are told by key.
        cases: draws the arguments from a random generator, in the order of the signature (they are
            passed by position). Make all sizes different and greater than one, weights
            non-symmetric, states and carried gradients non-zero. Called with two seeds. Or several draws,
            each called once: with other sizes (a factor N is then told from a factor 2), and one for each
            branch that a function has.
        edge_cases: words for a person ("one sequence (N = 1)") -> the same for a special case.
        hints: three hints that cost nothing: the idea, the shapes, and a way to begin: the first line where
            code is taught, the path to try first where a derivation is.
        needs: functions this one may call: earlier exercises of the same notebook.
        misconceptions: mistakes to name, beside those of `mistakes.txt`; they come after these.
        gradient: for a backward function, how it is judged against numeric gradients.
        confirm: an independent computation of the same outputs (PyTorch, finite differences, a
            closed form) with the same arguments; the build compares it with the reference.
        stages: parts of a derivation that can be tried by themselves, by their names.
        ways: of a derivation, its ways back, by what is said where one is wrong ("the way through the gate is
            not right"). Then slips have no names, and `mistakes.txt` uses these names without hints.
        axes: output (or input) name -> one word per axis, where the defaults ("unit", "sequence";
            with "time step" before them for three axes; "row", "column" for weights) do not fit.
        rtol: relative tolerance of a comparison.
        atol: absolute tolerance of a comparison, in units of the largest expected entry.
        derived: whether its formula is kept back until it is found; the master says so by `found` cells.
            Right numbers by complex steps are worth half then, as of a backward (`Gradient.underived`).
        watched: output, or a member of one, `start["bound"]` -> what is said where it is wrong, of one that
            the answer does not return itself: what `tried_by` saw on the way. "{key}" is the member's. ""
            where its numbers say it.
        tried_by: a given function of the notebook that is called in place of the answer, where that is a
            class, or takes and gives what is no array (tensors, a model): it takes what `cases` draws, uses
            the answer by its name, and returns arrays.
        mends: a given function that is broken. The release's cell holds its body in place of a hole, and as
            long as that stands unchanged there is no answer. Marks are for what it gets wrong, times the
            share that is left right of what it gets right.
        shown_by: of one that mends: which tool shows that something is wrong, never what is. It is said as
            long as nothing is mended.
        stands: the body of what is to be mended; read from the master.
        dropped: it was found faulty after it was handed out: it stays in the notebook and counts nothing.
    """

    returns: tuple[str, ...]
    cases: DrawInputs | Sequence[DrawInputs]
    hints: tuple[str, str, str]
    edge_cases: Mapping[str, DrawInputs] = field(default_factory=dict)
    needs: tuple[str, ...] = ()
    misconceptions: tuple[Mutant, ...] | list[Mutant] = ()
    gradient: Gradient | None = None
    confirm: Callable[..., Any] | None = None
    stages: Mapping[str, Stage] = field(default_factory=dict)
    ways: Mapping[str, Way] = field(default_factory=dict)
    axes: Mapping[str, tuple[str, ...]] = field(default_factory=dict)
    rtol: float = 1e-8
    atol: float = 1e-10
    derived: bool = False
    watched: Mapping[str, str] = field(default_factory=dict)
    tried_by: str = ""
    mends: str = ""
    shown_by: str = ""
    stands: str = ""
    dropped: bool = False
