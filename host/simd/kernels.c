/*
 * kernels.c - the hot loops of the CPU engine, in GCC's and clang's vector extensions.
 *
 * Vectors are 64 bytes wide in the source whatever the processor has; the compiler splits them where registers are
 * narrower. The lanes, and so the order of every summation, are therefore the same on all paths. Compiled several
 * times with FR_ISA naming the path; -ffp-contract=off is required (no fused multiply-add, whose single rounding
 * the portable path could not repeat).
 */
#include "simd/kernels.h"

#include <math.h>
#include <string.h>

#include "kernels/rules/qsgd.h"
#if defined(__SSE2__)
#include <immintrin.h>
#endif

#ifndef FR_ISA
#define FR_ISA portable
#endif

typedef uint32_t u32v __attribute__((vector_size(64)));
typedef int32_t i32v __attribute__((vector_size(64)));
typedef uint64_t u64v __attribute__((vector_size(64)));
typedef float f32v __attribute__((vector_size(64)));
typedef double f64v __attribute__((vector_size(64)));
typedef int32_t i32h __attribute__((vector_size(32)));
typedef int64_t i64v __attribute__((vector_size(64)));
typedef int8_t i8q __attribute__((vector_size(16)));
typedef int8_t i8e __attribute__((vector_size(8)));
typedef float f32h __attribute__((vector_size(32)));

/* Products of the low halves of 64-bit lanes with m. */
static inline u64v low_products(u64v a, uint32_t m) {
#if defined(__AVX512F__)
    return (u64v)_mm512_mul_epu32((__m512i)a, _mm512_set1_epi32((int)m));
#elif defined(__AVX2__)
    union {
        u64v v;
        __m256i part[2];
    } x = {a};
    for (int i = 0; i < 2; i++) x.part[i] = _mm256_mul_epu32(x.part[i], _mm256_set1_epi32((int)m));
    return x.v;
#elif defined(__SSE2__)
    union {
        u64v v;
        __m128i part[4];
    } x = {a};
    for (int i = 0; i < 4; i++) x.part[i] = _mm_mul_epu32(x.part[i], _mm_set1_epi32((int)m));
    return x.v;
#else
    return (a & 0xffffffffu) * (uint64_t)m;
#endif
}

#if defined(__clang__)
#define FR_SHUFFLE(a, b, ...) __builtin_shufflevector(a, b, __VA_ARGS__)
#else
#define FR_SHUFFLE(a, b, ...) __builtin_shuffle(a, b, (u64v){__VA_ARGS__})
#endif

/* 32 consecutive Philox words from block `block` (= word / 4) on. Each 64-bit lane is one block, whose words live in
 * low halves; what the upper halves hold does not matter, since products ignore it. Lanes are in the order in which
 * interleaving the two halves of each block, within groups of two lanes, leaves the words in theirs. */
static inline void philox_half(uint64_t seed, uint64_t q, uint64_t block, u32v out[2]) {
    const u64v order = {0, 4, 1, 5, 2, 6, 3, 7};
    u64v counter = order + block;
    u64v c0 = counter, c1 = counter >> 32, c2 = (u64v){0} + (uint32_t)q, c3 = (u64v){0} + (q >> 32);
    uint32_t k0 = (uint32_t)seed, k1 = (uint32_t)(seed >> 32);
    for (int round = 0; round < 10; round++) {
        u64v a = low_products(c0, FR_PHILOX_M0), b = low_products(c2, FR_PHILOX_M1);
        c0 = (b >> 32) ^ c1 ^ (uint64_t)k0;
        c2 = (a >> 32) ^ c3 ^ (uint64_t)k1;
        c1 = b;
        c3 = a;
        k0 += FR_PHILOX_W0;
        k1 += FR_PHILOX_W1;
    }
    const u64v low = (u64v){0} + 0xffffffffu;
    u64v first = (c0 & low) | (c1 << 32), second = (c2 & low) | (c3 << 32);
    out[0] = (u32v)FR_SHUFFLE(first, second, 0, 8, 2, 10, 4, 12, 6, 14);
    out[1] = (u32v)FR_SHUFFLE(first, second, 1, 9, 3, 11, 5, 13, 7, 15);
}

/* 64 consecutive words: out[e] holds words 16 e .. 16 e + 15. */
static inline void philox_words(uint64_t seed, uint64_t q, uint64_t block, u32v out[4]) {
    philox_half(seed, q, block, out);
    philox_half(seed, q, block + 8, out + 2);
}

