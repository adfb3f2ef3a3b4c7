/* memory.cpp - allocation of device and pinned memory, and the table that remembers both.
 *
 * Memory comes from the C library, so the address sanitizer guards the ends of every allocation.
 */
#include "memory.h"

#include <cstdint>
#include <cstdio>
#include <cstdlib>
#include <cstring>
#include <iterator>
#include <map>
#include <mutex>
#include <vector>

#include "device.h"
#include "faults.h"
#include "graph.h"
#include "sanitizers.h"
#include "settings.h"
#include "stream.h"

namespace cuda_on_cpu {
namespace {

struct Table {
    std::mutex mutex;
    std::map<uintptr_t, Memory> allocations; /* by first address */
    size_t used[64] = {};
};

Table &table() {
    static Table &only = *new Table();
    return only;
}

constexpr size_t alignment = 256; /* as cudaMalloc promises */

/* An address just past an end counts as the allocation's, so allocations must not touch each other.
 * Under the address sanitizer its red zones see to that, and a gap would hide an overrun. */
void *aligned_memory(size_t bytes) {
#ifdef CUDA_ON_CPU_ASAN
    constexpr size_t gap = 0;
#else
    constexpr size_t gap = 16;
#endif
    void *memory = nullptr;
    return posix_memalign(&memory, alignment, bytes + gap) == 0 ? memory : nullptr;
}

void enter_in_table(void *memory, size_t bytes, MemoryKind kind, int device) {
    Table &t = table();
    std::lock_guard<std::mutex> lock(t.mutex);
    t.allocations[uintptr_t(memory)] = Memory{kind, device, static_cast<const char *>(memory), bytes};
    if (kind == MemoryKind::device) t.used[device] += bytes;
}

/* Takes the allocation that starts at `memory` out of the table; false if there is none of that kind. */
bool strike_from_table(void *memory, MemoryKind kind) {
    Table &t = table();
    std::lock_guard<std::mutex> lock(t.mutex);
    const auto found = t.allocations.find(uintptr_t(memory));
    if (found == t.allocations.end() || found->second.kind != kind) return false;
    if (kind == MemoryKind::device) t.used[found->second.device] -= found->second.bytes;
    t.allocations.erase(found);
    return true;
}

cudaError_t allocate_pinned(void **pointer, size_t bytes) {
    if (!pointer) return cudaErrorInvalidValue;
    *pointer = nullptr;
    if (bytes == 0) return cudaSuccess;
    void *memory = aligned_memory(bytes);
    if (!memory) return cudaErrorMemoryAllocation;
    std::memset(memory, 0xff, bytes);
    enter_in_table(memory, bytes, MemoryKind::pinned, current_device().id);
    *pointer = memory;
    return cudaSuccess;
}

const char *kind_name(MemoryKind kind) {
    switch (kind) {
    case MemoryKind::device: return "device memory";
    case MemoryKind::pinned: return "pinned host memory";
    case MemoryKind::registered: return "registered host memory";
    default: return "host memory";
    }
}

} // namespace

Memory find_memory(const void *address) {
    Table &t = table();
    std::lock_guard<std::mutex> lock(t.mutex);
    auto after = t.allocations.upper_bound(uintptr_t(address));
    if (after == t.allocations.begin()) return {};
    const Memory &memory = std::prev(after)->second;
    return uintptr_t(address) <= uintptr_t(memory.start) + memory.bytes ? memory : Memory{};
}

size_t memory_used(int device) {
    std::lock_guard<std::mutex> lock(table().mutex);
    return table().used[device];
}

cudaError_t allocate_device(void **pointer, size_t bytes, int device) {
    if (!pointer) return cudaErrorInvalidValue;
    *pointer = nullptr;
    if (bytes == 0) return cudaSuccess;
    if (bytes > settings().memory - std::min(settings().memory, memory_used(device)))
        return cudaErrorMemoryAllocation;
    void *memory = aligned_memory(bytes);
    if (!memory) return cudaErrorMemoryAllocation;
    std::memset(memory, 0xff, bytes); /* NaN in every floating type: what was never written shows */
    enter_in_table(memory, bytes, MemoryKind::device, device);
    *pointer = memory;
    return cudaSuccess;
}

cudaError_t free_device(void *pointer) {
    if (!pointer) return cudaSuccess;
    if (!strike_from_table(pointer, MemoryKind::device)) {
        note(format("cudaFree: %p does not start an allocation of device memory", pointer));
        return cudaErrorInvalidValue;
    }
    std::free(pointer);
    return cudaSuccess;
}

std::string device_range_trouble(const void *pointer, size_t bytes, int id) {
    const Memory memory = find_memory(pointer);
    if (memory.kind == MemoryKind::pageable) return format("%p is host memory (or freed)", pointer);
    if (static_cast<const char *>(pointer) + bytes > memory.start + memory.bytes)
        return format("%p with %zu bytes ends past its allocation of %zu bytes", pointer, bytes, memory.bytes);
    if (memory.kind == MemoryKind::device && memory.device != id) {
        Device &owner = device(id);
        std::lock_guard<std::mutex> lock(owner.mutex);
        if (!owner.peers.count(memory.device))
            return format("%p is memory of device %d, which device %d has no access to", pointer, memory.device, id);
    }
    return "";
}

void free_everything(int id) {
    std::vector<std::pair<void *, MemoryKind>> doomed;
    {
        std::lock_guard<std::mutex> lock(table().mutex);
        for (const auto &[start, memory] : table().allocations)
            if (id < 0 ? memory.kind != MemoryKind::device : memory.kind == MemoryKind::device && memory.device == id)
                doomed.emplace_back(reinterpret_cast<void *>(start), memory.kind);
    }
    for (const auto &[start, kind] : doomed) {
        strike_from_table(start, kind);
        if (kind != MemoryKind::registered) std::free(start);
    }
}

int describe_allocations(bool describe) {
    std::lock_guard<std::mutex> lock(table().mutex);
    for (const auto &[start, memory] : table().allocations)
        if (describe)
            std::fprintf(stderr, "cuda_on_cpu: leak: %zu bytes of %s of device %d at %p\n", memory.bytes,
                         kind_name(memory.kind), memory.device, reinterpret_cast<void *>(start));
    return int(table().allocations.size());
}

} // namespace cuda_on_cpu

