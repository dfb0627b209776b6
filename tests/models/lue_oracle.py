"""Equations 1-8 of the light-use-efficiency model (Bao et al. 2023), one scalar at a time and without any of gridcal.

The functions take plain numbers, real or complex, so that the same lines give derivatives by the complex step.
"""

import cmath
import math

NAMES = ("eps_max", "Topt", "kT", "kappa", "Ca0", "Ck", "Cm", "kW", "WI", "gamma", "mu", "aT", "aW")
LOWER = (0.0, 5.0, 1.0, -1e-1, 340.0, 0.0, 100.0, -30.0, 0.01, 0.0, 1e-3, 0.0, 0.0)
UPPER = (10.0, 35.0, 20.0, -1e-4, 390.0, 10.0, 4000.0, -5.0, 0.99, 1.0, 1.0, 0.9, 0.9)
FORCING = ("tas", "vpd", "par", "fapar", "wai", "co2", "ci")
FUNCTIONS = ("fT", "fVPD", "fCO2", "fW", "fL", "fCI", "Tf", "Wf", "apar")
CI_MIN = 0.01
COMPLEX_STEP = 1e-150


def _exp(x):
    return cmath.exp(x) if isinstance(x, complex) else math.exp(x)


def _cosh(x):
    return cmath.cosh(x) if isinstance(x, complex) else math.cosh(x)


def _real(x):
    return x.real if isinstance(x, complex) else x


def filtered(today, yesterday, alpha):
    """Equations 7 and 8."""
    return (1 - alpha) * today + alpha * yesterday


def f_temperature(Tf, Topt, kT):
    """Equation 2."""
    return 1 / _cosh((Tf - Topt) / kT)


def f_vpd(vpd, ca, kappa, Ca0, Ck):
    """Equation 3, first factor, clipped to 0-1."""
    f = _exp(kappa * (Ca0 / ca) ** Ck * vpd)
    return 1.0 if _real(f) > 1 else f


def f_co2(ca, Ca0, Cm):
    """Equation 3, second factor, not clipped."""
    return 1 + (ca - Ca0) / (ca - Ca0 + Cm)


def f_moisture(Wf, kW, WI):
    """Equation 4."""
    return 1 / (1 + _exp(kW * (Wf - WI)))


def f_light(apar, gamma):
    """Equation 5."""
    return 1 / (1 + gamma * apar)


def f_cloudiness(ci, mu):
    """Equation 6 with the floor of the cloudiness index."""
    return max(ci, CI_MIN) ** mu


def simulate(theta, forcing, site=(0.0, 0.0), state=None):
    """Equations 1-8 for one pixel: dict of gpp and of every name of `FUNCTIONS`, each a list over days."""
    eps_max, Topt, kT, kappa, Ca0, Ck, Cm, kW, WI, gamma, mu, aT, aW = theta
    alpha_t, alpha_w = aT * site[0], aW * site[1]
    out = {name: [] for name in ("gpp", *FUNCTIONS)}
    previous = state
    for tas, vpd, par, fapar, wai, ca, ci in zip(*forcing, strict=True):
        if previous is None:
            Tf, Wf = tas, wai
        else:
            Tf, Wf = filtered(tas, previous[0], alpha_t), filtered(wai, previous[1], alpha_w)
        previous = (Tf, Wf)
        apar = par * fapar
        day = {
            "fT": f_temperature(Tf, Topt, kT),
            "fVPD": f_vpd(vpd, ca, kappa, Ca0, Ck),
            "fCO2": f_co2(ca, Ca0, Cm),
            "fW": f_moisture(Wf, kW, WI),
            "fL": f_light(apar, gamma),
            "fCI": f_cloudiness(ci, mu),
            "Tf": Tf,
            "Wf": Wf,
            "apar": apar,
        }
        gpp = apar * eps_max
        for name in ("fT", "fVPD", "fCO2", "fW", "fL", "fCI"):
            gpp = gpp * day[name]
        out["gpp"].append(gpp)
        for name in FUNCTIONS:
            out[name].append(day[name])
    return out


def columns(forcing, pixel):
    """The plain-number series of one pixel of arrays of shape (T, n) or (T, 1)."""
    return [[float(v) for v in a[:, pixel if a.shape[1] > 1 else 0]] for a in forcing]


def simulate_block(theta, forcing, site, state=None):
    """`simulate` for each pixel of a block: dict name -> nested list [pixel][day]."""
    n = theta.shape[1]
    runs = [
        simulate(
            [float(v) for v in theta[:, i]],
            columns(forcing, i),
            [float(v) for v in site[:, i]],
            None if state is None else [float(v) for v in state[:, i]],
        )
        for i in range(n)
    ]
    return {name: [run[name] for run in runs] for name in runs[0]}


def complex_step(function, theta):
    """Gradient of a scalar function of the parameters, exact to rounding."""
    gradient = []
    for k in range(len(theta)):
        moved = [complex(v) for v in theta]
        moved[k] += 1j * COMPLEX_STEP
        gradient.append(function(moved).imag / COMPLEX_STEP)
    return gradient


def sse(theta, forcing, site, obs, weight):
    """Weighted sum of squared errors over the days that have an observation."""
    gpp = simulate(theta, forcing, site)["gpp"]
    return sum(w * (g - o) ** 2 for g, o, w in zip(gpp, obs, weight, strict=True) if math.isfinite(o))


def sse_gradient(theta, forcing, site, obs, weight):
    """Gradient of `sse`, and for each parameter the sum of the absolute daily terms it is a sum of."""
    gpp = [_real(g) for g in simulate(theta, forcing, site)["gpp"]]
    gradient, size = [], []
    for k in range(len(theta)):
        moved = [complex(v) for v in theta]
        moved[k] += 1j * COMPLEX_STEP
        slope = [complex(g).imag / COMPLEX_STEP for g in simulate(moved, forcing, site)["gpp"]]
        terms = [2 * w * (g - o) * s for g, o, w, s in zip(gpp, obs, weight, slope, strict=True) if math.isfinite(o)]
        gradient.append(math.fsum(terms))
        size.append(math.fsum(abs(t) for t in terms))
    return gradient, size


def gradient_axis(lower, upper, n=365):
    """The synthetic environment: `n` equally spaced values."""
    return [lower + (upper - lower) * k / (n - 1) for k in range(n)]


def constraint(theta):
    """Ideal term of fW (fT, fVPD and fL reach 1 by construction) and the three non-ideal means, at 400 ppm."""
    _, Topt, kT, kappa, Ca0, Ck, _, kW, WI, _, _, _, _ = theta

    def excess(f, limit):
        return f - limit if _real(f) > limit else 0.0

    cold = [excess(f_temperature(t, Topt, kT), 0.2) for t in gradient_axis(-5.0, 40.0) if t < 0]
    dry_air = [excess(f_vpd(d, 400.0, kappa, Ca0, Ck), 0.9) for d in gradient_axis(0.0, 4.5) if d > 2]
    dry_soil = excess(f_moisture(0.0, kW, WI), 0.2)
    return (1 - f_moisture(1.0, kW, WI)) + sum(cold) / len(cold) + sum(dry_air) / len(dry_air) + dry_soil
