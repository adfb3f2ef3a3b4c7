/* device.cpp - device discovery and selection, properties, peers, synchronisation, reset. */
#include "device.h"

#include <cstdio>
#include <cstring>

#include "faults.h"
#include "graph.h"
#include "memory.h"
#include "settings.h"
#include "stream.h"

#include "cuda_on_cpu/dynamic_shared.h"

namespace cuda_on_cpu {

static constexpr int most_devices = 64;
static thread_local int current_id = 0;
static thread_local cudaError_t last_error = cudaSuccess;

int device_count() { return std::min(settings().devices, most_devices); }

Device &device(int id) {
    static Device *devices = [] {
        Device *all = new Device[most_devices];
        for (int i = 0; i < most_devices; ++i) all[i].id = i;
        return all;
    }();
    return devices[id];
}

Device &current_device() { return device(current_id); }

cudaError_t driver_state() {
    if (device_count() > 0) return cudaSuccess;
    return settings().driver > 0 ? cudaErrorNoDevice : cudaErrorInsufficientDriver;
}

cudaError_t record_error(cudaError_t error) {
    if (error != cudaSuccess) last_error = error;
    return error;
}

cudaError_t enter_call(const char *name, cudaError_t injected) {
    int chosen = int(injected);
    if (call_fails(name, &chosen)) {
        note(format("%s fails with error %d, as CUDA_ON_CPU_FAIL asks", name, chosen));
        return cudaError_t(chosen);
    }
    if (const cudaError_t state = driver_state()) return state;
    return current_device().sticky;
}

cudaError_t synchronize_device(Device &device) {
    std::vector<std::shared_ptr<Stream>> live;
    {
        std::lock_guard<std::mutex> lock(device.mutex);
        std::vector<std::weak_ptr<Stream>> still;
        for (const auto &weak : device.streams)
            if (auto stream = weak.lock()) live.push_back(stream), still.push_back(weak);
        device.streams.swap(still);
    }
    for (const auto &stream : live) stream->wait(stream->submitted());
    return device.sticky;
}

static bool valid(int id) { return id >= 0 && id < device_count(); }

static int attribute(cudaDeviceAttr name, int id) {
    switch (name) {
    case cudaDevAttrMaxThreadsPerBlock:
    case cudaDevAttrMaxBlockDimX:
    case cudaDevAttrMaxBlockDimY: return 1024;
    case cudaDevAttrMaxBlockDimZ: return 64;
    case cudaDevAttrMaxGridDimX: return 2147483647;
    case cudaDevAttrMaxGridDimY:
    case cudaDevAttrMaxGridDimZ: return 65535;
    case cudaDevAttrWarpSize: return 32;
    case cudaDevAttrMaxSharedMemoryPerBlock: return int(dynamic_shared_default);
    case cudaDevAttrMaxSharedMemoryPerBlockOptin: return int(dynamic_shared_limit);
    case cudaDevAttrMaxSharedMemoryPerMultiprocessor: return int(dynamic_shared_limit) + 1024;
    case cudaDevAttrReservedSharedMemoryPerBlock: return 1024;
    case cudaDevAttrMaxRegistersPerBlock:
    case cudaDevAttrMaxRegistersPerMultiprocessor: return 65536;
    case cudaDevAttrMultiProcessorCount: return settings().multiprocessors;
    case cudaDevAttrMaxThreadsPerMultiProcessor: return 2048;
    case cudaDevAttrMaxBlocksPerMultiprocessor: return 2; /* keeps cooperative grids small */
    case cudaDevAttrComputeCapabilityMajor: return settings().capability / 10;
    case cudaDevAttrComputeCapabilityMinor: return settings().capability % 10;
    case cudaDevAttrL2CacheSize: return 4 << 20;
    case cudaDevAttrTotalConstantMemory: return 65536;
    case cudaDevAttrClockRate:
    case cudaDevAttrMemoryClockRate: return 1000000;
    case cudaDevAttrGlobalMemoryBusWidth: return 64;
    case cudaDevAttrPciBusId: return id + 1;
    case cudaDevAttrUnifiedAddressing:
    case cudaDevAttrCooperativeLaunch:
    case cudaDevAttrCanMapHostMemory:
    case cudaDevAttrConcurrentKernels:
    case cudaDevAttrMemoryPoolsSupported:
    case cudaDevAttrAsyncEngineCount:
    case cudaDevAttrStreamPrioritiesSupported: return 1;
    default: return 0;
    }
}

static void fill_properties(cudaDeviceProp &p, int id) {
    std::memset(&p, 0, sizeof p);
    std::snprintf(p.name, sizeof p.name, "cuda_on_cpu pretended device %d (not a GPU)", id);
    std::memset(&p.uuid, 0, sizeof p.uuid);
    p.uuid.bytes[15] = char(id);
    p.totalGlobalMem = settings().memory;
    p.sharedMemPerBlock = dynamic_shared_default;
    p.sharedMemPerBlockOptin = dynamic_shared_limit;
    p.sharedMemPerMultiprocessor = dynamic_shared_limit + 1024;
    p.reservedSharedMemPerBlock = 1024;
    p.regsPerBlock = p.regsPerMultiprocessor = 65536;
    p.warpSize = 32;
    p.maxThreadsPerBlock = 1024;
    p.maxThreadsDim[0] = p.maxThreadsDim[1] = 1024;
    p.maxThreadsDim[2] = 64;
    p.maxGridSize[0] = 2147483647;
    p.maxGridSize[1] = p.maxGridSize[2] = 65535;
    p.totalConstMem = 65536;
    p.major = settings().capability / 10;
    p.minor = settings().capability % 10;
    p.multiProcessorCount = settings().multiprocessors;
    p.maxThreadsPerMultiProcessor = 2048;
    p.maxBlocksPerMultiProcessor = 2;
    p.l2CacheSize = 4 << 20;
    p.memoryBusWidth = 64;
    p.pciBusID = id + 1;
    p.unifiedAddressing = p.canMapHostMemory = p.concurrentKernels = p.asyncEngineCount = 1;
    p.streamPrioritiesSupported = p.memoryPoolsSupported = p.cooperativeLaunch = 1;
}

} // namespace cuda_on_cpu

