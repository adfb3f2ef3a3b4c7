/* intrinsics.h - CUDA's device functions that a host compiler does not know.
 *
 * Those with a stated rounding (__fmul_rn ...) are exact here: build with -ffp-contract=off, as the
 * CMake function does. The fast approximations (__expf, __frsqrt_rn's relatives ...) are the accurate
 * functions, so their last places differ from a GPU's.
 */
#pragma once

#include <cmath>
#include <cstdint>
#include <cstring>
#include <limits>
#include <type_traits>

namespace cuda_on_cpu {

template <typename To, typename From> inline To bits_as(From from) {
    static_assert(sizeof(To) == sizeof(From), "a bit cast keeps the size");
    To to;
    std::memcpy(&to, &from, sizeof to);
    return to;
}

/* CUDA saturates where C++ is undefined, and turns NaN into 0. The limits are powers of two, so they
 * are exact in either floating type. */
template <typename To, typename From> inline To saturate(From value) {
    constexpr int bits = std::numeric_limits<To>::digits;
    const From high = std::ldexp(From(1), bits), low = std::is_signed_v<To> ? -high : From(0);
    if (std::isnan(value)) return 0;
    if (value <= low) return std::numeric_limits<To>::min();
    if (value >= high) return std::numeric_limits<To>::max();
    return To(value);
}

} // namespace cuda_on_cpu

/* ---- Arithmetic with a stated rounding: one operation, one rounding, never contracted ---- */
static inline float __fadd_rn(float a, float b) { return a + b; }
static inline float __fsub_rn(float a, float b) { return a - b; }
static inline float __fmul_rn(float a, float b) { return a * b; }
static inline float __fdiv_rn(float a, float b) { return a / b; }
static inline float __fmaf_rn(float a, float b, float c) { return ::fmaf(a, b, c); }
static inline float __fsqrt_rn(float a) { return ::sqrtf(a); }
static inline float __frcp_rn(float a) { return 1.0f / a; }
static inline float __frsqrt_rn(float a) { return float(1.0 / ::sqrt(double(a))); }
static inline double __dadd_rn(double a, double b) { return a + b; }
static inline double __dsub_rn(double a, double b) { return a - b; }
static inline double __dmul_rn(double a, double b) { return a * b; }
static inline double __ddiv_rn(double a, double b) { return a / b; }
static inline double __fma_rn(double a, double b, double c) { return ::fma(a, b, c); }
static inline double __dsqrt_rn(double a) { return ::sqrt(a); }
static inline double __drcp_rn(double a) { return 1.0 / a; }

/* ---- Fast approximations on a GPU, the accurate functions here ---- */
static inline float __fdividef(float a, float b) { return a / b; }
static inline float __saturatef(float a) { return a > 0.0f ? (a < 1.0f ? a : 1.0f) : 0.0f; }
static inline float rsqrtf(float a) { return float(1.0 / ::sqrt(double(a))); }
static inline double rsqrt(double a) { return 1.0 / ::sqrt(a); }
/* glibc has internal functions of these names in some headers' view; macros keep the two apart. */
#define __expf(a) ::expf(a)
#define __exp2f(a) ::exp2f(a)
#define __logf(a) ::logf(a)
#define __log2f(a) ::log2f(a)
#define __sinf(a) ::sinf(a)
#define __cosf(a) ::cosf(a)
#define __powf(a, b) ::powf(a, b)

/* ---- Integers ---- */
static inline int __mulhi(int a, int b) { return int((int64_t(a) * b) >> 32); }
static inline unsigned __umulhi(unsigned a, unsigned b) { return unsigned((uint64_t(a) * b) >> 32); }
static inline long long __mul64hi(long long a, long long b) {
    return (long long)((__extension__(__int128) a * b) >> 64);
}
static inline unsigned long long __umul64hi(unsigned long long a, unsigned long long b) {
    return (unsigned long long)((__extension__(unsigned __int128) a * b) >> 64);
}
static inline int __popc(unsigned a) { return __builtin_popcount(a); }
static inline int __popcll(unsigned long long a) { return __builtin_popcountll(a); }
static inline int __clz(int a) { return a ? __builtin_clz(unsigned(a)) : 32; }
static inline int __clzll(long long a) { return a ? __builtin_clzll((unsigned long long)a) : 64; }
static inline int __ffs(int a) { return __builtin_ffs(a); }
static inline int __ffsll(long long a) { return __builtin_ffsll(a); }
static inline unsigned __brev(unsigned a) {
    unsigned reversed = 0;
    for (int bit = 0; bit < 32; ++bit) reversed |= ((a >> bit) & 1u) << (31 - bit);
    return reversed;
}
static inline unsigned __byte_perm(unsigned a, unsigned b, unsigned selector) {
    const uint64_t bytes = (uint64_t(b) << 32) | a;
    unsigned result = 0;
    for (int i = 0; i < 4; ++i) {
        const unsigned pick = selector >> (4 * i);
        unsigned byte = unsigned(bytes >> (8 * (pick & 7))) & 0xffu;
        if (pick & 8) byte = byte & 0x80u ? 0xffu : 0;
        result |= byte << (8 * i);
    }
    return result;
}
static inline unsigned __funnelshift_l(unsigned low, unsigned high, unsigned shift) {
    return unsigned((((uint64_t(high) << 32) | low) << (shift & 31)) >> 32);
}
static inline unsigned __funnelshift_r(unsigned low, unsigned high, unsigned shift) {
    return unsigned(((uint64_t(high) << 32) | low) >> (shift & 31));
}
static inline int __dp4a(int a, int b, int c) {
    unsigned sum = unsigned(c);
    for (int i = 0; i < 4; ++i) sum += unsigned(int(int8_t(unsigned(a) >> (8 * i))) * int8_t(unsigned(b) >> (8 * i)));
    return int(sum);
}
static inline unsigned __dp4a(unsigned a, unsigned b, unsigned c) {
    for (int i = 0; i < 4; ++i) c += (a >> (8 * i) & 0xffu) * (b >> (8 * i) & 0xffu);
    return c;
}

