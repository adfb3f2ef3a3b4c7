/*
 * correlation.c - the two ends of the spectrum of the columns' second moments, by Lanczos.
 *
 * Decorrelating is n d^2 work, which columns that are uncorrelated already need not pay. Pairs of columns do not
 * tell: a column that is the sum of all others is nearly uncorrelated with each of them. The extreme eigenvalues do,
 * and an eigenvalue that stands alone, as that of a hidden dependence does, is what Lanczos finds first; correlated
 * columns are found out after a step or two. A sample of rows is enough: of 32 d rows of independent columns it has
 * condition number 2. What a sample misses (a column that is 0 in all its rows) it takes for dependent, which costs
 * time and nothing else.
 *
 * Start and arithmetic are exact or fixed by IEEE 754, so that all ranks find the same.
 */
#include "columns/correlation.h"

#include <math.h>

#include "columns/triangle.h"

static const double WORTH_ASKING = 2e9, LOW_CONDITION = 4;
enum { STEPS = 10, SAMPLE_ROWS = 20000, SAMPLE_TIMES = 32, LANES = 8 };

/* ------------------------------------------------------------------------------------------- one product */

typedef struct product_context {
    const fr_view *view;
    const double *v;
} product_context;

/* sums (d) += u <x', v> x'. */
static void add_product(const void *context, int64_t d, double u, double *x, double *sums) {
    const product_context *c = context;
    double lanes[LANES] = {0}, product = 0;
    int64_t whole = d - d % LANES;
    fr_view_scale(c->view, d, x);
    for (int64_t j = 0; j < whole; j += LANES)
        for (int l = 0; l < LANES; l++) lanes[l] += x[j + l] * c->v[j + l];
    for (int64_t j = whole; j < d; j++) lanes[j - whole] += x[j] * c->v[j];
    for (int l = 0; l < LANES; l++) product += lanes[l];
    for (int64_t j = 0; j < d; j++) sums[j] += u * product * x[j];
}

/* ------------------------------------------------------------------------------------ tridiagonal matrix */

/* How many eigenvalues of the symmetric tridiagonal matrix are below x (Sturm's sequence). */
static int count_below(int size, const double *diagonal, const double *beside, double x) {
    int count = 0;
    double q = 1;
    for (int i = 0; i < size; i++) {
        q = diagonal[i] - x - (i > 0 ? beside[i - 1] * beside[i - 1] / q : 0);
        if (q == 0) q = -1e-300;
        count += q < 0;
    }
    return count;
}

/* Whether all eigenvalues lie within a factor LOW_CONDITION of the largest. */
static bool is_narrow(int size, const double *diagonal, const double *beside) {
    double low = 0, high = 0;
    for (int i = 0; i < size; i++) /* a bound from Gershgorin's circles, then bisection */
        high = fmax(high, diagonal[i] + (i > 0 ? beside[i - 1] : 0) + (i < size - 1 ? beside[i] : 0));
    for (int i = 0; i < 60; i++) {
        double middle = (low + high) / 2;
        if (count_below(size, diagonal, beside, middle) == size) high = middle;
        else low = middle;
    }
    return high > 0 && count_below(size, diagonal, beside, high / LOW_CONDITION) == 0;
}

/* ----------------------------------------------------------------------------------------------- Lanczos */

static double dot(int64_t d, const double *a, const double *b) {
    double sum = 0;
    for (int64_t j = 0; j < d; j++) sum += a[j] * b[j];
    return sum;
}

/* Signs from the bits of a mixed counter, 0 where a column is left out. */
static void start_vector(const fr_view *view, int64_t d, double *v) {
    for (int64_t j = 0; j < d; j++) {
        uint64_t bits = ((uint64_t)j + 1) * 0x9e3779b97f4a7c15u;
        bits = (bits ^ (bits >> 30)) * 0xbf58476d1ce4e5b9u;
        bits = (bits ^ (bits >> 27)) * 0x94d049bb133111ebu;
        v[j] = view->state[j] == FR_PIVOT_OUT ? 0 : bits >> 63 ? 1 : -1;
    }
}

/* v <- v / ||v||; false where nothing is left. */
static bool normalize(int64_t d, double *v, double floor, double *norm) {
    *norm = sqrt(dot(d, v, v));
    for (int64_t j = 0; j < d; j++) v[j] /= *norm;
    return *norm > floor;
}

fr_status fr_columns_are_uncorrelated(const fr_shard *s, const fr_view *view, bool *answer, fr_error *error) {
    int64_t n = s->set->samples, d = s->set->features, wanted = SAMPLE_TIMES * d;
    double diagonal[STEPS], beside[STEPS], norm;
    FR_OWNED double *basis = NULL;
    *answer = false;
    if ((double)n * (double)d * (double)d < WORTH_ASKING) return FR_OK;
    if (wanted < SAMPLE_ROWS) wanted = SAMPLE_ROWS;
    fr_status status = fr_allocate((void **)&basis, (STEPS + 1) * d, sizeof *basis, "Lanczos vectors", error);
    FR_TRY(fr_world_agree(s->world, status, error));
    start_vector(view, d, basis);
    if (!normalize(d, basis, 0, &norm)) return FR_OK;
    for (int k = 0; k < STEPS; k++) {
        double *v = basis + k * d, *next = v + d;
        product_context context = {view, v};
        FR_TRY(fr_shard_sum(s, add_product, &context, n > wanted ? n / wanted : 1, d, next, error));
        diagonal[k] = dot(d, v, next);
        for (int i = k; i >= 0; i--) { /* also against all before: rounding loses orthogonality */
            double along = dot(d, basis + i * d, next);
            for (int64_t j = 0; j < d; j++) next[j] -= along * basis[i * d + j];
        }
        if (!is_narrow(k + 1, diagonal, beside)) return FR_OK;
        if (!normalize(d, next, 1e-10 * diagonal[0], &beside[k])) break; /* all that the start contains was found */
    }
    *answer = true;
    return FR_OK;
}
