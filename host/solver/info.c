/*
 * info.c - what a bug report needs to know of a build and of the machine it runs on.
 */
#include <stdio.h>
#include <string.h>

#include "simd/kernels.h"
#include "fitrelu_version.h"
#include "base/status.h"
#include "base/threads.h"
#include "columns/products.h"
#ifdef FR_HAVE_CUDA
#include "engine/cuda/cuda.h"
#endif
#ifdef FR_HAVE_NCCL
#include "exchange/nccl.h"
#endif
#ifdef FR_HAVE_LIBZIP
#include <zip.h>
#endif
#ifdef FR_HAVE_ZLIB
#include <zlib.h>
#endif
#ifdef FR_HAVE_ZSTD
#include <zstd.h>
#endif
#ifdef FR_HAVE_XXHASH
#define XXH_INLINE_ALL
#include <xxhash.h>
#endif

const char *fr_version(void) { return FR_VERSION_STRING; }

/* The processor's own name for itself, from Linux; "unknown" elsewhere. */
static void processor_name(char name[128]) {
    char line[256];
    FILE *file = fopen("/proc/cpuinfo", "r");
    snprintf(name, 128, "unknown");
    while (file && fgets(line, sizeof line, file)) {
        char *value = strchr(line, ':');
        if (strncmp(line, "model name", 10) != 0 || !value) continue;
        snprintf(name, 128, "%.120s", value + 2);
        name[strcspn(name, "\n")] = '\0';
        break;
    }
    if (file) fclose(file);
}

static const char *libzip_version(void) {
#ifdef FR_HAVE_LIBZIP
    return zip_libzip_version();
#else
    return "none (NPZ files cannot be read or written)";
#endif
}

static const char *gzip_line(void) {
#ifdef FR_HAVE_ZLIB
    return zlibVersion();
#else
    return "none (gzip files cannot be read)";
#endif
}

static const char *zstd_line(void) {
#ifdef FR_HAVE_ZSTD
    return ZSTD_versionString();
#else
    return "none (zstd files cannot be read)";
#endif
}

static void cuda_lines(char *gpus, size_t gpus_size, char *cublas, size_t cublas_size) {
#ifdef FR_HAVE_CUDA
    fr_cuda_describe(gpus, gpus_size);
    fr_cublas_describe(cublas, cublas_size);
#else
    static const char none[] = "none (built without CUDA)";
    snprintf(gpus, gpus_size, none);
    snprintf(cublas, cublas_size, none);
#endif
}

static void nccl_line(char *text, size_t size) {
#ifdef FR_HAVE_NCCL
    fr_nccl_describe(text, size);
#else
    snprintf(text, size, "none (built without NCCL)");
#endif
}

size_t fr_build_info(char *buffer, size_t size) {
    char name[128], checksum[64], gpus[256], nccl[400], cublas[400], blas[128];
    processor_name(name);
    fr_products_describe(blas, sizeof blas);
    cuda_lines(gpus, sizeof gpus, cublas, sizeof cublas);
    nccl_line(nccl, sizeof nccl);
#ifdef FR_HAVE_XXHASH
    snprintf(checksum, sizeof checksum, "xxhash %u.%u.%u", XXH_VERSION_MAJOR, XXH_VERSION_MINOR, XXH_VERSION_RELEASE);
#else
    snprintf(checksum, sizeof checksum, "built-in FNV-1a (no xxhash)");
#endif
    int length = snprintf(buffer, size,
                          "version: %s\ncompiler: %s\nbuild: %s\nparts: %s\nlibzip: %s\nzlib: %s\nzstd: %s\nBLAS: %s\nchecksums: %s\n"
                          "processor: %s\nprocessor path: %s\nthreads: %d\nmemory available: %.1f GB\n"
                          "GPUs: %s\nNCCL: %s\ncuBLAS: %s\n",
                          fr_version(), FR_VERSION_COMPILER, FR_VERSION_BUILD_TYPE, FR_VERSION_PARTS, libzip_version(),
                          gzip_line(), zstd_line(), blas, checksum, name, fr_cpu_kernels_for(FR_F64)->isa, fr_default_threads(),
                          (double)fr_memory_available() / 1e9, gpus, nccl, cublas);
    return length < 0 ? 0 : (size_t)length;
}
