/*
 * dispatch.c - which of the compiled paths of simd/kernels.c runs on this processor.
 */
#include <string.h>

#include "simd/kernels.h"

extern const fr_cpu_kernels fr_portable_kernels[2];
#ifdef FR_X86_PATHS
extern const fr_cpu_kernels fr_avx2_kernels[2];
extern const fr_cpu_kernels fr_avx512_kernels[2];

static bool has_avx512(void) {
    return __builtin_cpu_supports("avx512f") && __builtin_cpu_supports("avx512bw") &&
           __builtin_cpu_supports("avx512dq") && __builtin_cpu_supports("avx512vl");
}
#endif

const fr_cpu_kernels *fr_cpu_kernels_named(const char *isa, fr_precision precision) {
    if (!strcmp(isa, "portable")) return &fr_portable_kernels[precision];
#ifdef FR_X86_PATHS
    __builtin_cpu_init();
    if (!strcmp(isa, "avx2") && __builtin_cpu_supports("avx2")) return &fr_avx2_kernels[precision];
    if (!strcmp(isa, "avx512") && has_avx512()) return &fr_avx512_kernels[precision];
#endif
    return NULL;
}

const fr_cpu_kernels *fr_cpu_kernels_for(fr_precision precision) {
    static const char *const best_first[] = {"avx512", "avx2", "portable"};
    const fr_cpu_kernels *found = NULL;
    for (int i = 0; !found; i++) found = fr_cpu_kernels_named(best_first[i], precision);
    return found;
}