using namespace cuda_on_cpu;

cudaError_t cudaMalloc(void **pointer, size_t bytes) {
    return api("cudaMalloc", cudaErrorMemoryAllocation, [&] {
        if (const cudaError_t forbidden = forbidden_by_capture()) return forbidden;
        return allocate_device(pointer, bytes, current_device().id);
    });
}

cudaError_t cudaMallocPitch(void **pointer, size_t *pitch, size_t width, size_t height) {
    return api("cudaMallocPitch", cudaErrorMemoryAllocation, [&] {
        if (const cudaError_t forbidden = forbidden_by_capture()) return forbidden;
        *pitch = (width + 511) / 512 * 512;
        return allocate_device(pointer, *pitch * height, current_device().id);
    });
}

/* As the real one: waits for the device, whose kernels may still be using the memory. */
cudaError_t cudaFree(void *pointer) {
    return api("cudaFree", cudaErrorInvalidValue, [&] {
        if (const cudaError_t forbidden = forbidden_by_capture()) return forbidden;
        const Memory memory = find_memory(pointer);
        if (pointer && memory.kind == MemoryKind::device) synchronize_device(device(memory.device));
        return free_device(pointer);
    });
}

/* Memory of the stream's order: taken at once, given back when the stream comes to it. */
cudaError_t cudaMallocAsync(void **pointer, size_t bytes, cudaStream_t handle) {
    return api("cudaMallocAsync", cudaErrorMemoryAllocation, [&] {
        return with_stream(handle, [&](Stream &stream) {
            if (stream.capture) return cudaErrorNotSupported;
            return allocate_device(pointer, bytes, stream.device.id);
        });
    });
}

