"""Exponential and logarithm that vectorise inside lane loops.

The wheels of numba carry no vector mathematics library, so ``math.exp`` in a loop stays scalar. Both functions below are
branch-free polynomials after Cody and Waite's range reduction; the exponent is handled by bit casts.
"""

from __future__ import annotations

import numpy as np
from numba.core import types
from numba.extending import intrinsic

from gridcal.kernels.jit import lane


@intrinsic
def as_float(_context, value):
    """Reinterpret the bits of an int64 as float64."""
    signature = types.float64(types.int64)

    def codegen(context, builder, _signature, args):
        return builder.bitcast(args[0], context.get_value_type(types.float64))

    return signature, codegen


@intrinsic
def as_int(_context, value):
    """Reinterpret the bits of a float64 as int64."""
    signature = types.int64(types.float64)

    def codegen(context, builder, _signature, args):
        return builder.bitcast(args[0], context.get_value_type(types.int64))

    return signature, codegen


@lane
def vexp(x):
    """E to the power `x`, relative error below 4e-16 for finite arguments; saturates at -708 and 709."""
    x = min(max(x, -708.0), 709.0)
    shifted = x * 1.4426950408889634 + 6755399441055744.0
    n = shifted - 6755399441055744.0
    r = x - n * 6.93145751953125e-1
    r = r - n * 1.42860682030941723212e-6
    p = 2.08767569878681e-9
    p = p * r + 2.505210838544172e-8
    p = p * r + 2.755731922398589e-7
    p = p * r + 2.755731922398589e-6
    p = p * r + 2.48015873015873e-5
    p = p * r + 1.984126984126984e-4
    p = p * r + 1.388888888888889e-3
    p = p * r + 8.333333333333333e-3
    p = p * r + 4.1666666666666664e-2
    p = p * r + 1.6666666666666666e-1
    p = p * r + 0.5
    p = p * r + 1.0
    p = p * r + 1.0
    return p * as_float((as_int(shifted) + 1023) << 52)


@lane
def vlog(x):
    """Natural logarithm of a positive normal number, relative error below 4e-16 (fdlibm's polynomial)."""
    bits = as_int(x)
    offset = bits - 0x3FE6A09E667F3BCD
    exponent = (offset + (np.int64(1023) << 52)) >> 52
    k = as_float(exponent | 0x4330000000000000) - 4503599627370496.0 - 1023.0
    f = as_float(bits - (offset & np.int64(-4503599627370496))) - 1.0
    s = f / (2.0 + f)
    z = s * s
    w = z * z
    even = w * (3.999999999940941908e-01 + w * (2.222219843214978396e-01 + w * 1.531383769920937332e-01))
    odd = z * (
        6.666666666666735130e-01
        + w * (2.857142874366239149e-01 + w * (1.818357216161805012e-01 + w * 1.479819860511658591e-01))
    )
    half = 0.5 * f * f
    return k * 6.93147180369123816490e-01 - ((half - (s * (half + even + odd) + k * 1.90821492927058770002e-10)) - f)
