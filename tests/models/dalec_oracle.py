"""DALEC-deciduous for one pixel in plain Python, written from the equations: the recommended scheme and ACM."""

import math


def acm(lai, nitrogen, p11, tmin, tmax, rad, co2, doy, lat):
    gs = 2.0**0.789798 / (0.37836 * 1.0 + 0.5 * (tmax - tmin))
    pp = lai * nitrogen * p11 * math.exp(0.011136 * tmax) / gs
    qq = 4.22273 - 208.868
    ci = 0.5 * (co2 + qq - pp + math.sqrt((co2 + qq - pp) ** 2 - 4.0 * (co2 * qq - pp * 4.22273)))
    e0 = 7.19298 * lai**2 / (lai**2 + 2.1001)
    dec = math.radians(-23.4 * math.cos(math.radians(360.0 * (doy + 10.0) / 365.0)))
    m = math.tan(math.radians(lat)) * math.tan(dec)
    hours = 24.0 if m >= 1.0 else 0.0 if m <= -1.0 else 24.0 * math.acos(-m) / math.pi
    cps = e0 * rad * gs * (co2 - ci) / (e0 * rad + gs * (co2 - ci))
    return cps * (0.0156935 * hours + 0.0453194)


def run(p, weather, lat, nitrogen=2.7, gpp=None, stop=None, start=(0.0, 5.0, 5.0, 100.0, 5.0, 9900.0)):
    """`p` maps 1..20 to values; weather is a list of (tmin, tmax, rad in MJ m-2 d-1, co2, doy); a dict a day."""
    Cf, Cw, Cr, Clab, Clit, Csom = start
    gdd, max_fol = 0.0, 1
    days = []
    for t, (tmin, tmax, rad, co2, doy) in enumerate(weather):
        T = (tmax + tmin) / 2.0
        season = doy if lat >= 0.0 else (doy + 182 - 1) % 365 + 1
        if season <= p[19]:
            gdd, max_fol = 0.0, 1
        gdd += T
        if Cf >= p[17] or season >= (p[20] if stop is None else stop):
            max_fol = 0
        warm = gdd >= p[12]
        multtl = 1 if warm and max_fol == 1 else 0
        multtf = 0 if warm else 1
        if season >= p[20] and tmin < p[13]:
            multtf = 1
        G = acm(max(0.1, Cf / p[18]), nitrogen, p[11], tmin, tmax, rad, co2, doy, lat) if gpp is None else gpp[t]
        Trate = 0.5 * math.exp(p[10] * T)
        kl = multtl * min(1.0, p[15] * Trate)
        kf, kr = multtf * p[5] * p[14], multtf * p[5] * (1.0 - p[14]) * Trate
        if kf + kr > 1.0:
            kf, kr = kf / (kf + kr), kr / (kf + kr)
        kh, kd = p[8] * Trate, p[1] * Trate
        if kh + kd > 1.0:
            kh, kd = kh / (kh + kd), kd / (kh + kd)
        ks = min(1.0, p[9] * Trate)
        npp = (1.0 - p[2]) * G
        grow = multtl * max(0.0, min(p[17] - Cf, p[3] * npp))
        Ar, Aw = p[4] * (npp - grow), (1.0 - p[4]) * (npp - grow)
        Rlab_f, Afromlab = p[16] * kl * Clab, (1.0 - p[16]) * kl * Clab
        Rlab_t, Atolab = p[16] * kr * Cf, (1.0 - p[16]) * kr * Cf
        Lf, Lw, Lr = kf * Cf, p[6] * Cw, p[7] * Cr
        Rh1, D, Rh2 = kh * Clit, kd * Clit, ks * Csom
        Ra = p[2] * G + Rlab_f + Rlab_t
        Cf = Cf * max(0.0, 1.0 - kf - kr) + grow + Afromlab
        Cw = Cw * (1.0 - p[6]) + Aw
        Cr = Cr * (1.0 - p[7]) + Ar
        Clit = Clit * max(0.0, 1.0 - kh - kd) + Lf + Lr
        Csom = Csom * (1.0 - ks) + D + Lw
        Clab = Clab * (1.0 - kl) + Atolab
        days.append({
            "gpp": G, "ra": Ra, "rh": Rh1 + Rh2, "nee": Ra + Rh1 + Rh2 - G, "Cf": Cf, "Cw": Cw, "Cr": Cr, "Clab": Clab,
            "Clit": Clit, "Csom": Csom, "gdd": gdd, "max_fol": max_fol, "lai": Cf / p[18],
        })  # fmt: skip
    return days
