/*
 * status.c - CUDA's errors as lines that name the device and the step, and device memory that is counted.
 */
#include "engine/cuda/status.h"

#include <stdio.h>
#include <string.h>
#include <time.h>

#include "base/clock.h"
#include "engine/cuda/cuda.h"

fr_status fr_cuda_fail(fr_error *error, cudaError_t code, int device, int64_t step, const char *what) {
    char when[32] = "";
    int driver = 0;
    cudaGetLastError();
    if (code == cudaErrorInsufficientDriver && cudaDriverGetVersion(&driver) == cudaSuccess && driver == 0)
        return fr_fail(error, FR_ERROR_DEVICE, "no NVIDIA driver found; use --device cpu");
    if (step >= 0) snprintf(when, sizeof when, " at step %lld", (long long)step);
    fr_fail(error, FR_ERROR_DEVICE, "GPU %d: %s failed%s: %s (%s)", device, what, when, cudaGetErrorString(code),
            cudaGetErrorName(code));
    if (error) error->device = device, error->step = step;
    return FR_ERROR_DEVICE;
}

cudaError_t fr_cuda_wait(cudaStream_t stream, double timeout) {
    double since = fr_seconds();
    if (!(timeout > 0)) return cudaStreamSynchronize(stream);
    for (int turn = 0;; turn++) {
        cudaError_t code = cudaStreamQuery(stream);
        if (code != cudaErrorNotReady) return code;
        cudaGetLastError();
        if (fr_seconds() - since > timeout) return code;
        const struct timespec pause = {0, turn < 1000 ? 20000 : 500000};
        if (turn > 200) nanosleep(&pause, NULL); /* shortly at first: a step is a matter of microseconds */
    }
}

fr_status fr_cuda_fail_silent(fr_error *error, int device, int64_t step, const char *what, double timeout) {
    char when[32] = "";
    if (step >= 0) snprintf(when, sizeof when, " at step %lld", (long long)step);
    fr_fail(error, FR_ERROR_TIMEOUT, "GPU %d: %s%s had no answer for %g seconds", device, what, when, timeout);
    if (error) error->device = device, error->step = step;
    return FR_ERROR_TIMEOUT;
}

fr_status fr_cuda_allocate(void **memory, int64_t count, size_t size, int device, const char *what, fr_error *error) {
    size_t free_bytes = 0, total_bytes = 0, bytes = 0;
    *memory = NULL;
    if (count < 0 || __builtin_mul_overflow((size_t)count, size, &bytes)) bytes = SIZE_MAX / 2;
    cudaError_t code = cudaMalloc(memory, bytes ? bytes : 16);
    if (code == cudaSuccess) return FR_OK;
    *memory = NULL;
    if (code != cudaErrorMemoryAllocation) return fr_cuda_fail(error, code, device, -1, what);
    cudaGetLastError();
    cudaMemGetInfo(&free_bytes, &total_bytes);
    fr_fail(error, FR_ERROR_DEVICE, "GPU %d: out of memory: needs %zu bytes for %s, %zu bytes free of %zu", device,
            bytes, what, free_bytes, total_bytes);
    if (error) error->device = device;
    return FR_ERROR_DEVICE;
}

fr_status fr_cuda_count(int *devices, fr_error *error) {
    *devices = 0;
    cudaError_t code = cudaGetDeviceCount(devices);
    if (code == cudaErrorNoDevice || (code == cudaSuccess && *devices == 0)) {
        cudaGetLastError();
        return fr_fail(error, FR_ERROR_DEVICE, "no GPU found; use --device cpu");
    }
    return code == cudaSuccess ? FR_OK : fr_cuda_fail(error, code, 0, -1, "looking for GPUs");
}

fr_status fr_cuda_identify(int device, unsigned char id[16], fr_error *error) {
    struct cudaDeviceProp properties;
    cudaError_t code = cudaGetDeviceProperties(&properties, device);
    if (code != cudaSuccess) return fr_cuda_fail(error, code, device, -1, "asking for the device");
    memcpy(id, properties.uuid.bytes, 16);
    return FR_OK;
}

void fr_cuda_describe(char *text, size_t size) {
    fr_error error;
    int devices;
    if (fr_cuda_count(&devices, &error) != FR_OK) {
        snprintf(text, size, "none (%.*s)", (int)strcspn(error.message, ";"), error.message);
        return;
    }
    int used = snprintf(text, size, "%d", devices);
    for (int i = 0; i < devices && used > 0 && (size_t)used < size; i++) {
        struct cudaDeviceProp device;
        if (cudaGetDeviceProperties(&device, i) != cudaSuccess) break;
        used += snprintf(text + used, size - (size_t)used, "%s%s, %llu MB", i ? "; " : " (", device.name,
                         (unsigned long long)(device.totalGlobalMem >> 20));
    }
    if (used > 0 && (size_t)used < size) snprintf(text + used, size - (size_t)used, ")");
}
