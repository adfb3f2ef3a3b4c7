/* launch.cpp - launching kernels: known kernels, checks of the configuration and of pointer
 * arguments, occupancy. What runs is in grid.cpp. */
#include <algorithm>
#include <cstring>
#include <map>
#include <mutex>
#include <set>

#include "cuda_on_cpu/dynamic_shared.h"
#include "device.h"
#include "faults.h"
#include "grid.h"
#include "memory.h"
#include "settings.h"
#include "stream.h"

namespace cuda_on_cpu {
namespace {

struct Kernel {
    const signature *types = nullptr;
    std::string name;
    size_t dynamic_shared = dynamic_shared_default;
};

struct Registry {
    std::mutex mutex;
    std::map<const void *, Kernel> kernels;
    std::set<std::pair<const void *, int>> loaded; /* on which device */
};

Registry &registry() {
    static Registry &only = *new Registry();
    return only;
}

/* A kernel is loaded by its first launch, or when somebody asks for its attributes. True if it was not before. */
bool load(const void *kernel) {
    std::lock_guard<std::mutex> lock(registry().mutex);
    return registry().loaded.insert({kernel, current_device().id}).second;
}

Kernel find_kernel(const void *address) {
    std::lock_guard<std::mutex> lock(registry().mutex);
    return registry().kernels[address];
}

/* The second argument of the launch's text, where commas inside brackets do not count. */
std::string kernel_name(const char *text) {
    int depth = 0, argument = 0;
    std::string name;
    for (const char *c = text; *c; ++c) {
        if (strchr("(<{[", *c)) ++depth;
        if (strchr(")>}]", *c) && !(*c == '>' && c > text && c[-1] == '-')) --depth;
        if (*c == ',' && depth == 0) {
            if (++argument == 2) break;
        } else if (argument == 1 && !(name.empty() && *c == ' ')) {
            name += *c;
        }
    }
    return name;
}

int blocks_per_multiprocessor(int threads, size_t dynamic_shared) {
    if (threads < 1 || threads > 1024 || dynamic_shared > dynamic_shared_limit) return 0;
    const size_t by_shared = (dynamic_shared_limit + 1024) / (dynamic_shared + 1024);
    return int(std::min({size_t(2), size_t(2048 / threads), by_shared}));
}

cudaError_t check_configuration(const Launch &launch, const Kernel &kernel) {
    const dim3 &b = launch.block, &g = launch.grid;
    const uint64_t threads = uint64_t(b.x) * b.y * b.z, blocks = uint64_t(g.x) * g.y * g.z;
    if (threads == 0 || threads > 1024 || b.z > 64 || blocks == 0 || g.x > 2147483647u || g.y > settings().grid_yz ||
        g.z > settings().grid_yz || blocks > 0xffffffffu)
        return cudaErrorInvalidConfiguration;
    if (launch.shared_bytes > kernel.dynamic_shared) {
        note(format(
            "kernel %s asks for %zu bytes of dynamic shared memory; without cudaFuncSetAttribute it may have %zu",
            launch.name.c_str(), launch.shared_bytes, kernel.dynamic_shared));
        return cudaErrorInvalidValue;
    }
    if (launch.cooperative && blocks > uint64_t(settings().multiprocessors) *
                                           unsigned(blocks_per_multiprocessor(int(threads), launch.shared_bytes)))
        return cudaErrorCooperativeLaunchTooLarge;
    return cudaSuccess;
}

struct PointerCheck {
    const Launch *launch;
    int device;
    bool wrong = false;
};

void check_pointer(void *context, int position, const void *pointer) {
    PointerCheck &check = *static_cast<PointerCheck *>(context);
    if (!pointer) return;
    const std::string trouble = device_range_trouble(pointer, 0, check.device);
    if (trouble.empty()) return;
    check.wrong = true;
    fault(format("kernel %s on device %d: argument %d: %s", check.launch->name.c_str(), check.device, position,
                 trouble.c_str()));
}

cudaError_t launch_on(Stream &stream, Launch launch, void **arguments) {
    const Kernel kernel = find_kernel(launch.kernel);
    if (!kernel.types) {
        note("the kernel's type is not known: launch it with cudaLaunchKernelEx");
        return cudaErrorInvalidDeviceFunction;
    }
    int ignored = 0;
    if (load(launch.kernel)) call_fails("load by launch", &ignored); /* for cuda_on_cpu_calls */
    launch.kernel_signature = kernel.types;
    launch.name = kernel.name;
    if (&stream.device != &current_device()) {
        note(format("kernel %s: device %d is current, but the stream belongs to device %d", launch.name.c_str(),
                    current_device().id, stream.device.id));
        return cudaErrorInvalidResourceHandle;
    }
    if (const cudaError_t error = check_configuration(launch, kernel)) return error;
    launch.arguments = kernel.types->copy_arguments(arguments);
    PointerCheck check{&launch, stream.device.id};
    kernel.types->each_pointer(launch.arguments.get(), check_pointer, &check);
    Device &owner = stream.device;
    if (check.wrong) {
        owner.sticky = cudaErrorIllegalAddress;
        return cudaErrorIllegalAddress;
    }
    stream.submit(
        {"kernel", [launch, &owner] {
             int chosen = cudaErrorIllegalAddress;
             if (run_fails("kernel", &chosen)) {
                 note(format("kernel %s fails with error %d, as CUDA_ON_CPU_FAIL asks", launch.name.c_str(), chosen));
                 owner.sticky = cudaError_t(chosen);
             } else if (!run_grid(launch)) {
                 owner.sticky = cudaErrorLaunchFailure;
             }
         }});
    return cudaSuccess;
}

/* Attributes that change what runs are honoured or refused; hints are ignored. */
cudaError_t read_attributes(const cudaLaunchConfig_t &config, Launch &launch) {
    for (unsigned i = 0; i < config.numAttrs; ++i) {
        const cudaLaunchAttribute &attribute = config.attrs[i];
        if (attribute.id == cudaLaunchAttributeCooperative) {
            launch.cooperative = attribute.val.cooperative != 0;
        } else if (attribute.id == cudaLaunchAttributeClusterDimension) {
            const auto &cluster = attribute.val.clusterDim;
            if (cluster.x * cluster.y * cluster.z > 1) return cudaErrorNotSupported;
        }
    }
    return cudaSuccess;
}

cudaError_t launch_plainly(const char *name, const void *kernel, dim3 grid, dim3 block, void **arguments,
                           size_t shared_bytes, cudaStream_t handle, bool cooperative) {
    return api(name, cudaErrorLaunchFailure, [&] {
        return with_stream(handle, [&](Stream &stream) {
            Launch launch;
            launch.kernel = kernel;
            launch.grid = grid;
            launch.block = block;
            launch.shared_bytes = shared_bytes;
            launch.cooperative = cooperative;
            return launch_on(stream, std::move(launch), arguments);
        });
    });
}

} // namespace

void register_kernel(const void *kernel, const signature &types, const char *text) {
    std::lock_guard<std::mutex> lock(registry().mutex);
    Kernel &known = registry().kernels[kernel];
    known.types = &types;
    if (known.name.empty()) known.name = text ? kernel_name(text) : format("%p", kernel);
}

void forget_loaded_kernels() {
    std::lock_guard<std::mutex> lock(registry().mutex);
    registry().loaded.clear();
}

} // namespace cuda_on_cpu

