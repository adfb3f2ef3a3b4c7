/*
 * stream.cu - memory read once, as fast as the card can: what other rates are held against.
 *
 * A thread keeps four loads of 16 bytes in flight; a warp adds its sum to the whole. The sum of integers has no order,
 * and shows that every word was read. Traffic: each byte read once.
 */
#include "kernels/launch.cuh"

namespace fitrelu {
namespace {

constexpr int stream_threads = 256, stream_loads = 4;

__device__ inline unsigned long long words_of(int4 pack) {
    const unsigned long long low = (unsigned long long)unsigned(pack.y) << 32 | unsigned(pack.x);
    const unsigned long long high = (unsigned long long)unsigned(pack.w) << 32 | unsigned(pack.z);
    return low + high;
}

__global__ void __launch_bounds__(stream_threads)
    stream_kernel(const int4 *from, int64_t packs, unsigned long long *total) {
    const int64_t first = int64_t(blockIdx.x) * stream_threads * stream_loads + threadIdx.x;
    int4 pack[stream_loads];
#pragma unroll
    for (int i = 0; i < stream_loads; i++) {
        const int64_t at = first + i * stream_threads;
        pack[i] = at < packs ? __ldg(from + at) : make_int4(0, 0, 0, 0);
    }
    unsigned long long sum = 0;
#pragma unroll
    for (int i = 0; i < stream_loads; i++) sum += words_of(pack[i]);
    for (int apart = 16; apart > 0; apart /= 2) sum += __shfl_xor_sync(all_lanes, sum, apart);
    if (threadIdx.x % 32 == 0) atomicAdd(total, sum);
}

} // namespace
} // namespace fitrelu

cudaError_t fr_launch_stream(const void *from, int64_t bytes, void *sum, cudaStream_t stream) {
    using namespace fitrelu;
    const int64_t packs = bytes / 16;
    const cudaLaunchConfig_t config = shape(dim3(blocks_for(packs, stream_threads * stream_loads)), stream_threads, stream);
    return FR_LAUNCH(config, stream_kernel, static_cast<const int4 *>(from), packs,
                     static_cast<unsigned long long *>(sum));
}