using namespace cuda_on_cpu;

cudaError_t cudaGetDeviceCount(int *count) {
    int chosen = cudaErrorUnknown;
    if (call_fails("cudaGetDeviceCount", &chosen)) return record_error(cudaError_t(chosen));
    *count = device_count();
    return record_error(driver_state());
}

cudaError_t cudaSetDevice(int id) {
    int chosen = cudaErrorDevicesUnavailable;
    if (call_fails("cudaSetDevice", &chosen)) return record_error(cudaError_t(chosen));
    if (const cudaError_t state = driver_state()) return record_error(state);
    if (!valid(id)) return record_error(cudaErrorInvalidDevice);
    current_id = id;
    return cudaSuccess;
}

cudaError_t cudaInitDevice(int id, unsigned, unsigned) {
    return api("cudaInitDevice", cudaErrorDevicesUnavailable,
               [&] { return valid(id) ? cudaSuccess : cudaErrorInvalidDevice; });
}

cudaError_t cudaGetDevice(int *id) {
    if (const cudaError_t state = driver_state()) return record_error(state);
    *id = current_id;
    return cudaSuccess;
}

cudaError_t cudaGetDeviceProperties(cudaDeviceProp *properties, int id) {
    return api("cudaGetDeviceProperties", cudaErrorUnknown, [&] {
        if (!valid(id)) return cudaErrorInvalidDevice;
        fill_properties(*properties, id);
        return cudaSuccess;
    });
}

cudaError_t cudaDeviceGetAttribute(int *value, cudaDeviceAttr name, int id) {
    return api("cudaDeviceGetAttribute", cudaErrorUnknown, [&] {
        if (!valid(id)) return cudaErrorInvalidDevice;
        *value = attribute(name, id);
        return cudaSuccess;
    });
}

