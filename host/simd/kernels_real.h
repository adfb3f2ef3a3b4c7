/*
 * kernels_real.h - the loops over rows, included by simd/kernels.c once for float and once for double.
 *
 * The fused pass takes four rows at a time: their four dot products with w together (each element of w is loaded
 * once for four rows), the coefficients, then the rows with a coefficient are added to the sum while they are still
 * in cache. The dot products prefetch the next four rows, into L2: two sets of four do not fit in a small L1.
 * Traffic: every row once from memory; w and the sum stay in L1.
 *
 * Order: lane l of a dot product sums elements l, l + LANES, ...; lanes are added pairwise in double; the sum
 * takes rows in order of i.
 */
enum { NAME(LANES) = 64 / sizeof(REAL) };

static inline VEC NAME(load)(const REAL *p) {
    VEC v;
    memcpy(&v, p, sizeof v);
    return v;
}
static inline VEC NAME(load_part)(const REAL *p, int64_t count) {
    VEC v = {0};
    memcpy(&v, p, (size_t)count * sizeof(REAL));
    return v;
}

/* Lanes l and l + 8 of floats first, then the eight pairwise, in double. */
static inline double NAME(lane_sum)(VEC v) {
    f64v s = NAME(eight_lanes)(v);
    return ((s[0] + s[4]) + (s[2] + s[6])) + ((s[1] + s[5]) + (s[3] + s[7]));
}

static inline void NAME(dot_products)(const REAL *const row[4], const REAL *const next[4], const REAL *w, int64_t d,
                                       double p[4]) {
    VEC a = {0}, b = {0}, c = {0}, e = {0};
    int64_t j = 0;
    for (; j + NAME(LANES) <= d; j += NAME(LANES)) {
        VEC x = NAME(load)(w + j);
        for (int r = 0; r < 4; r++) __builtin_prefetch(next[r] + j, 0, 2);
        a += x * NAME(load)(row[0] + j);
        b += x * NAME(load)(row[1] + j);
        c += x * NAME(load)(row[2] + j);
        e += x * NAME(load)(row[3] + j);
    }
    if (j < d) {
        VEC x = NAME(load_part)(w + j, d - j);
        a += x * NAME(load_part)(row[0] + j, d - j);
        b += x * NAME(load_part)(row[1] + j, d - j);
        c += x * NAME(load_part)(row[2] + j, d - j);
        e += x * NAME(load_part)(row[3] + j, d - j);
    }
    p[0] = NAME(lane_sum)(a), p[1] = NAME(lane_sum)(b), p[2] = NAME(lane_sum)(c), p[3] = NAME(lane_sum)(e);
}

/* sum += coefficient[0] row[0] + ... of `rows` rows, 1 to 4. */
static inline __attribute__((always_inline)) void NAME(add_rows)(int rows, const REAL *const row[4],
                                                                 const REAL coefficient[4], REAL *sum, int64_t d) {
    int64_t j = 0;
    for (; j + NAME(LANES) <= d; j += NAME(LANES)) {
        VEC g = NAME(load)(sum + j);
        for (int r = 0; r < rows; r++) g += coefficient[r] * NAME(load)(row[r] + j);
        memcpy(sum + j, &g, sizeof g);
    }
    if (j < d) {
        VEC g = NAME(load_part)(sum + j, d - j);
        for (int r = 0; r < rows; r++) g += coefficient[r] * NAME(load_part)(row[r] + j, d - j);
        memcpy(sum + j, &g, (size_t)(d - j) * sizeof(REAL));
    }
}

/* Scalars and coefficients of up to four rows; returns how many rows have a coefficient, packed to the front. */
static inline int NAME(weigh_rows)(fr_pass kind, int rows, const double p[4], const double y[4],
                                   const REAL *const row[4], const REAL *active[4], REAL coefficient[4],
                                   fr_row_sums *sums) {
    int found = 0;
    for (int r = 0; r < rows; r++) {
        double residual = fr_relu(p[r]) - y[r];
        sums->residual += residual * residual;
        sums->active += p[r] > 0;
        REAL c = (REAL)fr_pass_coefficient(kind, p[r], y[r]);
        if (c == 0) continue;
        active[found] = row[r];
        coefficient[found++] = c;
    }
    return found;
}

