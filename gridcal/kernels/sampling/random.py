"""A random stream with explicit state for compiled loops (xoshiro256++ of Blackman and Vigna, 2021).

The state is an array of four 64-bit words, seeded from a :class:`numpy.random.SeedSequence`; nothing is global, so that a
result depends neither on the thread nor on what ran before.
"""

from __future__ import annotations

import math

import numpy as np

from gridcal.kernels.jit import kernel


def stream(seed):
    """State, uint64 (4,), of the stream of a SeedSequence."""
    return seed.generate_state(4, np.uint64)


@kernel
def next_word(state):
    """Next 64 random bits; advances `state`."""
    total = state[0] + state[3]
    word = ((total << np.uint64(23)) | (total >> np.uint64(41))) + state[0]
    shifted = state[1] << np.uint64(17)
    state[2] ^= state[0]
    state[3] ^= state[1]
    state[1] ^= state[2]
    state[0] ^= state[3]
    state[2] ^= shifted
    state[3] = (state[3] << np.uint64(45)) | (state[3] >> np.uint64(19))
    return word


@kernel
def uniform(state):
    """Uniform number in [0, 1) with 53 random bits."""
    return np.float64(next_word(state) >> np.uint64(11)) * 1.1102230246251565e-16


@kernel
def integer(state, n):
    """Uniform integer in 0 .. n-1 (bias below n / 2**53)."""
    return np.int64(uniform(state) * n)


@kernel
def normal(state):
    """Standard normal number (Box and Muller)."""
    return math.sqrt(-2.0 * math.log(1.0 - uniform(state))) * math.cos(6.283185307179586 * uniform(state))


@kernel
def normal_pair(state):
    """Two independent standard normal numbers, of one radius and angle (Box and Muller)."""
    radius = math.sqrt(-2.0 * math.log(1.0 - uniform(state)))
    angle = 6.283185307179586 * uniform(state)
    return radius * math.cos(angle), radius * math.sin(angle)
