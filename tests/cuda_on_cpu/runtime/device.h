/* device.h - the pretended devices, the calling thread's current one, and the frame of an API call. */
#pragma once

#include <cuda_runtime_api.h>

#include <atomic>
#include <memory>
#include <mutex>
#include <set>
#include <vector>

namespace cuda_on_cpu {

class Stream;

struct Device {
    int id = 0;
    std::atomic<cudaError_t> sticky{cudaSuccess}; /* set by a fault; only cudaDeviceReset clears it */
    std::mutex mutex;                             /* guards what follows */
    std::set<int> peers;
    std::shared_ptr<Stream> legacy;             /* the default stream, made when first used */
    std::vector<std::weak_ptr<Stream>> streams; /* all, the destroyed ones until they have drained */
};

int device_count();
Device &device(int id); /* id < device_count() */
Device &current_device();

/* cudaSuccess, or why there is no device to work with. */
cudaError_t driver_state();

cudaError_t record_error(cudaError_t error); /* for cudaGetLastError; returns its argument */

/* Is call `name` to fail by CUDA_ON_CPU_FAIL, by a missing driver, or by a device that is already lost? */
cudaError_t enter_call(const char *name, cudaError_t injected);

/* Every function of the runtime API is api("cudaName", error when told to fail, [&] { body }). */
template <typename Body> cudaError_t api(const char *name, cudaError_t injected, Body body) {
    cudaError_t error = enter_call(name, injected);
    if (error == cudaSuccess) error = body();
    return record_error(error);
}

/* Waits for everything that was submitted to the device. Returns its sticky error. */
cudaError_t synchronize_device(Device &device);

} // namespace cuda_on_cpu