/* ln u for u in (0, 1]: u = 2^e m with m in [0.7, 1.4), ln m = 2 artanh((m - 1) / (m + 1)) as a series. */
static inline f32v log_of(f32v u) {
    i32v bits = (i32v)u;
    i32v e = (bits - 0x3f330000) >> 23;
    f32v m = (f32v)(bits - (e << 23));
    f32v s = (m - 1.0f) / (m + 1.0f), z = s * s;
    f32v series = 1.0f / 3 + z * (1.0f / 5 + z * (1.0f / 7 + z * (1.0f / 9)));
    return __builtin_convertvector(e, f32v) * 0.693147180559945f + (2 * s + 2 * s * (z * series));
}

/* Sine and cosine of (r + 1/2) 2^-32 turns. The nearest quarter turn is taken off as an integer, exactly. */
static inline void sine_cosine(u32v r, f32v *sine, f32v *cosine) {
    u32v quarter = (r + 0x20000000u) >> 30;
    i32v rest = (i32v)(r - (quarter << 30));
    f32v x = (__builtin_convertvector(rest, f32v) + 0.5f) * 1.46291808e-9f; /* 2 pi / 2^32 */
    f32v z = x * x;
    f32v s = x + x * (z * (-1.0f / 6 + z * (1.0f / 120 + z * (-1.0f / 5040 + z * (1.0f / 362880)))));
    f32v c = 1.0f + z * (-0.5f + z * (1.0f / 24 + z * (-1.0f / 720 + z * (1.0f / 40320))));
    i32v swap = -(i32v)(quarter & 1);
    i32v s_bits = ((i32v)s & ~swap) | ((i32v)c & swap), c_bits = ((i32v)c & ~swap) | ((i32v)s & swap);
    *sine = (f32v)(s_bits ^ (i32v)((quarter & 2) << 30));
    *cosine = (f32v)(c_bits ^ (i32v)(((quarter + 1) & 2) << 30));
}

/* 64 normals for the 64 words: words (4 b, 4 b + 1) give z_4b = r sin, z_4b+1 = r cos, and so on. */
static void normals_of_words(const u32v words[4], float z[64]) {
    const uint32_t *word = (const uint32_t *)words;
    uint32_t first[32], second[32];
    for (int i = 0; i < 32; i++) first[i] = word[2 * i], second[i] = word[2 * i + 1];
    for (int half = 0; half < 2; half++) {
        u32v a, b;
        memcpy(&a, first + 16 * half, 64);
        memcpy(&b, second + 16 * half, 64);
        f32v u = __builtin_convertvector(a, f32v) * 0x1p-32f + 0x1p-33f, radius, sine, cosine;
        f32v square = -2.0f * log_of(u);
        for (int i = 0; i < 16; i++) ((float *)&radius)[i] = sqrtf(((float *)&square)[i]);
        sine_cosine(b, &sine, &cosine);
        f32v even = radius * sine, odd = radius * cosine;
        for (int i = 0; i < 16; i++) {
            z[32 * half + 2 * i] = ((float *)&even)[i];
            z[32 * half + 2 * i + 1] = ((float *)&odd)[i];
        }
    }
}

static inline f64v eight_lanes_f32(f32v v) {
    union {
        f32v whole;
        f32h half[2];
    } x = {v};
    return __builtin_convertvector(x.half[0], f64v) + __builtin_convertvector(x.half[1], f64v);
}
static inline f64v eight_lanes_f64(f64v v) { return v; }

#define FR_PASTE3(a, b, c) a##_##b##_##c
#define FR_PASTE(a, b, c) FR_PASTE3(a, b, c)
#define FR_TEXT2(a) #a
#define FR_TEXT(a) FR_TEXT2(a)

#define REAL float
#define VEC f32v
#define WORD i32v
#define SIZE_BITS 0x7fffffff
#define NAME(x) x##_f32
#include "simd/kernels_real.h"
#undef REAL
#undef VEC
#undef WORD
#undef SIZE_BITS
#undef NAME

#define REAL double
#define VEC f64v
#define WORD i64v
#define SIZE_BITS 0x7fffffffffffffff
#define NAME(x) x##_f64
#include "simd/kernels_real.h"

/* Levels of 16 coordinates: the vector form of fr_quantize_f32, operation by operation. */
static inline i8q levels_of_f32(f32v v, float norm, float s, u32v draws) {
    f32v size = (f32v)((i32v)v & 0x7fffffff);
    f32v u = size / norm * s;
    i32v h = __builtin_convertvector(u, i32v);
    f32v part = u - __builtin_convertvector(h, f32v);
    i32v up = (i32v)((i32v)(draws >> 1) < __builtin_convertvector(part * 2147483648.0f, i32v));
    i32v level = h - up;
    i32v over = (i32v)(level > (int)s);
    level = (level & ~over) | (over & (int)s);
    i32v sign = (i32v)(v < 0);
    level = (level ^ sign) - sign;
    return __builtin_convertvector(level, i8q);
}

