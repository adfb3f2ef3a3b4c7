/*
 * measure.c - what the CUDA engine offers those who measure: its buffers, and how fast the card reads its memory.
 */
#include "engine/cuda/parts.h"

fr_status fr_cuda_read(fr_engine *engine, void *to, const void *buffer, size_t size, fr_error *error) {
    cuda_engine *e = cuda_of(engine);
    FR_CUDA(cudaSetDevice(e->device), "choosing the device");
    return size > 0 ? fr_cuda_memory_fetch(e, to, buffer, size, "reading a buffer", error) : FR_OK;
}

fr_status fr_cuda_write(fr_engine *engine, void *buffer, const void *from, size_t size, fr_error *error) {
    cuda_engine *e = cuda_of(engine);
    FR_CUDA(cudaSetDevice(e->device), "choosing the device");
    e->has_norms = false; /* the values may be others now */
    return size > 0 ? fr_cuda_memory_send(e, buffer, from, size, "filling a buffer", error) : FR_OK;
}

/* ------------------------------------------------------------------------------------------ streaming */

/* Memory and events of one measurement; whatever is there is freed by done(). */
typedef struct streaming {
    void *memory, *sum;
    cudaEvent_t begin, end;
} streaming;

static void done(streaming *s) {
    if (s->begin) cudaEventDestroy(s->begin);
    if (s->end) cudaEventDestroy(s->end);
    cudaFree(s->memory);
    cudaFree(s->sum);
}

static fr_status begin(cuda_engine *e, streaming *s, size_t size, fr_error *error) {
    FR_TRY(fr_cuda_allocate(&s->memory, (int64_t)size, 1, e->device, "memory to read", error));
    FR_TRY(fr_cuda_allocate(&s->sum, 1, sizeof(uint64_t), e->device, "memory to read", error));
    FR_CUDA(cudaEventCreate(&s->begin), "making an event");
    FR_CUDA(cudaEventCreate(&s->end), "making an event");
    FR_CUDA(cudaMemsetAsync(s->memory, 1, size, e->stream), "filling memory");
    return FR_OK;
}

/* Once over the memory; every byte of it is 1. */
static fr_status read_once(cuda_engine *e, const streaming *s, size_t size, double *seconds, fr_error *error) {
    uint64_t found = 0;
    float milliseconds = 0;
    FR_CUDA(cudaMemsetAsync(s->sum, 0, sizeof found, e->stream), "reading memory");
    FR_CUDA(cudaEventRecord(s->begin, e->stream), "reading memory");
    FR_CUDA(fr_launch_stream(s->memory, (int64_t)size, s->sum, e->stream), "reading memory");
    FR_CUDA(cudaEventRecord(s->end, e->stream), "reading memory");
    FR_TRY(fr_cuda_memory_fetch(e, &found, s->sum, sizeof found, "reading memory", error));
    FR_CUDA(cudaEventElapsedTime(&milliseconds, s->begin, s->end), "reading memory");
    *seconds = 1e-3 * (double)milliseconds;
    if (found == size / 8 * 0x0101010101010101u) return FR_OK;
    return fr_fail(error, FR_ERROR, "GPU %d: memory that was read did not hold what was written to it", e->device);
}

fr_status fr_cuda_stream(fr_engine *engine, size_t size, int times, double *seconds, fr_error *error) {
    cuda_engine *e = cuda_of(engine);
    streaming s = {0};
    FR_CUDA(cudaSetDevice(e->device), "choosing the device");
    fr_status status = begin(e, &s, size, error);
    if (status == FR_OK) status = read_once(e, &s, size, &seconds[0], error); /* loads the kernel */
    for (int i = 0; i < times && status == FR_OK; i++) status = read_once(e, &s, size, &seconds[i], error);
    done(&s);
    return status;
}
