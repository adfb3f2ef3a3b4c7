/* host_in_c.c - C11 against cuda_runtime.h: implicit conversions from void *, designated initializers. */
#include "host_in_c.h"

#include <cuda_runtime.h>
#include <nccl.h>
#include <stdlib.h>

#include "kernels.h"

struct buffers {
    float *host, *x, *y;
    cudaStream_t stream;
};

static void release(struct buffers *b) {
    if (b->stream) cudaStreamDestroy(b->stream);
    cudaFree(b->y);
    cudaFree(b->x);
    free(b->host);
}

int host_in_c_doubles(int n) {
    int version = 0;
    if (ncclGetVersion(&version) != ncclSuccess || version < NCCL_VERSION(2, 14, 0)) return -1;
    const size_t bytes = (size_t)n * sizeof(float);
    struct buffers b = {.host = malloc(bytes)};
    int failed = 0;
    for (int i = 0; i < n; ++i) b.host[i] = (float)i;
    if (cudaMalloc((void **)&b.x, bytes) != cudaSuccess) failed = 1;
    else if (cudaMalloc((void **)&b.y, bytes) != cudaSuccess) failed = 2;
    else if (cudaStreamCreateWithFlags(&b.stream, cudaStreamNonBlocking) != cudaSuccess) failed = 3;
    else if (cudaMemcpyAsync(b.x, b.host, bytes, cudaMemcpyHostToDevice, b.stream) != cudaSuccess) failed = 4;
    else if (cudaMemcpyAsync(b.y, b.x, bytes, cudaMemcpyDeviceToDevice, b.stream) != cudaSuccess) failed = 5;
    else if (launch_axpy(b.y, b.x, 1.0f, n, b.stream) != cudaSuccess) failed = 6;
    else if (cudaMemcpyAsync(b.host, b.y, bytes, cudaMemcpyDeviceToHost, b.stream) != cudaSuccess) failed = 7;
    else if (cudaStreamSynchronize(b.stream) != cudaSuccess) failed = 8;
    for (int i = 0; i < n && !failed; ++i)
        if (b.host[i] != 2.0f * (float)i) failed = 9;
    release(&b);
    return failed;
}