/* ---- Conversions: rn to nearest even, rz toward zero, ru up, rd down; saturating ---- */
#define CUDA_ON_CPU_CONVERT(source, from, target, to)                                                            \
    static inline to __##source##2##target##_rn(from a) { return cuda_on_cpu::saturate<to>(std::nearbyint(a)); } \
    static inline to __##source##2##target##_rz(from a) { return cuda_on_cpu::saturate<to>(std::trunc(a)); }     \
    static inline to __##source##2##target##_ru(from a) { return cuda_on_cpu::saturate<to>(std::ceil(a)); }      \
    static inline to __##source##2##target##_rd(from a) { return cuda_on_cpu::saturate<to>(std::floor(a)); }
CUDA_ON_CPU_CONVERT(float, float, int, int)
CUDA_ON_CPU_CONVERT(float, float, uint, unsigned)
CUDA_ON_CPU_CONVERT(float, float, ll, long long)
CUDA_ON_CPU_CONVERT(float, float, ull, unsigned long long)
CUDA_ON_CPU_CONVERT(double, double, int, int)
CUDA_ON_CPU_CONVERT(double, double, uint, unsigned)
CUDA_ON_CPU_CONVERT(double, double, ll, long long)
CUDA_ON_CPU_CONVERT(double, double, ull, unsigned long long)
#undef CUDA_ON_CPU_CONVERT
static inline float __int2float_rn(int a) { return float(a); }
static inline float __uint2float_rn(unsigned a) { return float(a); }
static inline float __ll2float_rn(long long a) { return float(a); }
static inline float __ull2float_rn(unsigned long long a) { return float(a); }
static inline float __double2float_rn(double a) { return float(a); }
static inline double __int2double_rn(int a) { return double(a); }
static inline double __uint2double_rn(unsigned a) { return double(a); }
static inline double __ll2double_rn(long long a) { return double(a); }
static inline double __ull2double_rn(unsigned long long a) { return double(a); }

/* ---- Bits ---- */
static inline int __float_as_int(float a) { return cuda_on_cpu::bits_as<int>(a); }
static inline unsigned __float_as_uint(float a) { return cuda_on_cpu::bits_as<unsigned>(a); }
static inline float __int_as_float(int a) { return cuda_on_cpu::bits_as<float>(a); }
static inline float __uint_as_float(unsigned a) { return cuda_on_cpu::bits_as<float>(a); }
static inline long long __double_as_longlong(double a) { return cuda_on_cpu::bits_as<long long>(a); }
static inline double __longlong_as_double(long long a) { return cuda_on_cpu::bits_as<double>(a); }
static inline int __double2hiint(double a) { return int(__double_as_longlong(a) >> 32); }
static inline int __double2loint(double a) { return int(__double_as_longlong(a)); }
static inline double __hiloint2double(int high, int low) {
    return __longlong_as_double((long long)((uint64_t(unsigned(high)) << 32) | unsigned(low)));
}

/* ---- Loads and stores with a cache hint: plain here ---- */
#define CUDA_ON_CPU_LOAD(name) \
    template <typename T> inline T name(const T *address) { return *address; }
CUDA_ON_CPU_LOAD(__ldg)
CUDA_ON_CPU_LOAD(__ldca)
CUDA_ON_CPU_LOAD(__ldcg)
CUDA_ON_CPU_LOAD(__ldcs)
CUDA_ON_CPU_LOAD(__ldlu)
CUDA_ON_CPU_LOAD(__ldcv)
#undef CUDA_ON_CPU_LOAD
#define CUDA_ON_CPU_STORE(name) \
    template <typename T> inline void name(T *address, T value) { *address = value; }
CUDA_ON_CPU_STORE(__stwb)
CUDA_ON_CPU_STORE(__stcg)
CUDA_ON_CPU_STORE(__stcs)
CUDA_ON_CPU_STORE(__stwt)
#undef CUDA_ON_CPU_STORE

/* ---- min and max: global in CUDA ---- */
#define CUDA_ON_CPU_MIN_MAX(type)                                    \
    static inline type min(type a, type b) { return b < a ? b : a; } \
    static inline type max(type a, type b) { return a < b ? b : a; }
CUDA_ON_CPU_MIN_MAX(int)
CUDA_ON_CPU_MIN_MAX(unsigned)
CUDA_ON_CPU_MIN_MAX(long)
CUDA_ON_CPU_MIN_MAX(unsigned long)
CUDA_ON_CPU_MIN_MAX(long long)
CUDA_ON_CPU_MIN_MAX(unsigned long long)
#undef CUDA_ON_CPU_MIN_MAX
static inline float min(float a, float b) { return ::fminf(a, b); }
static inline float max(float a, float b) { return ::fmaxf(a, b); }
static inline double min(double a, double b) { return ::fmin(a, b); }
static inline double max(double a, double b) { return ::fmax(a, b); }

static inline void __nanosleep(unsigned) {}