cudaError_t cudaFreeAsync(void *pointer, cudaStream_t handle) {
    return api("cudaFreeAsync", cudaErrorInvalidValue, [&] {
        return with_stream(handle, [&](Stream &stream) {
            if (stream.capture) return cudaErrorNotSupported;
            if (pointer && find_memory(pointer).start != pointer) return cudaErrorInvalidValue;
            stream.submit({"free", [pointer] { free_device(pointer); }, true});
            return cudaSuccess;
        });
    });
}

cudaError_t cudaMallocHost(void **pointer, size_t bytes) {
    return api("cudaMallocHost", cudaErrorMemoryAllocation, [&] { return allocate_pinned(pointer, bytes); });
}

cudaError_t cudaHostAlloc(void **pointer, size_t bytes, unsigned) {
    return api("cudaHostAlloc", cudaErrorMemoryAllocation, [&] { return allocate_pinned(pointer, bytes); });
}

cudaError_t cudaFreeHost(void *pointer) {
    return api("cudaFreeHost", cudaErrorInvalidValue, [&] {
        if (!pointer) return cudaSuccess;
        const Memory memory = find_memory(pointer);
        if (memory.kind == MemoryKind::pinned) synchronize_device(device(memory.device));
        if (!strike_from_table(pointer, MemoryKind::pinned)) {
            note(format("cudaFreeHost: %p does not start an allocation of pinned memory", pointer));
            return cudaErrorInvalidValue;
        }
        std::free(pointer);
        return cudaSuccess;
    });
}

cudaError_t cudaHostRegister(void *pointer, size_t bytes, unsigned) {
    return api("cudaHostRegister", cudaErrorMemoryAllocation, [&] {
        if (!pointer || !bytes) return cudaErrorInvalidValue;
        if (find_memory(pointer).start == pointer) return cudaErrorHostMemoryAlreadyRegistered;
        enter_in_table(pointer, bytes, MemoryKind::registered, current_device().id);
        return cudaSuccess;
    });
}

cudaError_t cudaHostUnregister(void *pointer) {
    return api("cudaHostUnregister", cudaErrorInvalidValue, [&] {
        return strike_from_table(pointer, MemoryKind::registered) ? cudaSuccess : cudaErrorHostMemoryNotRegistered;
    });
}

cudaError_t cudaHostGetDevicePointer(void **on_device, void *on_host, unsigned) {
    return api("cudaHostGetDevicePointer", cudaErrorInvalidValue, [&] {
        if (find_memory(on_host).kind == MemoryKind::pageable) return cudaErrorInvalidValue;
        *on_device = on_host;
        return cudaSuccess;
    });
}

cudaError_t cudaMemGetInfo(size_t *free_bytes, size_t *total) {
    return api("cudaMemGetInfo", cudaErrorUnknown, [&] {
        *total = settings().memory;
        *free_bytes = *total - std::min(*total, memory_used(current_device().id));
        return cudaSuccess;
    });
}

cudaError_t cudaPointerGetAttributes(cudaPointerAttributes *attributes, const void *pointer) {
    return api("cudaPointerGetAttributes", cudaErrorInvalidValue, [&] {
        const Memory memory = find_memory(pointer);
        std::memset(attributes, 0, sizeof *attributes);
        attributes->type = memory.kind == MemoryKind::device     ? cudaMemoryTypeDevice
                           : memory.kind == MemoryKind::pageable ? cudaMemoryTypeUnregistered
                                                                 : cudaMemoryTypeHost;
        attributes->device = memory.kind == MemoryKind::pageable ? -2 : memory.device;
        if (memory.kind != MemoryKind::pageable) attributes->devicePointer = const_cast<void *>(pointer);
        if (memory.kind != MemoryKind::device) attributes->hostPointer = const_cast<void *>(pointer);
        return cudaSuccess;
    });
}