static inline void NAME(label_sums)(int rows, const REAL *const row[4], const double y[4], int64_t d,
                                    fr_row_sums *sums, double squares[4]) {
    for (int r = 0; r < rows; r++) {
        double square = 0;
        for (int64_t j = 0; j < d; j++) square += (double)row[r][j] * (double)row[r][j];
        sums->label += y[r];
        sums->label2 += y[r] * y[r];
        sums->square += square;
        squares[r] = square;
    }
}

static void NAME(pass)(fr_pass kind, const void *rows, const void *labels, const int64_t *row_index, int64_t count,
                       int64_t d, int64_t stride, const void *weights, void *sum, fr_row_sums *sums, double *products) {
    const REAL *x = rows, *label = labels;
    for (int64_t i = 0; i < count; i += 4) {
        int here = count - i < 4 ? (int)(count - i) : 4;
        const REAL *row[4], *next[4], *active[4];
        double y[4], p[4] = {0, 0, 0, 0}, squares[4] = {0, 0, 0, 0};
        REAL coefficient[4];
        for (int r = 0; r < 4; r++) {
            int64_t at = r < here ? i + r : i, after = i + 4 + r < count ? i + 4 + r : i;
            int64_t index = row_index ? row_index[at] : at;
            row[r] = x + index * stride;
            next[r] = x + (row_index ? row_index[after] : after) * stride;
            y[r] = (double)label[index];
        }
        if (kind == FR_PASS_LABELS) NAME(label_sums)(here, row, y, d, sums, squares);
        else NAME(dot_products)(row, next, weights, d, p);
        for (int r = 0; products && r < here; r++) products[i + r] = kind == FR_PASS_LABELS ? squares[r] : p[r];
        switch (NAME(weigh_rows)(kind, here, p, y, row, active, coefficient, sums)) {
        case 0: break;
        case 1: NAME(add_rows)(1, active, coefficient, sum, d); break;
        case 2: NAME(add_rows)(2, active, coefficient, sum, d); break;
        case 3: NAME(add_rows)(3, active, coefficient, sum, d); break;
        default: NAME(add_rows)(4, active, coefficient, sum, d);
        }
    }
}

/* most <- max(most, |x|) lane by lane; odd gathers 0, or NaN where x is not finite. */
static inline void NAME(take_size)(VEC x, VEC *most, VEC *odd) {
    VEC size = (VEC)((WORD)x & SIZE_BITS);
    WORD larger = (WORD)(size > *most);
    *most = (VEC)(((WORD)size & larger) | ((WORD)*most & ~larger));
    *odd += size - size;
}

static double NAME(max_abs)(const void *v, int64_t d) {
    const REAL *x = v;
    VEC lanes = {0}, odd = {0};
    int64_t i = 0;
    for (; i + NAME(LANES) <= d; i += NAME(LANES)) NAME(take_size)(NAME(load)(x + i), &lanes, &odd);
    if (i < d) NAME(take_size)(NAME(load_part)(x + i, d - i), &lanes, &odd);
    double most = 0, not_finite = 0;
    for (int l = 0; l < NAME(LANES); l++) {
        most = (double)lanes[l] > most ? (double)lanes[l] : most;
        not_finite += (double)odd[l];
    }
    return not_finite != 0 ? (double)NAN : most;
}

static double NAME(sum_squares)(const void *v, int64_t d, double factor) {
    const REAL *x = v;
    double lane[8] = {0};
    int64_t i = 0;
    for (; i + 8 <= d; i += 8)
        for (int l = 0; l < 8; l++) lane[l] += ((double)x[i + l] * factor) * ((double)x[i + l] * factor);
    for (int l = 0; i < d; i++, l++) lane[l] += ((double)x[i] * factor) * ((double)x[i] * factor);
    return ((lane[0] + lane[4]) + (lane[2] + lane[6])) + ((lane[1] + lane[5]) + (lane[3] + lane[7]));
}

static double NAME(dot)(const void *row, const double *w, int64_t d) {
    const REAL *x = row;
    double lane[8] = {0};
    int64_t j = 0;
    for (; j + 8 <= d; j += 8)
        for (int l = 0; l < 8; l++) lane[l] += (double)x[j + l] * w[j + l];
    for (int l = 0; j < d; j++, l++) lane[l] += (double)x[j] * w[j];
    return ((lane[0] + lane[4]) + (lane[2] + lane[6])) + ((lane[1] + lane[5]) + (lane[3] + lane[7]));
}