/* Levels of 8 coordinates in double, as fr_quantize_f64. */
static inline i8e levels_of_f64(f64v v, double norm, double s, i32h draws) {
    f64v size = (f64v)((i64v)v & 0x7fffffffffffffff);
    f64v u = size / norm * s;
    i32h h = __builtin_convertvector(u, i32h);
    f64v part = u - __builtin_convertvector(h, f64v);
    i32h up = (i32h)(draws < __builtin_convertvector(part * 2147483648.0, i32h));
    i32h level = h - up;
    i32h over = (i32h)(level > (int)s);
    level = (level & ~over) | (over & (int)s);
    i32h sign = __builtin_convertvector((i64v)(v < 0), i32h);
    level = (level ^ sign) - sign;
    return __builtin_convertvector(level, i8e);
}

static void encode_f32(const void *v, int64_t first, int64_t count, double norm, int s, uint64_t seed, uint64_t q,
                       uint64_t first_word, int8_t *levels) {
    const float *x = (const float *)v + first;
    int8_t *out = levels + first;
    u32v words[4];
    for (int64_t i = 0; i < count; i += 64) {
        philox_words(seed, q, (first_word + (uint64_t)(first + i)) / 4, words);
        float in[64] __attribute__((aligned(64)));
        const float *from = x + i;
        int8_t made[64];
        bool whole = count - i >= 64;
        if (!whole) {
            memset(in, 0, sizeof in);
            memcpy(in, from, (size_t)(count - i) * sizeof(float));
            from = in;
        }
        int8_t *to = whole ? out + i : made;
        for (int e = 0; e < 4; e++) {
            f32v part;
            memcpy(&part, from + 16 * e, 64);
            i8q got = levels_of_f32(part, (float)norm, (float)s, words[e]);
            memcpy(to + 16 * e, &got, 16);
        }
        if (!whole) memcpy(out + i, made, (size_t)(count - i));
    }
}

static void encode_f64(const void *v, int64_t first, int64_t count, double norm, int s, uint64_t seed, uint64_t q,
                       uint64_t first_word, int8_t *levels) {
    const double *x = (const double *)v + first;
    int8_t *out = levels + first;
    u32v words[4];
    for (int64_t i = 0; i < count; i += 64) {
        philox_words(seed, q, (first_word + (uint64_t)(first + i)) / 4, words);
        double in[64] __attribute__((aligned(64)));
        int64_t here = count - i < 64 ? count - i : 64;
        if (here < 64) memset(in, 0, sizeof in);
        memcpy(in, x + i, (size_t)here * sizeof(double));
        int8_t made[64];
        for (int e = 0; e < 8; e++) {
            f64v part;
            i32h draws;
            u32v shifted = words[e / 2] >> 1;
            memcpy(&part, in + 8 * e, 64);
            memcpy(&draws, (const char *)&shifted + 32 * (e % 2), 32);
            i8e got = levels_of_f64(part, norm, (double)s, draws);
            memcpy(made + 8 * e, &got, 8);
        }
        memcpy(out + i, made, (size_t)here);
    }
}

static void normals_f32(void *out, int64_t count, uint64_t seed, uint64_t q, uint64_t first_word) {
    u32v words[4];
    float z[64];
    for (int64_t i = 0; i < count; i += 64) {
        philox_words(seed, q, first_word / 4 + (uint64_t)i / 4, words);
        normals_of_words(words, z);
        memcpy((float *)out + i, z, (size_t)(count - i < 64 ? count - i : 64) * sizeof(float));
    }
}

static void normals_f64(void *out, int64_t count, uint64_t seed, uint64_t q, uint64_t first_word) {
    u32v words[4];
    float z[64];
    for (int64_t i = 0; i < count; i += 64) {
        philox_words(seed, q, first_word / 4 + (uint64_t)i / 4, words);
        normals_of_words(words, z);
        for (int64_t j = 0; j < 64 && i + j < count; j++) ((double *)out)[i + j] = (double)z[j];
    }
}

/* Both tables of this path, for simd/dispatch.c. */
extern const fr_cpu_kernels FR_PASTE(fr, FR_ISA, kernels)[2];
const fr_cpu_kernels FR_PASTE(fr, FR_ISA, kernels)[2] = {
    [FR_F64] = {FR_TEXT(FR_ISA), pass_f64, max_abs_f64, sum_squares_f64, encode_f64, normals_f64, dot_f64},
    [FR_F32] = {FR_TEXT(FR_ISA), pass_f32, max_abs_f32, sum_squares_f32, encode_f32, normals_f32, dot_f32},
};
