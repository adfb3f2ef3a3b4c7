/*
 * bench_gpu.cpp - the GPU suite in one command: bandwidth of the card, gradient and encoding against it, whole iterations
 * by every way there is and by cuBLAS, all-reduces between GPUs; one JSON object (bench/gpu/).
 *
 *   bench_gpu [--quick] [--tiny] [--output FILE]
 *
 * --quick: fewer repeats and a gigabyte of rows. --tiny: sizes for a machine that only pretends, whose times mean nothing.
 * Exit codes as the program's: 0, 1 (output), 2 (usage), 7 (GPU), and 77 where there is no GPU.
 */
#include <cstdio>
#include <cstring>

#include "gpu/suite.h"
extern "C" {
#include "engine/cuda/cuda.h"
}

static int usage(const char *found) {
    std::fprintf(stderr, "bench_gpu: '%s' is no option; usage: bench_gpu [--quick] [--tiny] [--output FILE]\n",
                 found);
    return 2;
}

int main(int argc, char **argv) {
    bench::Sizes sizes;
    const char *path = nullptr;
    for (int i = 1; i < argc; i++) {
        if (std::strcmp(argv[i], "--quick") == 0) sizes.repeats = 5, sizes.steps = 50, sizes.row_bytes = 1e9;
        else if (std::strcmp(argv[i], "--tiny") == 0) sizes = bench::tiny_sizes();
        else if (std::strcmp(argv[i], "--output") == 0 && i + 1 < argc) path = argv[++i];
        else return usage(argv[i]);
    }
    int devices = 0;
    fr_error error = {};
    if (fr_cuda_count(&devices, &error) != FR_OK) {
        std::fprintf(stderr, "bench_gpu: nothing to measure: %s\n", error.message);
        return 77;
    }
    std::FILE *out = path ? std::fopen(path, "w") : stdout;
    if (!out) {
        std::fprintf(stderr, "bench_gpu: cannot write %s\n", path);
        return 1;
    }
    std::string why;
    const bool done = bench::run_suite(sizes, out, &why);
    const bool written = std::fflush(out) == 0 && (out == stdout || std::fclose(out) == 0);
    if (!done) std::fprintf(stderr, "bench_gpu: %s\n", why.c_str());
    if (!done && path) std::remove(path); /* half an object is none */
    return !done ? 7 : written ? 0 : 1;
}