cudaError_t cudaDeviceGetPCIBusId(char *text, int length, int id) {
    return api("cudaDeviceGetPCIBusId", cudaErrorUnknown, [&] {
        if (!valid(id)) return cudaErrorInvalidDevice;
        return std::snprintf(text, size_t(length), "0000:%02X:00.0", id + 1) < length ? cudaSuccess
                                                                                      : cudaErrorInvalidValue;
    });
}

cudaError_t cudaDeviceGetByPCIBusId(int *id, const char *text) {
    return api("cudaDeviceGetByPCIBusId", cudaErrorUnknown, [&] {
        unsigned bus = 0;
        if (std::sscanf(text, "%*x:%x:", &bus) != 1 || !valid(int(bus) - 1)) return cudaErrorInvalidDevice;
        *id = int(bus) - 1;
        return cudaSuccess;
    });
}

cudaError_t cudaDeviceSynchronize() {
    return api("cudaDeviceSynchronize", cudaErrorLaunchFailure, [] {
        if (const cudaError_t forbidden = forbidden_by_capture()) return forbidden;
        return synchronize_device(current_device());
    });
}

cudaError_t cudaDeviceReset() {
    if (const cudaError_t state = driver_state()) return record_error(state);
    Device &mine = current_device();
    synchronize_device(mine);
    free_everything(mine.id);
    mine.sticky = cudaSuccess;
    last_error = cudaSuccess;
    return cudaSuccess;
}

cudaError_t cudaDeviceCanAccessPeer(int *can, int id, int peer) {
    return api("cudaDeviceCanAccessPeer", cudaErrorUnknown, [&] {
        if (!valid(id) || !valid(peer)) return cudaErrorInvalidDevice;
        *can = id != peer;
        return cudaSuccess;
    });
}

cudaError_t cudaDeviceEnablePeerAccess(int peer, unsigned flags) {
    return api("cudaDeviceEnablePeerAccess", cudaErrorPeerAccessUnsupported, [&] {
        Device &mine = current_device();
        if (flags) return cudaErrorInvalidValue;
        if (!valid(peer) || peer == mine.id) return cudaErrorInvalidDevice;
        std::lock_guard<std::mutex> lock(mine.mutex);
        return mine.peers.insert(peer).second ? cudaSuccess : cudaErrorPeerAccessAlreadyEnabled;
    });
}

cudaError_t cudaDeviceDisablePeerAccess(int peer) {
    return api("cudaDeviceDisablePeerAccess", cudaErrorUnknown, [&] {
        Device &mine = current_device();
        std::lock_guard<std::mutex> lock(mine.mutex);
        return mine.peers.erase(peer) ? cudaSuccess : cudaErrorPeerAccessNotEnabled;
    });
}

cudaError_t cudaDeviceGetStreamPriorityRange(int *least, int *greatest) {
    return api("cudaDeviceGetStreamPriorityRange", cudaErrorUnknown, [&] {
        if (least) *least = 0;
        if (greatest) *greatest = -5;
        return cudaSuccess;
    });
}

cudaError_t cudaSetDeviceFlags(unsigned) { return record_error(driver_state()); }
cudaError_t cudaDeviceSetLimit(cudaLimit, size_t) { return record_error(driver_state()); }
cudaError_t cudaDeviceSetCacheConfig(cudaFuncCache) { return record_error(driver_state()); }

cudaError_t cudaDriverGetVersion(int *version) {
    *version = settings().driver >= 0 ? settings().driver : device_count() > 0 ? CUDART_VERSION : 0;
    return cudaSuccess;
}

cudaError_t cudaRuntimeGetVersion(int *version) {
    *version = CUDART_VERSION;
    return cudaSuccess;
}

cudaError_t cudaGetLastError() {
    cudaError_t error = last_error;
    if (error == cudaSuccess && device_count() > 0) error = current_device().sticky;
    last_error = cudaSuccess;
    return error;
}

cudaError_t cudaPeekAtLastError() {
    if (last_error == cudaSuccess && device_count() > 0) return current_device().sticky;
    return last_error;
}
