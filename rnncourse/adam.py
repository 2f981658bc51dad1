"""Adam with clipping by the global norm, for dicts of arrays.

This module knows nothing of models or losses: it gets weights and their gradients.
"""

from __future__ import annotations

import numpy as np


class Adam:
    """Adam (Kingma and Ba, 2015); the gradients are first clipped by their global norm.

    Args:
        learning_rate: length of a step, about.
        clip: largest global norm of the gradients; a larger one is scaled down to it.
    """

    def __init__(self, learning_rate: float = 0.01, clip: float = 1.0):
        self.learning_rate, self.clip = learning_rate, clip
        self._count = 0
        self._mean: dict[str, np.ndarray] = {}
        self._square: dict[str, np.ndarray] = {}

    def step(self, W: dict[str, np.ndarray], dW: dict[str, np.ndarray]) -> float:
        """Change the weights in place by one step.

        Args:
            W: the weights; keys that `dW` lacks stay as they are.
            dW: their gradients, shapes as in `W`.

        Returns:
            The global norm of the gradients before clipping.

        Raises:
            KeyError: a gradient has no weights in `W`.
        """
        norm = float(np.sqrt(sum((gradient**2).sum() for gradient in dW.values())))
        scale = min(1.0, self.clip / (norm + 1e-12))
        self._count += 1
        for key, gradient in dW.items():
            gradient = scale * gradient
            mean = 0.1 * gradient + 0.9 * self._mean.get(key, 0.0)
            square = 0.001 * gradient**2 + 0.999 * self._square.get(key, 0.0)
            self._mean[key], self._square[key] = mean, square
            unbiased = mean / (1 - 0.9**self._count)
            spread = np.sqrt(square / (1 - 0.999**self._count))
            W[key] -= self.learning_rate * unbiased / (spread + 1e-8)
        return norm
