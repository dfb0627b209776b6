"""Exponential, logarithm, sine and inverse cosine that vectorise inside lane loops.

The wheels of numba carry no vector mathematics library, so ``math.exp`` in a loop stays scalar. The functions below are
branch-free polynomials after a reduction of the range; exponent and sign are handled by bit casts.
"""

from __future__ import annotations

import math

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
    """E to the power `x`, relative error below 4e-16 for finite arguments; saturates at -708 and 709.

    The polynomial (Chebyshev interpolation of (exp(r) - 1 - r) / r^2) is summed in pairs: in loops with a long way from first
    to last operation, its latency counts and not the number of its operations.
    """
    x = min(max(x, -708.0), 709.0)
    shifted = x * 1.4426950408889634 + 6755399441055744.0
    n = shifted - 6755399441055744.0
    r = x - n * 6.93145751953125e-1
    r = r - n * 1.42860682030941723212e-6
    s = r * r
    t = s * s
    low = (0.5000000000000001 + 0.16666666666666669 * r) + (0.04166666666662409 + 0.008333333333330058 * r) * s
    middle = (0.0013888888917234206 + 0.00019841269863069374 * r) + (2.4801521264122017e-05 + 2.755726843551756e-06 * r) * s
    high = 2.762010358488696e-07 + 2.5100397137931663e-08 * r
    p = 1.0 + (r + s * (low + t * (middle + t * high)))
    return p * as_float((as_int(shifted) + 1023) << 52)


@lane
def vlog(x):
    """Natural logarithm of a positive normal number, relative error below 4e-16 (fdlibm's polynomial); NaN of NaN."""
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
    log = k * 6.93147180369123816490e-01 - ((half - (s * (half + even + odd) + k * 1.90821492927058770002e-10)) - f)
    return log if x == x else x


@lane
def vsin(x):
    """Sine, absolute error below 3e-16 for arguments up to 1e5: Taylor's series within half a turn."""
    shifted = x * 0.3183098861837907 + 6755399441055744.0
    n = shifted - 6755399441055744.0
    r = x - n * 3.14159265346825122833
    r = r - n * 1.21542010130123844986e-10
    z = r * r
    p = 1.9572941063391263e-20
    p = p * z - 8.22063524662433e-18
    p = p * z + 2.8114572543455206e-15
    p = p * z - 7.647163731819816e-13
    p = p * z + 1.6059043836821613e-10
    p = p * z - 2.505210838544172e-08
    p = p * z + 2.7557319223985893e-06
    p = p * z - 0.0001984126984126984
    p = p * z + 0.008333333333333333
    p = p * z - 0.16666666666666666
    sine = r + r * z * p
    return as_float(as_int(sine) ^ (as_int(shifted) << 63))


@lane
def vacos(x):
    """Inverse cosine of a number between -1 and 1, error below 1e-15 (fdlibm's rational function)."""
    size = abs(x)
    near = size < 0.5
    z = x * x if near else 0.5 * (1.0 - size)
    s = size if near else math.sqrt(z)
    top = 7.91534994289814532176e-04 + z * 3.47933107596021167570e-05
    top = 2.01212532134862925881e-01 + z * (-4.00555345006794114027e-02 + z * top)
    top = z * (1.66666666666666657415e-01 + z * (-3.25565818622400915405e-01 + z * top))
    below = 2.02094576023350569471e00 + z * (-6.88283971605453293030e-01 + z * 7.70381505559019352791e-02)
    below = 1.0 + z * (-2.40339491173441421878e00 + z * below)
    sine = s + s * (top / below)
    away = 1.5707963267948966 - sine if near else 2.0 * sine
    return away if x >= 0.0 else 3.141592653589793 - away
