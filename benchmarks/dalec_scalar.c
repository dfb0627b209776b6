/* DALEC-deciduous with GPP given, one pixel after the other in plain scalar C: what bench_dalec.py --compiler compares with.
   theta (20, n) p1..p20, state (8, n) in the model's order Cf Cw Cr Clab Clit Csom gdd max_fol, forcing (T, n or 1). */
#include <math.h>

static double lower(double a, double b) { return a < b ? a : b; }
static double upper(double a, double b) { return a > b ? a : b; }

void dalec(long n, long T, long shared, const double *theta, const double *lat, const double *state, const double *tasmin,
           const double *tasmax, const double *gpp, const double *doy, double *lai, double *reco, double *nee) {
  for (long j = 0; j < n; j++) {
    double p[21], s[8];
    for (int k = 0; k < 20; k++) p[k + 1] = theta[k * n + j];
    for (int k = 0; k < 8; k++) s[k] = state[k * n + j];
    double Cf = s[0], Cw = s[1], Cr = s[2], Clab = s[3], Clit = s[4], Csom = s[5], gdd = s[6], max_fol = s[7];
    for (long t = 0; t < T; t++) {
      long at = shared ? t : t * n + j;
      double tmin = tasmin[at], tmean = 0.5 * (tasmax[at] + tmin), G = gpp[at], day = doy[at];
      if (lat[j] < 0.0) { day += 182.0; if (day > 365.0) day -= 365.0; }
      if (day <= p[19]) { gdd = 0.0; max_fol = 1.0; }
      gdd += tmean;
      if (Cf >= p[17] || day >= p[20]) max_fol = 0.0;
      double multtl = gdd >= p[12] ? max_fol : 0.0, multtf = gdd >= p[12] ? 0.0 : 1.0;
      if (day >= p[20] && tmin < p[13]) multtf = 1.0;
      double rate = 0.5 * exp(p[10] * tmean);
      double kl = multtl * lower(1.0, p[15] * rate), kf = multtf * p[5] * p[14], kr = multtf * p[5] * (1.0 - p[14]) * rate;
      double leaf = 1.0 / upper(1.0, kf + kr);
      kf *= leaf; kr *= leaf;
      double kh = p[8] * rate, kd = p[1] * rate, litter = 1.0 / upper(1.0, kh + kd);
      kh *= litter; kd *= litter;
      double ks = lower(1.0, p[9] * rate), production = (1.0 - p[2]) * G;
      double grow = multtl * upper(0.0, lower(p[17] - Cf, p[3] * production));
      double Ar = p[4] * (production - grow), Aw = (1.0 - p[4]) * (production - grow);
      double rlf = p[16] * kl * Clab, Af = grow + (1.0 - p[16]) * kl * Clab;
      double rlt = p[16] * kr * Cf, Atolab = (1.0 - p[16]) * kr * Cf;
      double Lf = kf * Cf, Lw = p[6] * Cw, Lr = p[7] * Cr, Rh1 = kh * Clit, D = kd * Clit, Rh2 = ks * Csom;
      double r = p[2] * G + rlf + rlt + Rh1 + Rh2;
      Cf = Cf * upper(0.0, 1.0 - kf - kr) + Af;
      Cw = Cw * (1.0 - p[6]) + Aw;
      Cr = Cr * (1.0 - p[7]) + Ar;
      Clit = Clit * upper(0.0, 1.0 - kh - kd) + Lf + Lr;
      Csom = Csom * (1.0 - ks) + D + Lw;
      Clab = Clab * (1.0 - kl) + Atolab;
      lai[t * n + j] = Cf / p[18];
      reco[t * n + j] = r;
      nee[t * n + j] = r - G;
    }
  }
}