using namespace cuda_on_cpu;

cudaError_t cudaLaunchKernelExC(const cudaLaunchConfig_t *config, const void *kernel, void **arguments) {
    return api("cudaLaunchKernelEx", cudaErrorLaunchFailure, [&] {
        return with_stream(config->stream, [&](Stream &stream) {
            Launch launch;
            launch.kernel = kernel;
            launch.grid = config->gridDim;
            launch.block = config->blockDim;
            launch.shared_bytes = config->dynamicSmemBytes;
            if (const cudaError_t error = read_attributes(*config, launch)) return error;
            return launch_on(stream, std::move(launch), arguments);
        });
    });
}

cudaError_t cudaLaunchKernel(const void *kernel, dim3 grid, dim3 block, void **arguments, size_t shared_bytes,
                             cudaStream_t stream) {
    return launch_plainly("cudaLaunchKernel", kernel, grid, block, arguments, shared_bytes, stream, false);
}

cudaError_t cudaLaunchCooperativeKernel(const void *kernel, dim3 grid, dim3 block, void **arguments,
                                        size_t shared_bytes, cudaStream_t stream) {
    return launch_plainly("cudaLaunchCooperativeKernel", kernel, grid, block, arguments, shared_bytes, stream, true);
}

cudaError_t cudaFuncSetAttribute(const void *kernel, cudaFuncAttribute attribute, int value) {
    return api("cudaFuncSetAttribute", cudaErrorInvalidValue, [&] {
        if (attribute != cudaFuncAttributeMaxDynamicSharedMemorySize) return cudaSuccess;
        if (value < 0 || unsigned(value) > dynamic_shared_limit) return cudaErrorInvalidValue;
        std::lock_guard<std::mutex> lock(registry().mutex);
        registry().kernels[kernel].dynamic_shared = size_t(value);
        return cudaSuccess;
    });
}

cudaError_t cudaFuncSetCacheConfig(const void *, cudaFuncCache) { return record_error(driver_state()); }

cudaError_t cudaFuncGetAttributes(cudaFuncAttributes *attributes, const void *kernel) {
    return api("cudaFuncGetAttributes", cudaErrorInvalidDeviceFunction, [&] {
        load(kernel);
        std::memset(attributes, 0, sizeof *attributes);
        attributes->maxThreadsPerBlock = 1024;
        attributes->numRegs = 32; /* pretended */
        attributes->binaryVersion = attributes->ptxVersion = settings().capability;
        attributes->maxDynamicSharedSizeBytes =
            int(std::max(find_kernel(kernel).dynamic_shared, size_t(dynamic_shared_default)));
        return cudaSuccess;
    });
}

cudaError_t cudaOccupancyMaxActiveBlocksPerMultiprocessorWithFlags(int *blocks, const void *, int threads,
                                                                   size_t dynamic_shared, unsigned) {
    return api("cudaOccupancyMaxActiveBlocksPerMultiprocessor", cudaErrorInvalidDeviceFunction, [&] {
        if (threads < 1) return cudaErrorInvalidValue;
        *blocks = blocks_per_multiprocessor(threads, dynamic_shared);
        return cudaSuccess;
    });
}

cudaError_t cudaOccupancyMaxActiveBlocksPerMultiprocessor(int *blocks, const void *kernel, int threads,
                                                          size_t dynamic_shared) {
    return cudaOccupancyMaxActiveBlocksPerMultiprocessorWithFlags(blocks, kernel, threads, dynamic_shared, 0);
}
